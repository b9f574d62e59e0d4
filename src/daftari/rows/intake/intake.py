"""Turn a file's blocks into batches for the server, block by block: judge, drop duplicates, encode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import polars as pl

from daftari.contract.model import Conflict, Dataset, Field, LogicalType, Relationship
from daftari.rows.intake import copy_format
from daftari.rows.intake.batch import Batch, complete_from_earlier, drop_duplicates
from daftari.rows.intake.block import Block, Malformed
from daftari.rows.intake.file_reading import Met, start_reading, take
from daftari.rows.intake.seen_keys import Seen
from daftari.rows.mapping.column_plan import ColumnPlan
from daftari.rows.rules.orphans import causes_of, orphans
from daftari.rows.rules.references import ExistingRows, reference_rule
from daftari.rows.rules.rejection import Refusal
from daftari.rows.rules.rules import (
    REJECTED,
    Rulebook,
    cells,
    judge_rows,
    preview,
    reason_json,
    with_existing,
)
from daftari.rows.rules.sums import sums_at_writing


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One judged block of a file."""

    received: int  #: its records, malformed ones included; not blank ones, repeated headers and total rows
    batches: tuple[Batch, ...]  #: its accepted rows, one per key: first new keys, then possibly repeated ones
    duplicates: int  #: rows dropped in favour of another of the block with the same key and content
    superseded: pl.Series  #: lines of rows dropped in favour of another with the same key and other content
    rejected: pl.DataFrame  #: as in `rules.REJECTED`
    #: the keys that its accepted rows refer to, by relationship; empty if nothing is loaded
    references: tuple[pl.DataFrame, ...]
    met: Met  #: the state of the file so far


@dataclass(frozen=True, kw_only=True)
class Intake:
    """Options for the intake of one file."""

    book: Rulebook
    plan: ColumnPlan
    run_id: int
    wanted: frozenset[int] | None = None  #: lines to load; None: all
    #: converts accepted rows to their stored form
    seal: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows
    #: finds which referenced keys exist, if the book has none; not for references to the dataset itself
    look_up: Callable[[pl.DataFrame], ExistingRows] | None = None
    is_one_block: bool = False  #: the whole file is one block, so no key occurs in an earlier one
    count_only: bool = False  #: only count rows; encode none for the server

    @property
    def dataset(self) -> Dataset:
        return self.book.dataset


@dataclass(frozen=True, kw_only=True)
class _ValidRows:
    """The rows of a block that pass every rule; several may have the same key."""

    received: int
    rows: pl.DataFrame
    lines: pl.Series
    rejected: pl.DataFrame
    rejected_values: pl.DataFrame  #: the typed values of rejected rows, malformed ones excepted
    rejected_lines: pl.Series  #: their lines
    met: Met
    absent: tuple[str, ...]  #: fields that no row has
    absent_in_row: pl.Series | None  #: the further ones of each row, as in `ParsedRows`


def take_in(blocks: Iterable[Block], intake: Intake) -> Iterator[Judged]:
    """
    Yield each block judged.

    If a dataset refers to itself (a user to their manager), a row may refer to a later one, so the
    whole file is judged at once; such datasets are small.
    """
    own = [r for r in intake.dataset.relationships if r.target == intake.dataset.name]
    valid, seen = _valid_rows(blocks, intake), None if intake.is_one_block else Seen()
    judged = partial(_judged, intake=intake, seen=seen)
    # map keeps no reference: each block is freed before the next one is read.
    yield from map(judged, _without_orphans(list(valid), own, intake) if own else valid)


def _valid_rows(blocks: Iterable[Block], intake: Intake) -> Iterator[_ValidRows]:
    reading = start_reading(intake.plan, intake.dataset)

    def judged(block: Block) -> _ValidRows:
        nonlocal reading
        rows, reading = take(reading, block)
        malformed = rows.malformed
        if intake.wanted is not None:
            rows = rows.only(rows.lines.is_in(sorted(intake.wanted)))
            malformed = tuple(record for record in malformed if record.line in intake.wanted)
        book = with_existing(intake.book, intake.look_up(rows.values)) if intake.look_up else intake.book
        verdicts = judge_rows(rows, book)
        return _ValidRows(
            received=rows.values.height + len(malformed),
            rows=verdicts.accepted,
            lines=verdicts.accepted_lines,
            rejected=pl.concat([verdicts.rejected, _malformed(malformed)]),
            rejected_values=verdicts.rejected_values,
            rejected_lines=verdicts.rejected["line"],
            met=reading.met,
            absent=rows.absent,
            absent_in_row=verdicts.accepted_absent,
        )

    return map(judged, blocks)


