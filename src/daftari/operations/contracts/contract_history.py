"""The history of a dataset's contract: each version that was applied, and its changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from daftari.contract.compatibility.changes import ContractChange
from daftari.contract.compatibility.compatibility import compare
from daftari.contract.reader.read import read_contract
from daftari.io.catalogue import applied_contracts


@dataclass(frozen=True, kw_only=True)
class AppliedVersion:
    version: str
    at: datetime
    by: str  #: the login that applied it
    #: from the previous one, the worst first; None: it is the first known
    changes: tuple[ContractChange, ...] | None


def contract_history(conn: Connection[Any], dataset: str, *, limit: int = 10) -> tuple[AppliedVersion, ...]:
    """Return the latest *limit* contracts that were applied to *dataset*, newest first."""
    found = applied_contracts.applied_contracts_of(conn, dataset, limit + 1)
    contracts = [read_contract(it.document, source=f"{dataset} {it.version}") for it in found]
    applied = [
        AppliedVersion(
            version=it.version,
            at=it.applied_at,
            by=it.applied_by,
            changes=compare(contracts[at + 1], contracts[at]) if at + 1 < len(found) else None,
        )
        for at, it in enumerate(found)
    ]
    return tuple(applied[:limit])
