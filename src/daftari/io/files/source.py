"""A file opened for loading: its kind, and its records block by block. The reader of a kind is imported on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from daftari.contract.model import Dataset
from daftari.errors import SourceError
from daftari.io.delimited.encoding import CHUNK_BYTES, find_encoding, utf8_chunks
from daftari.io.delimited.header import Sought, find_layout
from daftari.io.delimited.layout import Layout, renamed_columns
from daftari.io.delimited.rows import read_blocks
from daftari.io.files.json_records import json_blocks, json_shape
from daftari.io.files.kinds import FileKind, kind_of
from daftari.io.files.table import named_layout
from daftari.io.files.unpack import STDIN, Unpacked, standard_input, unpack
from daftari.io.load.file_digest import file_digest
from daftari.rows.intake.block import Block
from daftari.rows.intake.remarks import LeftOut, Remark
from daftari.rows.mapping.header_names import hits, known_names
from daftari.rows.mapping.mapping import Mapping

_SAMPLE_BYTES = 2**20
_PACKED = {".gz", ".bz2", ".xz", ".zip"}


@dataclass(frozen=True, kw_only=True)
class Source:
    name: str  #: the file's name, for messages
    sha256: str  #: hex, of the bytes as given
    header: tuple[str, ...]  #: names of the columns of every block's cells
    facts: AbstractMapping[str, str]  #: format, encoding, separator, header row … for people
    remarks: tuple[Remark, ...] = ()  #: on how it was opened
    left_out: LeftOut = LeftOut()  #: the lines up to and including the header
    _read: Callable[[], Iterator[Block]] = field(repr=False)
    _held: tuple[object, ...] = field(default=(), repr=False)  #: temporary files, removed with the source

    @property
    def sheet(self) -> str | None:
        """The name of the sheet that is read, of a workbook."""
        return self.facts.get("sheet")

    def blocks(self) -> Iterator[Block]:
        """Read the file from its first row. May be called again."""
        return self._read()

    def read_as(self, header: tuple[str, ...], change: Callable[[Block], Block]) -> Source:
        """Return the same file with each block changed as it is read; *header* names its columns then."""
        return replace(self, header=header, _read=lambda: map(change, self._read()))


def open_source(
    path: Path,
    *,
    mapping: Mapping | None = None,
    dataset: Dataset | None = None,
    sha256: str | None = None,
    block_bytes: int = CHUNK_BYTES,
) -> Source:
    """
    Open *path* for reading as rows. Its *sha256* is computed unless it is known already.

    The names of *mapping* and *dataset* distinguish the header from lines above it.

    Raises:
        SourceError: it cannot be read as rows: missing, empty, encrypted, or of a kind that we do not read.
    """
    given = standard_input() if path == STDIN else Unpacked(path=path)
    name = "standard input" if path == STDIN else path.name
    if given.path.is_dir():
        raise SourceError(
            f"{path}: is a folder; a file was expected", hint=f"Name its files, e.g. {path}/*.csv"
        )
    if not given.path.is_file():
        raise SourceError(f"{path}: no such file", hint="Check the path.")
    try:
        opened = _opened(given, name, mapping, dataset, block_bytes)
        return replace(opened, sha256=sha256 or file_digest(given.path))
    except PermissionError:
        raise SourceError(f"{path}: may not be read by this user", hint="Check its permissions.") from None


def _opened(
    given: Unpacked, name: str, mapping: Mapping | None, dataset: Dataset | None, block_bytes: int
) -> Source:
    plain = unpack(given.path, name, mapping.member if mapping else None)
    if not plain.path.stat().st_size:
        raise SourceError(f"{name}: is empty (0 bytes)", hint="Ask the sender for the file again.")
    sought = Sought(name=name, known=known_names(mapping, dataset), mapping=mapping)
    kind = kind_of(plain.path, _inner_name(name, plain))
    content = _READERS[kind](plain.path, sought, block_bytes)
    if kind is FileKind.TEXT and _is_named_otherwise(name) and not hits(content.header, sought.known):
        raise SourceError(
            f"{name}: is not of the format that its name says, and no text with known columns either",
            hint="Open it in the program that made it, and save it again.",
        )
    packing = {"packing": plain.packing} if plain.packing else {}
    return Source(
        name=name,
        sha256="",  # the caller adds it: it may be known
        header=content.header,
        facts={"format": kind.value, **packing, **content.facts},
        remarks=content.remarks,
        left_out=LeftOut(header=content.above),
        _read=content.read if kind not in _POINTED else lambda: map(_with_points, content.read()),
        _held=(given.held, plain.held),
    )


def _is_named_otherwise(name: str) -> bool:
    return Path(name).suffix.lower() in _NOT_TEXT


def sheets_of(path: Path) -> tuple[str, ...]:
    """
    Return the names of the sheets of a workbook that have rows; none for a file of another kind.

    Raises:
        SourceError: it cannot be read.
    """
    plain = unpack(path, path.name, None)
    if not plain.path.stat().st_size:
        return ()
    if kind_of(plain.path, _inner_name(path.name, plain)) is not FileKind.WORKBOOK:
        return ()
    from daftari.io.reader_process.read_workbook import sheet_names

    return sheet_names(plain.path, path.name)


_NOT_TEXT = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".parquet"}
#: Kinds whose numbers have a decimal point by their definition, and so, most likely, texts of numbers.
_POINTED = {FileKind.JSON, FileKind.JSON_LINES, FileKind.PARQUET}


def _with_points(block: Block) -> Block:
    return replace(block, has_points=True)


def _inner_name(name: str, plain: Unpacked) -> str:
    """Return the name of an archive's content: `march.jsonl` of `march.jsonl.gz`."""
    return Path(name).stem if plain.packing and Path(name).suffix.lower() in _PACKED else name


