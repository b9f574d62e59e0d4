"""The rows of JSON: an array of objects, one object with one such array, or one object per line."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from daftari.errors import SourceError
from daftari.io.delimited.layout import Layout
from daftari.io.files.non_rows import sift
from daftari.rows.intake.block import Block, Malformed, shape_of
from daftari.rows.intake.records import cell

_BLOCK_OBJECTS = 50_000
_CHUNK_BYTES = 2**20
_GAP = re.compile(r"[,\s]*")
#: An array inside an object is read as a whole; a top-level array and lines may have any size.
MOST_NESTED_BYTES = 256 * 2**20


class _TwiceError(ValueError):
    """An object has a key twice, so its value is ambiguous."""


@dataclass(frozen=True, kw_only=True)
class _Item:
    line: int  #: of the text for lines, the number of the object for an array; from 1
    cells: dict[str, str | None] | None  #: None: not an object
    reason: str = ""
    text: str = ""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError
    return found


#: Numbers stay exact: nothing passes through a float.
_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_float=Decimal)


def _item(value: Any, line: int) -> _Item:
    if isinstance(value, dict):
        return _Item(line=line, cells={key: cell(one) for key, one in value.items()})
    return _Item(line=line, cells=None, reason="is not a JSON object", text=str(value))


def json_header(path: Path, name: str, *, is_lines: bool) -> tuple[str, ...]:
    """Collect the keys of all objects, in order of appearance. Reads the whole file."""
    keys: dict[str, None] = {}
    for item in _items(path, name, is_lines=is_lines):
        keys.update(dict.fromkeys(item.cells or ()))
    return tuple(keys)


def json_blocks(path: Path, layout: Layout, *, is_lines: bool) -> Iterator[Block]:
    items = _items(path, layout.name, is_lines=is_lines)
    while batch := list(islice(items, _BLOCK_OBJECTS)):
        rows = [item for item in batch if item.cells is not None]
        columns = {
            name: pl.Series(name, [(row.cells or {}).get(key) for row in rows], dtype=pl.String)
            for name, key in zip(layout.names, layout.header, strict=True)
        }
        malformed = tuple(
            Malformed(line=item.line, reason=item.reason, preview=shape_of(item.text))
            for item in batch
            if item.cells is None
        )
        lines = pl.Series("line", [row.line for row in rows], dtype=pl.Int64)
        yield sift(pl.DataFrame(columns), lines, malformed, layout)


def _items(path: Path, name: str, *, is_lines: bool) -> Iterator[_Item]:
    if is_lines:
        return _from_lines(path, name)
    with path.open("rb") as file:
        start = file.read(64).lstrip(codecs.BOM_UTF8 + b" \t\r\n")
    return _from_array(path, name) if start.startswith(b"[") else _from_object(path, name)


def _from_lines(path: Path, name: str) -> Iterator[_Item]:
    with path.open("rb") as file:
        for line, raw in enumerate(file, start=1):
            try:
                text = raw.decode("utf-8-sig" if line == 1 else "utf-8").strip()
            except UnicodeDecodeError as error:
                raise SourceError(f"{name}:{line}: byte {error.start} of the line is not UTF-8") from None
            if text:
                yield _decoded(text, line)


def _decoded(text: str, line: int) -> _Item:
    try:
        return _item(_DECODER.decode(text), line)
    except _TwiceError:
        return _Item(line=line, cells=None, reason="has a key twice", text=text)
    except (json.JSONDecodeError, RecursionError):
        return _Item(line=line, cells=None, reason="is not a JSON object", text=text)


def _from_array(path: Path, name: str) -> Iterator[_Item]:
    """Yield the elements of an array one at a time; the array is never held as a whole."""
    chunks = _texts(path, name)
    text = next(chunks, "").lstrip("\ufeff \t\r\n").removeprefix("[")
    number = at = 0
    while True:
        at = _GAP.match(text, at).end()  # type: ignore[union-attr]  # it matches the empty text too
        if text.startswith("]", at):
            return
        value, end = _first(text, at, f"{name}: object {number + 1}")
        if end is not None:
            number, at = number + 1, end
            yield _item(value, number)
            continue
        more = next(chunks, None)
        if more is None:
            raise SourceError(
                f"{name}: is not JSON after object {number}; the file is cut or damaged",
                hint="Ask the sender for the file again.",
            )
        text, at = text[at:] + more, 0


def _first(text: str, at: int, where: str) -> tuple[Any, int | None]:
    """Decode the value at *at*; the end is None when the text does not hold all of it."""
    try:
        value, end = _DECODER.raw_decode(text, at)
    except _TwiceError:
        raise SourceError(f"{where} has a key twice", hint="Ask the sender for the file again.") from None
    except RecursionError:
        raise SourceError(f"{where} is nested too deeply") from None
    except json.JSONDecodeError:
        return None, None
    return value, end if end < len(text) else None


def _texts(path: Path, name: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    with path.open("rb") as file:
        at = 0
        while chunk := file.read(_CHUNK_BYTES):
            try:
                yield decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise SourceError(f"{name}: byte {at + error.start} is not UTF-8") from None
            at += len(chunk)


def _from_object(path: Path, name: str) -> Iterator[_Item]:
    if path.stat().st_size > MOST_NESTED_BYTES:
        raise SourceError(
            f"{name}: is one JSON object of more than {MOST_NESTED_BYTES // 2**20} MiB",
            hint="Send the array alone, or JSON Lines.",
        )
    try:
        value = _DECODER.decode("".join(_texts(path, name)).lstrip("\ufeff"))
    except (json.JSONDecodeError, _TwiceError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise SourceError(f"{name}:{line}: is not JSON", hint="Ask the sender for the file again.") from None
    arrays = _arrays(value)
    if len(arrays) != 1:
        raise SourceError(
            f"{name}: is one JSON object with {len(arrays)} arrays; one array of objects was expected",
            hint="Send an array of objects, or JSON Lines.",
        )
    for number, one in enumerate(arrays[0], start=1):
        yield _item(one, number)


def _arrays(value: Any) -> list[Iterable[Any]]:
    members = value.values() if isinstance(value, dict) else []
    return [one for one in members if isinstance(one, list)]
