"""Rows that come as a table of texts: the sheets of a workbook, Parquet, JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from daftari.io.delimited.header import SAMPLE_RECORDS, Sought, declared_names, header_place
from daftari.io.delimited.layout import Layout, column_names, require_few_columns
from daftari.io.files.non_rows import sift
from daftari.rows.intake.block import Block

BLOCK_ROWS = 65_536


def table_layout(frame: pl.DataFrame, sought: Sought) -> tuple[Layout, int]:
    """Find the header among the rows of *frame*; return it with the number of rows before the data."""
    searched = max(SAMPLE_RECORDS, sought.header_row or 0)
    sample = [[cell or "" for cell in row] for row in frame.head(searched).iter_rows()]
    place = header_place(sample, sought)
    after = 0 if place is None else place + 1
    header = () if place is None else tuple(sample[place])
    names, header = declared_names(header, sample[after:], sought)
    return replace(named_layout(sought.name, header, first_line=after + 1), columns=names), after


def named_layout(name: str, header: tuple[str, ...], *, first_line: int = 1) -> Layout:
    require_few_columns(name, len(header))
    return Layout(
        name=name,
        separator="\t",
        columns=column_names(header),
        header=header,
        offset=0,
        first_line=first_line,
    )


def table_blocks(frame: pl.DataFrame, layout: Layout) -> Iterator[Block]:
    """Yield the rows of *frame*, which begins with the first row after the header."""
    for start in range(0, frame.height, BLOCK_ROWS):
        piece = frame.slice(start, BLOCK_ROWS)
        piece.columns = list(layout.names)
        first = layout.first_line + start
        lines = pl.Series("line", range(first, first + piece.height), dtype=pl.Int64)
        yield sift(piece, lines, (), layout)
