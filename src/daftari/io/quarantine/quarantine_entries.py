"""Rejected rows: kept with every reason and a redacted preview until they are corrected."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from psycopg import Connection, sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from daftari.contract.model import Dataset
from daftari.contract.platform import OPS
from daftari.errors import QuarantineRefused
from daftari.io.database import queries

_QUERIES = queries.load_queries("quarantine/quarantine_entries.sql")
_COLUMNS = ("run_id", "dataset", "line", "reasons", "preview", "key", "replaces", "cells")


@dataclass(frozen=True, kw_only=True)
class QuarantineEntry:
    quarantine_id: int
    run_id: int
    dataset: str
    source: str
    sha256: str
    path: str | None
    line: int
    reasons: tuple[dict[str, str], ...]
    preview: dict[str, str | None] | None
    at: datetime
    resolved_by: int | None


@dataclass(frozen=True, kw_only=True)
class QuarantinedFile:
    """The open entries of one file."""

    dataset: str
    run_id: int
    source: str
    at: datetime
    rows: int
    top_reason: str


def add_to_quarantine(
    conn: Connection[Any],
    run_id: int,
    dataset: Dataset,
    rejected: pl.DataFrame,
    *,
    replaces: Mapping[int, int] | None = None,
) -> None:
    """
    Put rejected rows (as in `rules.REJECTED`) into quarantine. Call it in the transaction of the run.

    *replaces* are, by line, the entries that are replayed.

    Raises:
        TypeError: the rows' cells are not sealed; see `SealedCells`.
    """
    if rejected.is_empty():
        return
    if rejected.schema["cells"] != pl.Binary:
        raise TypeError(f"{dataset.name}: cells not sealed on their way to quarantine")
    rows = rejected.select(
        run_id=pl.lit(run_id, pl.Int64),
        dataset=pl.lit(dataset.name),
        line="line",
        reasons="reasons",
        preview="preview",
        key="key",
        replaces=pl.col("line").replace_strict(replaces or {}, default=None, return_dtype=pl.Int64),
        cells=pl.lit("\\x") + pl.col("cells").bin.encode("hex"),
    )
    statement = sql.SQL("copy daftari.quarantine ({}) from stdin (format csv)").format(
        sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
    )
    # As CSV: the encoder of the binary form takes 40 MiB, and a large load has it in another process.
    with conn.cursor() as cursor, cursor.copy(statement) as out:
        out.write(rows.write_csv(include_header=False, quote_style="non_numeric"))


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A file in the ledger."""

    name: str
    sha256: str
    path: str | None  #: None where it came from standard input
    mapping: str | None
    sheet: str | None  #: of a workbook: the one that was read


@dataclass(frozen=True, kw_only=True)
class OpenFile:
    """A file that holds rows in quarantine, and those rows: line -> entry."""

    file: Kept
    first: Kept  #: where its rows first came from: another file, where *file* is a corrected export of that
    lines: dict[int, int]


def open_files(conn: Connection[Any], dataset: str, run_id: int | None = None) -> tuple[OpenFile, ...]:
    """Return the files with open entries of *dataset*, oldest first; those of one run, or of all."""
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_QUERIES["open_files"], {"dataset": dataset, "run_id": run_id}).fetchall()
    return tuple(
        OpenFile(
            file=Kept(
                name=row["name"],
                sha256=row["sha256"],
                path=row["path"],
                mapping=row["mapping"],
                sheet=row["sheet"],
            ),
            first=Kept(
                name=row["first_name"],
                sha256=row["first_sha256"],
                path=row["first_path"],
                mapping=row["mapping"],
                sheet=row["first_sheet"],
            ),
            lines=dict(zip(row["lines"], row["entries"], strict=True)),
        )
        for row in found
    )


def open_now(conn: Connection[Any], dataset: str, entries: Iterable[int]) -> dict[int, int]:
    """Return, for each of *entries* whose row still waits, its open entry: itself, or its replacement."""
    facts = {"dataset": dataset, "entries": list(entries)}
    return dict(conn.execute(_QUERIES["open_now"], facts).fetchall())


def still_open(conn: Connection[Any], entries: Iterable[int]) -> frozenset[int]:
    """Return those of *entries* that no run has resolved."""
    found = conn.execute(_QUERIES["still_open"], {"entries": list(entries)}).fetchall()
    return frozenset(number for (number,) in found)


def hold_entries(conn: Connection[Any], dataset: Dataset, entries: Collection[int]) -> None:
    """
    Lock *entries*, so that no other session resolves them before the transaction ends.

    Raises:
        QuarantineRefused: some of them are no longer open.
    """
    held = {number for (number,) in conn.execute(_QUERIES["hold"], {"entries": list(entries)})}
    require_waiting(dataset, entries, held)


