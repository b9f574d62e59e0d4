"""Figures are shown without the zeros of a number that has no declared scale, wherever they are told or written."""

from decimal import Decimal

import polars as pl
import pytest

from daftari.rows.intake.control_totals import TotalDifference, shown_figure
from daftari.rows.intake.csv_copy import copy_csv
from daftari.web.value_formats import count


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        (Decimal("1500.500000000000000000"), "1,500.5"),
        (Decimal("1500.000000000000000000"), "1,500"),
        (Decimal("0E-18"), "0"),
        (Decimal("-0.000000000000000001"), "-0.000000000000000001"),
        (Decimal("108750.50"), "108,750.50"),
        (Decimal("1E+3"), "1,000"),
        (12345, "12,345"),
    ],
)
def test_a_figure_has_no_zeros_that_say_nothing(figure, shown):
    assert shown_figure(figure) == shown
    assert count(figure) == shown


def test_a_difference_of_totals_is_told_in_such_figures():
    found = Decimal("106750.500000000000000000")
    difference = TotalDifference(what="amount", stated=Decimal("108750.5"), found=found)
    assert str(difference) == "sum of amount: stated 108,750.5, found 106,750.5 (difference -2,000)"


def test_a_record_of_the_api_is_written_without_them():
    amounts = [Decimal("1.5"), Decimal(100), Decimal(0), None, Decimal("-0.00000000000000001")]
    rows = pl.DataFrame({"amount": pl.Series(amounts, dtype=pl.Decimal(38, 18)), "k": [1, 2, 3, 4, 5]})
    assert copy_csv(rows) == b'"1.5","1"\n"100","2"\n"0","3"\n,"4"\n"-0.00000000000000001","5"\n'
