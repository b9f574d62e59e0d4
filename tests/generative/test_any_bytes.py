"""
Whatever bytes arrive: rows and records accounted for, or a refusal in our own words. Never another error.

`DAFTARI_BYTES_EXAMPLES` is how many damaged files are tried.
"""

import bz2
import gzip
import io
import json
import lzma
import os
import tempfile
import unicodedata
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.tables import dataset, field, rows_of

from daftari.contract.model import LogicalType
from daftari.errors import DaftariError
from daftari.io.files import open_source
from daftari.rows.formats.inference import infer_styles
from daftari.rows.formats.late_evidence import StyleChanged
from daftari.rows.intake.file_reading import start_reading, take
from daftari.rows.mapping.clean_text import INVISIBLE
from daftari.rows.mapping.column_plan import resolve_columns

EXAMPLES = int(os.environ.get("DAFTARI_BYTES_EXAMPLES", "300"))
MAGICS = [
    b"",
    b"",
    b"",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"BZh9",
    b"PAR1",
    b"[{",
    b"{",
]
PIECES = [
    b"x,y\n",
    b"1,2\n",
    b"a",
    b",",
    b";",
    b"\t",
    b"|",
    b"\n",
    b"\r\n",
    b"\r",
    b'"',
    b"\0",
    b"\x81",
    b"\xe9",
    b" ",
]
NAMES = ["f.csv", "f.json", "f.jsonl", "f.xlsx", "f.parquet", "f"]
WHOLE = dataset(*(field(kind.value, kind.value) for kind in LogicalType), field("x"), field("y", "number"))

soups = st.builds(
    lambda magic, pieces, tail: magic + b"".join(pieces) + tail,
    st.sampled_from(MAGICS),
    st.lists(st.sampled_from(PIECES), max_size=40),
    st.binary(max_size=40),
)


