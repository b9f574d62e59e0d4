"""From a file's blocks to batches for the server: judged, settled, encoded. Made block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import polars as pl

from daftari.contract.model import Dataset, LogicalType, Relationship
from daftari.rows import copy
from daftari.rows.batch import Batch, settle
from daftari.rows.block import Block, Malformed
from daftari.rows.parse import Rows
from daftari.rows.rules import REJECTED, Rulebook, judge, missing, preview, reference_rule


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One block of a file on its way to the server."""

    received: int  #: its records, malformed ones included
    batch: Batch
    duplicates: int  #: rows that another of the same batch stands for
    rejected: pl.DataFrame  #: as in `rules.REJECTED`
    sums: Mapping[str, Decimal]  #: of the number fields asked for, over all readable rows, rejected ones too
    blank: int = 0
    repeated: int = 0


@dataclass(frozen=True, kw_only=True)
class Intake:
    """How the blocks of one file are taken in."""

    book: Rulebook
    to_rows: Callable[[Block], Rows]
    run_id: int
    sum_of: tuple[str, ...] = ()  #: number fields to sum up, for control totals
    wanted: frozenset[int] | None = None  #: lines to take; None: all

    @property
    def dataset(self) -> Dataset:
        return self.book.dataset


def take_in(blocks: Iterable[Block], intake: Intake) -> Iterator[Judged]:
    """
    Yield each block judged.

    Where a dataset refers to itself (a user to their manager) a row may name one that comes later, so the whole
    file is judged at once; such datasets are small.
    """
    own = [r for r in intake.dataset.relationships if r.target == intake.dataset.name]
    taken = (_take(_wanted(block, intake.wanted), intake) for block in blocks)
    yield from (_whole(list(taken), own, intake) if own else taken)


def _wanted(block: Block, lines: frozenset[int] | None) -> Block:
    if lines is None:
        return block
    chosen = block.lines.is_in(sorted(lines))
    return replace(
        block,
        cells=block.cells.filter(chosen),
        lines=block.lines.filter(chosen),
        malformed=tuple(record for record in block.malformed if record.line in lines),
    )


def _take(block: Block, intake: Intake) -> Judged:
    rows = intake.to_rows(block)
    sums = {name: Decimal(rows.values[name].sum() or 0) for name in intake.sum_of}
    verdicts = judge(rows, intake.book)
    malformed = _malformed(block.malformed)
    settled = settle(verdicts.accepted, intake.dataset.key, intake.dataset.conflict)
    accepted, lines = verdicts.accepted.filter(settled.keep), verdicts.accepted_lines.filter(settled.keep)
    conflicts = refusals(
        verdicts.accepted.filter(settled.conflicting),
        verdicts.accepted_lines.filter(settled.conflicting),
        intake.dataset,
        rule="conflict",
        reason="contradicts an earlier row of the same key",
    )
    return Judged(
        received=rows.values.height + len(block.malformed),
        batch=_batch(accepted, lines, intake),
        duplicates=settled.duplicates,
        rejected=pl.concat([verdicts.rejected, malformed, conflicts]),
        sums=sums,
        blank=block.blank,
        repeated=block.repeated,
    )


def _batch(accepted: pl.DataFrame, lines: pl.Series, intake: Intake) -> Batch:
    rows = accepted.with_columns(_run_id=pl.lit(intake.run_id, pl.Int64))
    return Batch(rows=rows, lines=lines, body=copy.encode(rows, jsonb=jsonb_fields(intake.dataset)))


def jsonb_fields(dataset: Dataset) -> tuple[str, ...]:
    structured = (LogicalType.OBJECT, LogicalType.ARRAY)
    return tuple(f.name for f in dataset.fields if f.logical_type in structured)


def refusals(
    rows: pl.DataFrame, lines: pl.Series, dataset: Dataset, *, rule: str, reason: str
) -> pl.DataFrame:
    """Return typed rows as rejected ones, all for the same reason."""
    if rows.is_empty():
        return pl.DataFrame(schema=REJECTED)
    text = rows.select(pl.col(f.name).cast(pl.String) for f in dataset.fields)
    why = {"rule": rule, "field": ", ".join(dataset.key), "reason": reason}
    return pl.DataFrame(
        {"line": lines, "reasons": [[why]] * rows.height, **preview(text, dataset)}, schema=REJECTED
    )


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
                rule=rule,
                reason="names nothing that exists",
            )
        )
        rows, lines = rows.filter(~orphans), lines.filter(~orphans)
    yield Judged(
        received=sum(one.received for one in taken),
        batch=_batch(rows.drop("_run_id"), lines, intake),
        duplicates=duplicates,
        rejected=pl.concat(rejected),
        sums={name: sum((one.sums[name] for one in taken), start=Decimal(0)) for name in intake.sum_of},
        blank=sum(one.blank for one in taken),
        repeated=sum(one.repeated for one in taken),
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
