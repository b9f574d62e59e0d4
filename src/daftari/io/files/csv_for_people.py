"""
CSV for people: one form for every file that Daftari writes for a spreadsheet, and reading it back after correction.

UTF-8 with a byte order mark, without which Excel assumes another encoding; otherwise as in RFC 4180. A text that a
spreadsheet would run as a formula gets an apostrophe (OWASP, CSV Injection); a negative number does not. For programs,
the same writer leaves out both: the file then loads as the same rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

import polars as pl

_FORMULA = r"'*[=+\-@\t\r\n]"
_RUNS = re.compile(_FORMULA)
_ESCAPED = re.compile(f"'{_FORMULA}")
_NEGATIVE_NUMBER = re.compile(r"-(?:[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|Infinity)")
#: Only texts that begin with one of these are escaped.
_FIRST = frozenset("'=+-@\t\r\n")

Row = Sequence[object]


def csv_pieces(
    names: Sequence[str], blocks: Iterable[Iterable[Row]], *, for_people: bool = True
) -> Iterator[bytes]:
    """Yield a file with the header *names*, block by block. The header comes with the first block."""
    text = io.StringIO()
    text.write("\ufeff" if for_people else "")
    written = escaped if for_people else _plain
    writer = csv.writer(text)
    writer.writerow(map(written, names))
    for rows in blocks:
        writer.writerows([written(cell) for cell in row] for row in rows)
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    if text.tell():
        yield text.getvalue().encode()


def csv_file(names: Sequence[str], rows: Iterable[Row]) -> bytes:
    """Return a whole file with the header *names*."""
    return b"".join(csv_pieces(names, [rows]))


def escaped(cell: object) -> str:
    """Return the text that is written for *cell*; nothing for None."""
    text = _plain(cell)
    if text[:1] not in _FIRST or not _RUNS.match(text) or _NEGATIVE_NUMBER.fullmatch(text):
        return text
    return f"'{text}"


def _plain(cell: object) -> str:
    return cell if type(cell) is str else "" if cell is None else str(cell)


def unescaped(text: str) -> str:
    """Return the cell for which *text* was written."""
    return text[1:] if _ESCAPED.match(text) else text


def unescaped_cells(cells: pl.DataFrame) -> pl.DataFrame:
    """`unescaped` for every cell of a table of texts, and for the names of its columns."""
    restored = cells.with_columns(pl.col(pl.String).str.replace(f"^'({_FORMULA})", "${1}"))
    return restored.rename(unescaped)


def read_csv_file(body: bytes) -> list[dict[str, str]]:
    """
    Return the rows of a corrected file that `csv_file` wrote. A short row has fewer cells.

    Raises:
        ValueError: it is not CSV in UTF-8 with a header.
    """
    try:
        header, *rows = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
    except csv.Error as error:
        raise ValueError(str(error)) from None
    names = [unescaped(name) for name in header]
    return [dict(zip(names, map(unescaped, row), strict=False)) for row in rows if row]
