"""Keep partitions ahead of time: rows should never need the default one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.compile import partitions
from daftari.compile.names import Schemas
from daftari.compile.objects import Partition
from daftari.contract.model import Contract
from daftari.io import catalogue, partition_tables


@dataclass(frozen=True, kw_only=True)
class Made:
    partition: str
    rows_moved: int  #: out of the default partition


def make_partitions(conn: Connection[Any], contracts: Sequence[Contract], *, now: datetime) -> list[Made]:
    """
    Make the partitions that should be there by *now*, within the caller's transaction. May be repeated.

    Rows of their time that lie in the default partition move. Tables that are not there are passed over.
    """
    live = catalogue.read(conn)
    tables = {item.table for item in live.values() if isinstance(item, Partition)}
    made = []
    for contract in contracts:
        dataset = contract.dataset
        for wanted in partitions.partitions(dataset, today=now.date(), schemas=Schemas()):
            is_new_table = dataset.name not in tables and any(
                identity.name == dataset.name for identity in live if identity.kind == "table"
            )
            if wanted.identity not in live and (dataset.name in tables or is_new_table):
                moved = partition_tables.make(conn, dataset, wanted)
                made.append(Made(partition=wanted.name, rows_moved=moved))
    return made
