"""Whatever bytes arrive: rows and records accounted for, or a refusal in our own words. Never another error."""

import tempfile
import unicodedata
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.tables import dataset, field, rows_of

from daftari.contract.model import LogicalType
from daftari.errors import DaftariError
from daftari.io.files import open_source
from daftari.rows.formats.inference import infer_styles
from daftari.rows.intake.file_reading import start_reading, take
from daftari.rows.mapping.clean_text import INVISIBLE
from daftari.rows.mapping.column_plan import resolve_columns

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


def load(content, name):
    """Read a file of *content* the whole way; return its reading, with rows and skipped records."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        source = open_source(path, dataset=WHOLE, block_bytes=16)
        plan = infer_styles(resolve_columns(None, source.header, WHOLE, file=name), source.blocks())
        reading = start_reading(plan, WHOLE)
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
