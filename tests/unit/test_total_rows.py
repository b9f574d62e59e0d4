"""Control totals and total rows: the sender's figures against the file's."""

from dataclasses import replace
from decimal import Decimal

import polars as pl
import pytest
from tests.tables import block, dataset, field

from daftari.errors import MappingError
from daftari.rows.formats.inference import infer_styles
from daftari.rows.intake.block import Malformed
from daftari.rows.intake.control_totals import ControlTotals, Read, read_manifest, reckon, reconcile
from daftari.rows.intake.file_reading import start_reading, take
from daftari.rows.intake.total_rows import misfit_verdict
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


@pytest.mark.parametrize(
    ("label", "left_out"),
    [
        ("Jumla", (1, 0)),
        ("Prepared by: Finance", (0, 1)),
        ("-----", (0, 1)),
        ("(2 rows affected)", (0, 1)),
    ],
)
def test_a_label_may_be_in_a_column_of_numbers(label, left_out):
    whole = dataset(*FIELDS, field("pieces", "integer"))
    figure = "4.00" if label == "Jumla" else None
    table = block(
        {
            "id": ["a", "b", None],
            "note": ["x", "y", None],
            "amount": ["1.50", "2.50", figure],
            "pieces": ["1", "2", label],
        }
    )
    plan = infer_styles(resolve_columns(None, table.cells.columns, whole), [table])
    rows, reading = take(start_reading(plan, whole), table)
    assert rows.values["id"].to_list() == ["a", "b"]
    assert (reading.left_out.totals, reading.left_out.notes) == left_out
    assert reading.unread == ()


def test_a_text_in_a_column_of_numbers_that_is_no_label_leaves_its_row_a_row():
    _, kept = read((2, [*ROWS, ("c", None, "see below"), (None, None, "see below")]))
    assert kept == ["a", "b", "c", None]


def test_a_total_that_a_file_marks_as_a_number_is_read_as_one_beside_texts_of_another_style():
    whole = dataset(*FIELDS)
    cells = {
        "id": ["a", "b", None],
        "note": ["x", "y", "Total"],
        "amount": ["1.234,50", "1.234,50", "2469.0"],
    }
    table = replace(block(cells), typed={"amount": pl.Series([False, False, True])})
    plan = infer_styles(resolve_columns(None, table.cells.columns, whole), [table])
    _, reading = take(start_reading(plan, whole), table)
    assert [(one.stated.sums["amount"], one.agrees) for one in reading.totals] == [(Decimal("2469.00"), True)]


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


PAYMENTS = (
    field("supplier"),
    field("paid_on", "date"),
    field("service"),
    field("amount", "number", "numeric(14,2)", required=True),
)
PAID = [
    ("Alpha", "2026-03-01", "Roads", "100.00"),
    ("Beta", "2026-03-02", "Roads", "250.50"),
    ("Gamma", "2026-03-03", "Parks", "49.50"),
]


def payments(*rows, **mapping):
    """Take PAID and *rows*, without a key; return the lines left out, the doubted ones, and the suppliers kept."""
    names = [one.name for one in PAYMENTS]
    whole, cells = dataset(*PAYMENTS), [*PAID, *rows]
    table = block(dict(zip(names, map(list, zip(*cells, strict=True)), strict=True)), first_line=2)
    plan = infer_styles(resolve_columns(Mapping(dataset="d", **mapping), names, whole), [table])
    rows, reading = take(start_reading(plan, whole), table)
    return reading, [one.line for one in rows.malformed], rows.lines.to_list()


LABELS = [
    "Total", "TOTAL:", "Totals", "Grand Total", "GRAND  TOTAL", "Sub-total", "Subtotal", "Total for March",
    "Total (KES)", "Total KES", "*** Total ***", "To\u200btal", "Jumla", "JUMLA KUU", "Jumla ndogo", "Jumla ya mwezi",
    "Total général", "T O T A L", "MAJUMLA", "Tot.", "Σ",
    "Sous-total", "Totaux", "Total geral", "Sum", "Total payments", "Total 2026",
]  # fmt: skip


