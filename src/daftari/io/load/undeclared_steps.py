"""Changes of state that a load made and that its contract does not declare: who records decisions may make them."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from daftari.contract.model import Dataset
from daftari.contract.platform import OPS
from daftari.io.database import queries

_QUERIES = queries.load_queries("load/undeclared_steps.sql")


def undeclared_steps(conn: Connection[Any], dataset: Dataset, run_id: int) -> list[tuple[str, str, int]]:
    """Return from and to which state run *run_id* took rows without a step of the contract, and how many."""
    approval = dataset.approval
    if approval is None or dataset.field(approval.field).protection.sealed:
        return []
    about = {"run_id": run_id, "relation": f"{OPS}.{dataset.name}", "field": approval.field}
    declared = {(it.start, it.to) for it in approval.steps}
    found = conn.execute(_QUERIES["steps_taken"], about).fetchall()
    return [(was, is_, rows) for was, is_, rows in found if (was, is_) not in declared]
