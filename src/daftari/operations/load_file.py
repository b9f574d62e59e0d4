"""
Load one file into its dataset: read, judge, land, account for every row. All of it, or nothing.

Blocks are read and judged in a thread of their own while the server copies the ones before: the server is the
slower of the two, and the loader's memory holds a few blocks however large the file is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from psycopg import Connection

from daftari.contract.model import Contract, Dataset, Relationship
from daftari.errors import ReconciliationError
from daftari.io import ledger, quarantine
from daftari.io.ahead import ahead
from daftari.io.files import Source
from daftari.io.landing import Batch, Landing, Refused, hold_parents, jsonb_fields, known_keys
from daftari.io.ledger import Counts, Origin, Reason
from daftari.rows import copy
from daftari.rows.batch import settle
from daftari.rows.expressions import ZONE
from daftari.rows.mapping import ColumnPlan
from daftari.rows.parse import Rows, to_rows
from daftari.rows.rules import Rulebook, Verdicts, judge, rulebook

#: From this many bytes on, an empty table gets its indexes after its rows.
_LARGE_BYTES = 16 * 2**20


@dataclass(frozen=True, kw_only=True)
class Loaded:
    dataset: str
    source: str
    run_id: int
    counts: Counts
    reasons: tuple[Reason, ...] = ()
    #: the run that had loaded this very content before; nothing was done then
    known_since: int | None = None
    skipped_blank: int = 0
    skipped_repeated_headers: int = 0


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """One block on its way to the server."""

    received: int
    batch: Batch
    duplicates: int
    rejected: pl.DataFrame
    used_keys: dict[Relationship, pl.DataFrame]
    blank: int
    repeated: int