@pytest.mark.parametrize("label", LABELS)
def test_a_total_word_in_a_row_that_lacks_what_others_have_makes_it_a_total(label):
    for place in (0, 2):
        cells = [None, None, None, "401.00"]
        cells[place] = label
        reading, doubted, kept = payments(tuple(cells))
        assert (kept, doubted) == ([2, 3, 4], [])
        assert [total.line for total in reading.totals] == [5]
        assert [one.by for one in reconcile(reading.totals[0].stated, reading.totals[0].found)] == [-1]


@pytest.mark.parametrize(
    "row",
    [
        ("Total", "2026-03-04", "Fuel", "400.00"),  # an oil company, and by chance the sum
        ("Total Kenya", "2026-03-04", None, "30.00"),
        ("TotalEnergies", None, None, "30.00"),
        ("Summit Ltd", None, None, "30.00"),
        ("Jumlani Otieno", None, None, "30.00"),
        ("Delta", "2026-03-04", "Total repair", "30.00"),
    ],
)
def test_a_word_makes_no_total_of_a_row_that_has_what_others_have(row):
    reading, doubted, kept = payments(row)
    assert (kept, doubted, reading.totals) == ([2, 3, 4, 5], [], ())


@pytest.mark.parametrize(
    "row",
    [
        (None, None, None, "400.00"),  # nothing but the sum, and nothing is required but the amount
        (None, None, "Roads and parks", "400.00"),
        ("Total Kenya", None, None, "30.00"),  # a supplier, or a total that does not agree
    ],
)
def test_what_may_be_a_total_or_a_row_is_asked_about(row):
    reading, doubted, kept = payments(row)
    assert (kept, doubted, reading.totals) == ([2, 3, 4], [5], ())
    assert (reading.found.rows, reading.found.sums["amount"]) == (4, Decimal("400.00"))


def test_a_total_word_and_a_number_alone_are_asked_about_where_no_row_has_more():
    narrow = dataset(field("supplier"), field("amount", "number", "numeric(14,2)", required=True))
    for amount, expected in (("190.00", ([2, 4], 1)), ("250.00", ([2, 4], 0))):
        cells = {
            "supplier": ["Shell", "Total", "BP"],
            "amount": ["100.00" if amount == "250.00" else "190.00", amount, "90"],
        }
        table = block(cells)
        plan = infer_styles(resolve_columns(None, list(cells), narrow), [table])
        rows, reading = take(start_reading(plan, narrow), table)
        assert (rows.lines.to_list(), len(reading.totals)) == expected
        assert [one.line for one in rows.malformed] == ([] if expected[1] else [3])


def test_a_total_of_floating_point_numbers_is_left_out_and_not_compared():
    measured = dataset(field("id", key=True), field("note"), field("amount", "number", "double precision"))
    table = block({"id": ["a", "b", "Total"], "note": ["x", "y", None], "amount": ["1.5", "2.5", "4.0"]})
    plan = infer_styles(resolve_columns(None, ["id", "note", "amount"], measured), [table])
    rows, reading = take(start_reading(plan, measured), table)
    assert rows.lines.to_list() == [2, 3]
    assert [str(one) for one in reckon((), reading.met).remarks] == [
        "total row: left out; it states no number that can be compared (line 4)"
    ]


def test_a_declared_label_is_one_more_word_and_the_declaration_decides():
    named = {"total_row": {"label": "Alles zusammen", "column": "Supplier"}}
    rows = [("Alles zusammen", None, None, "401.00"), (None, None, "Alles zusammen", "30.00")]
    reading, doubted, kept = payments(*rows, **named)
    assert ([total.line for total in reading.totals], doubted, kept) == ([5], [], [2, 3, 4, 6])
    assert payments(("Total", None, None, "400.00"), **named)[0].totals[0].agrees
    with pytest.raises(MappingError, match="total_row names column 'Suplier'"):
        payments(total_row={"column": "Suplier"})


def test_totals_of_groups_within_groups_and_above_all_rows_are_compared_with_their_own_rows():
    total = ("Total", None, None)
    reading, _, kept = payments(
        (*total, "400.00"),  # of the first group
        ("Delta", "2026-04-01", "Roads", "1.00"),
        (*total, "1.00"),
        ("Eta", "2026-04-02", "Roads", "2.00"),
        (*total, "2.00"),
        (*total, "3.00"),  # of the last two groups
        (*total, "403.00"),
    )
    assert kept == [2, 3, 4, 6, 8]
    assert [one.agrees for one in reading.totals] == [True] * 5


