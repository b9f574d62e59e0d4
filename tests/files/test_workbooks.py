"""What the cells of a workbook say by their type and their format, and what a damaged or hostile one costs."""

import datetime as dt
import subprocess
import sys
import zipfile

import openpyxl
import pytest
from openpyxl.styles import numbers
from tests.tables import dataset, field, plan_of

from daftari.errors import SourceError
from daftari.io.files import open_source
from daftari.rows.formats.parse import to_rows
from daftari.rows.mapping.mapping import Mapping

KNOWN = dataset(field("id"), field("name"))
HEAD = ["id", "name"]


def read(path, **mapping):
    source = open_source(path, mapping=Mapping(dataset="d", **mapping), dataset=KNOWN)
    return source, list(source.blocks())


def cells(blocks):
    return {line: row for one in blocks for line, row in zip(one.lines, one.cells.rows(), strict=True)}


def remarks(source, blocks):
    return [str(it) for it in (*source.remarks, *(it for one in blocks for it in one.remarks))]


def notes(blocks):
    found = [one.notes for one in blocks if one.notes is not None]
    return [row for frame in found for row in frame.rows()]


def saved(tmp_path, *rows, head=HEAD, name="f.xlsx"):
    book = openpyxl.Workbook()
    for row in (head, *rows):
        book.active.append(row)
    path = tmp_path / name
    return book, book.active, path


def formatted(tmp_path, value, code):
    book, sheet, path = saved(tmp_path, ["k", value])
    sheet["B2"].number_format = code
    book.save(path)
    return path


FORMATTED = [
    (42, "00000", "00042"),
    (-42, "00000", "-42"),
    (1234567, "00000", "1234567"),
    (42, '"INV-"0000', "INV-0042"),
    (712345678, r"0000\-000\-000", "0712-345-678"),
    (42, "0", "42"),
    (1200, "#,##0.00", "1200"),
    (1200, "[$$-409]#,##0.00", "$ 1200"),
    (1200.5, '"KSh" #,##0.00', "KSH 1200.5"),
    (1.234, "_-[$€-2] * #,##0.00_-;-[$€-2] * #,##0.00_-", "€ 1.2340"),  # no group of thousands
    (0.15, "0%", "0.15"),
    (3, '0" kg"', "3"),
    (46095, "dd/mm/yyyy", "2026-03-14"),
    (46095.34375, "dd/mm/yyyy hh:mm", "2026-03-14 08:15:00"),
    (46095.343755787, "dd/mm/yyyy hh:mm", "2026-03-14 08:15:00.500"),
    (46095, "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", "2026-03-14"),
    (46095, "General", "46095"),
    (61, "d.m.yy", "1900-03-01"),
    (60, "d.m.yy", "60"),  # 29 February 1900 was no day
    (59, "d.m.yy", "1900-02-28"),
    (-1, "d.m.yy", "-1"),
    (0.34375, "h:mm", "08:15:00"),
    (0.34375, "h:mm AM/PM", "08:15:00"),
    (1.09375, "[h]:mm", "26:15:00"),
    (1.09375, "h:mm", "26:15:00"),
    (46095.5, "h:mm", "2026-03-14 12:00:00"),
    (0.00000000012345, "General", "0.00000000012345"),
    (1.23456789012345e-7, "General", "0.000000123456789012345"),
    (123456789.123456, "General", "123456789.123456"),
    (1e20, "General", "100000000000000000000"),
]


@pytest.mark.parametrize(("value", "code", "text"), FORMATTED)
def test_a_number_is_read_by_its_format(tmp_path, value, code, text):
    _, blocks = read(formatted(tmp_path, value, code))
    assert cells(blocks) == {2: ("k", text)}


def test_days_are_counted_from_1904_where_the_workbook_says_so(tmp_path):
    book, sheet, path = saved(tmp_path, ["k", 44633])
    sheet["B2"].number_format = numbers.FORMAT_DATE_DDMMYY
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.save(path)
    assert cells(read(path)[1]) == {2: ("k", "2026-03-14")}


def test_a_format_that_adds_a_text_is_reported(tmp_path):
    source, blocks = read(formatted(tmp_path, 3, '0" kg"'))
    assert remarks(source, blocks) == [
        "column 'name': its numbers are read without the text that their format '0\" kg\"' adds"
    ]


