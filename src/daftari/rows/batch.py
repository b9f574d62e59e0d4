"""The rows of one batch that have the same key: PostgreSQL refuses them in one upsert, so they are settled first."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from daftari.contract.model import Conflict


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Rows that passed every rule, one a key, in the order of their file."""

    rows: pl.DataFrame  #: the contract's fields, then _run_id
    lines: pl.Series
    body: bytes  #: *rows* as a binary COPY
    #: no earlier batch of the file has any of its keys; the table still may
    is_new: bool = True


@dataclass(frozen=True, kw_only=True)
class Settled:
    keep: pl.Series  #: which rows go on, one a key
    duplicates: int  #: rows that another of the batch stands for
    conflicting: pl.Series  #: rows that contradict an earlier one, where the contract rejects those


def settle(rows: pl.DataFrame, key: tuple[str, ...], conflict: Conflict) -> Settled:
    """
    Choose one row for each key of *rows*, which are in the order of their file.

    The latest is kept where the contract's rule is update, else the first; under reject, a later row of other
    content is conflicting instead of a duplicate.
    """
    none = pl.repeat(False, rows.height, eager=True)
    if not key or _distinct(rows.select(key)) == rows.height:
        return Settled(keep=~none, duplicates=0, conflicting=none)
    keep = _one_of_each(rows, key, last=conflict is Conflict.UPDATE)
    if conflict is not Conflict.REJECT:
        return Settled(keep=keep, duplicates=int((~keep).sum()), conflicting=none)
    first_of_its_content = _one_of_each(rows, tuple(rows.columns), last=False)
    conflicting = ~keep & first_of_its_content
    return Settled(keep=keep, duplicates=int((~keep & ~conflicting).sum()), conflicting=conflicting)


def _distinct(keys: pl.DataFrame) -> int:
    return keys.to_series().n_unique() if keys.width == 1 else keys.n_unique()


def _one_of_each(rows: pl.DataFrame, names: tuple[str, ...], *, last: bool) -> pl.Series:
    one = pl.struct(names) if len(names) > 1 else pl.col(names)
    return rows.select(one.is_last_distinct() if last else one.is_first_distinct()).to_series()
