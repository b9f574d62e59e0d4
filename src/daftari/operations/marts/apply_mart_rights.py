"""Grant each published mart to the roles that may read it, and to no other."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import psycopg
from psycopg import Connection

from daftari.compile.access import access_steps
from daftari.compile.access.access_policies import Present, Rights
from daftari.compile.names import Schemas
from daftari.compile.schema_changes.differences import ObjectDifference, Objects, differences
from daftari.compile.schema_changes.schema_changes import statements_of
from daftari.compile.schema_changes.situation import Situation
from daftari.compile.schema_changes.steps import ACCESS_PHASES, SchemaChange
from daftari.contract.platform import MARTS
from daftari.errors import Drift
from daftari.io.catalogue import live_access, live_objects

_KINDS = ("owners", "row_security", "policies", "grants")


def apply_mart_rights(conn: Connection[Any], rights: Rights, built: Container[str] | None = None) -> None:
    """
    Bring owners, policies and grants of the published marts to *rights*, within the transaction that publishes them.

    *built* are the marts whose columns match their models by now; by default all.

    Checks the result at the end: a mart with other rights is not published.

    Raises:
        Drift: a role does not exist, or a right cannot be corrected.
    """
    present = Present(marts=live_access.published_marts(conn))
    _require_subjects(present, rights, built)
    wanted = live_objects.mart_rights_as_printed(conn, rights, present)
    try:
        for statement in statements_of(_changes(wanted, _live(conn)), set(ACCESS_PHASES)):
            conn.execute(statement)
    except psycopg.errors.UndefinedObject as error:
        raise Drift(
            f"transform: {error.diag.message_primary}; expected every role that reads a mart; nothing was published",
            hint="Create it with `daftari apply`.",
        ) from None
    left = differences(wanted, _live(conn))
    if left:
        raise Drift(
            f"transform: {'; '.join(map(str, left))}; nothing was published",
            hint="See `daftari verify`; `daftari apply` restores rights.",
        )


def _require_subjects(present: Present, rights: Rights, built: Container[str] | None) -> None:
    """Refuse a mart without the column that decides which rows its readers see: they would silently see none."""
    for mart, columns in present.marts.items():
        readers = rights.readers.of.get(mart)
        is_due = built is None or mart in built
        if readers and is_due and readers.among(columns) != readers:
            raise Drift(
                f"transform: {MARTS}.{mart} has no column {readers.subject}; expected the subject in its file; "
                "nothing was published",
                hint="Select it in the model, or name another column under config.meta.daftari.subject.",
            )


def _live(conn: Connection[Any]) -> Objects:
    marts = Schemas().marts
    with live_objects.qualified_printing(conn):
        found = live_access.read_access(conn, Schemas(), kinds=_KINDS)
    return {it.identity: it for it in found if it.identity.schema == marts}


def _changes(wanted: Objects, live: Objects) -> list[SchemaChange]:
    situation = Situation(wanted=wanted, live=live, views={})

    def of(difference: ObjectDifference) -> SchemaChange | None:
        return access_steps.access_change(wanted.get(difference.identity), difference, situation)

    return [change for it in differences(wanted, live) if (change := of(it)) is not None]
