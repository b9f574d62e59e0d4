"""Rows of one key within one batch: which goes on, and what becomes of the others."""

from __future__ import annotations

import polars as pl
import pytest

from daftari.contract.model import Conflict
from daftari.rows.intake.batch import complete_from_earlier, drop_duplicates

UPDATE, KEEP, REJECT = Conflict.UPDATE, Conflict.KEEP, Conflict.REJECT


@pytest.mark.parametrize(
    ("rows", "conflict", "kept", "duplicates", "superseded", "conflicting"),
    [
        ("a1 b1", UPDATE, "a1 b1", 0, [], []),
        ("a1 b1 a2", UPDATE, "b1 a2", 0, [0], []),
        ("a1 a2 a1", UPDATE, "a1", 1, [1], []),
        ("a1 b1 a2", KEEP, "a1 b1", 0, [2], []),
        ("a- a1 a-", KEEP, "a-", 1, [1], []),
        ("a1 b1 a2", REJECT, "a1 b1", 0, [], [2]),
        ("a1 a1 a1", UPDATE, "a1", 2, [], []),
        ("a1 a1 a1", REJECT, "a1", 2, [], []),
        ("a1 a2 a1 a2 a3", REJECT, "a1", 2, [], [1, 4]),
        ("a- a- a1", REJECT, "a-", 1, [], [2]),
        ("", UPDATE, "", 0, [], []),
    ],
)
def test_one_row_of_each_key_goes_on(rows, conflict, kept, duplicates, superseded, conflicting):
    frame = frame_of(rows)

    settled = drop_duplicates(frame, ("key",), conflict)

    assert frame.filter(settled.keep).equals(frame_of(kept))
    assert settled.duplicates == duplicates
    assert settled.superseded.arg_true().to_list() == superseded
    assert settled.conflicting.arg_true().to_list() == conflicting
    kept_and_not = settled.keep.sum() + settled.duplicates + len(superseded) + len(conflicting)
    assert kept_and_not == frame.height


def test_a_key_of_two_fields_is_the_same_when_both_are():
    frame = pl.DataFrame({"key": ["a", "a", "b", "a"], "part": [1, 2, 1, 1], "value": ["x", "x", "x", "y"]})

    assert drop_duplicates(frame, ("key", "part"), UPDATE).keep.to_list() == [False, True, True, True]


def test_without_a_key_every_row_goes_on():
    assert drop_duplicates(frame_of("a1 a1"), (), UPDATE).keep.to_list() == [True, True]


def frame_of(rows):
    """Rows written as key and value: `a1`; `-` is null."""
    pairs = [(key, None if value == "-" else value) for key, value in rows.split()]
    return pl.DataFrame(pairs, schema={"key": pl.String, "value": pl.String}, orient="row")


def test_a_row_takes_what_it_lacks_from_the_latest_earlier_row_of_its_key_that_has_it():
    rows = pl.DataFrame(
        {"key": ["a", "a", "b", "a"], "x": ["1", None, None, None], "y": ["2", "3", "4", None]}
    )
    absent = pl.Series(["", "x,", "x,", "x,y,"])
    completed, left = complete_from_earlier(rows, absent, ("key",))
    assert completed.rows() == [("a", "1", "2"), ("a", "1", "3"), ("b", None, "4"), ("a", "1", "3")]
    assert left.to_list() == ["", "", "x,", ""]
