"""Correct rejected rows in place: the wrong cells are rewritten, and the row is judged and written again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.contract.access.role_permissions import clear_everywhere
from daftari.contract.model import Dataset
from daftari.contract.platform import OPS
from daftari.errors import QuarantineRefused
from daftari.io.access.callers import speak_for
from daftari.io.keys import session_keys
from daftari.io.quarantine import quarantine_entries
from daftari.io.quarantine.quarantine_entries import QuarantineEntry, Waiting
from daftari.io.quarantine.sealed_cells import Cells, SealedCells
from daftari.operations.write.disclosure import HiddenRules, disclosed_reasons, hidden_rules
from daftari.operations.write.write_requests import RecordOutcome, RequestAnswer, WriteContext, WriteRequest
from daftari.operations.write.write_rows import write_rows
from daftari.protect.mask import HIDDEN

_PURPOSE = "correcting rejected rows"


@dataclass(frozen=True, kw_only=True)
class ShownQuarantinedRow:
    """A rejected row as a user who may correct it sees it."""

    entry: QuarantineEntry
    #: by field; None where the row has no shape, or was not kept: correct it in its source, or load it again
    cells: Cells | None
    hidden: frozenset[str]  #: fields that this role does not see
    lost: frozenset[str]  #: fields whose value was not kept: it must be entered again
    wrong: frozenset[str]  #: fields that a reason names


def quarantined_rows(
    conn: Connection[Any],
    write_context: WriteContext,
    *,
    entries: Sequence[int] | None = None,
    after: int = 0,
    limit: int = 100,
) -> tuple[ShownQuarantinedRow, ...]:
    """
    Return waiting rejected rows, oldest first, as the caller's role sees the dataset's fields.

    The audit records reads of restricted values. *conn* must be in autocommit mode.

    Raises:
        KeysUnavailable: the rows cannot be opened.
    """
    dataset = write_context.dataset
    found = quarantine_entries.waiting_entries(conn, dataset.name, entries=entries, after=after, limit=limit)
    role = write_context.context.caller.role
    hidden, rules = hidden_fields(dataset, role), hidden_rules(dataset, write_context.known, role)
    found = tuple(replace(it, entry=_disclosed(it.entry, rules)) for it in found)
    opened = SealedCells(write_context.open_keys, dataset).open(it.cells for it in found)
    rows = tuple(_as_seen(it, cells, hidden, dataset) for it, cells in zip(found, opened, strict=True))
    _record(conn, write_context, rows, hidden)
    return rows


def correct_rows(
    conn: Connection[Any],
    write_context: WriteContext,
    corrected: Mapping[int, Mapping[str, str]],
    *,
    now: datetime,
) -> tuple[dict[int, RecordOutcome], int]:
    """
    Judge and write rejected rows again, each with the cells of *corrected*, by entry and field; the others stay.

    Return the result of each, by entry, and the run. A row that is rejected again gets a new entry, which replaces its
    old one. *conn* must be in autocommit mode.

    Raises:
        QuarantineRefused: an entry is no longer open, or cannot be corrected here. Nothing was written.
        AccessRefused: the caller's role may not insert.
    """
    found = {
        it.entry.quarantine_id: it
        for it in quarantined_rows(conn, write_context, entries=list(corrected), limit=len(corrected))
    }
    quarantine_entries.require_waiting(write_context.dataset, corrected, found)
    kept = SealedCells(write_context.open_keys, write_context.dataset)
    name, count = write_context.dataset.name, len(corrected)
    waiting = quarantine_entries.waiting_entries(conn, name, entries=list(corrected), limit=count)
    cells = dict(
        zip((it.entry.quarantine_id for it in waiting), kept.open(it.cells for it in waiting), strict=True)
    )
    records = [_record_of(found[number], cells.get(number), given) for number, given in corrected.items()]
    request_id, corrects = write_context.context.request_id, dict(enumerate(corrected))
    request = WriteRequest(records=records, request_id=request_id, corrects=corrects)
    (answer,) = write_rows(conn, write_context, [request], now=now)
    if not isinstance(answer, RequestAnswer):
        raise answer
    return dict(zip(corrected, answer.outcomes, strict=True)), answer.run_id


def changed_cells(cells: Mapping[str, str | None], given: Mapping[str, str]) -> dict[str, str]:
    """Return those of the cells *given* that differ from *cells*."""
    return {name: text for name, text in given.items() if text != (cells.get(name) or "")}


def hidden_fields(dataset: Dataset, role: str) -> frozenset[str]:
    """Return the fields that *role* does not see unmasked in every row that it reads."""
    return frozenset(it.name for it in dataset.fields) - set(clear_everywhere(dataset, role))


def _disclosed(entry: QuarantineEntry, rules: HiddenRules) -> QuarantineEntry:
    return replace(entry, reasons=disclosed_reasons(entry.reasons, rules))


def _as_seen(
    waiting: Waiting, cells: Cells | None, hidden: frozenset[str], dataset: Dataset
) -> ShownQuarantinedRow:
    entry = waiting.entry
    preview = entry.preview or {}
    shown = None
    if cells is not None:
        shown = {
            it.name: HIDDEN if it.name in hidden and cells.get(it.name) is not None else cells.get(it.name)
            for it in dataset.fields
        }
    named = {name.strip() for reason in entry.reasons for name in reason["field"].split(",")}
    return ShownQuarantinedRow(
        entry=entry,
        cells=shown,
        hidden=hidden,
        lost=frozenset(n for n, text in preview.items() if text is not None and (cells or {}).get(n) is None),
        wrong=frozenset(it.name for it in dataset.fields if it.name in named),
    )


def _record_of(
    row: ShownQuarantinedRow, cells: Cells | None, given: Mapping[str, str]
) -> dict[str, str | None]:
    if cells is None:
        raise QuarantineRefused(
            f"line {row.entry.line} of {row.entry.source}: its cells were not kept; expected a row that "
            "can be corrected here",
            hint="Correct it in its source, and load that again.",
        )
    changed = {name: text.strip() or None for name, text in given.items() if text != HIDDEN}
    unseen = sorted(name for name in changed if name in row.hidden)
    forgotten = sorted(name for name in row.lost if not changed.get(name))
    if unseen or forgotten:
        raise QuarantineRefused(
            f"line {row.entry.line} of {row.entry.source}: "
            + (
                f"{', '.join(unseen)}: this role may not write them"
                if unseen
                else f"{', '.join(forgotten)}: the value was not kept; expected you to enter it again"
            )
        )
    return {**cells, **changed}


def _record(
    conn: Connection[Any],
    write_context: WriteContext,
    rows: Sequence[ShownQuarantinedRow],
    hidden: frozenset[str],
) -> None:
    dataset, context = write_context.dataset, write_context.context
    names = [it.name for it in dataset.fields if it.is_restricted and it.name not in hidden]
    shown = [it for it in rows if it.cells and any(it.cells.get(name) for name in names)]
    if shown:
        with conn.transaction():
            speak_for(conn, context)
            purpose = context.purpose or _PURPOSE
            session_keys.record_read(conn, (f"{OPS}.{dataset.name}", names), len(shown), purpose)
