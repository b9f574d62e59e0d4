"""Delimited text: encodings, separators, headers, lines; and files that cannot be read."""

import gzip
import io
import os
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.tables import dataset, field

from daftari.errors import SourceError
from daftari.io.files import open_source
from daftari.rows.mapping.mapping import Mapping

KNOWN = dataset(field("id"), field("name"))


def read(path, known=KNOWN, **mapping):
    """Return facts, header, rows by line, malformed, blank and repeated records."""
    source = open_source(path, mapping=Mapping(dataset="d", **mapping), dataset=known)
    blocks = list(source.blocks())
    rows = {line: row for one in blocks for line, row in zip(one.lines, one.cells.rows(), strict=True)}
    malformed = [(record.line, record.reason) for one in blocks for record in one.malformed]
    skipped = (sum(one.blank for one in blocks), sum(one.repeated for one in blocks))
    return source, rows, malformed, skipped


def written(tmp_path, content, name="f.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


TEXT = "id,name\n1,Zoë\n2,naïve\n"
ENCODINGS = [
    ("utf-8", "utf-8 (all of it decodes)"),
    ("utf-8-sig", "utf-8 (byte order mark)"),
    ("utf-16", "utf-16-le (byte order mark)"),
    ("utf-16-le", "utf-16-le (every other byte is zero)"),
    ("utf-16-be", "utf-16-be (every other byte is zero)"),
    ("utf-32", "utf-32-le (byte order mark)"),
    ("cp1252", "cp1252 (not UTF-8; Windows-1252 is assumed)"),
]


@pytest.mark.parametrize(("encoding", "fact"), ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_are_found(tmp_path, encoding, fact, end):
    source, rows, malformed, _ = read(written(tmp_path, TEXT.replace("\n", end).encode(encoding)))
    assert source.facts["encoding"] == fact
    assert (rows, malformed) == ({2: ("1", "Zoë"), 3: ("2", "naïve")}, [])


def test_latin_1_is_the_last_resort(tmp_path):
    source, rows, _, _ = read(written(tmp_path, b"id,name\n1,a\x81b\xe9c\xe8d\xe0e\n"))
    assert source.facts["encoding"].startswith("latin-1")
    assert rows == {2: ("1", "a\x81bécèdàe")}


@pytest.mark.parametrize(("declared", "name"), [("cp1250", "Zoë"), ("utf-8", None)])
def test_the_declared_encoding_wins(tmp_path, declared, name):
    path = written(tmp_path, "id,name\n1,Zoë\n".encode("cp1250"))
    if name is not None:
        assert read(path, encoding=declared)[1] == {2: ("1", name)}
        return
    with pytest.raises(SourceError) as raised:
        read(path, encoding=declared)
    assert str(raised.value) == "f.csv:2: byte 12 is not utf-8 (declared)"


def test_an_encoding_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(SourceError, match="the declared encoding 'klingon' is unknown"):
        read(written(tmp_path, TEXT), encoding="klingon")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_found(tmp_path, separator):
    content = f"id{separator}name\n1{separator}a, b; c\n2{separator}x\n"
    if separator in ",;":
        content = content.replace("a, b; c", '"a, b; c"')
    source, rows, _, _ = read(written(tmp_path, content))
    assert source.facts["separator"] == {"\t": "tab"}.get(separator, separator)
    assert rows[2] == ("1", "a, b; c")


def test_decimal_commas_do_not_pass_for_separators(tmp_path):
    source, rows, malformed, _ = read(written(tmp_path, "x;y\n1,5;2,5\n3,5;4,5\n"), dataset())
    assert (source.facts["separator"], rows[2], malformed) == (";", ("1,5", "2,5"), [])


def test_the_declared_separator_wins(tmp_path):
    assert read(written(tmp_path, "id^name\n1^a,b\n"), separator="^")[1] == {2: ("1", "a,b")}


def test_a_repeated_header_in_other_letters_is_no_row_and_a_row_that_begins_like_it_is(tmp_path):
    _, rows, malformed, skipped = read(written(tmp_path, "id,name\n1,a\nID,NAME\nid,x\n2,b\n"))
    assert (sorted(rows), malformed, skipped) == ([2, 4, 5], [], (0, 1))


def test_without_known_names_names_beside_values_above_the_table_are_not_its_header(tmp_path):
    above = "STATEMENT\nCustomer:,A. N. Other\nPeriod:,March\n\n"
    path = written(tmp_path, above + "No,Time,Details,In,Out,Left\n" + "1,09:00,x,5,,5\n2,10:00,y,,3,2\n")
    source, rows, _, _ = read(path, known=dataset(field("other")))
    assert (source.header, sorted(rows)) == (("No", "Time", "Details", "In", "Out", "Left"), [6, 7])


def test_the_header_is_found_below_titles_by_its_names(tmp_path):
    content = "Spend in March,,\n,,\nprinted 2024-04-01,,\nid,name,x\n1,a,\n"
    source, rows, _, _ = read(written(tmp_path, content))
    assert (source.header, source.facts["header row"]) == (("id", "name", "x"), "line 4")
    assert rows == {5: ("1", "a", None)}


def test_the_declared_header_row_wins(tmp_path):
    source, rows, _, _ = read(written(tmp_path, "id,name\nnumber,word\n1,a\n"), header_row=2)
    assert (source.header, rows) == (("number", "word"), {3: ("1", "a")})


def test_a_header_again_and_blank_rows_are_skipped_and_counted(tmp_path):
    content = "id,name\n1,a\n\n ,\u00a0\nid,name\n2,b\n,\n"
    _, rows, malformed, skipped = read(written(tmp_path, content))
    assert (rows, malformed, skipped) == ({2: ("1", "a"), 6: ("2", "b")}, [], (3, 1))


def test_a_header_again_is_seen_though_the_first_has_a_second_byte_order_mark(tmp_path):
    content = "\ufeff\ufeffid,name\n1,a\n\ufeffid,name\n2,b\n"
    _, rows, _, skipped = read(written(tmp_path, content))
    assert (rows, skipped) == ({2: ("1", "a"), 4: ("2", "b")}, (0, 1))


def test_a_header_again_is_seen_where_its_first_column_has_no_name(tmp_path):
    _, rows, _, skipped = read(written(tmp_path, ",id,name\n,1,a\n,id,name\n,2,b\n"))
    assert (rows, skipped) == ({2: (None, "1", "a"), 4: (None, "2", "b")}, (0, 1))


def test_a_header_without_rows_is_no_rows(tmp_path):
    assert read(written(tmp_path, "id,name\n"))[1:] == ({}, [], (0, 0))


def test_columns_of_one_name_are_told_apart(tmp_path):
    assert read(written(tmp_path, "id,name,name,,id\n1,2,3,4,5\n"))[0].header == (
        "id",
        "name",
        "name (2)",
        "column 4",
        "id (2)",
    )


def test_nameless_columns_go_where_they_are_empty_and_make_a_row_malformed_where_not(tmp_path):
    source, rows, malformed, _ = read(written(tmp_path, "id,name,,\n1,a,,\n2,b,,x\n3,c, ,\n"))
    assert source.header == ("id", "name")
    assert rows == {2: ("1", "a"), 4: ("3", "c")}
    assert malformed == [(3, "has a value beyond column 2, under a column without a name")]


#: header, rows; which lines are rows, which are malformed and why
RAGGED = [
    ("id,name", ["1,a,", "2,b,"], [2, 3], []),
    ("id,name", ["1,a", "2,b,", "3,c, ,\u00a0"], [2, 3, 4], []),
    ("id,name,", ["1,a,", "2,b", "3,c,,"], [2, 3, 4], []),
    ("id,name", ["1,a", '2,b,""', '"3","c",'], [2, 3, 4], []),
    ("id,name", ["1,a" + 40 * ",", "2,b" + 20_000 * ","], [2, 3], []),
    ("id,name", ["1,a,x", "2,b,,x", "3", "4,d"], [5], [(2, 3), (3, 4), (4, 1)]),
    ("id,name,", ["1,a,,x", "2"], [], [(2, 4), (3, 1)]),
]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("header", "lines", "kept", "misfits"), RAGGED)
def test_empty_fields_beyond_the_header_are_accepted_and_counted(
    tmp_path, header, lines, kept, misfits, ending
):
    path = written(tmp_path, ending.join([header, *lines, ""]))
    source, rows, malformed, _ = read(path)
    assert list(rows) == kept
    assert [row[0] for row in rows.values()] == [str(line - 1) for line in kept]
    width = header.count(",") + 1
    said = [f"has {n} field{'s' * (n > 1)}; the header has {width}" for _, n in misfits]
    assert malformed == list(zip([line for line, _ in misfits], said, strict=True))
    remarks = [(it.kind, it.count, it.line) for block in source.blocks() for it in block.remarks]
    uneven = [line for line in kept if lines[line - 2].count(",") != header.count(",")]
    assert remarks == ([("empty_surplus", len(uneven), uneven[0])] if uneven else [])


def test_declared_names_replace_those_of_the_header(tmp_path):
    names = ("number", "word")
    wrong_header = written(tmp_path, "some title\n\nx,y\n1,a\n")
    assert read(wrong_header, header_row=3, columns=names)[1] == {4: ("1", "a")}
    assert read(wrong_header, header_row=3, columns=names)[0].header == names
    without = written(tmp_path, "1,a\n2,b\n")
    assert read(without, columns=names)[1] == {1: ("1", "a"), 2: ("2", "b")}
    named_anyway = written(tmp_path, "Number,Word\n1,a\n")
    assert read(named_anyway, columns=names)[1] == {2: ("1", "a")}
    too_short = written(tmp_path, "number\n1,a\n2,b\n")
    assert read(too_short, header_row=1, columns=names)[1] == {2: ("1", "a"), 3: ("2", "b")}


def test_the_header_is_in_the_line_that_the_mapping_says(tmp_path):
    content = 'id,"a title\nof two lines"\n' + 250 * "x\n" + "number,word\n1,a\n"
    source, rows, _, _ = read(written(tmp_path, content), header_row=253)
    assert (source.header, rows, source.left_out.header) == (("number", "word"), {254: ("1", "a")}, 253)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            {"header_row": 9},
            "f.csv: header_row is 9; no record begins in that line (the first 3 records are in lines 1 to 3)",
        ),
        ({"header_row": 1, "columns": ["a"]}, "f.csv: the mapping names 1 columns; most rows have 2"),
        ({"columns": ["a", "b", "c"]}, "f.csv: the mapping names 3 columns; most rows have 2"),
    ],
)
def test_a_declared_header_that_the_file_does_not_have_is_refused(tmp_path, declared, message):
    with pytest.raises(SourceError) as raised:
        read(written(tmp_path, "id,name\n1,a\n2,b\n"), **declared)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (",".join(f"c{n}" for n in range(1_000_000)) + "\n", "f.csv:1: the header has more than 1,048,576 characters"),
        (",".join(f"c{n}" for n in range(20_000)) + "\n", "f.csv: has 20,000 columns; at most 16,384 are read"),
        ("id,name\n1," + "x" * 20 * 2**20 + "\n2,b\n", "f.csv:2: the record that begins here is longer than 16 MiB, w"),
        ('id,name\n1,"' + "x\n" * 10 * 2**20, "f.csv:2: the record that begins here is longer than 16 MiB, or"),
    ],
)  # fmt: skip
def test_what_is_too_wide_or_too_long_is_said_to_be(tmp_path, content, message):
    with pytest.raises(SourceError) as raised:
        read(written(tmp_path, content))
    assert str(raised.value).startswith(message)


