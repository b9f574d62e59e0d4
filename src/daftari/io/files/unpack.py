"""Compressed files and standard input as a plain file on disk, within limits that stop a decompression bomb."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from daftari.errors import SourceError, disk_full

STDIN = Path("-")
_GZIP, _BZIP2, _XZ, _ZIP = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"PK\x03\x04"
_CHUNK_BYTES = 2**20

#: Larger than any register we know; a bomb stops here at the latest.
MOST_UNPACKED_BYTES = 64 * 2**30
#: Text packs to a tenth, rarely to a hundredth. Small files may pack better, which is harmless.
MOST_RATIO, RATIO_FROM_BYTES = 250, 64 * 2**20

#: The list of files of a zip archive; that of a workbook of 10,000 sheets has less than one MiB.
_MOST_DIRECTORY_BYTES = 4 * 2**20
#: The end of a zip archive: its last record, a comment, and before it the place of a longer record.
_END_BYTES = 22 + 2**16 + 20

_DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    path: Path
    packing: str = ""  #: for people: gzip, zip (march.csv) …
    #: keeps the temporary file until it is no longer read
    held: IO[bytes] | None = field(default=None, repr=False)


def spool(stream: IO[bytes]) -> Unpacked:
    """Write *stream* to a temporary file, so that it can be read more than once."""
    held = tempfile.NamedTemporaryFile(prefix="daftari-")  # noqa: SIM115 - lives as long as the source
    while chunk := stream.read(_CHUNK_BYTES):
        held.write(chunk)
    held.flush()
    return Unpacked(path=Path(held.name), held=held)


def standard_input() -> Unpacked:
    return spool(sys.stdin.buffer)


def unpack(path: Path, name: str, member: str | None) -> Unpacked:
    """
    Return *path* as a plain file; a workbook, also a zip archive, is not unpacked.

    Raises:
        SourceError: the archive is damaged, locked, a bomb, or does not hold exactly one file to read.
    """
    with path.open("rb") as file:
        start = file.read(6)
    openers: dict[bytes, tuple[str, Callable[[Path], IO[bytes]]]] = {
        _GZIP: ("gzip", _opened(gzip.open)),
        _BZIP2: ("bzip2", _opened(bz2.open)),
        _XZ: ("xz", _opened(lzma.open)),
    }
    try:
        for magic, (packing, opener) in openers.items():
            if start.startswith(magic):
                with opener(path) as stream:
                    return _copied(stream, path.stat().st_size, name, packing)
        if start.startswith(_ZIP):
            require_short_directory(path, name)
            return _from_zip(path, name, member)
    except _DAMAGED as error:
        if disk_full(error):
            raise  # the archive is whole
        raise SourceError(
            f"{name}: the archive is damaged ({str(error) or type(error).__name__})",
            hint="Ask the sender for the file again.",
        ) from None
    return Unpacked(path=path)


def _opened(opener: Callable[..., Any]) -> Callable[[Path], IO[bytes]]:
    def reading(path: Path) -> IO[bytes]:
        stream: IO[bytes] = opener(path, "rb")
        return stream

    return reading


def require_short_directory(path: Path, name: str) -> None:
    """
    Refuse a zip archive whose list of files would take much memory, before the list is read.

    Raises:
        SourceError: it is longer than that of any workbook.
    """
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - _END_BYTES))
        end = file.read()
        at = end.rfind(b"PK\x05\x06")
        listed = int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0
        locator = end[max(0, at - 20) : at]
        if locator.startswith(b"PK\x06\x07"):  # of an archive of the larger kind, "zip64"
            file.seek(min(size, int.from_bytes(locator[8:16], "little")))
            listed = int.from_bytes(file.read(56)[40:48], "little")
    if listed > _MOST_DIRECTORY_BYTES:
        raise SourceError(
            f"{name}: is an archive whose list of files has {listed:,} bytes;"
            f" at most {_MOST_DIRECTORY_BYTES:,} were expected",
            hint="Unpack it yourself if you trust it, and load the file that you need.",
        )


def _from_zip(path: Path, name: str, member: str | None) -> Unpacked:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if "[Content_Types].xml" in names or "mimetype" in names:
            return Unpacked(path=path)
        chosen = _member(archive, name, member)
        if chosen.flag_bits & 0x1:
            raise SourceError(f"{name}: is locked with a password", hint="Send it without a password.")
        with archive.open(chosen) as stream:
            return _copied(stream, chosen.compress_size, name, f"zip ({chosen.filename})")


def _member(archive: zipfile.ZipFile, name: str, member: str | None) -> zipfile.ZipInfo:
    files = [one for one in archive.infolist() if not one.is_dir() and not _is_litter(one.filename)]
    if member is not None:
        files = [one for one in files if member in (one.filename, Path(one.filename).name)]
        if not files:
            raise SourceError(
                f"{name}: holds no {member!r}; it holds {', '.join(archive.namelist()) or 'nothing'}",
                hint="Correct `member` in the source mapping.",
            )
    if len(files) != 1:
        listed = ", ".join(one.filename for one in files[:5]) or "nothing"
        raise SourceError(
            f"{name}: holds {len(files)} files ({listed}); one was expected",
            hint="Name the one to read with `member` in the source mapping.",
        )
    return files[0]


def _is_litter(member: str) -> bool:
    return member.startswith("__MACOSX/") or Path(member).name.startswith(".")


def _copied(stream: IO[bytes], packed: int, name: str, packing: str) -> Unpacked:
    held = tempfile.NamedTemporaryFile(prefix="daftari-")  # noqa: SIM115 - lives as long as the source
    size = 0
    while chunk := stream.read(_CHUNK_BYTES):
        size += len(chunk)
        if size > MOST_UNPACKED_BYTES or (size > RATIO_FROM_BYTES and size > MOST_RATIO * packed):
            raise SourceError(
                f"{name}: unpacks to more than {MOST_RATIO} times its size; it looks like a bomb",
                hint="Unpack it yourself if you trust it, and load the result.",
            )
        held.write(chunk)
    held.flush()
    return Unpacked(path=Path(held.name), packing=packing, held=held)
