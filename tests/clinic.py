"""A small workspace for the load path: wards, and visits to them, with a little of everything a contract can ask."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import dict_row
from tests.contracts import contract_document, field

from daftari.io.runs.ledger import Loaded
from daftari.io.workspace.files import Workspace, read_workspace
from daftari.operations.load.load_path import LoadRequest, load_path
from daftari.operations.schema.apply_contracts import apply_contracts

NOW = datetime(2026, 3, 14, 9, tzinfo=UTC)
HEADER = "visit_id,seen_on,ward,patient,fee,notes"
COUNTS = ("received", "inserted", "updated", "unchanged", "duplicate", "superseded", "quarantined")
#: What may be shown nowhere: the values of `patient` and `notes` in the tests' files begin so.
SECRETS = ("Wanjiku", "Otieno", "asthma", "malaria")

WARDS = [{"name": "ward", "logicalType": "string", "required": True, "primaryKey": True}]
VISITS = [
    {
        "name": "visit_id",
        "logicalType": "string",
        "required": True,
        "primaryKey": True,
        "logicalTypeOptions": {"maxLength": 12},
    },
    field("seen_on", "date", required=True, logicalTypeOptions={"minimum": "2020-01-01"}),
    field("ward", "string", required=True, relationships=[{"type": "foreignKey", "to": "wards.ward"}]),
    field("patient", "string", classification="personal", logicalTypeOptions={"maxLength": 12}),
    field("fee", "number", physicalType="numeric(10,2)", logicalTypeOptions={"minimum": 0, "maximum": 1000}),
    field("notes", "string", classification="restricted", logicalTypeOptions={"maxLength": 20}),
]


def write_workspace(
    root: Path,
    *,
    visits: list[dict[str, Any]] = VISITS,
    wards: list[dict[str, Any]] = WARDS,
    of_wards: dict[str, Any] | None = None,
    **custom: Any,
) -> Workspace:
    """Write the clinic's workspace; *custom* are `daftari.*` values of its visits, *of_wards* of its wards."""
    folder = root / "pipelines/clinic"
    for name in ("ingest", "transform", "tests"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (root / "daftari.toml").write_text('[workspace]\nname = "Clinic"\n', "utf-8")
    settings = {"maxRejectedRatio": 0.5, **custom}
    documents = {
        "wards": contract_document(
            name="wards", fields=wards, custom={"kind": "reference", **(of_wards or {})}
        ),
        "visits": contract_document(name="visits", fields=visits, custom=settings),
    }
    for name, document in documents.items():
        (folder / f"{name}.odcs.yaml").write_text(json.dumps(document), "utf-8")
    return read_workspace(root)


def apply_workspace(conn: Connection[Any], workspace: Workspace) -> None:
    folder = workspace.root / "migrations"
    apply_contracts(conn, workspace.contracts, migrations_dir=folder, now=NOW, allow_breaking=True)


def open_wards(conn: Connection[Any]) -> None:
    conn.execute("insert into ops.wards (ward, _run_id) values ('A', 0), ('B', 0), ('C', 0)")


def open_clinic(conn: Connection[Any], root: Path, **said: Any) -> None:
    """Make the clinic's workspace in *root*, and its tables; *said* goes to `write_workspace`."""
    apply_workspace(conn, write_workspace(root, **said))
    open_wards(conn)


@dataclass
class Clinic:
    """The workspace, its database, and a folder for files."""

    workspace: Workspace
    conn: Connection[Any]
    url: str

    @property
    def folder(self) -> Path:
        return self.workspace.root

    def file(self, *rows: str, name: str = "visits.csv", header: str = HEADER) -> Path:
        path = self.folder / name
        path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
        return path

    def load(self, *rows: str, name: str = "visits.csv", **said: Any) -> Loaded:
        return self.load_path(self.file(*rows, name=name), **said)

    def load_path(self, path: Path, **said: Any) -> Loaded:
        return load_path(self.conn, self.workspace, LoadRequest(dataset="visits", path=path, **said), now=NOW)

    def session(self) -> Connection[Any]:
        return psycopg.connect(self.url, autocommit=True)

    def rows(self, *names: str) -> list[tuple[Any, ...]]:
        wanted = ", ".join(names or ("visit_id",))
        return self.conn.execute(
            f"select {wanted} from ops.visits order by visit_id", prepare=False
        ).fetchall()

    def keys(self) -> str:
        return " ".join(key for (key,) in self.rows())

    def runs(self, *names: str) -> list[tuple[Any, ...]]:
        wanted = ", ".join(names or COUNTS)
        return self.conn.execute(
            f"select {wanted} from daftari.run order by run_id", prepare=False
        ).fetchall()

    def open_lines(self) -> list[tuple[str, int]]:
        """Source and line of each row in quarantine."""
        return self.conn.execute("""
            select r.source, q.line from daftari.quarantine q join daftari.run r using (run_id)
            where q.resolved_by is null order by q.run_id, q.line
        """).fetchall()

    def everything(self) -> str:
        """All that is kept outside the governed table, as text."""
        found: list[Any] = []
        for table in ("run", "source_file", "quarantine", "audit_entry", "pipeline_step"):
            with self.conn.cursor(row_factory=dict_row) as cursor:
                found += cursor.execute(f"select * from daftari.{table}").fetchall()
        return str(found)


def counted(loaded: Loaded) -> dict[str, int]:
    """The counts that are not zero."""
    return {name: getattr(loaded.counts, name) for name in COUNTS if getattr(loaded.counts, name)}
