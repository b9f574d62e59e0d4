"""Keys that were met in a file are never taken for new; few new ones are taken for met."""

import polars as pl

from daftari.rows.intake.seen_keys import Seen


def keys(start, end):
    return pl.DataFrame({"key": [f"E-{number}" for number in range(start, end)]})


def test_a_key_that_was_met_is_always_told():
    seen = Seen()
    seen.maybe_seen(keys(0, 50_000))
    assert seen.maybe_seen(keys(0, 50_000)).all()


def test_hardly_a_new_key_is_taken_for_a_known_one():
    seen = Seen()
    met = sum(seen.maybe_seen(keys(start, start + 50_000)).sum() for start in range(0, 500_000, 50_000))
    assert met < 50


def test_keys_of_several_fields_are_told_apart():
    seen = Seen()
    seen.maybe_seen(pl.DataFrame({"user": ["a", "b"], "month": [1, 2]}))
    again = seen.maybe_seen(pl.DataFrame({"user": ["a", "a", "b"], "month": [1, 2, 2]}))
    assert again.to_list() == [True, False, True]
