"""Detects a file's kind by its content; its name counts only where content is ambiguous."""

from __future__ import annotations

import mmap
import zipfile
from enum import StrEnum
from pathlib import Path

from daftari.errors import SourceError
from daftari.io.files.unpack import require_short_directory


class FileKind(StrEnum):
    TEXT = "delimited text"
    WORKBOOK = "workbook"
    PARQUET = "Parquet"
    JSON = "JSON"
    JSON_LINES = "JSON Lines"


_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: What cannot be rows, by its first bytes.
_FOREIGN = {
    b"%PDF": "a PDF",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"SQLite format": "an SQLite database",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"ARROW1": "an Arrow file",
    b"{\\rtf": "an RTF document",
}
_PAGES = (b"<!doctype", b"<html", b"<table", b"<?xml", b"<head", b"<body", b"<meta")


def kind_of(path: Path, name: str) -> FileKind:
    """
    Detect the kind of *path*.

    Raises:
        SourceError: it is of a kind that we do not read; the message names the kind.
    """
    with path.open("rb") as file:
        start = file.read(4096)
    bare = start.removeprefix(b"\xef\xbb\xbf").replace(b"\0", b"").lstrip(b"\xff\xfe \t\r\n").lower()
    if bare.startswith(_PAGES):
        raise SourceError(
            f"{name}:1: is a web page or XML, whatever its name says; a table was expected",
            hint="Open it in a spreadsheet program and save it as CSV or .xlsx.",
        )
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            raise SourceError(
                f"{name}: is {what}; a table was expected", hint="Send CSV, Excel, Parquet or JSON."
            )
    if start.startswith(b"PAR1"):
        return FileKind.PARQUET
    if start.startswith((_OLE, b"PK\x03\x04")):
        return _workbook(path, name, start)
    return _json_kind(bare, name) or FileKind.TEXT


def _workbook(path: Path, name: str, start: bytes) -> FileKind:
    if start.startswith(_OLE):
        if _holds(path, "EncryptedPackage"):
            raise SourceError(f"{name}: is locked with a password", hint="Save it without a password.")
        if _holds(path, "WordDocument"):
            raise SourceError(f"{name}: is a Word document; a table was expected", hint="Send CSV or Excel.")
        return FileKind.WORKBOOK
    require_short_directory(path, name)
    try:
        members = zipfile.ZipFile(path).namelist()
    except zipfile.BadZipFile:
        raise SourceError(f"{name}: is damaged", hint="Ask the sender for the file again.") from None
    if "mimetype" in members or any(one.startswith("xl/") for one in members):
        return FileKind.WORKBOOK
    if "[Content_Types].xml" in members:
        raise SourceError(f"{name}: is an Office document without sheets", hint="Send CSV or Excel.")
    raise SourceError(f"{name}: is a zip archive in another archive", hint="Unpack it once, and send that.")


def _holds(path: Path, part: str) -> bool:
    """Whether a compound file names a *part*."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(part.encode("utf-16-le")) >= 0


def _json_kind(bare: bytes, name: str) -> FileKind | None:
    """`[` and `{` may begin a header too, so a name or a second sign of JSON is required."""
    suffix = Path(name).suffix.lower()
    if suffix in {".jsonl", ".ndjson"}:
        return FileKind.JSON_LINES
    if bare.startswith(b"[") and bare[1:].lstrip()[:1] in {b"{", b"]"}:
        return FileKind.JSON
    if not bare.startswith(b"{") or bare[1:].lstrip()[:1] not in {b'"', b"}"}:
        return FileKind.JSON if suffix in _JSON else None
    first = bare.split(b"\n", 1)[0].rstrip()
    return FileKind.JSON_LINES if first.endswith(b"}") and suffix not in _JSON else FileKind.JSON


_JSON = (".json", ".geojson")