def test_a_value_over_several_lines_moves_the_lines_after_it(tmp_path):
    _, rows, malformed, _ = read(written(tmp_path, 'id,name\n1,"a\nb"\n2\n3,c\n'))
    assert rows == {2: ("1", "a\nb"), 5: ("3", "c")}
    assert malformed == [(4, "has 1 field; the header has 2")]


def test_the_preview_of_a_malformed_row_shows_its_shape_alone(tmp_path):
    source, *_ = read(written(tmp_path, "id,name\n12345678,Wanjiru,+254 700 000000\n"))
    (record,) = next(source.blocks()).malformed
    assert record.preview == "99999999,aaaaaaa,+999 999 999999"


def test_a_file_cut_within_its_last_row_loses_that_row_alone(tmp_path):
    _, rows, malformed, _ = read(written(tmp_path, 'id,name\n1,a\n2,"b'))
    assert (rows, malformed) == ({2: ("1", "a")}, [(3, "ends inside a quoted field: the file is cut")])


def test_a_quote_that_swallows_rows_is_refused(tmp_path):
    with pytest.raises(SourceError) as raised:
        read(written(tmp_path, 'id,name\n1,a\n2,"b\n3,c\n4,d\n'))
    assert str(raised.value).startswith("f.csv:3: a quoted field opens in this record and does not close")


