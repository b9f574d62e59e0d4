"""Compare a database with contracts: the ground on which plan, apply and verify stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.compile import partitions, tables
from daftari.compile.changes import Situation
from daftari.compile.differences import Difference, differences
from daftari.contract.model import Contract
from daftari.io import catalogue


@dataclass(frozen=True, kw_only=True)
class Survey:
    found: list[Difference]
    situation: Situation


def survey(conn: Connection[Any], contracts: Sequence[Contract], *, now: datetime) -> Survey:
    """
    Return where the database is not as *contracts* say.

    The platform's own tables must be there. Changes nothing, but holds what it makes to compare with until
    it returns, so the caller needs a transaction.

    Raises:
        ContractError: the contracts ask for what PostgreSQL cannot do.
    """
    datasets = [contract.dataset for contract in contracts]
    today = now.date()
    live = catalogue.read(conn)
    kept = partitions.kept(datasets, live.values(), today=today)
    wanted = tables.objects(datasets, today=today, kept=kept)
    printed = catalogue.as_printed(conn, datasets, today=today, kept=kept)
    return Survey(
        found=differences(printed, live),
        situation=Situation(wanted=wanted, live=live, views=catalogue.views_of_columns(conn)),
    )
