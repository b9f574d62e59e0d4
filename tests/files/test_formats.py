"""Workbooks, Parquet, JSON and archives give the same cells as text does."""

import bz2
import datetime as dt
import gzip
import json
import lzma
import zipfile
from decimal import Decimal

import openpyxl
import polars as pl
import pytest
from tests.tables import dataset, field

from daftari.errors import SourceError
from daftari.io.files import open_source, unpack
from daftari.io.load.file_digest import file_digest
from daftari.rows.mapping.mapping import Mapping

KNOWN = dataset(field("id"), field("name"))
CSV = b"id,name\n1,a\n2,b\n"


def read(path, known=KNOWN, **mapping):
    source = open_source(path, mapping=Mapping(dataset="d", **mapping), dataset=known)
    blocks = list(source.blocks())
    rows = {line: row for one in blocks for line, row in zip(one.lines, one.cells.rows(), strict=True)}
    return source, rows, [(record.line, record.reason) for one in blocks for record in one.malformed]


PACKERS = [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]


@pytest.mark.parametrize(("suffix", "pack"), PACKERS)
def test_a_packed_file_is_read_like_a_plain_one(tmp_path, suffix, pack):
    path = tmp_path / f"f.csv.{suffix}"
    path.write_bytes(pack(CSV))
    source, rows, _ = read(path)
    assert rows == {2: ("1", "a"), 3: ("2", "b")}
    assert source.sha256 == file_digest(path)  # of the bytes as given
    assert source.name == path.name


def zipped(tmp_path, members):
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_the_only_file_of_an_archive_is_read(tmp_path):
    path = zipped(tmp_path, {"a/": b"", "a/f.csv": CSV, "__MACOSX/f.csv": b"x", ".DS_Store": b"x"})
    source, rows, _ = read(path)
    assert len(rows) == 2
    assert source.facts["packing"] == "zip (a/f.csv)"


def test_of_several_files_the_mapping_names_one(tmp_path):
    path = zipped(tmp_path, {"a.csv": CSV, "b.csv": CSV + b"3,c\n"})
    with pytest.raises(SourceError, match=r"f\.zip: holds 2 files \(a\.csv, b\.csv\); one was expected"):
        read(path)
    assert len(read(path, member="b.csv")[1]) == 3
    with pytest.raises(SourceError, match=r"f\.zip: holds no 'c\.csv'"):
        read(path, member="c.csv")


def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "RATIO_FROM_BYTES", 2**20)
    for path in (zipped(tmp_path, {"f.csv": bytes(8 * 2**20)}), tmp_path / "f.gz"):
        if path.suffix == ".gz":
            path.write_bytes(gzip.compress(bytes(8 * 2**20)))
        with pytest.raises(SourceError, match="it looks like a bomb"):
            read(path)


def test_a_cut_archive_is_refused(tmp_path):
    path = tmp_path / "f.csv.gz"
    path.write_bytes(gzip.compress(CSV * 1000)[:-20])
    with pytest.raises(SourceError, match=r"f\.csv\.gz: the archive is damaged"):
        read(path)