def _judged(valid: _ValidRows, intake: Intake, seen: Seen | None) -> Judged:
    dataset = intake.dataset
    rows, lines, absent = valid.rows, valid.lines, valid.absent_in_row
    if absent is not None and dataset.key and dataset.conflict is Conflict.UPDATE:
        rows, absent = complete_from_earlier(rows, absent, dataset.key)
    deduplicated = drop_duplicates(rows, dataset.key, dataset.conflict)
    if not deduplicated.keep.all():
        rows, lines = rows.filter(deduplicated.keep), lines.filter(deduplicated.keep)
        absent = None if absent is None else absent.filter(deduplicated.keep)
    rejected = [valid.rejected]
    if deduplicated.conflicting.any():
        why = Refusal(rule="conflict", reason="contradicts an earlier row with the same key")
        conflicting = (
            valid.rows.filter(deduplicated.conflicting),
            valid.lines.filter(deduplicated.conflicting),
        )
        rejected.append(refusals(*conflicting, dataset, why))
    batches: list[Batch] = []
    rows = rows.with_columns(_run_id=pl.lit(intake.run_id, pl.Int64))
    for some, at in _alike(rows, lines, valid.absent, absent):
        sealed = intake.seal(some)
        batches += _counted(sealed, at) if intake.count_only else _batches(sealed, at, dataset, seen)
    return Judged(
        received=valid.received,
        batches=tuple(batches),
        duplicates=deduplicated.duplicates,
        superseded=valid.lines.filter(deduplicated.superseded),
        rejected=pl.concat(rejected),
        references=() if intake.count_only else references(rows, dataset),
        met=valid.met,
    )


def _alike(
    rows: pl.DataFrame, lines: pl.Series, absent: tuple[str, ...], absent_in_row: pl.Series | None
) -> Iterator[tuple[pl.DataFrame, pl.Series]]:
    """Yield rows that have the same fields together, with the columns of those fields only."""
    if absent_in_row is None:
        yield rows.drop(absent), lines
        return
    for names in absent_in_row.unique(maintain_order=True) if len(absent_in_row) else [""]:
        chosen = absent_in_row == names
        yield rows.filter(chosen).drop([*absent, *names.split(",")[:-1]]), lines.filter(chosen)


def references(rows: pl.DataFrame, dataset: Dataset) -> tuple[pl.DataFrame, ...]:
    """Return the keys that *rows* refer to, for each relationship of *dataset*."""
    return tuple(_distinct(rows.select(r.fields)) for r in dataset.relationships)


def _distinct(keys: pl.DataFrame) -> pl.DataFrame:
    if keys.width == 1:
        return keys.to_series().drop_nulls().unique().to_frame()
    return keys.drop_nulls().unique()


def _batches(rows: pl.DataFrame, lines: pl.Series, dataset: Dataset, seen: Seen | None) -> tuple[Batch, ...]:
    """
    Split rows into those whose key is new to the file, and those whose key may be in an earlier block.

    The server inserts the former directly; for the latter it must check whether the key exists. If rows may
    collide, all stay in file order.
    """
    repeated = (
        seen.maybe_seen(rows.select(dataset.key))
        if dataset.key and seen
        else pl.repeat(False, rows.height, eager=True)
    )
    parts: tuple[tuple[pl.Series | None, bool], ...] = ((None, not repeated.any()),)
    if repeated.any() and not rows_may_collide(dataset):
        parts = ((~repeated, True), (repeated, False))
    batches = []
    for chosen, is_new in parts:
        some, at = (rows, lines) if chosen is None else (rows.filter(chosen), lines.filter(chosen))
        batches.append(Batch(rows=some, lines=at, body=encode_rows(some, dataset), is_new=is_new))
    return tuple(batches)


def _counted(rows: pl.DataFrame, lines: pl.Series) -> tuple[Batch, ...]:
    return (Batch(rows=rows, lines=lines, body=b""),)


def rows_may_collide(dataset: Dataset) -> bool:
    """Whether a row may be rejected because of another row with a different key."""
    others = any(field.unique and dataset.key != (field.name,) for field in dataset.fields)
    return others or dataset.no_overlap is not None or any(sums_at_writing(dataset))


def encode_rows(rows: pl.DataFrame, dataset: Dataset) -> bytes:
    """
    Return *rows*, with the columns of *dataset* and of the platform, as the body of a binary COPY.

    Raises:
        TypeError: a field that must be sealed is not.
    """
    fields = [field for field in dataset.fields if field.name in rows.columns]
    for field in fields:
        if field.protection.sealed and rows.schema[field.name] != pl.Binary:
            raise TypeError(
                f"{dataset.name}.{field.name}: not sealed; expected a sealed value before it goes to the database"
            )
    plain = [field for field in fields if not field.protection.sealed]
    structured = (LogicalType.OBJECT, LogicalType.ARRAY)
    jsonb = [field.name for field in plain if field.logical_type in structured]
    uuid = [field.name for field in plain if field.physical_type == "uuid"]
    return copy_format.encode_copy(rows, jsonb=jsonb, uuid=uuid)