@dataclass(frozen=True, kw_only=True)
class _Content:
    header: tuple[str, ...]
    facts: dict[str, str]
    remarks: tuple[Remark, ...] = ()
    above: int = 0  #: lines up to and including the header
    read: Callable[[], Iterator[Block]]


def _text(path: Path, sought: Sought, block_bytes: int) -> _Content:
    declared = sought.mapping.encoding if sought.mapping else None
    encoding = find_encoding(path, sought.name, declared)
    start = next(utf8_chunks(path, encoding, size=_SAMPLE_BYTES), b"")
    layout = find_layout(start.decode(errors="ignore"), sought)

    def read() -> Iterator[Block]:
        return read_blocks(utf8_chunks(path, encoding, skip=layout.offset, size=block_bytes), layout)

    facts = {
        "encoding": f"{encoding.codec} ({encoding.reason})",
        "separator": {"\t": "tab"}.get(layout.separator, layout.separator),
        "header row": _header_row(layout),
    }
    return _Content(
        header=layout.columns,
        facts=facts,
        remarks=(*encoding.remarks, *renamed_columns(layout.header, layout.columns)),
        above=layout.first_line - 1,
        read=read,
    )


def _workbook(path: Path, sought: Sought, _block_bytes: int) -> _Content:
    from daftari.io.reader_process.read_workbook import open_sheet

    sheet = open_sheet(path, sought)
    layout = sheet.table.layout
    facts = {"sheet": sheet.name, "header row": _header_row(layout)}
    return _Content(
        header=layout.columns,
        facts=facts,
        above=sheet.table.header_line,
        remarks=(*sheet.remarks, *renamed_columns(layout.header, layout.columns)),
        read=sheet.blocks,
    )


def _parquet(path: Path, sought: Sought, _block_bytes: int) -> _Content:
    from daftari.io.files.parquet import parquet_blocks, parquet_layout

    layout = parquet_layout(path, sought.name)
    return _Content(header=layout.columns, facts={}, read=lambda: parquet_blocks(path, layout))


def _json(path: Path, sought: Sought, *, is_lines: bool) -> _Content:
    wanted = sought.mapping.rows if sought.mapping else None
    shape = json_shape(path, sought.name, is_lines=is_lines, wanted=wanted)
    if not shape.keys:
        raise SourceError(f"{sought.name}: holds no object with a key", hint="Send an array of objects.")
    layout = named_layout(sought.name, shape.keys)
    facts = {"rows": shape.path} if shape.path else {}
    return _Content(header=layout.columns, facts=facts, read=lambda: json_blocks(path, layout, shape))


def _header_row(layout: Layout) -> str:
    return f"line {layout.first_line - 1}" if layout.first_line > 1 else "none"


_READERS: dict[FileKind, Callable[[Path, Sought, int], _Content]] = {
    FileKind.TEXT: _text,
    FileKind.WORKBOOK: _workbook,
    FileKind.PARQUET: _parquet,
    FileKind.JSON: lambda path, sought, _: _json(path, sought, is_lines=False),
    FileKind.JSON_LINES: lambda path, sought, _: _json(path, sought, is_lines=True),
}
