"""The history of one row, as far as its reader may see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.contract.access.role_permissions import clear_everywhere
from daftari.contract.platform import OPS, RUN_ID
from daftari.io.access.callers import speak_for
from daftari.io.audit import row_history
from daftari.io.audit.row_history import RowChange
from daftari.io.keys import session_keys
from daftari.operations.read.read_rows import Reader, sees
from daftari.protect.mask import HIDDEN


@dataclass(frozen=True, kw_only=True)
class FieldChange:
    field: str
    old: Any
    new: Any


@dataclass(frozen=True, kw_only=True)
class Event:
    at: datetime
    what: str  #: inserted, updated
    actor: str | None  #: None: a run wrote it, and has the details
    run_id: int | None
    fields: tuple[FieldChange, ...] = ()


def read_history(conn: Connection[Any], reader: Reader, key: Sequence[str]) -> tuple[Event, ...] | None:
    """
    Return the events of the row of *key*, newest first; None where the reader sees no such row.

    Fields that the reader's role does not see are left out, and so are changes of only such fields. Masked, sealed, or
    restricted values read without a purpose show as `***`. *conn* must be in autocommit mode.

    Raises:
        AccessRefused: the reader may not read the dataset.
        QueryRefused: a part of the key is not valid.
    """
    if not sees(conn, reader, key):
        return None
    has_purpose = reader.context.has_purpose
    seen = _Seen(reader, has_purpose=has_purpose)
    with conn.transaction():
        speak_for(conn, reader.context)
        found = row_history.of_row(conn, reader.dataset, key)
        if found is None:
            return None
        shown = [it for it in map(seen.event, found.changes) if it.fields]
        read = sorted({it.field for event in shown for it in event.fields if it.field in seen.restricted})
        if read and has_purpose:
            session_keys.record_read(
                conn, (f"{OPS}.{reader.dataset.name}", read), 1, reader.context.purpose or ""
            )
    # The run of a row moves with each change: the first known one inserted it.
    oldest = found.changes[-1].old.get(RUN_ID) if found.changes else found.run_id
    came = Event(at=found.created_at, what="inserted", actor=None, run_id=oldest)
    return (*shown, came)


class _Seen:
    """The part of changes that a reader may see."""

    def __init__(self, reader: Reader, *, has_purpose: bool) -> None:
        dataset, role = reader.dataset, reader.context.caller.role
        self._names = [it.name for it in reader.relation.columns if it.field and it.name not in dataset.key]
        self.restricted = {it.name for it in dataset.fields if it.is_restricted}
        sealed = {it.name for it in dataset.fields if it.protection.sealed}
        unsaid = set() if has_purpose else self.restricted
        # A field visible in some rows only is hidden in all: policies decide on current rows, not on their history.
        self._clear = set(clear_everywhere(dataset, role)) - sealed - unsaid

    def event(self, change: RowChange) -> Event:
        fields = tuple(
            self._field(name, change) for name in self._names if change.old.get(name) != change.new.get(name)
        )
        return Event(at=change.at, what="updated", actor=change.actor, run_id=change.run_id, fields=fields)

    def _field(self, name: str, change: RowChange) -> FieldChange:
        if name not in self._clear:
            return FieldChange(field=name, old=HIDDEN, new=HIDDEN)
        return FieldChange(field=name, old=change.old.get(name), new=change.new.get(name))
