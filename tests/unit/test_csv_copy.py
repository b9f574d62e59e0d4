"""Rows as CSV for a COPY say what they hold, and tell what is missing from what is empty."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from daftari.rows.intake.csv_copy import copy_csv

# PostgreSQL holds no NUL, and half of a surrogate pair is no character
TEXTS = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]))


@given(st.lists(TEXTS, min_size=1))
def test_every_text_is_read_back_as_it_was(texts):
    rows = pl.DataFrame({"number": range(len(texts)), "text": pl.Series(texts, dtype=pl.String)})
    read = csv.reader(io.StringIO(copy_csv(rows).decode(), newline=""), strict=True)
    assert [text for _, text in read] == texts


def test_what_is_missing_is_told_from_what_is_empty():
    rows = pl.DataFrame({"a": ["", None], "b": [None, 1]}, schema={"a": pl.String, "b": pl.Int64})
    assert copy_csv(rows) == b'"",\n,"1"\n'


def test_values_are_written_as_postgresql_reads_them():
    rows = pl.DataFrame(
        {
            "moment": pl.Series([datetime(2026, 3, 1, 9, 30, 0, 5, tzinfo=UTC)]),
            "sealed": pl.Series([b"\x00\xff"]),
            "amount": pl.Series([Decimal("12.50")], dtype=pl.Decimal(14, 2)),
            "yes": pl.Series([True]),
        }
    )
    assert copy_csv(rows) == b'"2026-03-01T09:30:00.000005+00:00","\\x00ff","12.50","true"\n'