def test_a_total_above_the_rows_is_compared_with_those_below():
    names, cells = [one.name for one in PAYMENTS], [("Total", None, None, "400.00"), *PAID]
    table = block(dict(zip(names, map(list, zip(*cells, strict=True)), strict=True)), first_line=2)
    whole = dataset(*PAYMENTS)
    plan = infer_styles(resolve_columns(None, names, whole), [table])
    rows, reading = take(start_reading(plan, whole), table)
    assert rows.lines.to_list() == [3, 4, 5]
    assert [one.agrees for one in reading.met.totals] == [True]


def test_a_total_that_counts_unreadable_rows_is_not_compared_and_says_so():
    reading, _, kept = payments(("Delta", "2026-03-04", "Roads", "twelve"), ("Total", None, None, "412.00"))
    assert kept == [2, 3, 4, 5]
    reckoning = reckon((), reading.met)
    assert reckoning.differences == ()
    assert [str(one) for one in reckoning.remarks] == [
        "total row: sum of amount: stated 412.00; read 400.00; line 5 could not be read (line 6)",
        "total row: left out; it could not be compared (line 6)",
    ]
    stated = ControlTotals(rows=4, sums={"amount": Decimal("412.00")})
    assert reckon([stated], reading.met).differences == (
        "sum of amount: stated 412.00, found 400.00 (difference -12.00); line 5 could not be read",
    )


def test_rounding_is_said_and_accepted_by_name():
    reading, _, _ = payments(("Total", None, None, "400.01"))
    refused = reckon((), reading.met)
    assert refused.differences == ("line 5: sum of amount: stated 400.01, found 400.00 (difference -0.01)",)
    assert refused.hint.endswith("accept it by name: --rounding amount=0.01")
    accepted = reckon([ControlTotals(rounding={"amount": Decimal("0.01")})], reading.met)
    assert accepted.differences == ()
    assert [one.kind for one in accepted.remarks] == ["rounding", "total_row"]
    assert reckon([ControlTotals(rounding={"fee": Decimal("0.01")})], reading.met).differences


def groups(*differences):
    """Take a file of as many groups of two rows, each with a total that differs by so much."""
    names, whole = [one.name for one in PAYMENTS], dataset(*PAYMENTS)
    cells = [
        row for by in differences for row in (*PAID[:2], ("Total", None, None, str(Decimal("350.50") + by)))
    ]
    tables = [
        block(
            dict(zip(names, map(list, zip(*cells[at : at + 999], strict=True)), strict=True)),
            first_line=at + 2,
        )
        for at in range(0, len(cells), 999)
    ]
    reading = start_reading(infer_styles(resolve_columns(None, names, whole), tables), whole)
    for table in tables:
        _, reading = take(reading, table)
    return reading


def test_of_many_totals_those_beyond_a_thousand_are_counted_and_compared_and_not_kept():
    penny = Decimal("0.01")
    reading = groups(*[0] * 1200, *[penny] * 1050, 3 * penny, *[penny] * 20)

    assert (reading.left_out.totals, len(reading.totals)) == (2271, 2000)
    refused = reckon((), reading.met)
    assert len(refused.differences) == 21
    assert refused.differences[0].startswith("line 3604: sum of amount: stated 350.51, found 350.50")
    assert refused.differences[-1] == "and 981 more differences"
    assert refused.hint.endswith("accept it by name: --rounding amount=0.03")
    assert [str(one) for one in refused.remarks] == [
        "total row: left out; it agrees with the rows (1,200 times, first in line 4)",
        "total row: left out; it differs from the rows (1,071 times, first in line 3604)",
    ]
    assert reckon([ControlTotals(rounding={"amount": 2 * penny})], reading.met).differences == (
        "sum of amount: further total rows differ by 0.03 at most",
    )
    accepted = reckon([ControlTotals(rounding={"amount": 3 * penny})], reading.met)
    assert accepted.differences == ()
    assert len(accepted.remarks) == 20 + 1 + 1 + 2