def load(content, name, whole=WHOLE):
    """Read a file of *content* the whole way; return its reading, with rows and skipped records."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        source = open_source(path, dataset=whole, block_bytes=16)
        plan = infer_styles(resolve_columns(None, source.header, whole, file=name), source.blocks())
        try:
            return taken(source, plan, whole)
        except StyleChanged:
            return taken(source, infer_styles(plan, source.blocks(), whole=True), whole)


def taken(source, plan, whole):
    reading = start_reading(plan, whole)
    for block in source.blocks():
        rows, reading = take(reading, block)
        assert rows.values.height == rows.text.height == len(rows.lines)
    return reading


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(soups, st.sampled_from(NAMES))
def test_any_bytes_are_rows_or_a_refusal(content, name):
    try:
        load(content, name)
    except DaftariError as error:
        assert str(error)


PERSON = "Wanjiku4711"
TABLE = f"ref,name,amount,day\nR1,{PERSON},12.50,2026-03-14\nR2,{PERSON} x,3.50,2026-03-15\n"


def in_memory(write):
    out = io.BytesIO()
    write(out)
    return out.getvalue()


def as_workbook(out):
    book = openpyxl.Workbook()
    for line in TABLE.splitlines():
        book.active.append(line.split(","))
    book.save(out)


def as_zip(out):
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("f.csv", TABLE)


RECORD = json.dumps(dict(zip(*(line.split(",") for line in TABLE.splitlines()[:2]), strict=True)))
WORKBOOK, ZIP = in_memory(as_workbook), in_memory(as_zip)
#: Files of every format, and what is left of files: nothing, a mark, a header, totals, half a character.
SEEDS = [
    *(TABLE.encode(codec) for codec in ("utf-8", "utf-16", "utf-16-le")),
    WORKBOOK,
    ZIP,
    in_memory(lambda out: pl.read_csv(TABLE.encode()).write_parquet(out)),
    f"[{RECORD},{RECORD}]".encode(),
    f"{RECORD}\n{RECORD}\n".encode(),
    *(gzip.compress(one) for one in (TABLE.encode(), ZIP, WORKBOOK, b"")),
    bz2.compress(TABLE.encode()),
    lzma.compress(TABLE.encode()),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    *(b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", bytes(100)),
    b"ref,name,amount,day\n",
    b"ref,name,amount,day\nTotal,,5.00,\n",
    b"ref\0,name\nR1,a\0b\n",
    b"\xff\xfe\x00\xd8",
    "ref,name\n".encode("utf-16") + b"\x00\xd8",
    *(b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"PAR1", b"PAR1PAR1"),
    *(b"[", b"{", b"[]", b"{}", b"[{}]", b'{"a":[]}', b"\x80", b"\r", b"\n", b'"', b",", b"null", b"1"),
]
#: What happens to a file on its way.
DAMAGE = st.one_of(
    st.integers(0, 9999).map(lambda at: lambda file: file[: at % (len(file) + 1)]),
    st.tuples(st.integers(0, 9999), st.integers(1, 200)).map(
        lambda cut: lambda file: file[: cut[0] % (len(file) + 1)] + file[cut[0] % (len(file) + 1) + cut[1] :]
    ),
    st.tuples(st.integers(0, 9999), st.binary(min_size=1, max_size=12)).map(
        lambda more: (
            lambda file: file[: more[0] % (len(file) + 1)] + more[1] + file[more[0] % (len(file) + 1) :]
        )
    ),
    st.just(gzip.compress),
    st.sampled_from(SEEDS).map(lambda other: lambda file: file + other),
)
ENDINGS = ["csv", "tsv", "xlsx", "xlsm", "xls", "xlsb", "ods", "json", "jsonl", "parquet", "csv.gz", "zip"]
PEOPLE = dataset(
    field("ref", key=True),
    field("name", required=True),
    field("amount", "number", "numeric(14,2)"),
    field("day", "date"),
)
#: As docs/reference/errors.md has them: source_unreadable and mapping_invalid.
UNREADABLE, UNMAPPED = 20, 21


def refusal(content, name, whole=PEOPLE):
    """Read a file; return why it is refused, None if it is not."""
    try:
        load(content, name, whole)
    except DaftariError as error:
        return error
    return None


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SEEDS), st.lists(DAMAGE, max_size=2), st.sampled_from(ENDINGS))
def test_a_damaged_file_is_rows_or_a_refusal_without_its_bytes_and_values(content, damages, ending):
    for damage in damages:
        content = damage(content)
    error = refusal(content, f"f.{ending}")
    if error is not None:
        assert error.exit_code in (UNREADABLE, UNMAPPED)
        said = f"{error} {error.hint}"
        assert said.replace("\n", " ").isprintable()
        assert PERSON not in said


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300), st.sampled_from(["xlsx", "xlsm", "xls", "xlsb", "ods", "parquet", "csv.gz"]))
def test_random_bytes_are_no_workbook_whatever_their_name_says(content, ending):
    error = refusal(content, f"f.{ending}")
    assert error is not None
    assert error.exit_code == UNREADABLE or ending == "csv.gz"
    assert f"{error} {error.hint}".replace("\n", " ").isprintable()


cells = st.text(
    st.characters(codec="utf-8", exclude_characters='",\r\n', exclude_categories=["Cs"]), max_size=8
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(cells, min_size=1, max_size=4).map(",".join), max_size=20))
def test_every_line_of_a_text_without_quotes_is_accounted_for(lines):
    text = "\n".join(["x,y", *lines, ""])
    try:
        reading = load(text.encode(), "f.csv")
    except DaftariError:
        return
    counted = reading.rows + reading.malformed + reading.left_out.rows
    assert counted == len(lines)


VALUES = st.one_of(
    st.from_regex(r"\A[-+(]?[0-9.,' ]{0,12}[)%-]?\Z"),
    st.dates().map(str),
    st.datetimes().map(str),
    st.from_regex(r"\A[0-9]{1,2}[/. -][0-9A-Za-z]{1,3}[/. -][0-9]{2,4}\Z"),
    st.text(max_size=8),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=8), st.sampled_from(list(LogicalType)))
@example(["'0", '="x"', "2026-03-01"], LogicalType.DATE)
def test_a_cell_is_a_value_or_missing_or_kept_as_unreadable_text(texts, kind):
    try:
        rows = rows_of({"f": texts}, [field("f", kind.value)])
    except DaftariError:
        return
    for text, found, value in zip(texts, rows.text["f"], rows.values["f"], strict=True):
        if found is None:
            assert value is None
        if value is None and found is not None:
            assert "f" in rows.unreadable
            assert _seen(found) == _seen(text)


def _seen(text):
    """What a person sees of *text*: letters, digits and marks, in one Unicode form."""
    composed = unicodedata.normalize("NFC", INVISIBLE.sub("", text))
    return "".join(composed.split())