def test_a_cell_says_whether_it_is_a_number_or_a_text(tmp_path):
    book, _, path = saved(tmp_path, ["1", 1], ["2", "2"], ["3", dt.date(2026, 3, 14)])
    book.save(path)
    [block] = read(path)[1]
    assert {name: marks.to_list() for name, marks in block.typed.items()} == {"name": [True, False, True]}


FAULTS = [
    ("=1/0", "n", None),  # openpyxl stores no value for a formula
    ("#N/A", "e", "is not read: B2 holds the error #N/A"),
    ("#REF!", "e", "is not read: B2 holds the error #REF!"),
]


@pytest.mark.parametrize(("value", "kind", "reason"), FAULTS)
def test_a_cell_without_a_value_says_so_with_its_address(tmp_path, value, kind, reason):
    book, sheet, path = saved(tmp_path, ["k", value])
    if kind == "e":
        sheet["B2"].data_type = "e"
    book.save(path)
    [(line, column, what, why)] = notes(read(path)[1])
    assert (line, column, what) == (2, "name", "fault")
    assert why == (
        reason
        or "is not read: B2 is a formula without a stored value; open the workbook in a"
        " spreadsheet program and save it"
    )


def test_a_row_of_formulas_without_values_is_not_a_blank_one(tmp_path):
    book, _, path = saved(tmp_path, ["=A9", "=B9"])
    book.save(path)
    [block] = read(path)[1]
    assert (block.cells.height, block.blank) == (1, 0)


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (12345678901234567, ["loss"]),
        (1.2345678901234567e21, ["loss"]),
        (123456789012345, []),
        ("12345678901234567", []),
        (True, ["truth"]),
    ],
)
def test_a_cell_whose_text_is_not_what_was_typed_says_so(tmp_path, value, kinds):
    book, _, path = saved(tmp_path, ["k", value], ["l", 5], ["m", "x"])
    book.save(path)
    assert [kind for _, _, kind, _ in notes(read(path)[1])] == kinds


def merged_book(tmp_path):
    book, sheet, path = saved(
        tmp_path, [1, "a", 10], [2, None, None], [3, None, 30], [4, "b", None], head=["id", "name", "n"]
    )
    sheet.merge_cells("B2:B4")
    sheet.merge_cells("B5:C5")
    book.save(path)
    return path


def test_a_merged_area_is_reported_where_its_cells_are_read_as_empty(tmp_path):
    source, blocks = read(merged_book(tmp_path))
    assert [row[1:] for row in cells(blocks).values()] == [
        ("a", "10"),
        (None, None),
        (None, "30"),
        ("b", None),
    ]
    assert remarks(source, blocks) == [
        (
            "column 'name': cells of merged areas are read as empty; `merged: fill` in the source mapping gives them"
            " the value of their area (2 times)"
        ),
        (
            "column 'n': cells of merged areas are read as empty; `merged: fill` in the source mapping gives them"
            " the value of their area"
        ),
    ]
    assert notes(blocks)[0] == (
        3,
        "name",
        "merged",
        "is missing: B3 is part of the merged area B2:B4, whose value is in its first cell alone",
    )


def test_a_merged_area_gives_all_its_cells_its_value_where_the_mapping_says_so(tmp_path):
    source, blocks = read(merged_book(tmp_path), merged="fill")
    assert [row[1:] for row in cells(blocks).values()] == [("a", "10"), ("a", None), ("a", "30"), ("b", "b")]
    assert remarks(source, blocks) == [
        "column 'name': cells of merged areas take the value of their area (2 times)",
        "column 'n': cells of merged areas take the value of their area",
    ]


def test_hidden_rows_columns_and_sheets_are_reported(tmp_path):
    book, sheet, path = saved(tmp_path, [1, "a"], [2, "b"], [3, "c"])
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["B"].hidden = True
    old = book.create_sheet("Old")
    old.append(HEAD)
    old.append([9, "z"])
    old.sheet_state = "veryHidden"
    book.save(path)
    source, blocks = read(path)
    assert len(cells(blocks)) == 3
    assert remarks(source, blocks) == [
        "sheet 'Old', which is hidden, is not read",
        "hidden columns are read like the others: name",
        "hidden rows are read like the others",
    ]


