"""A pipeline made from a file works at once: it is applied, loaded with that file, transformed and checked."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

from daftari.cli import app

pytestmark = pytest.mark.system

MESSY = """-- claims of March
SELECT * FROM claims WHERE month = 3;

Claim No,Date,Staff,Phone,Category,Amount (KES),Order
C-001,14/03/2026,Amina Otieno,0712345678,travel,"1,200.50",1
C-002,15/03/2026,Brian Mwangi,0722345678,meals,UNKNOWN,2
C-003,16/03/2026,Chebet Koech,0733345678,travel,450,3

Claim No,Date,Staff,Phone,Category,Amount (KES),Order
C-004,17/03/2026,Amina Otieno,0712345678,meals,75.25,4
C-005,02/04/2026,Wanjiku Kamau,0744345678,travel,10,5
,,,,,"1,735.75",
"""
#: dates that may be day-first or month-first, dots that may be decimal marks, no key, no header
OPEN = "".join(f"0{1 + n % 9}/0{1 + n % 3}/2026;Kilima;{n % 4}.500\n" for n in range(1, 12))


def workbook(path: Path) -> None:
    book = Workbook()
    book.active.title = "Notes"
    book.active.append(["Kept by the stores office"])
    book.active.append(["since", "2019"])
    sheet = book.create_sheet("Stock")
    sheet.append(["Depot stock", None, None, None])
    sheet.append(["Item", "Status", "Counted at", "Pieces"])
    for n in range(24):
        sheet.append([f"Item {n}", ["kept", "sold"][n % 2], datetime(2026, 3, 1 + n, 8, 30), 10 + n])
    sheet.append(["Total", None, None, sum(10 + n for n in range(24))])
    book.save(path)


def parquet(path: Path) -> None:
    import polars as pl

    pl.DataFrame({"kind": ["a", "b"] * 20, "day": [date(2026, 1, 1)] * 40, "n": range(40)}).write_parquet(
        path
    )


def daftari(workspace: Path, *arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments, "-w", str(workspace)])
    assert result.exit_code == 0, f"{arguments}: {result.exception!r}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def test_pipelines_made_from_messy_files_work_at_once(tmp_path, database_url, monkeypatch):
    monkeypatch.setenv("DAFTARI_DATABASE_URL", database_url)
    workspace = tmp_path / "registry"
    assert CliRunner().invoke(app, ["init", str(workspace)]).exit_code == 0
    (tmp_path / "claims-2026-03.csv").write_text(MESSY)
    (tmp_path / "deliveries.csv").write_text(OPEN)
    workbook(tmp_path / "stock.xlsx")
    parquet(tmp_path / "kinds.parquet")
    made = {
        "field-claims": ("claims-2026-03.csv", [], 5),
        "deliveries": ("deliveries.csv", ["--header-row", "0"], 11),
        "stock": ("stock.xlsx", ["--sheet", "Stock"], 24),
        "kinds": ("kinds.parquet", [], 40),
    }

    for name, (file, said, _) in made.items():
        new = CliRunner().invoke(
            app, ["new", "pipeline", name, "--from", str(tmp_path / file), *said, "-w", str(workspace)]
        )
        assert new.exit_code == 0, f"{new.exception!r}\n{new.stderr}"
    texts = "".join(path.read_text() for path in (workspace / "pipelines" / "field-claims").rglob("*.*"))
    assert [word for word in ("Amina", "Wanjiku", "0712345678", "C-001") if word in texts] == []

    assert daftari(workspace, "contract", "lint") == ""
    daftari(workspace, "contract", "test")
    daftari(workspace, "apply")
    for name, (file, _, rows) in made.items():
        dataset = name.replace("-", "_")
        [loaded] = json.loads(daftari(workspace, "load", dataset, str(tmp_path / file), "--output", "json"))
        assert (loaded["counts"]["inserted"], loaded["counts"]["quarantined"]) == (rows, 0), (name, loaded)
    for name in made:
        transformed = json.loads(daftari(workspace, "transform", name, "--output", "json"))
        assert len(transformed["published"]) == 1, name
        [checked] = json.loads(
            daftari(workspace, "quality", "run", name.replace("-", "_"), "--output", "json")
        )
        assert checked["verdict"] == "passed"
    for name in made:
        dataset = name.replace("-", "_")
        sample = workspace / "pipelines" / name / "tests" / f"{dataset}.sample.csv"
        [loaded] = json.loads(daftari(workspace, "load", dataset, str(sample), "--output", "json"))
        assert (loaded["counts"]["received"], loaded["counts"]["quarantined"]) == (3, 0), (name, loaded)
