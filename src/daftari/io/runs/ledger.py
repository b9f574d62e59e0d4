"""The ledger of runs: started before any work, closed in the transaction of the work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from psycopg import Connection
from psycopg.errors import UndefinedTable
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from daftari.contract.platform import OPS
from daftari.errors import DaftariError, DatabaseError, Drift
from daftari.io.database import queries
from daftari.io.database.turns import take_turn
from daftari.rows.intake.remarks import LeftOut, Remark

if TYPE_CHECKING:
    from daftari.contract.model import Contract

_QUERIES = queries.load_queries("runs/ledger.sql")


@dataclass(frozen=True, kw_only=True)
class RunCounts:
    """What became of the rows of one run. The database checks that received is the sum of the others."""

    received: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicate: int = 0  #: the same content as another row of the same key
    superseded: int = 0  #: other content than the row of the same key that was taken
    quarantined: int = 0

    @classmethod
    def of(cls, statuses: Iterable[str]) -> RunCounts:
        """Count the rows of each status."""
        tally = Counter(statuses)
        return cls(received=tally.total(), **tally)

    def __add__(self, other: RunCounts) -> RunCounts:
        return RunCounts(**{name: getattr(self, name) + getattr(other, name) for name in vars(self)})


@dataclass(frozen=True, kw_only=True)
class Reason:
    rule: str
    field: str
    reason: str
    rows: int
    line: int | None = None  #: the first of the rows


def counted_reasons(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return *reasons* with equal ones as one, the most frequent first: rows added, the first line kept."""
    found: dict[tuple[str, str, str], Reason] = {}
    for one in reasons:
        known = found.setdefault((one.rule, one.field, one.reason), one)
        if known is not one:
            lines = [line for line in (known.line, one.line) if line is not None]
            found[one.rule, one.field, one.reason] = replace(
                known, rows=known.rows + one.rows, line=min(lines) if lines else None
            )
    return tuple(sorted(found.values(), key=lambda one: -one.rows))


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The result of loading a file."""

    dataset: str
    source: str
    run_id: int
    counts: RunCounts = RunCounts()
    reasons: tuple[Reason, ...] = ()
    #: this content had been loaded before, by `run_id`; nothing was done now
    known: bool = False
    left_out: LeftOut = LeftOut()
    remarks: tuple[Remark, ...] = ()
    corrected: int = 0  #: quarantined rows of earlier runs that this run resolved


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The source of a run's rows."""

    name: str
    sha256: str  #: of the file; of a sheet that was picked, see `sheet_digest`
    path: str | None = None  #: None for standard input
    bytes: int = 0
    mapping: str | None = None
    mapping_sha256: str | None = None  #: of what decides how its columns map
    corrects: str | None = (
        None  #: for a corrected export: the sha256 of the file that its rows first came from
    )
    sheet: str | None = None  #: of a workbook


@dataclass(frozen=True, kw_only=True)
class KnownFile:
    """A file whose content was loaded before."""

    run_id: int
    mapping_sha256: str | None
    has_other_contract: bool  #: whether another contract is in force since
    waiting: int  #: rejected rows of it that wait for correction


def known_file(conn: Connection[Any], dataset: str, sha256: str) -> KnownFile | None:
    """Return what is known of a file of this content in *dataset*; None where it was not loaded."""
    with conn.cursor(row_factory=class_row(KnownFile)) as cursor:
        return cursor.execute(_QUERIES["known_file"], {"dataset": dataset, "sha256": sha256}).fetchone()


def known_run(conn: Connection[Any], dataset: str, sha256: str) -> int | None:
    """Return the run that loaded a file of this content into *dataset*, or None."""
    known = known_file(conn, dataset, sha256)
    return known.run_id if known else None


def known_sheets(conn: Connection[Any], dataset: str, digests: Iterable[str]) -> dict[str, str | None]:
    """Return, for each of *digests* that was loaded into *dataset*, the sheet that was read."""
    return dict(
        conn.execute(_QUERIES["known_sheets"], {"dataset": dataset, "digests": list(digests)}).fetchall()
    )


def changed_since(
    conn: Connection[Any], dataset: str, sha256: str, known: KnownFile
) -> tuple[int, int | None] | None:
    """Return how many rows of a known file were changed later, and the latest run that did so; None: no row."""
    allowed = conn.execute("select has_table_privilege('daftari.audit_row', 'select')").fetchone()
    if not allowed or not allowed[0]:
        return None
    facts = {"dataset": dataset, "sha256": sha256, "run_id": known.run_id}
    return conn.execute(_QUERIES["changed_since"], facts).fetchone()


