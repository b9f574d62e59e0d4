from __future__ import annotations

import openpyxl
import pytest

from daftari.io.files import open_source


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (8388607.99, "8388607.99"),
        (8388608.01, "8388608.01"),  # from 2^23 on, nine decimals are more than a double holds
        (15280244.44, "15280244.44"),
        (-15280244.44, "-15280244.44"),
        (999999999999.99, "999999999999.99"),
        (21623900, "21623900"),
        (0.1, "0.1"),
    ],
)
def test_a_number_of_a_sheet_has_the_digits_that_were_typed(tmp_path, number, text):
    book = openpyxl.Workbook()
    for row in (["name", "amount"], ["first", number], ["second", 1.5]):
        book.active.append(row)
    book.save(tmp_path / "amounts.xlsx")

    [block] = open_source(tmp_path / "amounts.xlsx").blocks()

    assert block.cells["amount"].to_list() == [text, "1.5"]
