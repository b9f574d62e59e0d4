"""Undo one load: delete the rows it inserted, restore those it updated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection

from daftari.contract.model import Dataset
from daftari.errors import UndoRefused, UnknownName, counted
from daftari.io.audit import undo
from daftari.io.audit.undo import Past, Undo
from daftari.io.runs import ledger
from daftari.io.workspace.files import Workspace

#: Kinds of runs that write rows into a dataset.
_LOADS = ("load", "replay")
_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Undone:
    dataset: str
    undoes: int
    run_id: int | None  #: of the undo itself; None: nothing was done
    removed: int
    restored: int
    changed_since: int = 0  #: conflicting rows; not 0 only in a dry run
    keys: tuple[tuple[str, ...], ...] = ()  #: of some of those, unless keys may not be shown


def undo_run(conn: Connection[Any], workspace: Workspace, run_id: int, *, dry_run: bool = False) -> Undone:
    """
    Undo run *run_id* completely or not at all, as a separate run. Its file may be loaded again afterwards.

    *conn* must be in autocommit mode. With *dry_run* everything is done and rolled back, and conflicting rows are
    reported instead of refused.

    Raises:
        UnknownName: there is no such run.
        UndoRefused: it wrote no rows, was undone before, or its rows were changed, removed or referred to later.
    """
    past = undo.past(conn, run_id)
    if past is None:
        raise UnknownName(
            "undo", "run", str(run_id), known=[], hint="`daftari audit show` names the run of each entry."
        )
    _require_load(past, run_id)
    _, contract = workspace.dataset(past.dataset or "")
    ledger.require_contract(conn, contract)
    with _explained(run_id):
        if dry_run:
            with conn.transaction(force_rollback=True):
                return _undo(conn, contract.dataset, past, run_id, None)
        with ledger.ledger_run(conn, "undo", contract) as own, conn.transaction():
            return _undo(conn, contract.dataset, past, run_id, own)


def _undo(conn: Connection[Any], dataset: Dataset, past: Past, run_id: int, own: int | None) -> Undone:
    way = Undo(conn, dataset, run_id)
    if not way.find():
        raise UndoRefused(
            f"undo: the audit has no batch of run {run_id}; expected one",
            hint="Runs from before the audit existed cannot be undone.",
        )
    if gone := way.gone_fields():
        raise UndoRefused(
            f"undo: {', '.join(gone)} of run {run_id} was renamed or dropped since; expected the fields of that time",
            hint="Correct the rows by a new file, or apply the contract of that time first.",
        )
    keys = way.in_the_way()
    if keys and own is None:
        shown = keys[:_SHOWN] if _may_show(dataset) else []
        inserted, updated = way.count()
        return Undone(
            dataset=dataset.name, undoes=run_id, run_id=None, removed=inserted, restored=updated,
            changed_since=len(keys), keys=tuple(tuple(map(str, key)) for key in shown),
        )  # fmt: skip
    _require_unchanged(way, past, run_id, len(keys))
    removed, restored = way.take_back()
    if own is not None:
        way.close(own, removed, restored)
    return Undone(dataset=dataset.name, undoes=run_id, run_id=own, removed=removed, restored=restored)


def _require_load(past: Past, run_id: int) -> None:
    if past.kind not in _LOADS or past.status != "succeeded":
        raise UndoRefused(
            f"undo: run {run_id} is a {past.kind} that {past.status}; expected a load that succeeded"
        )
    if past.undone_by is not None:
        raise UndoRefused(
            f"undo: run {run_id} was undone by run {past.undone_by}; expected a run that was not undone"
        )


def _require_unchanged(way: Undo, past: Past, run_id: int, changed: int) -> None:
    if changed:
        raise UndoRefused(
            f"undo: {counted(changed, 'row')} of run {run_id} changed or removed since; expected none",
            hint=f"`daftari undo {run_id} --dry-run --output json` names some. Undo what came later first.",
        )
    found = way.count()
    if found != (past.inserted, past.updated):
        raise UndoRefused(
            f"undo: run {run_id} inserted {counted(past.inserted, 'row')} and updated {past.updated}; "
            f"found {found[0]} and {found[1]} as it left them",
            hint="`daftari audit show` shows a truncate; `daftari audit verify` shows changes of the audit.",
        )


def _may_show(dataset: Dataset) -> bool:
    return not any(dataset.field(name).is_confidential for name in dataset.key)


@contextmanager
def _explained(run_id: int) -> Iterator[None]:
    """Report that rows of other tables prevent the undo, without the database's message, which quotes them."""
    try:
        yield
    except psycopg.errors.IntegrityError as error:
        raise UndoRefused(
            f"undo: run {run_id}: {error.diag.constraint_name} of {error.diag.table_name} would be violated; "
            "nothing was changed",
            hint="Rows of another load refer to these rows, or have their former values: undo that load first.",
        ) from None