@pytest.mark.parametrize("sheet", ["Feb", " feb ", 2, "2"])
def test_a_sheet_is_named_or_numbered(tmp_path, sheet):
    book, _, path = saved(tmp_path, [1, "a"])
    book.create_sheet("Feb").append(HEAD)
    book["Feb"].append([2, "b"])
    book.save(path)
    assert cells(read(path, sheet=sheet)[1]) == {2: ("2", "b")}


def test_a_sheet_that_is_not_read_is_reported(tmp_path):
    book, _, path = saved(tmp_path, [1, "a"])
    book.create_sheet("Notes").append(["read me"])
    book.save(path)
    source, blocks = read(path)
    assert remarks(source, blocks) == ["sheet 'Notes' is not read"]


def test_formulas_of_a_workbook_that_asks_to_be_calculated_are_reported(tmp_path):
    book, _, path = saved(tmp_path, [1, "=A2+1"])
    book.save(path)
    with_value = tmp_path / "with_value.xlsx"
    rewritten(path, with_value, "sheet1.xml", b"<v />", b"<v>2</v>", b"<v></v>", b"<v>2</v>")
    source, blocks = read(with_value)
    assert cells(blocks) == {2: ("1", "2")}
    assert remarks(source, blocks) == [
        "formulas are read as they were last stored; the workbook asks to be calculated when it is opened"
    ]


