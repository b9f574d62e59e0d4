"""CSV that people get gives every cell back, and holds nothing that a spreadsheet runs."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daftari.io.files.csv_for_people import (
    csv_file,
    csv_pieces,
    escaped,
    read_csv_file,
    unescaped,
    unescaped_cells,
)

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8) | st.text(
    "'=+-@\t\r\n019. ,\";x", max_size=6
)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6)
)


def read(body):
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))


@settings(deadline=None)
@given(TABLES)
def test_every_cell_comes_back_and_none_begins_as_a_formula(table):
    names, *rows = table
    found = read(csv_file(names, rows))

    assert [[unescaped(cell) for cell in row] for row in found] == table
    for cell in (cell for row in found for cell in row):
        assert cell[:1] not in {"=", "+", "-", "@", "\t", "\r"} or re.fullmatch(
            r"-(\d+(\.\d+)?(e[+-]?\d+)?|Infinity)", cell, re.ASCII | re.IGNORECASE
        )


@settings(deadline=None)
@given(TABLES)
def test_for_programs_every_cell_is_written_as_it_is(table):
    names, *rows = table
    body = b"".join(csv_pieces(names, [rows], for_people=False))

    assert list(csv.reader(io.StringIO(body.decode(), newline=""), strict=True)) == table


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=6))
def test_a_corrected_file_is_read_as_it_was_written(rows):
    body = csv_file(["=name", "b"], rows)

    assert read_csv_file(body) == [dict(zip(["=name", "b"], row, strict=True)) for row in rows]


@settings(deadline=None)
@given(st.lists(CELLS, min_size=1))
def test_a_whole_column_is_restored_as_each_cell_is(cells):
    table = pl.DataFrame(
        {escaped("=a"): [escaped(cell) for cell in cells]}, schema_overrides={"'=a": pl.String}
    )

    assert unescaped_cells(table).to_dict(as_series=False) == {"=a": cells}


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+254 700 000 000", "'+254 700 000 000"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("'=1", "''=1"),  # else it could not be told from an escaped one
        ("-12.50", "-12.50"),  # a number, and of use as one
        (Decimal("-12.50"), "-12.50"),
        (Decimal("-1E-7"), "-1E-7"),
        (-1.5e20, "-1.5e+20"),
        (-1e-05, "-1e-05"),
        ("-Infinity", "-Infinity"),
        ("-1e", "'-1e"),
        ("-", "'-"),
        ("-\u0661", "'-\u0661"),
        ("'tis", "'tis"),
        ("a=1", "a=1"),
        ("", ""),
        (None, ""),
        (7, "7"),
    ],
)
def test_a_text_that_would_run_has_an_apostrophe_before_it(cell, written):
    assert escaped(cell) == written


def test_a_file_says_that_it_is_utf_8_and_ends_its_lines_as_rfc_4180_says():
    assert csv_file(["a", "b"], [["x,y", 'q"q'], ["ũ", None]]) == (
        b'\xef\xbb\xbfa,b\r\n"x,y","q""q"\r\n\xc5\xa9,\r\n'
    )


def test_the_header_waits_for_the_first_block_and_comes_also_without_one():
    asked = []

    def blocks():
        asked.append("a block")
        yield [["1"]]
        yield [["2"]]

    pieces = csv_pieces(["a"], blocks())
    assert asked == []
    assert list(pieces) == [b"\xef\xbb\xbfa\r\n1\r\n", b"2\r\n"]
    assert list(csv_pieces(["a"], [])) == [b"\xef\xbb\xbfa\r\n"]


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b'a,b\n"1'])
def test_what_is_no_csv_is_refused(body):
    with pytest.raises(ValueError):
        read_csv_file(body)
