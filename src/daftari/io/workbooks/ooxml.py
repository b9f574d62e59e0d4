"""The parts of an .xlsx or .xlsm workbook beside its sheets: their names, the styles, the shared texts (ECMA-376)."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from daftari.errors import SourceError
from daftari.io.workbooks.cell_texts import CellStyles
from daftari.io.workbooks.number_formats import NumberFormat, builtin_format, number_format
from daftari.io.workbooks.xml_stream import (
    MOST_CELL_CHARACTERS,
    MOST_NAME_CHARACTERS,
    Attributes,
    Handler,
    Package,
    damaged,
    local,
    parse_part,
)

_WORKBOOK = "xl/workbook.xml"
#: More texts than the cells of any sheet that fits the memory we promise.
_MOST_TEXT_BYTES = 2**30
#: Spreadsheet programs take 255.
_MOST_CODE_CHARACTERS = 1000
#: As many as any spreadsheet program takes.
_MOST_STYLES = 2**16
_TEXTS_A_PIECE = 100_000
_END = object()
#: The texts are searched fast if they are in few pieces; those of one piece are not copied for each cell.
_MOST_PIECES, _LONG_BYTES = 8, 200
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True, kw_only=True)
class SheetPart:
    name: str
    part: str
    is_hidden: bool


class OoxmlBook:
    """An opened workbook. Styles and texts are read when a sheet first needs them."""

    def __init__(self, package: Package) -> None:
        self.package = package
        head = _Head(package.name)
        _read(package, _WORKBOOK, head)
        targets = _Targets()
        if _rels(_WORKBOOK) in package:
            _read(package, _rels(_WORKBOOK), targets)
        self.since_1904 = head.since_1904
        self.is_stale = head.is_stale
        self._targets = targets
        self.sheets = tuple(
            SheetPart(name=name, part=part, is_hidden=state in ("hidden", "veryHidden"))
            for name, state, link in head.sheets
            if (part := targets.parts.get(link, ""))
            and not targets.kinds.get(link, "").endswith("/chartsheet")
        )

    @cached_property
    def styles(self) -> CellStyles:
        found = _Styles(self.package.name)
        part = self._targets.of("/styles")
        if part in self.package:
            _read(self.package, part, found)
        return CellStyles(formats=found.formats, since_1904=self.since_1904, shared=self._shared.up_to)

    @cached_property
    def _shared(self) -> _SharedTexts:
        return _SharedTexts(self.package, self._targets.of("/sharedStrings"))


def _rels(part: str) -> str:
    folder, name = posixpath.split(part)
    return f"{folder}/_rels/{name}.rels"


def _read(package: Package, part: str, handler: Handler) -> None:
    for _ in parse_part(package, part, handler):
        pass


def is_true(text: str | None) -> bool:
    return text in ("1", "true", "on")


class _Head(Handler):
    def __init__(self, name: str) -> None:
        self._name = name
        self.sheets: list[tuple[str, str, str]] = []
        self.since_1904 = False
        self.is_stale = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "sheet":
            if len(attributes.get("name", "")) > MOST_NAME_CHARACTERS:
                raise damaged(self._name, f"a sheet's name of more than {MOST_NAME_CHARACTERS} characters")
            link = next((value for key, value in attributes.items() if local(key) == "id"), "")
            self.sheets.append((attributes.get("name", ""), attributes.get("state", ""), link))
        elif name == "workbookPr":
            self.since_1904 = is_true(attributes.get("date1904"))
        elif name == "calcPr":
            self.is_stale = is_true(attributes.get("fullCalcOnLoad"))


class _Targets(Handler):
    def __init__(self) -> None:
        self.parts: dict[str, str] = {}
        self.kinds: dict[str, str] = {}

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "Relationship":
            target = attributes.get("Target", "")
            path = target[1:] if target.startswith("/") else posixpath.normpath(f"xl/{target}")
            self.parts[attributes.get("Id", "")] = path
            self.kinds[attributes.get("Id", "")] = attributes.get("Type", "")

    def of(self, kind: str) -> str:
        return next((self.parts[link] for link, one in self.kinds.items() if one.endswith(kind)), "")


class _Styles(Handler):
    """Collects the number format of each cell style."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.formats: list[NumberFormat] = []
        self._codes: dict[str, str] = {}
        self._is_in_cell_styles = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "numFmt":
            code = attributes.get("formatCode", "")
            if len(code) > _MOST_CODE_CHARACTERS:
                raise damaged(
                    self._name, f"a number format of more than {_MOST_CODE_CHARACTERS:,} characters"
                )
            self._codes.setdefault(attributes.get("numFmtId", ""), code)
        elif name == "cellXfs":
            self._is_in_cell_styles = True
        elif name == "xf" and self._is_in_cell_styles:
            number = attributes.get("numFmtId", "0")
            own = self._codes.get(number)
            known = int(number) if number.isdecimal() else 0
            self.formats.append(builtin_format(known) if own is None else number_format(own))
            if len(self.formats) > _MOST_STYLES:
                raise damaged(self._name, f"more than {_MOST_STYLES:,} cell styles")

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._is_in_cell_styles = False


