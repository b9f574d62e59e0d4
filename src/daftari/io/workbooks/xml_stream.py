"""The XML parts of a workbook, read in pieces. Expat alone: no document type, so no entity and no expansion."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from xml.parsers import expat

from daftari.errors import SourceError
from daftari.io.files.unpack import MOST_RATIO, RATIO_FROM_BYTES

_CHUNK_BYTES = 2**18
#: More than any program writes into a cell.
MOST_CELL_CHARACTERS = 2**20

#: More than any program gives a sheet.
MOST_NAME_CHARACTERS = 255

Attributes = dict[str, str]


class Package:
    """A workbook that is a zip archive of parts."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._path = path
        self._archive = zipfile.ZipFile(path)
        self._sizes = {one.filename: one.compress_size for one in self._archive.infolist()}
        for one in self._archive.infolist():
            self._require_likely(one.filename, one.file_size)

    def __contains__(self, part: str) -> bool:
        return part in self._sizes

    def chunks(self, part: str) -> Iterator[bytes]:
        """
        Yield the content of *part*, piece by piece.

        Raises:
            SourceError: it is damaged, or unpacks to far more than its size.
        """
        size = 0
        try:
            with self._archive.open(part) as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    size += len(chunk)
                    self._require_likely(part, size)
                    yield chunk
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise damaged(self.name, f"part {part}: {str(error) or type(error).__name__}") from None
        except RuntimeError:  # zipfile's word for a password
            raise SourceError(
                f"{self.name}: is locked with a password", hint="Save it without a password."
            ) from None

    def _require_likely(self, part: str, size: int) -> None:
        """Refuse a part that unpacks to *size*, or claims to, if no program packs one like that."""
        if size > RATIO_FROM_BYTES and size > MOST_RATIO * self._sizes[part]:
            raise SourceError(
                f"{self.name}: unpacks to more than {MOST_RATIO} times its size; it looks like a bomb",
                hint="Open it in a spreadsheet program and save the sheet as CSV.",
            )


def damaged(name: str, what: str) -> SourceError:
    return SourceError(
        f"{name}: is not a workbook that can be read ({what})",
        hint="Open it in a spreadsheet program and save it as .xlsx, without a password.",
    )


class Handler:
    """What is done with the elements of a part. Names come without their namespace's prefix."""

    def start(self, name: str, attributes: Attributes) -> None:
        """Begin an element."""

    def end(self, name: str) -> None:
        """End an element."""

    def text(self, content: str) -> None:
        """Take a piece of text."""


def parse_part(package: Package, part: str, handler: Handler) -> Iterator[None]:
    """
    Parse *part* with *handler*; yield after each piece, so that the caller may take what was read, or stop.

    Raises:
        SourceError: it is damaged, or has a document type.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    _connect(parser, handler, package.name)
    try:
        for chunk in package.chunks(part):
            parser.Parse(chunk, False)
            yield
        parser.Parse(b"", True)
        yield
    except expat.ExpatError as error:
        raise damaged(package.name, f"part {part}, line {error.lineno}: is not XML") from None


def _connect(parser: expat.XMLParserType, handler: Handler, name: str) -> None:
    """Call *handler* directly where the first element's name has no prefix, which is the rule."""

    def first(element: str, attributes: Attributes) -> None:
        if ":" in element:
            start, end = _bare(handler)
        else:
            start, end = handler.start, handler.end
        parser.StartElementHandler, parser.EndElementHandler = start, end
        start(element, attributes)

    def refuse(*_: object) -> None:
        raise damaged(name, "its XML has a document type")

    parser.StartElementHandler = first
    parser.StartDoctypeDeclHandler = refuse
    parser.CharacterDataHandler = handler.text


def _bare(handler: Handler) -> tuple[Callable[[str, Attributes], None], Callable[[str], None]]:
    return (
        lambda name, attributes: handler.start(local(name), attributes),
        lambda name: handler.end(local(name)),
    )


@lru_cache(maxsize=4096)
def local(name: str) -> str:
    """Return *name* without its namespace's prefix."""
    return name.rpartition(":")[2]