def rewritten(path, to, part, *pairs):
    """Copy a workbook, with texts of one part replaced."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith(part):
                for one, other in zip(pairs[::2], pairs[1::2], strict=True):
                    content = content.replace(one, other)
            new.writestr(name, content)


def test_two_cells_far_apart_cost_nothing(tmp_path):
    book, sheet, path = saved(tmp_path, ["1", "a"])
    sheet["XFD1048576"] = "far"
    book.save(path)
    code = (
        "from pathlib import Path; from daftari.io.files import open_source\n"
        f"source = open_source(Path({str(path)!r}))\n"
        "[block] = source.blocks()\n"
        "assert block.cells.height == 1 and block.blank == 1048573, block\n"
        "assert block.malformed[0].line == 1048576\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print(status.partition('VmHWM:')[2].split()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) < 300 * 1024


DAMAGED = [
    (b'<row r="2"', b'<row r="9999999"', "row 9999999 after row 1"),
    (b'<row r="2"', b'<row r="1"', "row 1 after row 1"),
    (b'r="B2"', b'r="A2"', "cell 1 after cell 1 of row 2"),
    (b'r="B2"', b'r="ZZZ2"', "cell 18278 after cell 1 of row 2"),
    (b'r="B2"', b'r="?"', "a cell of row 2 without an address"),
    (b"</sheetData>", b"", "is not XML"),
    (
        b'r="B2" t="inlineStr"><is><t>a</t></is>',
        b'r="B2" t="s"><v>7</v>',
        "refers to a text that is not there",
    ),
]


@pytest.mark.parametrize(("old", "new", "said"), DAMAGED)
def test_a_damaged_sheet_is_refused(tmp_path, old, new, said):
    book, _, path = saved(tmp_path, ["k", "a"])
    book.save(path)
    rewritten(
        path, tmp_path / "damaged.xlsx", "sheet1.xml", b't="s"><v>3</v>', b't="inlineStr"><is><t>a</t></is>'
    )
    rewritten(tmp_path / "damaged.xlsx", tmp_path / "d.xlsx", "sheet1.xml", old, new)
    with pytest.raises(SourceError, match="is not a workbook that can be read") as raised:
        read(tmp_path / "d.xlsx")
    assert said in str(raised.value)


def ods(tmp_path, rows, styles=""):
    path = tmp_path / "f.ods"
    names = " ".join(
        f'xmlns:{one}="urn:oasis:names:tc:opendocument:xmlns:{two}:1.0"'
        for one, two in (("office", "office"), ("table", "table"), ("text", "text"), ("style", "style"))
    )
    body = f'<table:table table:name="S">{rows}</table:table>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "content.xml",
            f'<office:document-content {names} xmlns:calcext="x"><office:automatic-styles>{styles}'
            f"</office:automatic-styles><office:body><office:spreadsheet>{body}</office:spreadsheet>"
            "</office:body></office:document-content>",
        )
    return path


def ods_row(*cells, more=""):
    return f"<table:table-row{more}>{''.join(cells)}</table:table-row>"


def ods_text(text, more=""):
    return f'<table:table-cell office:value-type="string"{more}><text:p>{text}</text:p></table:table-cell>'


def ods_cell(kind, value, shown="", more=""):
    name = {"date": "date-value", "time": "time-value", "boolean": "boolean-value"}.get(kind, "value")
    return (
        f'<table:table-cell office:value-type="{kind}" office:{name}="{value}"{more}>'
        f"<text:p>{shown or value}</text:p></table:table-cell>"
    )


ODS_HEAD = ods_row(ods_text("id"), ods_text("name"))
ODS_CELLS = [
    (ods_cell("time", "PT08H15M00S", "08:15"), "08:15:00"),
    (ods_cell("time", "PT26H15M00S", "26:15"), "26:15:00"),
    (ods_cell("date", "2026-03-14"), "2026-03-14"),
    (ods_cell("date", "2026-03-14T08:15:00"), "2026-03-14 08:15:00"),
    (ods_cell("float", "0.00000000012345", "0"), "0.00000000012345"),
    (ods_cell("float", "42", "00042"), "00042"),
    (ods_cell("float", "42", "42.00"), "42"),
    (ods_cell("currency", "1200", "$1,200.00", ' office:currency="USD"'), "USD 1200"),
    (ods_cell("boolean", "true", "TRUE"), "true"),
    (ods_text('two<text:s text:c="3"/>words'), "two   words"),
    (ods_text("a<office:annotation><text:p>a comment</text:p></office:annotation>"), "a"),
]


@pytest.mark.parametrize(("cell", "text"), ODS_CELLS)
def test_a_cell_of_an_open_document_keeps_its_value(tmp_path, cell, text):
    path = ods(tmp_path, ODS_HEAD + ods_row(ods_text("k"), cell))
    assert cells(read(path)[1]) == {2: ("k", text)}


def test_an_open_document_says_which_cells_hold_an_error(tmp_path):
    error = (
        '<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value=""'
        ' calcext:value-type="error"><text:p>#DIV/0!</text:p></table:table-cell>'
    )
    path = ods(tmp_path, ODS_HEAD + ods_row(ods_text("k"), error))
    assert [why for *_, why in notes(read(path)[1])] == ["is not read: B2 holds the error #DIV/0!"]


def test_repeated_rows_of_an_open_document_are_rows(tmp_path):
    twice = ods_row(ods_text("k"), ods_text("a"), more=' table:number-rows-repeated="2"')
    blank = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
    path = ods(tmp_path, ODS_HEAD + twice + blank)
    assert cells(read(path)[1]) == {2: ("k", "a"), 3: ("k", "a")}


def test_an_open_document_of_copies_is_refused(tmp_path):
    many = ods_row(
        ods_text("k", ' table:number-columns-repeated="16000"'), more=' table:number-rows-repeated="1048000"'
    )
    with pytest.raises(SourceError, match="cells are copies of others"):
        read(ods(tmp_path, ODS_HEAD + many))


def test_a_hidden_sheet_of_an_open_document_is_known(tmp_path):
    style = '<style:style style:name="h"><style:table-properties table:display="false"/></style:style>'
    rows = ODS_HEAD + ods_row(ods_text("k"), ods_text("a"))
    path = ods(
        tmp_path, rows + f'</table:table><table:table table:name="T" table:style-name="h">{rows}', style
    )
    source, blocks = read(path)
    assert remarks(source, blocks) == ["sheet 'T', which is hidden, is not read"]


TYPED = [
    ("string", 12345678901234567, True),
    ("number", 12345678901234567, False),
]


@pytest.mark.parametrize(("kind", "value", "refused"), TYPED)
def test_lost_digits_matter_in_texts_and_keys(tmp_path, kind, value, refused):
    book, _, path = saved(tmp_path, ["k", value])
    book.save(path)
    [block] = read(path)[1]
    fields = [field("id"), field("name", kind)]
    rows = to_rows(plan_of({"id": ["k"], "name": ["1"]}, fields), block, dataset(*fields))
    assert (rows.values["name"].null_count() == 1) is refused
