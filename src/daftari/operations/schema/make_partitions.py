"""Create partitions in advance, so that rows do not need the default one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.compile import partitions
from daftari.compile.names import Schemas
from daftari.compile.tables.objects import Table
from daftari.contract.model import Contract
from daftari.io.catalogue import live_objects, partition_tables


@dataclass(frozen=True, kw_only=True)
class Made:
    partition: str
    rows_moved: int  #: out of the default partition


def make_partitions(conn: Connection[Any], contracts: Sequence[Contract], *, now: datetime) -> list[Made]:
    """
    Create the partitions due by *now*, within the caller's transaction. May be repeated.

    Rows of their range move out of the default partition. Tables that do not exist are skipped.
    """
    live = live_objects.read_objects(conn)
    partitioned = {it.name for it in live.values() if isinstance(it, Table) and it.partitioned_by}
    made = []
    for contract in contracts:
        dataset = contract.dataset
        if dataset.name not in partitioned:
            continue
        today = partitions.day_of(dataset, now)
        for wanted in partitions.partitions(dataset, today=today, schemas=Schemas()):
            if wanted.identity not in live:
                moved = partition_tables.make_partition(conn, dataset, wanted)
                made.append(Made(partition=wanted.name, rows_moved=moved))
    return made
