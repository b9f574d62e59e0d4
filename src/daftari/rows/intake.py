"""From a file's blocks to batches for the server: judged, settled, encoded. Made block by block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from daftari.contract.model import Dataset, LogicalType, Relationship
from daftari.rows import copy
from daftari.rows.batch import Batch, settle
from daftari.rows.block import Block, Malformed
from daftari.rows.parse import Rows
from daftari.rows.plan import ColumnPlan
from daftari.rows.reading import Reading, start, take
from daftari.rows.rules import REJECTED, Rulebook, judge, missing, preview, reference_rule


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One block of a file on its way to the server."""

    received: int  #: its records, malformed ones included; not blank ones, repeated headers and total rows
    batch: Batch
    duplicates: int  #: rows that another of the same batch stands for
    rejected: pl.DataFrame  #: as in `rules.REJECTED`
    reading: Reading  #: what was met in the file so far


@dataclass(frozen=True, kw_only=True)
class Intake:
    """How the blocks of one file are taken in."""

    book: Rulebook
    plan: ColumnPlan
    run_id: int
    wanted: frozenset[int] | None = None  #: lines to take; None: all

    @property
    def dataset(self) -> Dataset:
        return self.book.dataset


def take_in(blocks: Iterable[Block], intake: Intake) -> Iterator[Judged]:
    """
    Yield each block judged.

    Where a dataset refers to itself (a user to their manager) a row may name one that comes later, so the
    whole file is judged at once; such datasets are small.
    """
    own = [r for r in intake.dataset.relationships if r.target == intake.dataset.name]
    taken = _taken(blocks, intake)
    yield from (_whole(list(taken), own, intake) if own else taken)


def _taken(blocks: Iterable[Block], intake: Intake) -> Iterator[Judged]:
    reading = start(intake.plan, intake.dataset)
    for block in blocks:
        rows, reading = take(reading, block)
        yield _judged(rows, block.malformed, reading, intake)


def _judged(rows: Rows, malformed: tuple[Malformed, ...], reading: Reading, intake: Intake) -> Judged:
    if intake.wanted is not None:
        rows = rows.only(rows.lines.is_in(sorted(intake.wanted)))
        malformed = tuple(record for record in malformed if record.line in intake.wanted)
    verdicts = judge(rows, intake.book)
    settled = settle(verdicts.accepted, intake.dataset.key, intake.dataset.conflict)
    accepted, lines = verdicts.accepted.filter(settled.keep), verdicts.accepted_lines.filter(settled.keep)
    conflicts = refusals(
        verdicts.accepted.filter(settled.conflicting),
        verdicts.accepted_lines.filter(settled.conflicting),
        intake.dataset,
        Refusal(rule="conflict", reason="contradicts an earlier row of the same key"),
    )
    return Judged(
        received=rows.values.height + len(malformed),
        batch=_batch(accepted, lines, intake),
        duplicates=settled.duplicates,
        rejected=pl.concat([verdicts.rejected, _malformed(malformed), conflicts]),
        reading=reading,
    )


def _batch(accepted: pl.DataFrame, lines: pl.Series, intake: Intake) -> Batch:
    rows = accepted.with_columns(_run_id=pl.lit(intake.run_id, pl.Int64))
    return Batch(rows=rows, lines=lines, body=encode(rows, intake.dataset))


def encode(rows: pl.DataFrame, dataset: Dataset) -> bytes:
    """Return *rows*, whose columns are fields of *dataset* and the platform's, as the body of a binary COPY."""
    structured = (LogicalType.OBJECT, LogicalType.ARRAY)
    jsonb = [field.name for field in dataset.fields if field.logical_type in structured]
    uuid = [field.name for field in dataset.fields if field.physical_type == "uuid"]
    return copy.encode(rows, jsonb=jsonb, uuid=uuid)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a row that kept every rule was refused all the same."""

    rule: str
    reason: str


def refusals(rows: pl.DataFrame, lines: pl.Series, dataset: Dataset, why: Refusal) -> pl.DataFrame:
    """Return typed rows as rejected ones, all for the same reason."""
    if rows.is_empty():
        return pl.DataFrame(schema=REJECTED)
    text = rows.select(pl.col(f.name).cast(pl.String) for f in dataset.fields)
    reasons = [[{"rule": why.rule, "field": ", ".join(dataset.key), "reason": why.reason}]] * rows.height
    return pl.DataFrame({"line": lines, "reasons": reasons, **preview(text, dataset)}, schema=REJECTED)


def _malformed(records: tuple[Malformed, ...]) -> pl.DataFrame:
    """A record without the header's shape: nobody can say which of its values may be shown, so none is."""
    why = [[{"rule": "shape", "field": "", "reason": record.reason}] for record in records]
    nothing = [None] * len(records)
    return pl.DataFrame(
        {"line": [r.line for r in records], "reasons": why, "preview": nothing, "key": nothing},
        schema=REJECTED,
    )


def _whole(taken: list[Judged], own: list[Relationship], intake: Intake) -> Iterator[Judged]:
    """All blocks as one, less the rows whose own reference finds neither a stored row nor an accepted one."""
    if not taken:
        return
    rows = pl.concat([one.batch.rows for one in taken])
    lines = pl.concat([one.batch.lines for one in taken])
    settled = settle(rows, intake.dataset.key, intake.dataset.conflict)
    rows, lines = rows.filter(settled.keep), lines.filter(settled.keep)
    rejected = [one.rejected for one in taken]
    duplicates = sum(one.duplicates for one in taken) + settled.duplicates
    while True:
        orphans, rule = _orphans(rows, own, intake.book)
        if not orphans.any():
            break
        rejected.append(
            refusals(
                rows.filter(orphans),
                lines.filter(orphans),
                intake.dataset,
                Refusal(rule=rule, reason="names nothing that exists"),
            )
        )
        rows, lines = rows.filter(~orphans), lines.filter(~orphans)
    yield Judged(
        received=sum(one.received for one in taken),
        batch=_batch(rows.drop("_run_id"), lines, intake),
        duplicates=duplicates,
        rejected=pl.concat(rejected),
        reading=taken[-1].reading,
    )


def _orphans(rows: pl.DataFrame, own: list[Relationship], book: Rulebook) -> tuple[pl.Series, str]:
    for relationship in own:
        stored = book.own_keys.get(reference_rule(relationship))
        arriving = rows.select(relationship.target_fields)
        arriving.columns = list(relationship.fields)
        known = arriving if stored is None else pl.concat([stored, arriving]).unique()
        orphans = missing(rows, known)
        if orphans.any():
            return orphans, reference_rule(relationship)
    return pl.repeat(False, rows.height, eager=True), ""