def require_contract(conn: Connection[Any], contract: Contract) -> None:
    """
    Stop unless the database matches *contract*, and this session sees every row.

    Raises:
        Drift: another contract was applied, or none.
        DatabaseError: policies hide rows from this session: its counts and comparisons would be wrong.
    """
    name = contract.dataset.name
    try:
        row = conn.execute(_QUERIES["contract_in_force"], {"dataset": name}).fetchone()
    except UndefinedTable:
        row = None
    if row is None or row[0] != contract.hash:
        found = f"contract {row[0][:12]}" if row else "no contract"
        raise Drift(
            f"{name}: the database has {found}; the workspace has {contract.hash[:12]}",
            hint="See the changes with `daftari plan`, then run `daftari apply`.",
        )
    if conn.execute(_QUERIES["holds_rows_back"], {"dataset": name}).fetchone():
        raise DatabaseError(
            f"{name}: policies hide rows of it from user {conn.info.user}; expected an operator, who sees all rows",
            hint="Connect as the user who applies the contracts, or let that user run `daftari apply` again.",
        )


def require_contracts(conn: Connection[Any], contracts: Iterable[Contract]) -> None:
    """Raises as `require_contract`, for the first of *contracts* that fails it."""
    for contract in contracts:
        require_contract(conn, contract)


@contextmanager
def ledger_run(
    conn: Connection[Any],
    kind: str,
    contract: Contract | None = None,
    origin: Origin | None = None,
    *,
    in_turn: bool = False,
) -> Iterator[int]:
    """
    Start a run and yield its number; close it as failed or refused when the block raises.

    The block itself closes it with `finish`, inside the transaction of its effects. *conn* must be in autocommit mode,
    so that the start of a run is stored even if its effects are rolled back. A transform or a check has no contract
    and no file. With *in_turn*, runs of this kind are stored in the order of their numbers.
    """
    facts = {
        "kind": kind,
        "dataset": contract.dataset.name if contract else None,
        "contract_hash": contract.hash if contract else None,
        "source": origin.name if origin else None,
        "sha256": origin.sha256 if origin else None,
    }
    conn.execute(_QUERIES["abandon_dead_runs"], facts)
    with conn.transaction() if in_turn else nullcontext():
        if in_turn:
            take_turn(conn, kind)
        row = conn.execute(_QUERIES["start_run"], facts).fetchone()
    assert row is not None, "an insert returns its row"
    run_id = int(row[0])
    try:
        yield run_id
    except BaseException as error:
        _close_failed(conn, run_id, error)
        raise
    conn.execute(_QUERIES["release_run"])


def _close_failed(conn: Connection[Any], run_id: int, error: BaseException) -> None:
    if conn.closed or conn.broken:
        return  # its session is gone: the next run of this dataset marks it abandoned
    refused = isinstance(error, DaftariError)
    code = error.code if isinstance(error, DaftariError) else type(error).__name__
    status = "refused" if refused else "failed"
    conn.execute(_QUERIES["fail_run"], {"run_id": run_id, "status": status, "error_code": code})
    conn.execute(_QUERIES["release_run"])


def refuse_run(conn: Connection[Any], run_id: int, error_code: str) -> None:
    """Close a run that worked correctly but had no effect, such as a transform whose tests failed."""
    conn.execute(_QUERIES["fail_run"], {"run_id": run_id, "status": "refused", "error_code": error_code})


def finish_run(conn: Connection[Any], run_id: int, counts: RunCounts) -> None:
    """Close a run with its counts. Call it in the transaction of its effects."""
    conn.execute(_QUERIES["finish_run"], {"run_id": run_id, **vars(counts)})


def record_reading(conn: Connection[Any], run_id: int, left_out: LeftOut, remarks: Iterable[Remark]) -> None:
    """Record how the file of a run was read. Call it in the transaction of its effects."""
    facts = {"left_out": Jsonb(vars(left_out)), "remarks": Jsonb([one.as_json() for one in remarks])}
    conn.execute(_QUERIES["record_reading"], {"run_id": run_id, **facts})


def record_file(
    conn: Connection[Any], run_id: int, dataset: str, origin: Origin, *, is_replay: bool = False
) -> None:
    """Record that a file of this content is loaded. Call it in the transaction of its rows."""
    facts = {"run_id": run_id, "dataset": dataset, "is_replay": is_replay, **vars(origin)}
    conn.execute(_QUERIES["record_file"], facts)


@dataclass(frozen=True, kw_only=True)
class BatchAudit:
    """A batch of rows in the audit: the rows themselves are the record."""

    relation: str
    operation: str  #: insert or merge
    rows: int
    digest: str  #: sha256 of the rows as sent, in hex

    @classmethod
    def of(cls, dataset: str, counts: RunCounts, digest: str) -> BatchAudit:
        """The rows that a run wrote into *dataset*."""
        return cls(
            relation=f"{OPS}.{dataset}",
            operation="merge" if counts.updated else "insert",
            rows=counts.inserted + counts.updated,
            digest=digest,
        )


def record_batch(conn: Connection[Any], batch: BatchAudit) -> None:
    """Audit a batch of rows of the run that this session holds. Call it in the transaction of its rows."""
    conn.execute(_QUERIES["record_batch"], vars(batch))


def reasons_of(conn: Connection[Any], run_id: int) -> tuple[Reason, ...]:
    """Return why rows of a run were rejected, most frequent first. A row with two reasons counts for both."""
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_QUERIES["reasons_of"], {"run_id": run_id}).fetchall()
    return tuple(Reason(**row) for row in found)
