"""Compare a database with contracts: the ground on which plan, apply and verify stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.compile import access, partitions, roles, tables
from daftari.compile.access import Present, Rights
from daftari.compile.changes import Situation
from daftari.compile.differences import Difference, Objects, differences
from daftari.compile.objects import Identity, Kind, Partition, ViewRights
from daftari.contract.model import Contract
from daftari.io import access_catalogue, catalogue


@dataclass(frozen=True, kw_only=True)
class Survey:
    found: list[Difference]
    situation: Situation


def survey(conn: Connection[Any], contracts: Sequence[Contract], *, rights: Rights, now: datetime) -> Survey:
    """
    Return where the database is not as *contracts* say, and *rights* on it.

    The platform's own tables must be there. Changes nothing, but holds what it makes to compare with until
    it returns, so the caller needs a transaction.

    Raises:
        ContractError: the contracts ask for what PostgreSQL cannot do.
    """
    datasets = [contract.dataset for contract in contracts]
    live = catalogue.read(
        conn, [role.name for role in roles.wanted(datasets, rights.readers.roles, rights.roles)]
    )
    kept = partitions.kept(datasets, live.values(), now=now)
    wanted = tables.objects(datasets, now=now, kept=kept)
    present = replace(_present(conn, wanted, live), kept=tuple(kept))
    wanted.update({item.identity: item for item in access.objects(datasets, present, rights)})
    printed = catalogue.as_printed(conn, datasets, rights, present, now=now)
    return Survey(
        found=differences(printed, live),
        situation=Situation(wanted=wanted, live=live, views=catalogue.views_of_columns(conn)),
    )


def _present(conn: Connection[Any], wanted: Objects, live: Objects) -> Present:
    partitions = {
        (it.table, it.name): None
        for it in (*wanted.values(), *live.values())
        if isinstance(it, Partition) and Identity(Kind.TABLE, it.schema, "", it.table) in wanted
    }
    return Present(
        partitions=tuple(partitions),
        marts=access_catalogue.marts(conn),
        views=tuple((it.schema, it.table) for it in live.values() if isinstance(it, ViewRights)),
    )
