"""Draft a first contract from a file or a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from psycopg import Connection

from daftari.contract.draft_contract import TableProfile, contract_text
from daftari.errors import SettingError, SourceError
from daftari.io.catalogue.table_profile import profile_table
from daftari.io.files import open_source
from daftari.rows.mapping.column_profile import profile_columns

#: At most this many rows of a file are read: the contract is a proposal, and memory is bounded.
MOST_ROWS = 200_000


def contract_of_file(path: Path, *, name: str | None = None, examples: bool = False) -> str:
    """
    Return a contract for the file at *path*, as YAML. *name* is the dataset's; by default, the file's.

    Raises:
        SourceError: it cannot be read as rows, or has none.
    """
    source = open_source(path)
    blocks, rows, is_whole = [], 0, True
    for block in source.blocks():
        blocks.append(block.cells)
        rows += len(block.cells)
        if rows >= MOST_ROWS:
            is_whole = False
            break
    if not rows:
        raise SourceError(f"{source.name}: has no rows; expected some, to infer types from")
    cells = pl.concat(blocks).head(MOST_ROWS)
    looked_at = f"{len(cells):,} rows" if is_whole else f"its first {len(cells):,} rows"
    profile = TableProfile(
        name=name or source.name.split(".")[0],
        columns=profile_columns(cells, examples=examples),
        origin=f"{source.name}, {looked_at}",
    )
    return contract_text(profile)


def contract_of_table(conn: Connection[Any], table: str) -> str:
    """Return a contract for *table* (schema.table), as YAML. Raises as `profile_table` does."""
    return contract_text(profile_table(conn, table))


def write_new(path: Path, text: str) -> None:
    """
    Write *text* to *path*, and create its folders.

    Raises:
        SettingError: the path exists, or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise SettingError(f"{path}: exists already; expected a new file", hint="Name another.") from None
    except OSError as error:
        raise SettingError(
            f"{path}: {(error.strerror or str(error)).lower()}; expected to write there"
        ) from None
