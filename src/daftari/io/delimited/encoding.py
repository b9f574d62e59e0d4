"""Detects the encoding of a text file by decoding all of it strictly; yields its text as UTF-8, in chunks."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from daftari.errors import SourceError
from daftari.io.delimited.western import looks_western
from daftari.rows.intake.remarks import Remark, RemarkKind
from daftari.rows.mapping.clean_text import ESCAPED_BYTE

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
    is_guessed: bool = False
    odd_bytes: int = 0  #: bytes that are not in it; each is read as a character of a private area

    @property
    def is_utf8(self) -> bool:
        return self.codec == "utf-8" and not self.odd_bytes

    @property
    def errors(self) -> str:
        return _ESCAPE if self.odd_bytes else "strict"

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """Say what was guessed."""
        if self.odd_bytes:
            text = "a byte is not UTF-8, as the rest of the file is: rows that use it are quarantined"
            return (Remark(kind=RemarkKind.ENCODING, text=text, count=self.odd_bytes),)
        if self.is_guessed:
            text = (
                f"the file is not UTF-8 and was read as {self.codec} by a guess:"
                " declare `encoding` in a source mapping if names look wrong"
            )
            return (Remark(kind=RemarkKind.ENCODING, text=text),)
        return ()


_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_ESCAPE = "daftari.escape"


def _escape(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError), "only decoding has this handler"
    odd = error.object[error.start : error.end]
    return "".join(chr(ESCAPED_BYTE + byte) for byte in odd), error.end


codecs.register_error(_ESCAPE, _escape)


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
    if _first_fault(path, "utf-8", 0) is None:
        return Encoding(codec="utf-8", reason="all of it decodes")
    known, odd = _utf8_counts(path)
    if known >= odd:
        return Encoding(codec="utf-8", reason=f"all but {odd} bytes decode", odd_bytes=odd)
    return _guessed(path, name)


def _guessed(path: Path, name: str) -> Encoding:
    if not looks_western(path):
        raise SourceError(
            f"{name}: is not UTF-8, and its bytes do not look like Windows-1252 either",
            hint="Declare the file's `encoding` in the source mapping, for example big5, shift_jis, gb18030, cp1251"
            " or cp850, or save it as UTF-8.",
        )
    if _first_fault(path, "cp1252", 0) is None:
        return Encoding(codec="cp1252", reason="not UTF-8; Windows-1252 is assumed", is_guessed=True)
    reason = "neither UTF-8 nor Windows-1252; Latin-1 is assumed"
    return Encoding(codec="latin-1", reason=reason, is_guessed=True)


def _utf8_counts(path: Path) -> tuple[int, int]:
    """Count the characters beyond ASCII that decode as UTF-8, and the bytes that do not."""
    decoder = codecs.getincrementaldecoder("utf-8")(_ESCAPE)
    known = odd = 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK_BYTES)
            beyond = _BEYOND_ASCII.findall(decoder.decode(chunk, final=not chunk))
            wrong = sum(ESCAPED_BYTE + 0x80 <= ord(c) <= ESCAPED_BYTE + 0xFF for c in beyond)
            known, odd = known + len(beyond) - wrong, odd + wrong
            if not chunk:
                return known, odd


def utf8_chunks(path: Path, encoding: Encoding, *, skip: int = 0, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Yield the text as UTF-8, without its mark and without the first *skip* bytes of UTF-8."""
    with path.open("rb") as file:
        if encoding.is_utf8:
            file.seek(encoding.mark + skip)
            while chunk := file.read(size):
                yield chunk
            return
        file.seek(encoding.mark)
        decoder = codecs.getincrementaldecoder(encoding.codec)(encoding.errors)
        is_last = False
        while not is_last:
            chunk = file.read(size)
            is_last = not chunk
            text = decoder.decode(chunk, final=is_last).encode()
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