def test_spaces_before_a_quote_do_not_keep_it_from_opening(tmp_path):
    assert read(written(tmp_path, 'id, name\n1, "a, b"\n'))[1] == {2: ("1", "a, b")}


def zipped(member):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo(member), "id,name\n")
    return gzip.compress(packed.getvalue(), mtime=0)


REFUSED = [
    (b"", "f.csv: is empty (0 bytes)"),
    (b"\n \n,,\n", "f.csv: holds no text"),
    (b"\xef\xbb\xbf", "f.csv: holds no text"),
    (b"<!DOCTYPE html><html><table>", "f.csv:1: is a web page or XML, whatever its name says"),
    (b"\xef\xbb\xbf\n <HTML>", "f.csv:1: is a web page or XML, whatever its name says"),
    (b"%PDF-1.7", "f.csv: is a PDF; a table was expected"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
        "f.csv: is locked with a password",
    ),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "f.csv: is not a workbook that can be read"),
    (b"PK\x03\x04 nothing", "f.csv: the archive is damaged"),
    (b"\x1f\x8b\x08 nothing", "f.csv: the archive is damaged"),
    (b"PAR1 nothing", "f.csv: is damaged"),
    (zipped("a.csv"), "f.csv: is a zip archive in another archive"),
    (zipped("[Content_Types].xml"), "f.csv: is an Office document without sheets"),
]


