"""The layout of rows that come as a table of texts: the sheets of a workbook, Parquet, JSON."""

from __future__ import annotations

from daftari.io.delimited.layout import Layout, column_names, require_few_columns

BLOCK_ROWS = 65_536


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
