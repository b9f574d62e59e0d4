"""Judge records by the rules for files' rows, read in their canonical forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from daftari.contract.model import Contract, Dataset
from daftari.rows.formats.texts import cleaned_by_line
from daftari.rows.intake.file_reading import start_reading, take
from daftari.rows.intake.intake import Intake, Judged, take_in
from daftari.rows.intake.records import Record, record_plan, records_block
from daftari.rows.mapping.column_plan import ColumnPlan
from daftari.rows.rules.references import ExistingRows
from daftari.rows.rules.rules import Rulebook, rulebook

LookUp = Callable[[pl.DataFrame], ExistingRows]
Seal = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True, kw_only=True)
class JudgedRecords:
    """Records of one request, or of several."""

    records: Sequence[Record]
    seal: Seal
    #: whether fields that a record lacks are left as they are in an existing row; otherwise they are empty
    keeps_absent: bool = False


def judge_records(
    contract: Contract, sent: JudgedRecords, now: datetime, *, look_up: LookUp | None
) -> Judged:
    """
    Return the records of *sent*, numbered from 1, judged; accepted rows are sealed, but not encoded.

    *look_up* returns which keys named by rows exist. Without it the server checks references. But a dataset whose rows
    may refer to one another then accepts no row that names a row of the database.
    """
    dataset = contract.dataset
    ready = _ready(contract, dataset.today(now))
    block = records_block(sent.records, dataset, keeps_absent=sent.keeps_absent)
    book = ready.book
    if refers_to_itself(
        dataset
    ):  # a referenced row may come in the same request, so all must be known before it is judged
        rows, _ = take(start_reading(ready.plan, dataset), block)
        found = look_up(rows.values) if look_up else ExistingRows(keys={})
        book = rulebook(dataset, today=ready.day, known=found.keys, standing=found.standing)
    intake = Intake(
        book=book,
        plan=ready.plan,
        run_id=0,
        seal=sent.seal,
        look_up=None if refers_to_itself(dataset) else look_up,
        is_one_block=True,
        count_only=True,
    )
    (judged,) = take_in([block], intake)
    return judged


def remarks_on_records(contract: Contract, sent: JudgedRecords, judged: Judged) -> dict[int, tuple[str, ...]]:
    """Return by line what was changed in the texts of the records, such as an invisible character."""
    if not judged.met.remarks:
        return {}
    ready = _ready_ones[contract.hash, contract.dataset.time_zone]
    return cleaned_by_line(ready.plan, records_block(sent.records, contract.dataset))


def refers_to_itself(dataset: Dataset) -> bool:
    return any(it.target == dataset.name for it in dataset.relationships)


@dataclass(frozen=True, kw_only=True)
class _Ready:
    day: date
    book: Rulebook  #: without the existing keys
    plan: ColumnPlan


_ready_ones: dict[tuple[str, str], _Ready] = {}


def _ready(contract: Contract, day: date) -> _Ready:
    """The rules of a day: built once a day, because it takes longer than judging a record."""
    dataset = contract.dataset
    which = (contract.hash, dataset.time_zone)
    found = _ready_ones.get(which)
    if found is None or found.day != day:
        found = _Ready(day=day, book=rulebook(dataset, today=day), plan=record_plan(dataset))
        _ready_ones[which] = found
    return found
