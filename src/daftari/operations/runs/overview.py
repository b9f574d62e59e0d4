"""An overview of datasets: latest loads, rows in quarantine, results of the latest checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import Connection

from daftari.compile.access.relations import relation_of
from daftari.compile.access.roles import Roles
from daftari.contract.access.caller import RequestContext
from daftari.contract.model import Dataset
from daftari.io.access.callers import in_role_of, speak_for
from daftari.io.runs import check_results, overview
from daftari.io.runs.check_results import CheckedDataset as CheckedDataset
from daftari.io.runs.overview import LatestLoad
from daftari.rows.url_query import VisibleColumn


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Each by the dataset's name; a missing dataset was never loaded, has no waiting rows, or was never checked."""

    loads: Mapping[str, LatestLoad]
    waiting: Mapping[str, int]
    checked: Mapping[str, CheckedDataset]


def look_over(conn: Connection[Any], datasets: Sequence[str], correctable: Sequence[str] = ()) -> Overview:
    """Return the overview of *datasets*, with waiting rows for those that the caller may correct."""
    return Overview(
        loads=overview.latest_loads(conn, datasets),
        waiting=overview.waiting_by_dataset(conn, correctable) if correctable else {},
        checked={
            one.dataset: one for one in check_results.latest_check_results(conn) if one.dataset in datasets
        },
    )


def count_by_month(
    conn: Connection[Any], dataset: Dataset, column: VisibleColumn, *, context: RequestContext, roles: Roles
) -> list[tuple[date, int]]:
    """Count the rows of the last 24 months by the date in *column*, oldest first, in the caller's role."""
    relation = relation_of(dataset, context.caller.role)
    if relation is None:
        return []
    with conn.transaction():
        speak_for(conn, context)
        with in_role_of(conn, context.caller, roles):
            return overview.rows_by_month(conn, relation, column, time_zone=dataset.time_zone)
