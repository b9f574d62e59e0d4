"""
Peak memory of a load of a workbook with as many rows as a sheet can have.

    .venv/bin/python benchmarks/workbook.py [ROWS]

The rows are those of load.py, bad ones included; dates and amounts are typed cells. Writing the workbook takes some
minutes, once.
"""

from __future__ import annotations

import csv
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path

import openpyxl

from cluster import Cluster, find_binaries
from variants import CACHE, Bench, Governed, write_files

#: A sheet's rows, less the header.
FULL_SHEET_ROWS = 1_048_575
AIMED_MIB = 500


class OfWorkbook(Governed):
    name, title, measured_suffix = "workbook", "daftari load of a workbook", ".xlsx"


class WorkbookBench(Bench):
    def file(self, suffix: str = "", *, rows: int | None = None) -> str:
        return super().file(rows=rows).removesuffix(".csv") + (suffix or ".csv")


def write_workbook(source: Path, target: Path) -> None:
    """Write the rows of the CSV file *source* as a workbook of one sheet."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Expenses")
    with source.open(newline="") as file:
        rows = csv.reader(file)
        header = next(rows)
        sheet.append(header)
        day, amount = header.index("spent_on"), header.index("amount")
        for row in rows:
            cells: list[object] = [text or None for text in row]
            with suppress(ValueError):
                cells[day] = date.fromisoformat(row[day])
            with suppress(ValueError):
                cells[amount] = float(row[amount])
            sheet.append(cells)
    unfinished = target.with_suffix(".part")
    book.save(unfinished)
    unfinished.rename(target)


def main(rows: int) -> None:
    data = CACHE / "bench"
    write_files(data, {rows})
    with Cluster(find_binaries()) as cluster:
        bench = WorkbookBench(cluster=cluster, rows=rows, data=data)
        workbook = Path(bench.file(".xlsx"))
        if not workbook.is_file():
            write_workbook(Path(bench.file()), workbook)
        sample = OfWorkbook().measure(bench)
    peak = sample.peak_bytes / 2**20
    print("| rows | seconds | CPU s | peak MiB | aim |\n| ---: | ---: | ---: | ---: | ---: |")
    print(f"| {rows:,} | {sample.wall_seconds:.1f} | {sample.cpu_seconds:.1f} | {peak:.0f} | {AIMED_MIB} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else FULL_SHEET_ROWS)
