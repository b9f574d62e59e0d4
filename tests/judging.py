"""Rows for the rules to judge: written as records, read as the API would read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from daftari.contract.model import Dataset
from daftari.rows.formats.parse import ParsedRows, to_rows
from daftari.rows.intake.block import Block
from daftari.rows.intake.records import record_block, record_plan


def block_of(dataset: Dataset, records: Sequence[Mapping[str, Any]], *, first_line: int = 2) -> Block:
    cells = [record_block(record, dataset).cells for record in records]
    lines = pl.Series(range(first_line, first_line + len(records)), dtype=pl.Int64)
    return Block(cells=pl.concat(cells), lines=lines)


def rows_of(dataset: Dataset, *records: Mapping[str, Any]) -> ParsedRows:
    return to_rows(record_plan(dataset), block_of(dataset, records), dataset)


def reasons_by_line(rejected: pl.DataFrame) -> dict[int, list[tuple[str, str]]]:
    """Rule and reason of each rejected row."""
    return {
        line: [(why["rule"], why["reason"]) for why in json.loads(reasons)]
        for line, reasons in rejected.select("line", "reasons").iter_rows()
    }
