"""Control totals and total rows: the sender's figures against the file's."""

from decimal import Decimal

import pytest
from tests.tables import block, dataset, field

from daftari.errors import MappingError
from daftari.rows.formats.inference import infer_styles
from daftari.rows.intake.control_totals import ControlTotals, read_manifest, reconcile
from daftari.rows.intake.file_reading import start_reading, take
from daftari.rows.mapping.column_plan import resolve_columns
from daftari.rows.mapping.mapping import Mapping

FIELDS = (
    field("id", key=True),
    field("note"),
    field("amount", "number", "numeric(14,2)", required=True),
)


def read(*blocks, **mapping):
    """Take *blocks* of (id, note, amount) rows; return what was met and the values kept."""
    whole = dataset(*FIELDS)
    tables = [
        block(
            dict(zip(("id", "note", "amount"), map(list, zip(*rows, strict=True)), strict=True)),
            first_line=line,
        )
        for line, rows in blocks
    ]
    plan = infer_styles(
        resolve_columns(Mapping(dataset="d", **mapping), ("id", "note", "amount"), whole), tables
    )
    reading, kept = start_reading(plan, whole), []
    for table in tables:
        rows, reading = take(reading, table)
        kept += rows.values["id"].to_list()
    return reading, kept


ROWS = [("a", None, "1.50"), ("b", None, "2.50")]


@pytest.mark.parametrize(
    "total",
    [
        (None, None, "4.00"),  # no label: the sum tells
        (None, "GRAND TOTAL", "4.00"),
        (None, "Total for March", "4.00"),
        ("Total", None, "4.00"),  # where a row has its key
    ],
)
def test_a_row_that_totals_those_above_is_no_row(total):
    reading, kept = read((2, [*ROWS, total]))
    assert kept == ["a", "b"]
    assert [(row.line, row.agrees) for row in reading.totals] == [(4, True)]
    assert (reading.found.rows, reading.found.sums["amount"]) == (2, Decimal("4.00"))


def test_a_row_with_all_it_needs_is_data_unless_it_is_called_total_and_is_the_total():
    _, kept = read((2, [*ROWS, ("Total", "an oil company", "3.00"), ("x", "Total", "7.00")]))
    assert kept == ["a", "b", "Total", "x"]


def test_a_total_that_does_not_agree_is_told_with_both_figures():
    reading, kept = read((2, [*ROWS, (None, "Total", "5.00")]))
    assert kept == ["a", "b"]
    (total,) = reading.totals
    assert [str(one) for one in reconcile(total.stated, total.found)] == [
        "sum of amount: stated 5.00, found 4.00 (difference -1.00)"
    ]


def test_an_amount_alone_that_is_no_sum_stays_a_row():
    reading, kept = read((2, [*ROWS, (None, None, "5.00")]))
    assert (kept, reading.totals) == (["a", "b", None], ())


def test_subtotals_and_the_total_over_several_blocks_are_told():
    reading, kept = read(
        (2, [*ROWS, (None, "Total A", "4.00")]),
        (5, [("c", None, "6.00"), (None, "Total B", "6.00"), (None, None, "10.00")]),
    )
    assert kept == ["a", "b", "c"]
    assert [row.agrees for row in reading.totals] == [True, True, True]
    assert reading.found.sums["amount"] == Decimal("10.00")


def test_a_mapping_may_say_that_there_is_no_total_row():
    reading, kept = read((2, [*ROWS, (None, None, "4.00")]), total_row="none")
    assert (kept, reading.totals) == (["a", "b", None], ())


def test_a_mapping_may_say_how_the_total_is_labelled():
    reading, _ = read((2, [*ROWS, (None, "Jumla", "4.01")]), total_row={"label": "jumla", "column": "note"})
    assert [row.agrees for row in reading.totals] == [False]


FOUND = ControlTotals(rows=2, sums={"amount": Decimal("4.00")})


@pytest.mark.parametrize(
    ("stated", "differences"),
    [
        (ControlTotals(), []),
        (ControlTotals(rows=2, sums={"amount": Decimal("4")}), []),
        (ControlTotals(rows=3), ["rows: stated 3, found 2 (difference -1)"]),
        (
            ControlTotals(sums={"amount": Decimal("4.01")}),
            ["sum of amount: stated 4.01, found 4.00 (difference -0.01)"],
        ),
        (
            ControlTotals(sums={"amonut": Decimal("4")}),
            ["sum of amonut: stated 4, but the file has no such number column"],
        ),
    ],
)
def test_every_stated_figure_is_held_against_the_file(stated, differences):
    assert [str(one) for one in reconcile(stated, FOUND)] == differences


def test_a_manifest_is_csv_or_yaml():
    wanted = {"march.csv": ControlTotals(rows=2, sums={"amount": Decimal("4.00")})}
    assert read_manifest('file,rows,amount\nmarch.csv,2,"4.00"\n', "m.csv") == wanted
    assert read_manifest("march.csv: {rows: 2, sums: {amount: '4.00'}}\n", "m.yaml") == wanted


@pytest.mark.parametrize(
    ("text", "source", "message"),
    [
        ("name,rows\na,1\n", "m.csv", "m.csv:1: not a manifest; expected a column `file` in its header"),
        ("file,rows\na,many\n", "m.csv", "m.csv: line 2: rows is not a number"),
        ("- a\n", "m.yaml", "m.yaml: not a manifest; expected file names with `rows` and `sums`"),
        ("a: {rows: [}\n", "m.yaml", "m.yaml: not valid YAML"),
    ],
)
def test_a_manifest_that_is_none_is_refused(text, source, message):
    with pytest.raises(MappingError) as raised:
        read_manifest(text, source)
    assert str(raised.value).startswith(message)