def refusals(rows: pl.DataFrame, lines: pl.Series, dataset: Dataset, why: Refusal) -> pl.DataFrame:
    """Return typed rows as rejected rows, all with the same reason."""
    if rows.is_empty():
        return pl.DataFrame(schema=REJECTED)
    return _rejected(
        rows, lines, dataset, reasons=pl.repeat(as_reasons(why, dataset), rows.height, eager=True)
    )


def as_reasons(why: Refusal, dataset: Dataset) -> str:
    """Return one reason as the JSON that quarantine stores."""
    return f"[{reason_json(why.rule, why.fields or dataset.key, why.reason)}]"


def rejected_rows(
    rows: pl.DataFrame, lines: pl.Series, refused: Mapping[int, Refusal], dataset: Dataset
) -> pl.DataFrame:
    """Return those of *rows* whose line is in *refused*, as rejected rows, in order of their lines."""
    chosen = lines.is_in(list(refused))
    if not chosen.any():
        return pl.DataFrame(schema=REJECTED)
    texts = {why: as_reasons(why, dataset) for why in dict.fromkeys(refused.values())}
    its_lines = lines.filter(chosen)
    reasons = pl.Series([texts[refused[line]] for line in its_lines], dtype=pl.String)
    return _rejected(rows.filter(chosen), its_lines, dataset, reasons=reasons).sort("line")


def _rejected(rows: pl.DataFrame, lines: pl.Series, dataset: Dataset, *, reasons: pl.Series) -> pl.DataFrame:
    text = rows.select(_as_text(f) for f in dataset.fields if f.name in rows.columns)
    kept = cells(
        rows, text.with_columns(pl.lit(None, pl.String).alias(name) for name in _sealed(rows)), dataset
    )
    rejected = pl.DataFrame({"line": lines, **preview(text, dataset), "cells": kept})
    rejected = rejected.with_columns(reasons=reasons)
    return rejected.select(REJECTED.names())


def rejected_rows_of(batch: Batch, refused: Mapping[int, Refusal], dataset: Dataset) -> pl.DataFrame:
    """Return rows of *batch* as rejected rows; *refused* has the reason by line."""
    return rejected_rows(batch.rows, batch.lines, refused, dataset)


def _sealed(rows: pl.DataFrame) -> list[str]:
    return [name for name, kind in rows.schema.items() if kind == pl.Binary]


def _as_text(field: Field) -> pl.Expr:
    """Sealed values are not text: show only whether there is one."""
    value = pl.col(field.name)
    if field.protection.sealed:
        return pl.when(value.is_not_null()).then(pl.lit("")).alias(field.name)
    return value.cast(pl.String)


def _malformed(records: tuple[Malformed, ...]) -> pl.DataFrame:
    """Return malformed records as rejected rows. Their fields are unknown, so no value is shown."""
    why = [f"[{reason_json(record.rule, (), record.reason)}]" for record in records]
    nothing = [None] * len(records)
    return pl.DataFrame(
        {
            "line": [r.line for r in records],
            "reasons": why,
            "preview": nothing,
            "key": nothing,
            "cells": nothing,
        },
        schema=REJECTED,
    )


def _without_orphans(
    valid: list[_ValidRows], own: list[Relationship], intake: Intake
) -> Iterator[_ValidRows]:
    """Merge all blocks, without the rows whose self-reference finds neither a stored nor an accepted row."""
    if not valid:
        return
    rows, lines = pl.concat([one.rows for one in valid]), pl.concat([one.lines for one in valid])
    absent = _absent_of_all(valid)
    rejected = pl.concat([one.rejected for one in valid])
    stored = {it: intake.book.own_keys.get(reference_rule(it)) for it in own}
    found = orphans(rows, lines, stored)
    if found:
        values = pl.concat([one.rejected_values for one in valid])
        value_lines = pl.concat([one.rejected_lines for one in valid])
        chosen = lines.is_in(list(found))
        reasons = dict(rejected.select("line", "reasons").iter_rows())
        orphaned = (rows.filter(chosen), lines.filter(chosen))
        causes = causes_of(found, orphaned, (values, value_lines), reasons)
        rejected = pl.concat([rejected, rejected_rows(rows, lines, causes, intake.dataset)])
        rows, lines = rows.filter(~chosen), lines.filter(~chosen)
        absent = None if absent is None else absent.filter(~chosen)
    yield _ValidRows(
        received=sum(one.received for one in valid),
        rows=rows,
        lines=lines,
        rejected=rejected,
        rejected_values=rows.clear(),
        rejected_lines=lines.clear(),
        met=valid[-1].met,
        absent=valid[-1].absent,
        absent_in_row=absent,
    )


def _absent_of_all(valid: list[_ValidRows]) -> pl.Series | None:
    if all(one.absent_in_row is None for one in valid):
        return None
    nothing = pl.Series([""])
    return pl.concat(
        nothing.new_from_index(0, one.rows.height) if one.absent_in_row is None else one.absent_in_row
        for one in valid
    )
