"""Control totals: what a sender states of a file against what is in it, to the last digit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from daftari.errors import MappingError
from daftari.rows.control import ControlTotals, read_manifest, reconcile

FOUND = ControlTotals(rows=3, sums={"amount": Decimal("10.30"), "hours": Decimal(4)})


@pytest.mark.parametrize(
    ("stated", "differences"),
    [
        (ControlTotals(), []),
        (ControlTotals(rows=3, sums={"amount": Decimal("10.3"), "hours": Decimal("4.0")}), []),
        (ControlTotals(rows=4), ["rows: stated 4, found 3 (difference -1)"]),
        (ControlTotals(rows=0), ["rows: stated 0, found 3 (difference 3)"]),
        (
            ControlTotals(sums={"amount": Decimal("10.31")}),
            ["sum of amount: stated 10.31, found 10.30 (difference -0.01)"],
        ),
        (
            ControlTotals(rows=1200, sums={"hours": Decimal(-1)}),
            [
                "rows: stated 1,200, found 3 (difference -1,197)",
                "sum of hours: stated -1, found 4 (difference 5)",
            ],
        ),
        (
            ControlTotals(sums={"fee": Decimal(1)}),
            ["sum of fee: stated 1, but the file has no such number column"],
        ),
    ],
)
def test_every_figure_that_is_not_borne_out_is_told_with_both_sides(stated, differences):
    assert [str(one) for one in reconcile(stated, FOUND)] == differences


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("manifest.csv", '\ufefffile,rows,amount\nmarch.csv,3,"1,010.30"\nempty.csv,,\n'),
        ("manifest.yaml", "march.csv: {rows: 3, sums: {amount: '1010.30'}}\nempty.csv: {}\n"),
    ],
)
def test_a_manifest_states_totals_by_file(name, text):
    assert read_manifest(text, name) == {
        "march.csv": ControlTotals(rows=3, sums={"amount": Decimal("1010.30")}),
        "empty.csv": ControlTotals(),
    }


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.csv", "name,rows\n", "m.csv:1: is no manifest; its header has no `file`"),
        ("m.csv", "file,rows\nmarch.csv,many\n", "m.csv: line 2: rows is not a number"),
        ("m.yaml", "- march.csv\n", "m.yaml: is no manifest; expected file names with `rows` and `sums`"),
        ("m.yaml", "march.csv: {sums: {amount: ten}}\n", "m.yaml: march.csv: amount is not a number"),
        ("m.yaml", "a: [", "m.yaml: is not YAML: while parsing a flow node"),
    ],
)
def test_a_manifest_that_is_none_is_refused_in_words(name, text, message):
    with pytest.raises(MappingError) as caught:
        read_manifest(text, name)

    assert str(caught.value) == message
