"""Draft a first contract from a file or a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from psycopg import Connection

from daftari.contract.draft_contract import TableProfile, contract_text
from daftari.errors import SettingError, SourceError
from daftari.io.catalogue.table_profile import profile_table
from daftari.io.files import Source, open_source
from daftari.rows.intake.block import Block, Malformed
from daftari.rows.intake.remarks import merged
from daftari.rows.mapping.mapping import Mapping
from daftari.rows.profile.column_profile import profile_columns, trimmed
from daftari.rows.profile.header_doubt import header_doubt
from daftari.rows.profile.other_lines import Sifted, without_other_lines

#: At most this many rows of a file are read: the contract is a proposal, and memory is bounded.
MOST_ROWS = 200_000
_LINES_SHOWN = 5
_REASONS_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """What a person states about a file that has no contract yet."""

    name: str | None = None  #: of the dataset; by default, the file's
    sheet: str | None = None
    header_row: int | None = None  #: from 1; 0: the file has no header
    examples: bool = False  #: copy values of fields that are not personal


def contract_of_file(path: Path, options: FileOptions = FileOptions()) -> str:
    """Return a contract for the file at *path*, as YAML. Raises as `profile_file` does."""
    return contract_text(profile_file(path, options))


def profile_file(path: Path, options: FileOptions = FileOptions()) -> TableProfile:
    """
    Return the profile of the file at *path*.

    Raises:
        SourceError: it cannot be read as rows, has none, or its header looks like a row.
    """
    name = options.name or path.name.split(".")[0]
    source = open_source(path, mapping=_stated(options))
    blocks, is_whole = _blocks(source)
    if not any(block.cells.height for block in blocks):
        raise _no_rows(source.name, [it for block in blocks for it in block.malformed])
    cells = trimmed(pl.concat([block.cells for block in blocks]).head(MOST_ROWS))
    lines = pl.concat([block.lines for block in blocks]).head(MOST_ROWS)
    sifted = without_other_lines(cells, lines)
    profiled = profile_columns(sifted.cells, examples=options.examples)
    if options.header_row is None and (doubt := header_doubt(source.header, sifted.cells, profiled.kinds)):
        raise SourceError(
            f"{source.name}: its {source.facts.get('header row', 'header')} looks like a row, not a header: {doubt}",
            hint="If the file has no header, say --header-row 0; if this is the header, say which line it is, as in"
            " --header-row 1.",
        )
    height = sifted.cells.height
    looked_at = _counted(height, "row") if is_whole else f"its first {_counted(height, 'row')}"
    return TableProfile(
        name=name,
        columns=profiled.columns,
        origin=f"{source.name}, {looked_at}",
        remarks=(*_reading(source, blocks), *_left_out(blocks, sifted), *profiled.remarks),
    )


def _no_rows(name: str, unread: list[Malformed]) -> SourceError:
    if not unread:
        return SourceError(f"{name}: has no rows; expected some, to infer types from")
    first = unread[0]
    return SourceError(
        f"{name}: none of its {_counted(len(unread), 'row')} can be read; expected some, to infer types from"
        f" (line {first.line} {first.reason})",
        hint="Check the header: say which line it is with --header-row, and give each column a name.",
    )


def _stated(options: FileOptions) -> Mapping | None:
    if options.sheet is None and options.header_row is None:
        return None
    return Mapping(dataset="new", sheet=options.sheet, header_row=options.header_row)


def _blocks(source: Source) -> tuple[list[Block], bool]:
    """Return the file's blocks, up to MOST_ROWS rows, and whether they are all."""
    blocks, rows = [], 0
    for block in source.blocks():
        blocks.append(block)
        rows += len(block.cells)
        if rows >= MOST_ROWS:
            return blocks, False
    return blocks, True


def _reading(source: Source, blocks: Sequence[Block]) -> Iterator[str]:
    """Yield what a load would remark on how it read the file, such as its sheets that are not read."""
    for one in merged((*source.remarks, *(remark for block in blocks for remark in block.remarks))):
        yield f"Remark: {one}."


def _left_out(blocks: Sequence[Block], sifted: Sifted) -> Iterator[str]:
    """Yield what is in the file and no part of the contract."""
    repeated = sum(block.repeated for block in blocks)
    if repeated:
        yield f"Left out: the header again, {_counted(repeated, 'time')}."
    if sifted.rules:
        yield f"Left out: {_counted(len(sifted.rules), 'line')} of dashes, {_at(sifted.rules)}."
    if sifted.totals:
        yield f"Left out: {_counted(len(sifted.totals), 'total row')}, {_at(sifted.totals)}."
    if sifted.notes:
        yield f"Left out: {_counted(len(sifted.notes), 'line')} of notes below the rows, {_at(sifted.notes)}."
    yield from _unread([one for block in blocks for one in block.malformed])


def _unread(malformed: Sequence[Malformed]) -> Iterator[str]:
    if not malformed:
        return
    yield f"Not read: {_counted(len(malformed), 'malformed row')}, which a load would reject:"
    reasons = Counter(one.reason for one in malformed).most_common()
    for reason, count in reasons[:_REASONS_SHOWN]:
        yield f"  {count:,} x {reason}, {_at([one.line for one in malformed if one.reason == reason])}"
    if len(reasons) > _REASONS_SHOWN:
        yield f"  and {len(reasons) - _REASONS_SHOWN} more reasons"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _at(lines: Iterable[int]) -> str:
    found = list(lines)
    shown = ", ".join(str(line) for line in found[:_LINES_SHOWN])
    more = f" and {len(found) - _LINES_SHOWN:,} more" if len(found) > _LINES_SHOWN else ""
    return f"line {shown}" if len(found) == 1 else f"lines {shown}{more}"


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