@pytest.mark.parametrize(("content", "message"), REFUSED)
def test_what_is_no_table_is_refused_with_file_and_reason(tmp_path, content, message):
    with pytest.raises(SourceError) as raised:
        read(written(tmp_path, content))
    assert str(raised.value).startswith(message)
    assert raised.value.hint


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"f\.csv: no such file"):
        read(tmp_path / "f.csv")


def test_standard_input_is_read_like_a_file(monkeypatch):
    class Stdin:
        buffer = io.BytesIO(TEXT.encode())

    monkeypatch.setattr(sys, "stdin", Stdin)
    source, rows, _, _ = read(Path("-"))
    assert source.name == "standard input"
    assert rows == {2: ("1", "Zoë"), 3: ("2", "naïve")}
    assert [block.cells.height for block in source.blocks()] == [2]  # and once more


def test_memory_is_flat_as_the_file_grows(tmp_path):
    """Ten times the rows take no more memory; measured in a process of its own."""
    script = """
import resource, sys
from pathlib import Path
from daftari.io.files import open_source
from tests.tables import dataset, field
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
source = open_source(Path(sys.argv[1]), block_bytes=2**20)
rows = sum(block.cells.height for block in source.blocks())
print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    line = ",".join(f"value {n}" for n in range(10)) + "\n"
    path = written(tmp_path, "a,b,c,d,e,f,g,h,i,j\n" + line * 400_000)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True, env=environment
    )
    rows, mebibytes = map(int, done.stdout.split())
    assert rows == 400_000
    assert path.stat().st_size > 30 * 2**20
    assert mebibytes < 100, resource.RUSAGE_SELF
