"""The lines of a dirty file as bytes, in each format, and how many lines these bytes have."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
from tests.dirty_files import Dirt, Pen

Lines = Sequence[tuple[str, Any]]


def delimited(lines: Lines, pen: Pen, separator: str) -> tuple[bytes, int]:
    dirt = pen.dirt
    out = io.StringIO(newline="")
    # csv leaves a newline in a value bare where lines end otherwise
    quoting = csv.QUOTE_ALL if dirt.is_quoted or dirt.ending == "\r" else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=separator, lineterminator=dirt.ending, quoting=quoting)
    width = len(dirt.columns)

    def note(text: str, spare: list[str]) -> None:
        writer.writerow([text, *[""] * (width - 1), *spare] if dirt.is_padded else [text])

    for title in dirt.titles:
        note(title, []) if title else out.write(dirt.ending)
    header = pen.header()
    writer.writerow(header)
    for at, (what, content) in enumerate(lines):
        spare = [""] * dirt.spare[at % len(dirt.spare)]
        match what:
            case "row" | "total":
                writer.writerow([*pen.cells(what, content, at), *spare])
            case "header":
                writer.writerow([*header, *spare])
            case "blank":
                out.write((separator * len(spare) if spare else "") + dirt.ending)
            case "footer":
                note(content, spare)
    return _encoded(out.getvalue(), dirt, may_be_western=True), len(dirt.titles) + 1 + len(lines)


def objects(lines: Lines, pen: Pen, *, typed: bool) -> list[dict[str, Any]]:
    """Return the lines of a table as JSON has them; a blank one has no key, or no value."""
    names = [name or "column" for name in pen.dirt.columns]
    found: list[dict[str, Any]] = []
    for at, (what, content) in enumerate(lines):
        match what:
            case "row" | "total":
                values = dict(zip(names, pen.cells(what, content, at, typed=typed), strict=True))
                leaves_out = pen.dirt.spare[0] > 1
                found.append(
                    {
                        name: _of_json(it)
                        for name, it in values.items()
                        if not (leaves_out and it in (None, ""))
                    }
                )
            case "header":
                found.append({name: name for name in names})
            case "blank":
                found.append(dict.fromkeys(names) if pen.dirt.spare[0] else {})
            case "footer":
                found.append({names[0]: content})
    return found


def _of_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def as_json(lines: Lines, pen: Pen, *, typed: bool) -> tuple[bytes, int]:
    found = objects(lines, pen, typed=typed)
    whole: Any = {"source": "ledger", "data": {"items": found}} if pen.dirt.is_padded else found
    indent = pen.dirt.spare[0] or None
    return _encoded(json.dumps(whole, indent=indent, ensure_ascii=pen.dirt.is_quoted), pen.dirt), len(found)


def as_json_lines(lines: Lines, pen: Pen, *, typed: bool) -> tuple[bytes, int]:
    written = [json.dumps(one, ensure_ascii=pen.dirt.is_quoted) for one in objects(lines, pen, typed=typed)]
    ending = "\n" if pen.dirt.ending == "\r" else pen.dirt.ending
    said = ["" if one == "{}" and pen.dirt.is_padded else one for one in written]
    return _encoded("".join(one + ending for one in said), pen.dirt), len(said)


def _encoded(text: str, dirt: Dirt, *, may_be_western: bool = False) -> bytes:
    if may_be_western and dirt.encoding == "cp1252":
        with suppress(UnicodeEncodeError):
            return text.encode("cp1252")
    encoding = dirt.encoding if dirt.encoding.startswith("utf-16") else "utf-8"
    mark = "\ufeff" if dirt.mark or encoding != "utf-8" else ""
    return (mark + text).encode(encoding)


def sheet(lines: Lines, pen: Pen, *, typed: bool) -> list[list[Any]]:
    """Return the rows of a sheet."""
    pen.is_sheet = True
    header = pen.header()
    rows: list[list[Any]] = [[title] for title in pen.dirt.titles] + [header]
    for at, (what, content) in enumerate(lines):
        match what:
            case "row" | "total":
                rows.append(pen.cells(what, content, at, typed=typed))
            case "header":
                rows.append(header)
            case "blank":
                rows.append([" " if pen.dirt.spare[0] else None])
            case "footer":
                rows.append([content])
    return [[None] * pen.dirt.shift + [None if one == "" else one for one in row] for row in rows]


def _counted(rows: list[list[Any]]) -> int:
    """Return the number of the last row with a cell: an empty row at the end is not in the file."""
    return max(n for n, row in enumerate(rows, 1) if any(one is not None for one in row))


def xlsx(lines: Lines, pen: Pen, *, typed: bool) -> tuple[bytes, int]:
    rows = sheet(lines, pen, typed=typed)
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for one in (one for row in book.active.iter_rows() for one in row if isinstance(one.value, str)):
        one.data_type = "s"  # no formula, whatever it begins with
    out = io.BytesIO()
    book.save(out)
    return out.getvalue(), _counted(rows)


_SPACES = {
    one: f'xmlns:{one}="urn:oasis:names:tc:opendocument:xmlns:{one}:1.0"'
    for one in ("office", "table", "text", "style")
}


def ods(lines: Lines, pen: Pen, *, typed: bool) -> tuple[bytes, int]:
    rows = sheet(lines, pen, typed=typed)
    body = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
    content = (
        f"<office:document-content {' '.join(_SPACES.values())}><office:body><office:spreadsheet>"
        f'<table:table table:name="S">{body}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    return out.getvalue(), _counted(rows)


def _ods_cell(value: Any) -> str:
    match value:
        case None:
            return "<table:table-cell/>"
        case bool():
            kind, name, said = "boolean", "boolean-value", str(value).lower()
        case date() | datetime():
            kind, name, said = "date", "date-value", value.isoformat()
        case int() | float():
            kind, name, said = "float", "value", repr(value)
        case _:
            shown = escape(value).replace("\n", "</text:p><text:p>").replace("  ", ' <text:s text:c="1"/>')
            return f'<table:table-cell office:value-type="string"><text:p>{shown}</text:p></table:table-cell>'
    cell = f'<table:table-cell office:value-type="{kind}" office:{name}="{said}">'
    return f"{cell}<text:p>{said}</text:p></table:table-cell>"


Writer = Callable[[Lines, Pen], tuple[bytes, int]]
WRITERS: dict[str, tuple[str, Writer]] = {
    "csv": ("csv", lambda lines, pen: delimited(lines, pen, ",")),
    "tsv": ("tsv", lambda lines, pen: delimited(lines, pen, "\t")),
    "semicolons": ("csv", lambda lines, pen: delimited(lines, pen, ";")),
    "pipes": ("txt", lambda lines, pen: delimited(lines, pen, "|")),
    "typed json": ("json", lambda lines, pen: as_json(lines, pen, typed=True)),
    "text json": ("json", lambda lines, pen: as_json(lines, pen, typed=False)),
    "typed jsonl": ("jsonl", lambda lines, pen: as_json_lines(lines, pen, typed=True)),
    "text jsonl": ("jsonl", lambda lines, pen: as_json_lines(lines, pen, typed=False)),
    "typed xlsx": ("xlsx", lambda lines, pen: xlsx(lines, pen, typed=True)),
    "text xlsx": ("xlsx", lambda lines, pen: xlsx(lines, pen, typed=False)),
    "typed ods": ("ods", lambda lines, pen: ods(lines, pen, typed=True)),
    "text ods": ("ods", lambda lines, pen: ods(lines, pen, typed=False)),
}


def packed(content: bytes, name: str, packing: str) -> tuple[bytes, str]:
    """Return a file's content and name, packed."""
    match packing:
        case "gz":
            return gzip.compress(content), f"{name}.gz"
        case "zip":
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(name, content)
            return out.getvalue(), f"{name}.zip"
    return content, name