def test_a_grand_total_is_compared_with_all_rows_however_many_subtotals_are_above_it():
    reading = groups(*[0] * 1500, 1500 * Decimal("350.50") - Decimal("1.00"))
    assert [str(one) for one in reckon((), reading.met).differences] == [
        "line 4504: sum of amount: stated 526,099.50, found 526,100.50 (difference 1.00)"
    ]


def test_the_hint_names_the_largest_rounding_of_a_field():
    reading, _, _ = payments(("Total", None, None, "400.03"), PAID[0], ("Total", None, None, "100.01"))
    assert reckon((), reading.met).hint.endswith("by name: --rounding amount=0.03")


NOTES = [
    "Prepared by: Finance",
    "Source: ledger",
    "-----",
    "(5,998 rows affected)",
    "Imetayarishwa na Fedha",
    "* provisional",
]


@pytest.mark.parametrize("note", NOTES)
def test_a_note_is_left_out_and_named_by_its_line(note):
    reading, doubted, kept = payments((note, None, None, None))
    assert (kept, doubted, reading.left_out.notes) == ([2, 3, 4], [], 1)
    assert [str(one) for one in reading.remarks] == ["text that is no row: left out (line 5)"]


def test_a_note_in_the_column_of_the_key_is_no_key():
    reading, kept = read(
        (2, [("a", "x", "1.50"), ("b", "y", "2.50"), ("Prepared by: Finance", None, None), ("c", "z", None)])
    )
    assert (kept, reading.left_out.notes) == (["a", "b", "c"], 1)


@pytest.mark.parametrize(
    "row",
    [
        ("Notes Ltd", None, None, "30.00"),
        ("Notes Ltd", None, None, "thirty"),
        ("Notes Ltd", "2026-03-04", None, None),
    ],
)
def test_a_word_makes_no_note_of_a_row_that_says_more(row):
    reading, doubted, kept = payments(row)
    assert (kept, doubted, reading.left_out.notes) == ([2, 3, 4, 5], [], 0)


@pytest.mark.parametrize("row", [("R-4", "Total", None, None, "400.00"), ("R-4", None, None, None, "400.00")])
def test_a_row_with_its_own_key_is_no_total_whatever_it_lacks(row):
    whole = dataset(field("ref", key=True), *PAYMENTS)
    cells = [*((f"R-{n}", *paid) for n, paid in enumerate(PAID, 1)), row]
    names = [one.name for one in whole.fields]
    table = block(dict(zip(names, map(list, zip(*cells, strict=True)), strict=True)), first_line=2)
    plan = infer_styles(resolve_columns(None, names, whole), [table])
    rows, reading = take(start_reading(plan, whole), table)
    assert (rows.lines.to_list(), rows.malformed, reading.totals) == ([2, 3, 4, 5], (), ())


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        (("Prepared by: Wanjiku", "Finance"), "NOTE"),
        (("Total", "", "400.00"), "TOTAL"),
        (("Notes Ltd", "2026-03-04"), "ROW"),
        (("Total", "2026-03-04", "Roads"), "ROW"),
        (("", ""), "ROW"),
    ],
)
def test_a_record_of_another_shape_is_a_note_or_a_total_only_if_it_says_nothing_else(fields, verdict):
    whole = dataset(*PAYMENTS)
    plan = resolve_columns(None, [one.name for one in PAYMENTS], whole)
    record = Malformed(line=2, reason="has fewer fields", preview="", fields=fields)
    assert misfit_verdict(record, start_reading(plan, whole).shape).name == verdict


SUMMARIES = [
    "Balance b/f", "BALANCE C/F", "Opening Balance", "Closing balance:", "Bal. b/d", "Balance brought forward",
    "Carried forward", "Average", "Count", "Salio", "Wastani", "Solde initial", "Saldo anterior",
    "Closing balance as at 31 March",
]  # fmt: skip


@pytest.mark.parametrize("label", SUMMARIES)
def test_a_balance_an_average_or_a_count_that_lacks_what_rows_have_is_asked_about(label):
    reading, doubted, kept = payments((label, None, None, "133.33"))
    assert (kept, doubted, reading.totals) == ([2, 3, 4], [5], ())


