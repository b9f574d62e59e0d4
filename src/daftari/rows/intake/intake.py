"""From a file's blocks to batches for the server: judged, settled, encoded. Made block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import polars as pl

from daftari.contract.model import Dataset, Field, LogicalType, Relationship
from daftari.rows.intake import copy_format
from daftari.rows.intake.batch import Batch, settle_batch
from daftari.rows.intake.block import Block, Malformed
from daftari.rows.intake.file_reading import Met, start_reading, take
from daftari.rows.intake.seen_keys import Seen
from daftari.rows.mapping.column_plan import ColumnPlan
from daftari.rows.rules.refusal import NAMES_NOTHING, Refusal
from daftari.rows.rules.rules import (
    REJECTED,
    Rulebook,
    cells,
    judge_rows,
    missing,
    preview,
    reason_json,
    reference_rule,
    with_known,
)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One block of a file on its way to the server."""

    received: int  #: its records, malformed ones included; not blank ones, repeated headers and total rows
    batches: tuple[Batch, ...]  #: its good rows, one a key: new to the file, and perhaps not new
    duplicates: int  #: rows that another of the same block stands for
    rejected: pl.DataFrame  #: as in `rules.REJECTED`
    #: the keys that its good rows name, for each relationship; none where rows are only looked at
    references: tuple[pl.DataFrame, ...]
    met: Met  #: in the file so far


@dataclass(frozen=True, kw_only=True)
class Intake:
    """How the blocks of one file are taken in."""

    book: Rulebook
    plan: ColumnPlan
    run_id: int
    wanted: frozenset[int] | None = None  #: lines to take; None: all
    #: gives rows that are accepted the form in which the database keeps them
    seal: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows
    #: gives the keys that exist of those that rows name, where the book has none; not for what refers to itself
    look_up: Callable[[pl.DataFrame], Mapping[Relationship, pl.DataFrame]] | None = None
    is_one_block: bool = False  #: so that no key was met in an earlier one
    is_looked_at: bool = False  #: rows are counted, and none is encoded for the server

    @property
    def dataset(self) -> Dataset:
        return self.book.dataset


@dataclass(frozen=True, kw_only=True)
class _Sound:
    """The rows of a block that keep every rule; several may have one key."""

    received: int
    rows: pl.DataFrame
    lines: pl.Series
    rejected: pl.DataFrame
    met: Met


def take_in(blocks: Iterable[Block], intake: Intake) -> Iterator[Judged]:
    """
    Yield each block judged.

    Where a dataset refers to itself (a user to their manager) a row may name one that comes later, so the
    whole file is judged at once; such datasets are small.
    """
    own = [r for r in intake.dataset.relationships if r.target == intake.dataset.name]
    sound, seen = _sound(blocks, intake), None if intake.is_one_block else Seen()
    settled = partial(_settled, intake=intake, seen=seen)
    # By map, which holds on to nothing: a block is let go before the next one is read.
    yield from map(settled, _whole(list(sound), own, intake) if own else sound)


def _sound(blocks: Iterable[Block], intake: Intake) -> Iterator[_Sound]:
    reading = start_reading(intake.plan, intake.dataset)

    def judged(block: Block) -> _Sound:
        nonlocal reading
        rows, reading = take(reading, block)
        malformed = block.malformed
        if intake.wanted is not None:
            rows = rows.only(rows.lines.is_in(sorted(intake.wanted)))
            malformed = tuple(record for record in malformed if record.line in intake.wanted)
        book = with_known(intake.book, intake.look_up(rows.values)) if intake.look_up else intake.book
        verdicts = judge_rows(rows, book)
        return _Sound(
            received=rows.values.height + len(malformed),
            rows=verdicts.accepted,
            lines=verdicts.accepted_lines,
            rejected=pl.concat([verdicts.rejected, _malformed(malformed)]),
            met=reading.met,
        )

    return map(judged, blocks)


def _settled(sound: _Sound, intake: Intake, seen: Seen | None) -> Judged:
    dataset = intake.dataset
    settled = settle_batch(sound.rows, dataset.key, dataset.conflict)
    rows, lines = sound.rows, sound.lines
    if not settled.keep.all():
        rows, lines = rows.filter(settled.keep), lines.filter(settled.keep)
    rejected = [sound.rejected]
    if settled.conflicting.any():
        why = Refusal(rule="conflict", reason="contradicts an earlier row of the same key")
        conflicting = sound.rows.filter(settled.conflicting), sound.lines.filter(settled.conflicting)
        rejected.append(refusals(*conflicting, dataset, why))
    rows = intake.seal(rows.with_columns(_run_id=pl.lit(intake.run_id, pl.Int64)))
    return Judged(
        received=sound.received,
        batches=_counted(rows, lines) if intake.is_looked_at else _batches(rows, lines, dataset, seen),
        duplicates=settled.duplicates,
        rejected=pl.concat(rejected),
        references=() if intake.is_looked_at else references(rows, dataset),
        met=sound.met,
    )


def references(rows: pl.DataFrame, dataset: Dataset) -> tuple[pl.DataFrame, ...]:
    """The keys that *rows* name, for each relationship of *dataset*."""
    return tuple(_distinct(rows.select(r.fields)) for r in dataset.relationships)


def _distinct(keys: pl.DataFrame) -> pl.DataFrame:
    if keys.width == 1:
        return keys.to_series().drop_nulls().unique().to_frame()
    return keys.drop_nulls().unique()


