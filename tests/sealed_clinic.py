"""The clinic with sealed fields: what is in the database, and what a file said, side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
from psycopg import Connection
from tests.clinic import VISITS, WARDS, Clinic, open_clinic
from tests.contracts import field

from daftari.io.keys import KeyStore, key_store_of
from daftari.io.keys.sealer import Sealer
from daftari.io.workspace.files import read_workspace
from daftari.settings import Settings, read_settings

HEADER = "visit_id,seen_on,ward,patient,phone,fee,notes"
NAMES = HEADER.split(",")
SEALED = ("phone", "fee", "notes")


def protected(**said: bool) -> list[dict[str, Any]]:
    return [{"property": "daftari.protection", "value": {"sealed": True, **said}}]


FIELDS = [
    *VISITS[:3],
    field("patient", "string", classification="personal"),
    field(
        "phone",
        "string",
        required=True,
        unique=True,
        logicalTypeOptions={"pattern": "[+]254[ 0-9]+"},
        customProperties=protected(lookup=True, revealable=True),
    ),
    field(
        "fee",
        "number",
        physicalType="numeric(10,2)",
        logicalTypeOptions={"minimum": 0, "maximum": 1000},
        customProperties=protected(),
    ),
    field("notes", "string", logicalTypeOptions={"maxLength": 20}, customProperties=protected(lookup=True)),
]
CUSTOM = {
    "subject": "patient",
    "retention": "2y",
    "rules": [
        {"id": "dear", "expression": "fee < 500 or notes is not null", "message": "is dear without a note"},
        {"id": "late", "expression": "seen_on < '2030-01-01'", "message": "is too late"},
    ],
}
assert WARDS  # of the same workspace


def fill(conn: Connection[Any], root: Path, *, fields: list[dict[str, Any]] = FIELDS, **custom: Any) -> None:
    """Make the workspace in *root*, and its tables."""
    open_clinic(conn, root, visits=fields, **{**CUSTOM, **custom})


def open_sealed_clinic(conn: Connection[Any], url: str, root: Path, **said: Any) -> Clinic:
    fill(conn, root, **said)
    return clinic_in(conn, url, root)


def clinic_in(conn: Connection[Any], url: str, root: Path) -> Clinic:
    """The clinic that was made in *root*; `DAFTARI_DATABASE_URL` must be set when its keys are asked for."""
    workspace = replace(read_workspace(root), open_keys=lambda: key_store_of(settings_of(root)))
    return Clinic(workspace=workspace, conn=conn, url=url)


def settings_of(root: Path) -> Settings:
    return read_settings(root)


def store_of(clinic: Clinic) -> KeyStore:
    """The key store as another process finds it."""
    return key_store_of(settings_of(clinic.folder))


def opened(clinic: Clinic, *, where: str = "true") -> list[tuple[Any, ...]]:
    """The rows with their sealed fields opened, by another process."""
    dataset = clinic.workspace.dataset("visits")[1].dataset
    statement = f"select visit_id, patient, phone, fee, notes from ops.visits where {where} order by visit_id"
    rows = clinic.conn.execute(statement, prepare=False).fetchall()
    schema: dict[str, Any] = {"visit_id": pl.String, "patient": pl.String, **dict.fromkeys(SEALED, pl.Binary)}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return Sealer(lambda: store_of(clinic), dataset).open(frame).rows()
