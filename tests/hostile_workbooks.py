"""Workbooks made to cost much: small files that claim, unpack to or point at far more than they hold."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LINK = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HEAD = '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" t="inlineStr"><is><t>name</t></is></c></row>'
ROW = '<row r="2"><c r="A2" t="inlineStr"><is><t>k1</t></is></c><c r="B2"><v>1</v></c></row>'


def xlsx(path: Path, **parts: str | bytes) -> Path:
    """Write a workbook of one sheet; *parts* replace or add to its own: sheet, sharedStrings, styles, workbook."""
    sheet = parts.pop("sheet", f"<worksheet {MAIN}><sheetData>{HEAD}{ROW}</sheetData></worksheet>")
    targets = {
        "worksheet": "worksheets/sheet1.xml",
        "sharedStrings": "sharedStrings.xml",
        "styles": "styles.xml",
    }
    rels = "".join(
        f'<Relationship Id="r{at}" Type="{_KIND}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(targets.items(), start=1)
    )
    content = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": parts.pop(
            "workbook", f'<workbook {MAIN} {LINK}><sheets><sheet name="S" r:id="r1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": parts.pop(
            "rels", f'<Relationships xmlns="{_RELS}">{rels}</Relationships>'
        ),
        "xl/worksheets/sheet1.xml": sheet,
        **{f"xl/{name}.xml": text for name, text in parts.items()},
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for name, text in content.items():
            package.writestr(name, text)
    return path


def sheet_of(rows: str, after: str = "", before: str = "") -> str:
    return f"<worksheet {MAIN}>{before}<sheetData>{HEAD}{rows}</sheetData>{after}</worksheet>"


def shared(texts: str) -> str:
    return f"<sst {MAIN}>{texts}</sst>"


def zip_bomb(path: Path) -> Path:
    return xlsx(path, sheet=sheet_of(ROW + " " * 100_000_000))


def bomb_below_the_ratio(path: Path) -> Path:
    """Rows of empty cells, of a size at which no ratio is looked at."""
    return xlsx(
        path,
        sheet=sheet_of(
            "".join(f'<row r="{row}"><c r="A{row}"/><c r="B{row}"/></row>' for row in range(2, 120_000))
        ),
    )


def far_cell(path: Path) -> Path:
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    return xlsx(path, sheet=sheet_of(ROW + far, before='<dimension ref="A1:XFD1048576"/>'))


def millions_of_texts(path: Path) -> Path:
    last = '<row r="2"><c r="A2" t="s"><v>399999</v></c><c r="B2"><v>1</v></c></row>'
    return xlsx(
        path,
        sheet=sheet_of(last),
        sharedStrings=shared("".join(f"<si><t>text {n}</t></si>" for n in range(400_000))),
    )


def one_long_text_in_a_million_cells(path: Path) -> Path:
    rows = "".join('<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>' for _ in range(500_000))
    return xlsx(path, sheet=sheet_of(rows), sharedStrings=shared(f"<si><t>{'x' * 1_000_000}</t></si>"))


def one_long_text_in_few_cells(path: Path) -> Path:
    """Small, so that it is read in the process that asks."""
    rows = "".join('<row><c t="s"><v>0</v></c></row>' for _ in range(100_000))
    return xlsx(path, sheet=sheet_of(rows), sharedStrings=shared(f"<si><t>{'x' * 30_000}</t></si>"))


def ten_thousand_sheets(path: Path) -> Path:
    sheets = "".join(f'<sheet name="S{n}" r:id="r1"/>' for n in range(10_000))
    return xlsx(path, workbook=f"<workbook {MAIN} {LINK}><sheets>{sheets}</sheets></workbook>")


def sheet_with_a_long_name(path: Path) -> Path:
    sheet = f'<sheet name="{"S" * 5_000_000}" r:id="r1"/>'
    return xlsx(path, workbook=f"<workbook {MAIN} {LINK}><sheets>{sheet}</sheets></workbook>")


def deep_xml(path: Path) -> Path:
    return xlsx(path, sheet=sheet_of("<x>" * 600_000 + "</x>" * 600_000 + ROW))


def billion_laughs(path: Path) -> Path:
    entities = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    return xlsx(path, sheet=f"<!DOCTYPE x [{entities}]>" + sheet_of(ROW.replace("k1", "&j;")))


def huge_styles(path: Path) -> Path:
    formats = "".join(
        f'<numFmt numFmtId="{n}" formatCode="0.{"0" * (n % 200)} &quot;{n}&quot;"/>'
        for n in range(200, 150_200)
    )
    styles = "".join(f'<xf numFmtId="{n}"/>' for n in range(200, 150_200)) * 3
    return xlsx(
        path,
        styles=f"<styleSheet {MAIN}><numFmts>{formats}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>",
    )


def long_number_format(path: Path) -> Path:
    code = "[" * 3_000_000
    styles = f'<numFmts><numFmt numFmtId="200" formatCode="{code}"/></numFmts><cellXfs><xf numFmtId="200"/></cellXfs>'
    return xlsx(path, styles=f"<styleSheet {MAIN}>{styles}</styleSheet>")


def merged_sheet(path: Path) -> Path:
    return xlsx(path, sheet=sheet_of(ROW, after='<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'))


def million_merged_areas(path: Path) -> Path:
    areas = "".join(f'<mergeCell ref="A{row}:B{row}"/>' for row in range(2, 300_002))
    return xlsx(path, sheet=sheet_of(ROW, after=f"<mergeCells>{areas}</mergeCells>"))


def wide_rows(path: Path) -> Path:
    cells = "<c><v>1</v></c>" * 16_384
    return xlsx(path, sheet=sheet_of("".join(f"<row>{cells}</row>" for _ in range(30))))


def formulas_without_values(path: Path) -> Path:
    return xlsx(
        path, sheet=sheet_of("".join("<row><c><f>1+1</f></c><c><f>1+1</f></c></row>" for _ in range(10_000)))
    )


def errors_everywhere(path: Path) -> Path:
    return xlsx(path, sheet=sheet_of('<row><c t="e"><v>#N/A</v></c><c t="e"><v>#REF!</v></c></row>' * 20_000))


def long_attribute(path: Path) -> Path:
    return xlsx(path, sheet=sheet_of(f'<row r="2"><c r="A2" x="{"y" * 12_000_000}"><v>1</v></c></row>'))


def many_members(path: Path) -> Path:
    xlsx(path)
    with zipfile.ZipFile(path, "a") as package:
        for n in range(100_000):
            package.writestr(f"xl/media/{n:06}", b"")
    return path


def false_size_of_a_part(path: Path) -> Path:
    """The archive says that the sheet is 10 bytes long, and that it is stored in 4 GiB."""
    content = bytearray(xlsx(path).read_bytes())
    at = content.rfind(b"PK\1\2", 0, content.rfind(b"xl/worksheets/sheet1.xml"))
    content[at + 20 : at + 28] = struct.pack("<II", 2**32 - 2, 10)
    path.write_bytes(content)
    return path


def macros(path: Path) -> Path:
    xlsx(path)
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0" + bytes(5000))
    return path


def ods(path: Path, table: str) -> Path:
    names = "urn:oasis:names:tc:opendocument:xmlns:"
    head = "<table:table-row>" + "".join(
        f'<table:table-cell office:value-type="string"><text:p>{it}</text:p></table:table-cell>'
        for it in ("id", "name")
    )
    content = (
        f'<office:document-content xmlns:office="{names}office:1.0" xmlns:table="{names}table:1.0"'
        f' xmlns:text="{names}text:1.0">{table.replace("HEAD", head + "</table:table-row>")}</office:document-content>'
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", content)
    return path


def _copies(path: Path, row: str, cell: str) -> Path:
    text = f'<table:table-cell office:value-type="string" {cell}><text:p>x</text:p></table:table-cell>'
    return ods(
        path, f'<table:table table:name="S">HEAD<table:table-row {row}>{text}</table:table-row></table:table>'
    )


def open_document_of_copies(path: Path) -> Path:
    return _copies(path, 'table:number-rows-repeated="1000000"', 'table:number-columns-repeated="16000"')


def open_document_of_long_copies(path: Path) -> Path:
    text = (
        f'<table:table-cell office:value-type="string"><text:p>{"x" * 1_000_000}</text:p></table:table-cell>'
    )
    row = f'<table:table-row table:number-rows-repeated="1000000">{text}</table:table-row>'
    return ods(path, f'<table:table table:name="S">HEAD{row}</table:table>')


def open_document_of_many_sheets(path: Path) -> Path:
    row = "<table:table-row><table:table-cell/></table:table-row>" * 500
    return ods(path, "".join(f'<table:table table:name="S{n}">HEAD{row}</table:table>' for n in range(240)))


def compound_file(path: Path, name: str, stream: bytes) -> Path:
    """Write a compound file (MS-CFB) of one stream, in sectors of 512 bytes."""
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    sectors = len(stream) // 512
    tables = -(-(sectors + 2) // 127)
    chain = [-3] * tables + [-2] + [*range(tables + 2, tables + 1 + sectors), -2]
    chain += [-1] * (tables * 128 - len(chain))
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
        0, tables, tables, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0,
    )  # fmt: skip
    header += struct.pack("<109i", *range(tables), *[-1] * (109 - tables))

    def entry(title: str, kind: int, child: int, first: int, size: int) -> bytes:
        text = title.encode("utf-16-le")
        return struct.pack(
            "<64sHBBiii36xIQ", text, len(text) + 2 if title else 0, kind, 1, -1, -1, child, first, size
        )

    directory = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry(name, 2, -1, tables + 1, len(stream))
    directory += entry("", 0, -1, 0, 0) * 2
    path.write_bytes(header + struct.pack(f"<{len(chain)}i", *chain) + directory + stream)
    return path


def _record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def biff8(dimension: bytes, cells: bytes, before: bytes = b"") -> bytes:
    """The stream of an .xls workbook (MS-XLS) of one sheet."""
    begin, end = _record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0)), _record(10)
    first = len(begin) + len(before) + 4 + 8 + 1 + len(end)
    named = _record(0x85, struct.pack("<IBBBB", first, 0, 0, 1, 0) + b"S")
    sheet = _record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0)) + dimension + cells + end
    return begin + before + named + end + sheet


def _number(row: int, column: int) -> bytes:
    return _record(0x203, struct.pack("<HHHd", row, column, 0, 1.5))


def old_workbook(path: Path) -> Path:
    size = _record(0x200, struct.pack("<IIHHH", 0, 2, 0, 2, 0))
    return compound_file(
        path, "Workbook", biff8(size, b"".join(_number(row, at) for row in (0, 1) for at in (0, 1)))
    )


def old_workbook_with_a_far_cell(path: Path) -> Path:
    size = _record(0x200, struct.pack("<IIHHH", 0, 65536, 0, 256, 0))
    return compound_file(path, "Workbook", biff8(size, _number(0, 0) + _number(65535, 255)))


def old_workbook_with_a_false_size(path: Path) -> Path:
    size = _record(0x200, struct.pack("<IIHHH", 0, 2**32 - 1, 0, 2**16 - 1, 0))
    return compound_file(path, "Workbook", biff8(size, _number(0, 0)))


def old_workbook_with_false_texts(path: Path) -> Path:
    texts = _record(0xFC, struct.pack("<II", 2**31 - 1, 2**31 - 1) + struct.pack("<HB", 2**16 - 1, 0))
    size = _record(0x200, struct.pack("<IIHHH", 0, 2, 0, 2, 0))
    return compound_file(path, "Workbook", biff8(size, _number(0, 0), texts))


def old_workbook_with_false_sectors(path: Path) -> Path:
    content = bytearray(old_workbook(path).read_bytes())
    content[44:48] = struct.pack("<I", 2**32 - 5)  # the sectors of its table
    content[68:76] = struct.pack("<II", 7, 2**32 - 5)  # where the rest of the table is, and how long
    path.write_bytes(content)
    return path


def locked(path: Path) -> Path:
    return compound_file(path, "EncryptedPackage", bytes(5000))


def _record12(kind: int, content: bytes = b"") -> bytes:
    size, length = len(content), b""
    while True:
        length += bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
        size >>= 7
        if not size:
            break
    return (bytes([kind]) if kind < 0x80 else bytes([kind & 0xFF, kind >> 8])) + length + content


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def binary_workbook(path: Path, rows: tuple[int, ...] = (0, 1), columns: tuple[int, ...] = (0, 1)) -> Path:
    """Write an .xlsb workbook (MS-XLSB) with a number in each of *rows* and *columns*."""
    cells = b"".join(
        _record12(0, struct.pack("<IIHHBI", row, 0, 300, 0, 0, 0))
        + b"".join(_record12(5, struct.pack("<IId", at, 0, 1.5)) for at in columns)
        for row in rows
    )
    dimension = _record12(0x0194, struct.pack("<IIII", 0, rows[-1], 0, columns[-1]))
    sheet = _record12(0x0181) + dimension + _record12(0x0191) + cells + _record12(0x0192) + _record12(0x0182)
    named = _record12(0x019C, struct.pack("<II", 0, 1) + _wide("r1") + _wide("S"))
    book = _record12(0x0183) + _record12(0x018F) + named + _record12(0x0190) + _record12(0x0184)
    rels = f'<Relationship Id="r1" Type="{_KIND}/worksheet" Target="worksheets/sheet1.bin"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("xl/workbook.bin", book)
        package.writestr(
            "xl/_rels/workbook.bin.rels", f'<Relationships xmlns="{_RELS}">{rels}</Relationships>'
        )
        package.writestr("xl/worksheets/sheet1.bin", sheet)
    return path


def binary_workbook_with_a_far_cell(path: Path) -> Path:
    return binary_workbook(path, (0, 1048575), (0, 16383))


#: A source mapping for the clinic's visits, so that their rows are judged.
MAPPING = """dataset: visits
fields: {visit_id: id, notes: name, seen_on: {constant: 2026-03-01}, ward: {constant: A}, patient: {constant: X}}
"""


@dataclass(frozen=True)
class Hostile:
    """A workbook, and what is said of it; None: its rows are read."""

    make: Callable[[Path], Path]
    suffix: str
    said: str | None

    @property
    def name(self) -> str:
        return f"{self.make.__name__}.{self.suffix}"

    def write(self, folder: Path) -> Path:
        return self.make(folder / self.name)


CORPUS = (
    Hostile(zip_bomb, "xlsx", "unpacks to more than 250 times its size; it looks like a bomb"),
    Hostile(bomb_below_the_ratio, "xlsx", None),
    Hostile(far_cell, "xlsx", None),
    Hostile(millions_of_texts, "xlsx", None),
    Hostile(
        one_long_text_in_a_million_cells, "xlsx", "the first rows of sheet 'S' hold more than 64 MiB of text"
    ),
    Hostile(
        one_long_text_in_few_cells,
        "xlsx",
        "more than 250 times its size of text; it looks like a bomb",
    ),
    Hostile(ten_thousand_sheets, "xlsx", "has 10,000 sheets; one was expected"),
    Hostile(sheet_with_a_long_name, "xlsx", "a sheet's name of more than 255 characters"),
    Hostile(deep_xml, "xlsx", None),
    Hostile(billion_laughs, "xlsx", "its XML has a document type"),
    Hostile(huge_styles, "xlsx", "more than 65,536 cell styles"),
    Hostile(long_number_format, "xlsx", "a number format of more than 1,000 characters"),
    Hostile(merged_sheet, "xlsx", None),
    Hostile(million_merged_areas, "xlsx", "more than 131,072 merged areas"),
    Hostile(wide_rows, "xlsx", "it has cells in more than 4,096 columns"),
    Hostile(formulas_without_values, "xlsx", None),
    Hostile(errors_everywhere, "xlsx", None),
    Hostile(long_attribute, "xlsx", None),
    Hostile(many_members, "xlsx", "is an archive whose list of files has 6,100,268 bytes"),
    Hostile(false_size_of_a_part, "xlsx", "is not a workbook that can be read"),
    Hostile(macros, "xlsm", None),
    Hostile(open_document_of_copies, "ods", "more than 4,194,304 cells are copies of others"),
    Hostile(open_document_of_long_copies, "ods", "its copies of cells hold more text than people write"),
    Hostile(open_document_of_many_sheets, "ods", "has 240 sheets with rows"),
    Hostile(old_workbook, "xls", None),
    Hostile(old_workbook_with_a_far_cell, "xls", "takes more than 1,024 MiB of memory to read"),
    Hostile(old_workbook_with_a_false_size, "xls", "takes more than 1,024 MiB of memory to read"),
    Hostile(old_workbook_with_false_texts, "xls", "is not a workbook that can be read"),
    Hostile(old_workbook_with_false_sectors, "xls", "takes more than 1,024 MiB of memory to read"),
    Hostile(locked, "xlsx", "is locked with a password"),
    Hostile(binary_workbook, "xlsb", None),
    Hostile(binary_workbook_with_a_far_cell, "xlsb", "takes more than 1,024 MiB of memory to read"),
)
