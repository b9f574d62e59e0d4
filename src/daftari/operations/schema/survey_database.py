"""Compare a database with contracts: plan, apply and verify use this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.compile import partitions
from daftari.compile.access import access_policies, roles
from daftari.compile.access.access_policies import Present, Rights
from daftari.compile.schema_changes.differences import ObjectDifference, Objects, differences
from daftari.compile.schema_changes.situation import Situation
from daftari.compile.tables import tables
from daftari.compile.tables.objects import Identity, ObjectKind, Partition, ViewRights
from daftari.contract.model import Contract
from daftari.io.catalogue import live_access, live_objects


@dataclass(frozen=True, kw_only=True)
class Survey:
    found: list[ObjectDifference]
    situation: Situation


def survey_database(
    conn: Connection[Any],
    contracts: Sequence[Contract],
    *,
    rights: Rights,
    now: datetime,
    in_force: Sequence[Contract] = (),
) -> Survey:
    """
    Return the differences between the database and *contracts* with their *rights*.

    *in_force* are the contracts that gave the present access.

    The platform's own tables must exist. Changes nothing, but holds temporary objects until it returns, so the caller
    needs a transaction.

    Raises:
        ContractError: the contracts ask for what PostgreSQL cannot do.
    """
    datasets = [contract.dataset for contract in contracts]
    live = live_objects.read_objects(
        conn, [role.name for role in roles.wanted(datasets, rights.readers.roles, rights.roles)]
    )
    kept = partitions.kept(datasets, live.values(), now=now)
    wanted = tables.table_objects(datasets, now=now, kept=kept)
    present = replace(_present(conn, wanted, live), kept=tuple(kept))
    wanted.update({item.identity: item for item in access_policies.access_objects(datasets, present, rights)})
    printed = live_objects.as_printed(conn, datasets, rights, present, now=now)
    given = access_policies.access_objects([it.dataset for it in in_force], present, rights)
    return Survey(
        found=differences(printed, live),
        situation=Situation(
            wanted=wanted,
            live=live,
            views=live_objects.views_of_columns(conn),
            given=frozenset(it.identity for it in given),
        ),
    )


def _present(conn: Connection[Any], wanted: Objects, live: Objects) -> Present:
    partitions = {
        (it.table, it.name): None
        for it in (*wanted.values(), *live.values())
        if isinstance(it, Partition) and Identity(ObjectKind.TABLE, it.schema, "", it.table) in wanted
    }
    return Present(
        partitions=tuple(partitions),
        marts=live_access.published_marts(conn),
        views=tuple((it.schema, it.table) for it in live.values() if isinstance(it, ViewRights)),
    )
