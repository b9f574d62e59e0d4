"""The rows of JSON: one object a line, an array of objects, or an array somewhere inside one object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from daftari.rows.json_rows.extent import Extent, Find
from daftari.rows.json_rows.limits import (
    MOST_CHARACTERS,
    MOST_DEPTH,
    MOST_NAMES,
    SMALL,
    TOO_DEEP,
    TOO_LONG,
    TOO_MUCH,
)
from daftari.rows.json_rows.text import NOT_JSON, Found, JsonError, Text, decoded
from daftari.rows.json_rows.values import DECODER, Ambiguous, is_suspect, without_unwanted

_NOT_AN_OBJECT = "is not a JSON object"
_TWICE = "has a key twice"
#: How far down lists are looked for inside one object: `data.items` is 2.
_DEEPEST_LIST = 4


@dataclass(frozen=True, kw_only=True)
class JsonRow:
    line: int  #: of the text for lines, the number of the element for an array; from 1
    values: dict[str, Any] | None  #: None: not a record
    reason: str = ""  #: why not
    text: str = ""  #: then its text


def rows_of_lines(chunks: Iterable[bytes], *, with_blank: bool = False) -> Iterator[JsonRow]:
    """
    Yield the value of each line of *chunks*. A broken line does not affect the others.

    A blank line is left out, or, if *with_blank*, an object without keys.
    """
    for number, (line, is_suspect_text) in enumerate(_lines(chunks), start=1):
        stripped = line.strip().lstrip("\ufeff")
        if stripped:
            yield _of_line(stripped, number, is_suspect_text)
        elif with_blank:
            yield JsonRow(line=number, values={})


def rows_of_array(chunks: Iterable[bytes]) -> Iterator[JsonRow]:
    """
    Yield the elements of an array. It is never held as a whole.

    Raises:
        JsonError: from some place on it cannot be told what is what.
    """
    text = Text(chunks)
    _open(text)
    yield from _elements(text)
    _require_end(text)


def rows_of_lists(chunks: Iterable[bytes]) -> Iterator[tuple[str, JsonRow | None]]:
    """
    Yield the rows of every list of objects inside one object, with the list's name: `data.items`.

    A list without objects is yielded once, with None.

    Raises:
        JsonError: from some place on it cannot be told what is what.
    """
    text = Text(chunks)
    _open(text)
    yield from _members(text, ())
    _require_end(text)


def only_row(chunks: Iterable[bytes]) -> JsonRow:
    """
    Return the only value of *chunks*, numbered 1.

    Raises:
        JsonError: it is not JSON.
    """
    text = Text(chunks)
    text.peek()
    found = text.value()
    if found.reason == NOT_JSON:
        raise JsonError(NOT_JSON, text.place)
    _require_end(text)
    return _row(found, 1)


def begins_array(chunks: Iterable[bytes]) -> bool:
    return Text(chunks).peek() == "["


def _open(text: Text) -> None:
    text.peek()
    text.take()


def _require_end(text: Text) -> None:
    if text.peek():
        raise JsonError("goes on after its end", text.place)


def _elements(text: Text) -> Iterator[JsonRow]:
    number = 0
    while (character := text.peek(",")) != "]":
        if not character:
            raise JsonError(f"is not JSON after object {number}; the file is cut or damaged", text.place)
        number += 1
        try:
            found = text.value()
        except JsonError as error:
            is_cut = str(error) == "is cut or damaged"
            what = (
                f"is not JSON after object {number - 1}; the file {error}"
                if is_cut
                else f"object {number} {error}"
            )
            raise JsonError(what, (error.line, error.column)) from None
        yield _row(found, number)
    text.take()


def _members(text: Text, path: tuple[str, ...]) -> Iterator[tuple[str, JsonRow | None]]:
    members = 0
    while (character := text.peek(",")) != "}":
        members += 1
        if members > MOST_NAMES:
            raise JsonError(f"is one object with more than {MOST_NAMES:,} names", text.place)
        name = text.value().value if character == '"' else None
        if not isinstance(name, str) or text.peek() != ":":
            raise JsonError(NOT_JSON, text.place)
        text.take()
        yield from _member(text, (*path, name))
    text.take()


def _member(text: Text, path: tuple[str, ...]) -> Iterator[tuple[str, JsonRow | None]]:
    begins = text.peek()
    if begins == "[":
        text.take()
        if text.peek() == "{":
            yield from ((".".join(path), row) for row in _elements(text))
            return
        yield ".".join(path), None
        text.skip(begins)
    elif begins == "{" and len(path) < _DEEPEST_LIST:
        text.take()
        yield from _members(text, path)
    elif begins in ("{", '"'):
        text.skip()
    else:
        text.value()


def _row(found: Found, number: int) -> JsonRow:
    if found.reason:
        return JsonRow(line=number, values=None, reason=found.reason, text=found.text)
    if isinstance(found.value, Ambiguous):
        return JsonRow(line=number, values=None, reason=_TWICE)
    if isinstance(found.value, dict):
        return JsonRow(line=number, values=found.value)
    return JsonRow(line=number, values=None, reason=_NOT_AN_OBJECT)


def _lines(chunks: Iterable[bytes]) -> Iterator[tuple[str, bool]]:
    """Yield each line, and whether it may hold what is no text. Of a line that is too long, the beginning only."""
    rest: list[str] = []
    held, has_bytes = 0, False
    for text, is_wrong in decoded(chunks):
        has_bytes = has_bytes or is_wrong
        first, *others = text.split("\n")
        if held <= MOST_CHARACTERS:
            rest.append(first)
            held += len(first)
        if others:
            *whole, last = others
            suspect = has_bytes or is_suspect(text)
            line = "".join(rest)
            yield line, suspect or is_suspect(line)
            yield from ((one, suspect) for one in whole)
            rest, held, has_bytes = [last], len(last), has_bytes and is_wrong
    line = "".join(rest)
    if line:  # nothing follows the last line end
        yield line, has_bytes or is_suspect(line)


def _of_line(line: str, number: int, is_suspect_text: bool) -> JsonRow:
    reason = _too_large(line)
    if reason is None:
        try:
            value, end = DECODER.raw_decode(line)
        except (ValueError, RecursionError):
            end = -1
        if end == len(line):
            return _row(Found(value=without_unwanted(value, line) if is_suspect_text else value), number)
        reason = NOT_JSON
    return _row(Found(reason=reason, text=line), number)


def _too_large(line: str) -> str | None:
    """Return the limit that *line* is beyond. It is measured only if it is long, or has many brackets."""
    if len(line) <= SMALL and line.count("[") + line.count("{") <= MOST_DEPTH:
        return None
    if len(line) > MOST_CHARACTERS:
        return TOO_LONG
    extent = Extent()
    found, _ = extent.feed(line, 0)
    if extent.deepest > MOST_DEPTH:
        return TOO_DEEP
    return TOO_MUCH if found is Find.TOO_MUCH else None