@pytest.mark.parametrize(
    "row",
    [
        ("Balance Consultants", None, None, "30.00"),
        ("Average", "2026-03-04", "Roads", "30.00"),
        ("Count Dracula", None, None, "30.00"),
        ("New Balance", None, None, "30.00"),
    ],
)
def test_a_word_of_balances_makes_no_balance_of_a_name_or_of_a_row_that_has_what_others_have(row):
    _, doubted, kept = payments(row)
    assert (kept, doubted) == ([2, 3, 4, 5], [])


def told_of_rows(reading):
    return [(one.line, "is the sum" in one.text) for one in reading.remarks if "loaded" in one.text]


def test_a_row_without_a_key_that_is_labelled_as_a_total_is_loaded_with_a_remark():
    reading, _, kept = payments(
        ("Total", "2026-03-04", "Fuel", "400.00"), ("TOTAL", "2026-03-05", "Fuel", "7")
    )
    assert (kept, told_of_rows(reading)) == ([2, 3, 4, 5, 6], [(5, True), (6, False)])


def test_a_total_in_which_the_numbering_of_the_rows_goes_on_is_loaded_with_a_remark_or_left_out_if_declared():
    rows = (2, [*ROWS, ("c", "TOTAL", "4.00"), ("d", "Total", "9.00")])
    reading, kept = read(rows)
    assert (kept, told_of_rows(reading)) == (["a", "b", "c", "d"], [(4, True)])
    reading, kept = read(rows, total_row={"label": "total", "column": "note"})
    assert (kept, [one.line for one in reading.totals]) == (["a", "b", "d"], [4])


@pytest.mark.parametrize(
    "signed",
    [
        ("Prepared by: ________", None, "Checked by: ________", None),
        ("Date: ______", None, None, None),
        ("________", None, "________", None),
        ("Prepared by", "______", None, None),
    ],
)
def test_a_line_to_sign_on_is_a_note(signed):
    reading, doubted, kept = payments(signed)
    assert (kept, doubted, reading.left_out.notes) == ([2, 3, 4], [], 1)


def test_a_row_with_its_own_key_is_neither_total_nor_note():
    _, kept = read((2, [*ROWS, ("c", "Total", "4.00"), ("d", "Prepared by: Finance", None)]))
    assert kept == ["a", "b", "c", "d"]


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


@pytest.mark.parametrize(
    ("stated", "differences"),
    [
        (
            {"sums": {"amonut": Decimal(4)}},
            ("sum of amonut: stated 4, but the file has no such number column",),
        ),
        ({"rounding": {"amonut": Decimal(1)}}, ("rounding of amonut: the file has no such number column",)),
    ],
)
def test_a_stated_name_that_the_file_lacks_is_refused_with_those_that_it_has(stated, differences):
    reckoning = reckon([ControlTotals(**stated)], Read(found=FOUND))
    assert reckoning.differences == differences
    assert reckoning.hint == (
        "Nothing was loaded. Correct the name. Its number columns are amount. Did you mean 'amount'?"
    )


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
        (
            "a.csv: {sums: 5}\n",
            "m.yaml",
            "m.yaml: not a manifest; expected file names with `rows` and `sums`",
        ),
        ("a.csv: {rows: 1.5}\n", "m.yaml", "m.yaml: a.csv: rows is not a whole number"),
        ("a.csv: {rows: .nan}\n", "m.yaml", "m.yaml: a.csv: rows is not a number"),
        ("a.csv: {sums: {fee: '1e999999999'}}\n", "m.yaml", "m.yaml: a.csv: fee is not a number"),
        ("file,rows\na,2.5\n", "m.csv", "m.csv: line 2: rows is not a whole number"),
        ("file,rows\na,1e999999999\n", "m.csv", "m.csv: line 2: rows is not a number"),
        ("a: {rows: [}\n", "m.yaml", "m.yaml: not valid YAML"),
    ],
)
def test_a_manifest_that_is_none_is_refused(text, source, message):
    with pytest.raises(MappingError) as raised:
        read_manifest(text, source)
    assert str(raised.value).startswith(message)