def require_waiting(dataset: Dataset, entries: Iterable[int], waiting: Container[int]) -> None:
    """Raises QuarantineRefused where some of *entries* are not in *waiting*."""
    gone = [number for number in entries if number not in waiting]
    if gone:
        raise QuarantineRefused(
            f"{dataset.name}: {len(gone)} of these rows are no longer in quarantine: they were corrected meanwhile",
            hint="Reload the page; nothing was written.",
        )


def resolve_entries(conn: Connection[Any], run_id: int, entries: Iterable[int]) -> int:
    """Mark entries as corrected by a run; return how many were still open."""
    return conn.execute(_QUERIES["resolve"], {"run_id": run_id, "entries": list(entries)}).rowcount


def resolve_content(conn: Connection[Any], run_id: int, dataset: Dataset, sha256: str) -> int:
    """Mark the open entries of earlier runs of the same file as judged again by a run; return how many."""
    facts = {"run_id": run_id, "dataset": dataset.name, "sha256": sha256}
    return conn.execute(_QUERIES["resolve_content"], facts).rowcount


def resolve_landed(conn: Connection[Any], run_id: int, dataset: Dataset) -> int:
    """Mark the open entries whose key a run has inserted or updated; return how many."""
    is_open = conn.execute(_QUERIES["any_open"], {"dataset": dataset.name, "run_id": run_id}).fetchone()
    if not is_open or not dataset.key:
        return 0
    pairs = sql.SQL(", ").join(
        part
        for name in dataset.key
        for part in (sql.Literal(name), sql.SQL("t.{}::text").format(sql.Identifier(name)))
    )
    statement = sql.SQL(_QUERIES["resolve_landed"]).format(
        table=sql.Identifier(OPS, dataset.name), pairs=pairs
    )
    # The run is newer than the planner's statistics: it expects one row of the run, and would compare each
    # entry with each row.
    conn.execute("set local enable_nestloop = off")
    corrected = conn.execute(statement, {"run_id": run_id, "dataset": dataset.name}).rowcount
    conn.execute("set local enable_nestloop = on")
    return corrected


def resolve_keys(conn: Connection[Any], run_id: int, dataset: Dataset, rows: pl.DataFrame) -> int:
    """Mark the open entries under the keys of *rows*, which a run has inserted or updated; return how many."""
    if rows.is_empty() or not dataset.key or any(dataset.field(name).is_confidential for name in dataset.key):
        return 0  # the cells of a sealed field cannot be compared
    facts = {"run_id": run_id, "dataset": dataset.name}
    if conn.execute(_QUERIES["any_open"], facts).fetchone() is None:
        return 0
    facts["keys"] = Jsonb(rows.select(pl.col(dataset.key).cast(pl.String)).to_dicts())
    return conn.execute(_QUERIES["resolve_keys"], facts).rowcount


def quarantined_files(conn: Connection[Any], dataset: str | None) -> tuple[QuarantinedFile, ...]:
    """Return the open entries by file, newest first."""
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_QUERIES["piles"], {"dataset": dataset}).fetchall()
    return tuple(QuarantinedFile(**row) for row in found)


def quarantine_entries(
    conn: Connection[Any], dataset: str, *, run_id: int | None, limit: int
) -> tuple[QuarantineEntry, ...]:
    """Return open entries of *dataset*, of one run or of all, in the order of their files."""
    facts = {"dataset": dataset, "run_id": run_id, "limit": limit}
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_QUERIES["entries"], facts).fetchall()
    return tuple(QuarantineEntry(**{**row, "reasons": tuple(row["reasons"])}) for row in found)


def entries_of(conn: Connection[Any], numbers: Iterable[int]) -> tuple[QuarantineEntry, ...]:
    """Return entries by their numbers."""
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_QUERIES["entries_of"], {"entries": list(numbers)}).fetchall()
    return tuple(QuarantineEntry(**{**row, "reasons": tuple(row["reasons"])}) for row in found)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """An open entry with its cells as they are kept."""

    entry: QuarantineEntry
    cells: bytes | None


def waiting_entries(
    conn: Connection[Any],
    dataset: str,
    *,
    entries: Sequence[int] | None = None,
    after: int = 0,
    limit: int = 100,
) -> tuple[Waiting, ...]:
    """Return open entries of *dataset*, oldest first: those with given numbers, or all after one."""
    facts = {
        "dataset": dataset,
        "entries": None if entries is None else list(entries),
        "after": after,
        "limit": limit,
    }
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_QUERIES["waiting"], facts).fetchall()
    return tuple(
        Waiting(cells=row.pop("cells"), entry=QuarantineEntry(**{**row, "reasons": tuple(row["reasons"])}))
        for row in found
    )