def _batches(rows: pl.DataFrame, lines: pl.Series, dataset: Dataset, seen: Seen | None) -> tuple[Batch, ...]:
    """
    Rows whose key is new to the file, and those whose key has perhaps been met in an earlier block.

    The server takes the former as they are; for the latter it must look whether the key is there. Where one row
    may stand in the way of another, they stay in the order of their file.
    """
    perhaps = (
        seen.perhaps(rows.select(dataset.key))
        if dataset.key and seen
        else pl.repeat(False, rows.height, eager=True)
    )
    parts: tuple[tuple[pl.Series | None, bool], ...] = ((None, not perhaps.any()),)
    if perhaps.any() and not rows_may_collide(dataset):
        parts = ((~perhaps, True), (perhaps, False))
    batches = []
    for chosen, is_new in parts:
        some, at = (rows, lines) if chosen is None else (rows.filter(chosen), lines.filter(chosen))
        batches.append(Batch(rows=some, lines=at, body=encode_rows(some, dataset), is_new=is_new))
    return tuple(batches)


def _counted(rows: pl.DataFrame, lines: pl.Series) -> tuple[Batch, ...]:
    return (Batch(rows=rows, lines=lines, body=b""),)


def rows_may_collide(dataset: Dataset) -> bool:
    """Whether a row may be refused on account of another that has a different key."""
    others = any(field.unique and dataset.key != (field.name,) for field in dataset.fields)
    return others or dataset.no_overlap is not None


def encode_rows(rows: pl.DataFrame, dataset: Dataset) -> bytes:
    """
    Return *rows*, whose columns are fields of *dataset* and the platform's, as the body of a binary COPY.

    Raises:
        TypeError: what must be sealed is not.
    """
    for field in dataset.fields:
        if field.protection.sealed and rows.schema[field.name] != pl.Binary:
            raise TypeError(f"{dataset.name}.{field.name}: not sealed on its way to the database")
    plain = [field for field in dataset.fields if not field.protection.sealed]
    structured = (LogicalType.OBJECT, LogicalType.ARRAY)
    jsonb = [field.name for field in plain if field.logical_type in structured]
    uuid = [field.name for field in plain if field.physical_type == "uuid"]
    return copy_format.encode_copy(rows, jsonb=jsonb, uuid=uuid)


def refusals(rows: pl.DataFrame, lines: pl.Series, dataset: Dataset, why: Refusal) -> pl.DataFrame:
    """Return typed rows as rejected ones, all for the same reason."""
    if rows.is_empty():
        return pl.DataFrame(schema=REJECTED)
    text = rows.select(_as_text(f) for f in dataset.fields)
    reasons = pl.lit(f"[{reason_json(why.rule, why.fields or dataset.key, why.reason)}]")
    kept = cells(
        rows, text.with_columns(pl.lit(None, pl.String).alias(name) for name in _sealed(rows)), dataset
    )
    rejected = pl.DataFrame({"line": lines, **preview(text, dataset), "cells": kept})
    rejected = rejected.with_columns(reasons=reasons)
    return rejected.select(REJECTED.names())


def rejected_rows_of(batch: Batch, refused: Mapping[int, Refusal], dataset: Dataset) -> pl.DataFrame:
    """Return rows of *batch* as rejected ones; *refused* says by line why."""
    found = [pl.DataFrame(schema=REJECTED)]
    for why in dict.fromkeys(refused.values()):
        chosen = batch.lines.is_in([line for line, its in refused.items() if its == why])
        found.append(refusals(batch.rows.filter(chosen), batch.lines.filter(chosen), dataset, why))
    return pl.concat(found).sort("line")


def _sealed(rows: pl.DataFrame) -> list[str]:
    return [name for name, kind in rows.schema.items() if kind == pl.Binary]


def _as_text(field: Field) -> pl.Expr:
    """What is sealed is no text, and only whether it is there shows."""
    value = pl.col(field.name)
    if field.protection.sealed:
        return pl.when(value.is_not_null()).then(pl.lit("")).alias(field.name)
    return value.cast(pl.String)


def _malformed(records: tuple[Malformed, ...]) -> pl.DataFrame:
    """A record without the header's shape: nobody can say which of its values may be shown, so none is."""
    why = [f"[{reason_json('shape', (), record.reason)}]" for record in records]
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


def _whole(sound: list[_Sound], own: list[Relationship], intake: Intake) -> Iterator[_Sound]:
    """All blocks as one, less the rows whose own reference finds neither a stored row nor a sound one."""
    if not sound:
        return
    rows, lines = pl.concat([one.rows for one in sound]), pl.concat([one.lines for one in sound])
    rejected = [one.rejected for one in sound]
    while True:
        orphans, why = _orphans(rows, own, intake.book)
        if why is None:
            break
        rejected.append(refusals(rows.filter(orphans), lines.filter(orphans), intake.dataset, why))
        rows, lines = rows.filter(~orphans), lines.filter(~orphans)
    yield _Sound(
        received=sum(one.received for one in sound),
        rows=rows,
        lines=lines,
        rejected=pl.concat(rejected),
        met=sound[-1].met,
    )


def _orphans(rows: pl.DataFrame, own: list[Relationship], book: Rulebook) -> tuple[pl.Series, Refusal | None]:
    for relationship in own:
        stored = book.own_keys.get(reference_rule(relationship))
        arriving = rows.select(relationship.target_fields)
        arriving.columns = list(relationship.fields)
        known = arriving if stored is None else pl.concat([stored, arriving]).unique()
        orphans = missing(rows, known)
        if orphans.any():
            rule = reference_rule(relationship)
            return orphans, Refusal(rule=rule, fields=relationship.fields, reason=NAMES_NOTHING)
    return pl.repeat(False, rows.height, eager=True), None