class _SharedTexts(Handler):
    """
    The shared texts, by their number: plain ones, and formatted ones piece by piece, without their pronunciation.

    They are read as far as cells need them: a program writes them in the order of the cells, so the first rows of a
    sheet need few.
    """

    def __init__(self, package: Package, part: str) -> None:
        self._name = package.name
        self._reading = parse_part(package, part, self) if part in package else iter(())
        self._found = pl.Series([], dtype=pl.String)
        self._longest = 0
        self._texts: list[str | None] = []
        self._parts: list[str] = []
        self._takes = False
        self._is_spoken = False
        self._bytes = 0

    def start(self, name: str, _attributes: Attributes) -> None:
        if name == "t":
            self._takes = not self._is_spoken
        elif name == "si":
            self._parts = []
        elif name == "rPh":
            self._is_spoken = True

    def text(self, content: str) -> None:
        if self._takes:
            self._parts.append(content)
            self._bytes += len(content)
            if self._bytes > _MOST_TEXT_BYTES:
                raise SourceError(
                    f"{self._name}: holds more than {_MOST_TEXT_BYTES // 2**30} GiB of text",
                    hint="Save the sheet as CSV; a CSV file may have any size.",
                )

    def end(self, name: str) -> None:
        if name == "t":
            self._takes = False
        elif name == "rPh":
            self._is_spoken = False
        elif name == "si":
            self._texts.append(cell_text(self._parts, self._name) or None)
            if len(self._texts) >= _TEXTS_A_PIECE:
                self._flush()

    def _flush(self) -> None:
        more = pl.Series(self._texts, dtype=pl.String)
        self._longest = max(self._longest, int(more.str.len_bytes().max() or 0))  # type: ignore[arg-type]
        self._found.append(more)
        if self._found.n_chunks() > (_MOST_PIECES if self._longest < _LONG_BYTES else 1):
            self._found = self._found.rechunk()
        self._texts = []

    def up_to(self, number: int) -> pl.Series:
        """Return the texts up to the one with this *number*, or more; fewer where there are no more."""
        while len(self._found) + len(self._texts) <= number and next(self._reading, _END) is not _END:
            pass
        self._flush()
        return self._found


def cell_text(parts: list[str], name: str) -> str:
    """Return the text of a cell from its pieces, with characters that XML cannot hold restored from `_x000D_`."""
    text = parts[0] if len(parts) == 1 else "".join(parts)
    if len(text) > MOST_CELL_CHARACTERS:
        raise damaged(name, f"a cell of more than {MOST_CELL_CHARACTERS:,} characters")
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: _character(found[1]), text)


def _character(code: str) -> str:
    number = int(code, 16)
    return "\ufffd" if 0xD800 <= number < 0xE000 else chr(number)
