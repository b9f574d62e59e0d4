"""
Load a CSV file by dlt's merge, one of three ways. Runs in the environment of requirements.txt.

    python rival_dlt.py dicts|arrow|adbc FILE DATABASE_URL

Prints one line of JSON: seconds and CPU seconds inside the pipeline's run, without imports.
"""

from __future__ import annotations

import csv
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator

import dlt
import pyarrow as pa
from pyarrow import csv as pa_csv

#: As a careful user would declare them: dlt infers from Arrow's types.
TYPES = {
    "spent_on": pa.date32(),
    "amount": pa.decimal128(14, 2),
    "approved_at": pa.timestamp("us", tz="UTC"),
}
#: way -> merge strategy, format of the load files
WAYS = {
    "dicts": ("delete-insert", "insert_values"),
    "arrow": ("delete-insert", "csv"),
    "adbc": ("upsert", "parquet"),
}
PAGE = 1000  #: rows a page of dicts


def pages_of_dicts(path: str) -> Iterator[list[dict[str, object]]]:
    with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123 -- a path given as text
        page: list[dict[str, object]] = []
        for row in csv.DictReader(file):
            page.append({**row, "amount": float(row["amount"]), "approved_at": row["approved_at"] or None})
            if len(page) == PAGE:
                yield page
                page = []
        yield page


def arrow_batches(path: str) -> Iterator[pa.Table]:
    options = pa_csv.ConvertOptions(column_types=TYPES, strings_can_be_null=True)
    read = pa_csv.ReadOptions(block_size=16 << 20)
    for batch in pa_csv.open_csv(path, read_options=read, convert_options=options):
        yield pa.Table.from_batches([batch])


def cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def main(way: str, path: str, url: str) -> None:
    strategy, file_format = WAYS[way]
    rows = pages_of_dicts(path) if way == "dicts" else arrow_batches(path)
    expenses = dlt.resource(
        rows,
        name="expenses",
        primary_key="expense_id",
        write_disposition={"disposition": "merge", "strategy": strategy},
    )
    with tempfile.TemporaryDirectory(prefix="daftari-bench-dlt-") as state:
        pipeline = dlt.pipeline(
            pipeline_name="expenses",
            pipelines_dir=state,
            destination=dlt.destinations.postgres(url),
            dataset_name="rival",
        )
        started, cpu = time.perf_counter(), cpu_seconds()
        pipeline.run(expenses, loader_file_format=file_format).raise_on_failed_jobs()
        spent = {"seconds": time.perf_counter() - started, "cpu_seconds": cpu_seconds() - cpu}
    print(json.dumps(spent))


if __name__ == "__main__":
    main(*sys.argv[1:])