def workbook(tmp_path, sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    path = tmp_path / "f.xlsx"
    book.save(path)
    return path


CELLS = [
    (1, "1"),
    (1.0, "1"),
    (0.1 + 0.2, "0.3"),  # as the sheet shows it
    (99.99, "99.99"),
    (1e15, "1000000000000000"),
    (True, "true"),
    (dt.date(2024, 3, 7), "2024-03-07"),
    (dt.time(9, 5), "09:05:00"),
    ("  x ", "  x "),
    ("#REF!", "#REF!"),
]


@pytest.mark.parametrize(("cell", "text"), CELLS)
def test_a_cell_is_canonical_text(tmp_path, cell, text):
    path = workbook(tmp_path, {"S": [("id", "name"), ("k", cell)]})
    assert read(path)[1] == {2: ("k", text)}


def test_a_moment_keeps_its_time_and_a_midnight_is_a_day(tmp_path):
    moments = [dt.datetime(2024, 3, 7), dt.datetime(2024, 3, 8, 9, 5)]
    path = workbook(tmp_path, {"S": [("id", "name"), *((n, one) for n, one in enumerate(moments))]})
    assert [row[1] for row in read(path)[1].values()] == ["2024-03-07", "2024-03-08 09:05:00"]


def test_an_error_cell_is_not_an_empty_one(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(("id", "name"))
    book.active.append((1, "#DIV/0!"))
    book.active["B2"].data_type = "e"
    book.save(tmp_path / "f.xlsx")
    assert read(tmp_path / "f.xlsx")[1] == {2: ("1", "#DIV/0!")}


def test_titles_blank_and_merged_cells_keep_the_sheet_s_row_numbers(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["B3"] = "Spend in March"
    sheet.merge_cells("B3:C3")
    sheet["B5"], sheet["C5"] = "id", "name"
    sheet["B6"], sheet["C6"] = 1, "a"
    sheet["B8"], sheet["C8"] = 2, "b"
    book.save(tmp_path / "f.xlsx")
    source, rows, _ = read(tmp_path / "f.xlsx")
    assert source.facts["header row"] == "line 5"
    assert rows == {6: ("1", "a"), 8: ("2", "b")}


def test_the_sheet_with_the_known_header_is_read(tmp_path):
    path = workbook(tmp_path, {"Notes": [("read", "me")], "Data": [("id", "name"), (1, "a")], "Empty": []})
    source, rows, _ = read(path)
    assert (source.facts["sheet"], rows) == ("Data", {2: ("1", "a")})


def test_of_sheets_alike_the_mapping_names_one(tmp_path):
    table = [("id", "name"), (1, "a")]
    path = workbook(tmp_path, {"Jan": table, "Feb": table})
    with pytest.raises(SourceError, match=r"has 2 sheets with rows \(Jan, Feb\); one was expected"):
        read(path)
    assert read(path, sheet="Feb")[0].facts["sheet"] == "Feb"
    with pytest.raises(SourceError, match="has no sheet 'Mar'; it has 'Jan', 'Feb'"):
        read(path, sheet="Mar")


PARQUET = [
    (pl.Series([1, None]), ["1", None]),
    (pl.Series([1.5, 1e-7]), ["1.5", "0.0000001"]),
    (pl.Series([0.1, 1e21]), ["0.1", "1000000000000000000000"]),
    (pl.Series([Decimal("1.10"), Decimal("-2.25")]), ["1.10", "-2.25"]),
    (pl.Series([True, False]), ["true", "false"]),
    (pl.Series([dt.date(2024, 3, 7)]), ["2024-03-07"]),
    (pl.Series([dt.datetime(2024, 3, 7, 9, 5)]), ["2024-03-07T09:05:00"]),
    (pl.Series([dt.datetime(2024, 3, 7, 9, 5, tzinfo=dt.UTC)]), ["2024-03-07T09:05:00Z"]),
    (pl.Series([dt.time(9, 5)]), ["09:05:00"]),
    (pl.Series(["", "x"]), [None, "x"]),
    (pl.Series([["a", "b"]]), ['["a", "b"]']),
]


@pytest.mark.parametrize(("column", "texts"), PARQUET)
def test_a_parquet_column_is_canonical_text(tmp_path, column, texts):
    path = tmp_path / "f.parquet"
    pl.DataFrame({"id": [str(n) for n in range(len(column))], "name": column}).write_parquet(path)
    _, rows, _ = read(path)
    assert [row[1] for row in rows.values()] == texts
    assert list(rows) == list(range(1, len(texts) + 1))


RECORDS = [{"id": 1, "name": "a"}, {"id": 2.50, "extra": True}, {"id": None, "name": {"x": [1, 2.0]}}]
CELLS_OF_RECORDS = {
    1: ("1", "a", None),
    2: ("2.5", None, "true"),
    3: (None, '{"x": [1, 2.0]}', None),
}
JSONS = [
    ("f.json", json.dumps(RECORDS)),
    ("f.json", json.dumps(RECORDS, indent=2)),
    ("f.json", json.dumps({"page": 1, "items": RECORDS})),
    ("f.jsonl", "\n".join(map(json.dumps, RECORDS))),
    ("f.ndjson", "\ufeff" + "\r\n".join(map(json.dumps, RECORDS))),
    ("f.csv", json.dumps(RECORDS)),  # content beats the name
]


@pytest.mark.parametrize(("name", "text"), JSONS)
def test_json_in_its_three_shapes_gives_the_same_rows(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    source, rows, malformed = read(path)
    assert source.header == ("id", "name", "extra")
    assert (rows, malformed) == (CELLS_OF_RECORDS, [])


def test_a_file_is_what_it_holds_and_not_what_it_is_called(tmp_path):
    for name, content, said in (
        ("march.csv", b"<!DOCTYPE html><html><body>please log in</body></html>", "is a web page or XML"),
        ("march.xlsx", b"%PDF-1.7 ...", "a table was expected"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceError, match=said):
            read(tmp_path / name)
    (tmp_path / "march.xls").write_bytes(CSV)
    source, rows, _ = read(tmp_path / "march.xls")
    assert (source.facts["format"], len(rows)) == ("delimited text", 2)


def test_a_member_of_an_archive_whose_name_is_a_path_stays_inside(tmp_path):
    inside = tmp_path / "inbox"
    inside.mkdir()
    path = zipped(inside, {"../../escaped.csv": CSV})
    _, rows, _ = read(path)
    assert len(rows) == 2
    assert [it.name for it in tmp_path.rglob("*")] == ["inbox", "f.zip"]


def test_a_sheet_that_names_an_outside_entity_is_refused(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("s3cret")
    book = openpyxl.Workbook()
    book.active.append(["id", "name"])
    book.active.append(["1", "&x;"])
    book.save(tmp_path / "plain.xlsx")
    path = tmp_path / "spoilt.xlsx"
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as plain, zipfile.ZipFile(path, "w") as spoilt:
        for member in plain.namelist():
            content = plain.read(member)
            if member.endswith(("sheet1.xml", "sharedStrings.xml")):
                entity = f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]>'.encode()
                content = content.replace(b"&amp;x;", b"&x;")
                head, mark, rest = content.partition(b"?>")
                content = head + mark + entity + rest if mark else entity + content
            spoilt.writestr(member, content)
    with pytest.raises(SourceError, match="its XML has a document type"):
        read(path)
