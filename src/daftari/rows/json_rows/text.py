"""The text of JSON, read piece by piece: decoded, and held only as far as it is needed."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from daftari.rows.json_rows.extent import Extent, Find
from daftari.rows.json_rows.limits import MOST_CHARACTERS, MOST_DEPTH, SMALL, TOO_DEEP, TOO_LONG, TOO_MUCH
from daftari.rows.json_rows.values import DECODER, is_suspect, without_unwanted

_SPACE = re.compile(r"\s*+")
_NEXT_OBJECT = re.compile(r"\s*+(?:,\s*+\{|\])")
_TWO_OBJECTS = re.compile(r"\}\s*+,?\s*+\{")
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF8, _UTF16 = ("utf-8", "surrogateescape"), ("utf-16", "surrogatepass")
NOT_JSON = "is not valid JSON"


class JsonError(ValueError):
    """The text is not JSON as a whole, at this line and column, from 1."""

    def __init__(self, what: str, place: tuple[int, int]) -> None:
        super().__init__(what)
        self.line, self.column = place


@dataclass(frozen=True, kw_only=True)
class Found:
    """A value of the text, or why it cannot be read; then its text."""

    value: Any = None
    reason: str = ""
    text: str = ""


def decoded(chunks: Iterable[bytes]) -> Iterator[tuple[str, bool]]:
    """
    Yield the text of *chunks*: UTF-8, or UTF-16 with a byte order mark. True: some of it is not valid.

    Such a byte becomes a lone surrogate, so that only the value that holds it is refused.
    """
    decoder = None
    try:
        for chunk in chunks:
            if decoder is None:
                codec, errors = _UTF16 if chunk.startswith(_MARKS) else _UTF8
                decoder = codecs.getincrementaldecoder(codec)(errors)
            text = decoder.decode(chunk)
            yield text, not text.isascii() and _has_surrogate(text)
        text = decoder.decode(b"", final=True) if decoder else ""
        yield text, bool(text)
    except UnicodeDecodeError:
        raise JsonError("is not UTF-16, whatever its first bytes say", (1, 1)) from None


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


class Text:
    """A place in the text. What lies before it is dropped as more is read."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._pieces = decoded(chunks)
        self._held = ""
        self._at = 0
        self._line, self._column = 1, 1  #: of the first character held
        self._is_whole = False  #: whether nothing follows
        self._is_suspect = False
        self._has_bytes = False  #: whether the text ever held bytes that are not UTF-8
        self._more()
        self._held = self._held.removeprefix("\ufeff")

    @property
    def place(self) -> tuple[int, int]:
        """The line and column here, from 1."""
        return self._place(self._at)

    def _place(self, at: int) -> tuple[int, int]:
        lines, last = self._held.count("\n", 0, at), self._held.rfind("\n", 0, at)
        return self._line + lines, at - last if lines else self._column + at

    def _more(self) -> bool:
        """Hold more of the text; whether there is any. The place keeps its character."""
        size = len(self._held) - self._at
        # A long value is not copied for every piece, and no more is held than may be a row.
        enough = min(size // 2, max(MOST_CHARACTERS - size, 0))
        pieces, taken = [""], 0
        while taken <= enough and not self._is_whole:
            piece, has_bytes = next(self._pieces, (None, False))
            if piece is None:
                self._is_whole = True
                break
            self._has_bytes = self._has_bytes or has_bytes
            pieces.append(piece)
            taken += len(piece)
        if taken:
            self._line, self._column = self.place
            pieces[0], self._held = (
                self._held[self._at :],
                "",
            )  # what was read is freed before the rest is copied
            self._held, self._at = "".join(pieces), 0
            self._is_suspect = self._has_bytes or is_suspect(self._held)
        return taken > 0

    def peek(self, passed: str = "") -> str:
        """Return the next character that is neither white space nor one of *passed*; empty at the end."""
        while True:
            end = _SPACE.match(self._held, self._at).end()  # type: ignore[union-attr]  # matches nothing too
            self._at = end
            if end == len(self._held):
                if not self._more():
                    return ""
            elif (character := self._held[end]) in passed:
                self._at += 1
            else:
                return character

    def take(self) -> None:
        """Pass the character that `peek` returned."""
        self._at += 1

    def value(self) -> Found:
        """
        Decode the value here. One that cannot be read has a reason, if the text after it can be told safely.

        Raises:
            JsonError: it cannot be told where the value ends.
        """
        while True:
            end = -1
            with suppress(ValueError, RecursionError):
                value, end = DECODER.raw_decode(self._held, self._at)
            if self._at <= end and (end < len(self._held) or self._is_whole):
                return self._decoded(value, end)
            if len(self._held) - self._at > SMALL or self._is_whole:
                return self._measured()
            self._more()

    def _decoded(self, value: Any, end: int) -> Found:
        start, self._at = self._at, end
        held = self._held
        if held.count("[", start, end) + held.count("{", start, end) > MOST_DEPTH:
            extent = Extent()
            extent.feed(held[start:end], 0)
            if extent.deepest > MOST_DEPTH:
                return Found(reason=TOO_DEEP, text=held[start:end])
        if self._is_suspect:
            value = without_unwanted(value, held[start:end])
        return Found(value=value)

    def _measured(self) -> Found:
        """Find the end of the value first; build it only if it is small enough."""
        extent, (found, end) = self._extent()
        raw, broken_at = self._held[self._at : end], self._at
        if found is not Find.TOO_MUCH and extent.deepest <= MOST_DEPTH:
            try:
                value, stop = DECODER.raw_decode(raw)
                broken_at += stop
                if found is Find.END and not raw[stop:].strip():
                    self._at = end
                    return Found(value=without_unwanted(value, raw) if self._is_suspect else value)
            except json.JSONDecodeError as error:
                broken_at += error.pos
        if found is not Find.END or not self._is_safe(extent, raw, end):
            raise JsonError(_WHY[found], self._place(broken_at))
        self._at = end
        return Found(reason=TOO_DEEP if extent.deepest > MOST_DEPTH else NOT_JSON, text=raw)

    def _extent(self) -> tuple[Extent, tuple[Find, int]]:
        extent = Extent()
        found, end = extent.feed(self._held, self._at)
        while found is Find.MORE:
            if len(self._held) - self._at > MOST_CHARACTERS:
                raise JsonError(TOO_LONG, self.place)
            done = end - self._at
            if not self._more():
                break
            found, end = extent.feed(self._held, self._at + done)
        if end - self._at > MOST_CHARACTERS:
            raise JsonError(TOO_LONG, self.place)
        return extent, (found, end)

    def _is_safe(self, extent: Extent, raw: str, end: int) -> bool:
        """
        Whether the text after a broken value is certain: it is one object, and another object or the end follows.

        A quote that is missing or too many turns strings inside out, which shows in one of these signs.
        """
        if not raw.startswith("{") or extent.breaks_line or _TWO_OBJECTS.search(raw):
            return False
        held = len(self._held) - self._at
        end -= self._at
        while not (found := _NEXT_OBJECT.match(self._held, self._at + end)) and self._more():
            if len(self._held) - self._at > held + SMALL:
                break
        return found is not None

    def skip(self, begun: str = "") -> None:
        """Pass the value here, whatever it holds; *begun* is its bracket, if that was passed already."""
        extent = Extent(most_values=None, begun=begun)
        found, end = extent.feed(self._held, self._at)
        while found is Find.MORE:
            self._at = end
            if not self._more():
                break
            found, end = extent.feed(self._held, self._at)
        if found is not Find.END:
            raise JsonError(_WHY[found], self.place)
        self._at = end


_WHY = {
    Find.END: NOT_JSON,
    Find.MORE: "is cut or damaged",
    Find.TOO_MUCH: TOO_MUCH,
    Find.MISMATCH: NOT_JSON,
}
