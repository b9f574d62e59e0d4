"""Detects the encoding of a text file by decoding all of it strictly; yields its text as UTF-8, in chunks."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from daftari.errors import SourceError

CHUNK_BYTES = 3 * 2**20

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, kw_only=True)
class Encoding:
    codec: str
    mark: int = 0  #: bytes of a byte order mark before the text
    reason: str = ""  #: for people: how it was detected

    @property
    def is_utf8(self) -> bool:
        return self.codec == "utf-8"


def find_encoding(path: Path, name: str, declared: str | None) -> Encoding:
    """
    Decide the encoding of a file: the declared one, a byte order mark, or the first that decodes all of it.

    UTF-16 without a mark is recognised by its zero bytes; then UTF-8, Windows-1252 and Latin-1 are tried.

    Raises:
        SourceError: the declared encoding is unknown, or bytes of the file are not in it.
    """
    with path.open("rb") as file:
        start = file.read(4096)
    marked = next(((codec, len(mark)) for mark, codec in _MARKS if start.startswith(mark)), None)
    if declared is not None:
        codec = _codec(declared, name)
        mark = 0
        if marked is not None and marked[0][:6] == codec[:6]:  # utf-16 declared: the mark decides
            codec, mark = marked
        return _sure(path, name, Encoding(codec=codec, mark=mark, reason="declared"))
    if marked is not None:
        return _sure(path, name, Encoding(codec=marked[0], mark=marked[1], reason="byte order mark"))
    if zeros := _by_zero_bytes(start):
        return _sure(path, name, Encoding(codec=zeros, reason="every other byte is zero"))
    for codec, reason in (
        ("utf-8", "all of it decodes"),
        ("cp1252", "not UTF-8; Windows-1252 is assumed"),
    ):
        if _first_fault(path, codec, 0) is None:
            return Encoding(codec=codec, reason=reason)
    return Encoding(codec="latin-1", reason="neither UTF-8 nor Windows-1252; Latin-1 is assumed")


def utf8_chunks(path: Path, encoding: Encoding, *, skip: int = 0, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Yield the text as UTF-8, without its mark and without the first *skip* bytes of UTF-8."""
    with path.open("rb") as file:
        if encoding.is_utf8:
            file.seek(encoding.mark + skip)
            while chunk := file.read(size):
                yield chunk
            return
        file.seek(encoding.mark)
        decoder = codecs.getincrementaldecoder(encoding.codec)("strict")
        while chunk := file.read(size):
            text = decoder.decode(chunk).encode()
            dropped = min(skip, len(text))
            skip -= dropped
            if text[dropped:]:
                yield text[dropped:]


def _codec(declared: str, name: str) -> str:
    try:
        found = codecs.lookup(declared)
    except LookupError:
        raise SourceError(
            f"{name}: the declared encoding {declared!r} is unknown",
            hint="Declare one such as utf-8, utf-16, cp1252 or latin-1 in the source mapping.",
        ) from None
    return {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(found.name, found.name)


def _by_zero_bytes(start: bytes) -> str | None:
    """Detect UTF-16 by the zero bytes of Latin text: all in odd places (LE) or all in even ones (BE)."""
    half = len(start) // 2
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if half >= 2 and odd > half * 0.7 and not even:
        return "utf-16-le"
    return "utf-16-be" if half >= 2 and even > half * 0.7 and not odd else None


def _sure(path: Path, name: str, encoding: Encoding) -> Encoding:
    fault = _first_fault(path, encoding.codec, encoding.mark)
    if fault is not None:
        raise SourceError(
            f"{name}:{_line_of(path, encoding, fault)}: byte {fault} is not {encoding.codec}"
            f" ({encoding.reason or 'inferred'})",
            hint="Declare the file's `encoding` in the source mapping, or save it as UTF-8.",
        )
    return encoding


def _first_fault(path: Path, codec: str, mark: int) -> int | None:
    """Return the offset of the first byte that is not in *codec*; None when all of it decodes."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    with path.open("rb") as file:
        file.seek(mark)
        at, held = mark, 0
        while True:
            chunk = file.read(CHUNK_BYTES)
            if not held and chunk and codec in {"utf-8", "cp1252", "latin-1"} and chunk.isascii():
                at += len(chunk)
                continue
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return at - held + error.start
            held = len(decoder.getstate()[0])
            at += len(chunk)
            if not chunk:
                return None


def _line_of(path: Path, encoding: Encoding, offset: int) -> int:
    newline = "\n".encode(encoding.codec)
    line, left = 1, offset
    with path.open("rb") as file:
        while left and (chunk := file.read(min(left, CHUNK_BYTES))):
            line += chunk.count(newline)
            left -= len(chunk)
    return line
