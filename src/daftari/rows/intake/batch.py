"""Keep one row per key in a batch: PostgreSQL refuses an upsert with the same key twice."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from daftari.contract.model import Conflict
from daftari.rows.formats.parse import lacks_field


class RowsElsewhere(Exception):
    """A batch from another process does not carry its rows."""


class Batch:
    """
    Rows that passed every rule, one per key, in file order.

    Pickling drops the rows: nearly every batch needs only its body.
    """

    def __init__(self, *, rows: pl.DataFrame, lines: pl.Series, body: bytes, is_new: bool = True) -> None:
        self._rows: pl.DataFrame | None = rows
        self.lines = lines
        self.body = body  #: *rows* as a binary COPY
        self.columns = tuple(rows.columns)  #: of *rows* and *body*
        #: no earlier batch of the file has any of its keys; the table may
        self.is_new = is_new

    @property
    def height(self) -> int:
        return len(self.lines)

    @property
    def rows(self) -> pl.DataFrame:
        """
        The contract's fields, without those that the rows lack, then _run_id.

        Raises:
            RowsElsewhere: the batch came from another process.
        """
        if self._rows is None:
            raise RowsElsewhere
        return self._rows

    def __getstate__(self) -> dict[str, object]:
        return {**vars(self), "_rows": None}


@dataclass(frozen=True, kw_only=True)
class Deduplicated:
    keep: pl.Series  #: which rows to keep, one per key
    conflicting: pl.Series  #: rows that contradict an earlier one, if the contract rejects those
    superseded: pl.Series  #: dropped rows whose content differs from the row of their key that is kept

    @property
    def duplicates(self) -> int:
        """Rows dropped in favour of one with the same content."""
        return int((~self.keep & ~self.conflicting & ~self.superseded).sum())


def drop_duplicates(rows: pl.DataFrame, key: tuple[str, ...], conflict: Conflict) -> Deduplicated:
    """
    Choose one row for each key of *rows*, which are in file order.

    Under conflict rule update the latest is kept, else the first; under reject, a later row with different
    content is conflicting, not a duplicate.
    """
    none = pl.Series([False]).new_from_index(0, rows.height)
    if not key or _distinct(pl.DataFrame([rows[name] for name in key])) == rows.height:
        return Deduplicated(keep=~none, conflicting=none, superseded=none)
    keep = _one_of_each(rows, key, last=conflict is Conflict.UPDATE)
    if conflict is not Conflict.REJECT:
        return Deduplicated(keep=keep, conflicting=none, superseded=_others(rows, key, keep))
    first_of_its_content = _one_of_each(rows, tuple(rows.columns), last=False)
    return Deduplicated(keep=keep, conflicting=~keep & first_of_its_content, superseded=none)


def _others(rows: pl.DataFrame, key: tuple[str, ...], keep: pl.Series) -> pl.Series:
    """Return which of the dropped rows differ from the kept row of their key."""
    dropped = rows.with_row_index("_at").filter(~keep)
    kept = rows.filter(keep).join(dropped, on=key, how="semi", nulls_equal=True)
    other = dropped.join(kept, on=rows.columns, how="anti", nulls_equal=True)["_at"]
    return pl.Series([False]).new_from_index(0, rows.height).scatter(other, True)


def complete_from_earlier(
    rows: pl.DataFrame, absent: pl.Series, key: tuple[str, ...]
) -> tuple[pl.DataFrame, pl.Series]:
    """
    Give each row the values that it lacks from the latest earlier row of its key that does.

    *absent* is as `ParsedRows.absent_in_row`; return the rows, and what is still absent in each.
    """
    names = [name for name in rows.columns if absent.str.contains(f"{name},", literal=True).any()]
    if not names:
        return rows, absent
    table = rows.with_columns(_absent=absent).with_row_index("_at")
    of = {}
    for name in names:
        spoken = pl.when(~lacks_field(pl.col("_absent"), name)).then(pl.col("_at"))
        of[name] = table.select(spoken.forward_fill().over(key)).to_series()
    filled = [rows[name].gather(at.fill_null(table["_at"])).alias(name) for name, at in of.items()]
    left = [pl.when(at.is_null()).then(pl.lit(f"{name},")).otherwise(pl.lit("")) for name, at in of.items()]
    return rows.with_columns(filled), pl.select(pl.concat_str(left)).to_series()


def _distinct(keys: pl.DataFrame) -> int:
    return keys.to_series().n_unique() if keys.width == 1 else keys.n_unique()


def _one_of_each(rows: pl.DataFrame, names: tuple[str, ...], *, last: bool) -> pl.Series:
    one = pl.struct(names) if len(names) > 1 else pl.col(names)
    return rows.select(one.is_last_distinct() if last else one.is_first_distinct()).to_series()
