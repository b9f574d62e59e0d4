"""Whatever the bytes and the block size: rows, lines and malformed records are those of the csv module."""

import csv
import io

from hypothesis import example, given, settings
from hypothesis import strategies as st

from daftari.errors import SourceError
from daftari.io.delimited.layout import Layout
from daftari.io.delimited.rows import read_blocks
from daftari.rows.intake.block import WHITE_SPACE

HEADER = ("a", "b", "c")
PIECES = [
    "a",
    "b",
    "c",
    ",",
    ",",
    ",",
    "\n",
    "\n",
    "\r\n",
    "\r",
    '"',
    '""',
    '","',
    '"\n',
    " ",
    "x",
    "é",
    "\0",
    "\xa0",
    "\t",
]
texts = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
WELL_FORMED = ["a", "12", "", " ", '"x,y"', '"p""q"', '"two\nlines"', '""', "é", "a,b", "x,y,z"]
tables = st.lists(
    st.tuples(*[st.sampled_from(WELL_FORMED)] * 3).map(",".join) | st.sampled_from(["", ",,", ",", "a,b,c"]),
    max_size=30,
).map("\n".join)


def layout(header=HEADER):
    named = tuple(name for name in header if name)
    return Layout(name="f.csv", separator=",", columns=named, header=header, offset=0, first_line=1)


def read(text, size, header=HEADER):
    data = text.encode()
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    rows, malformed, skipped = [], [], 0
    for block in read_blocks(chunks, layout(header)):
        rows += zip(block.lines, block.cells.rows(), strict=True)
        malformed += [(one.line, one.reason) for one in block.malformed]
        skipped += block.blank + block.repeated
        cells = [cell for row in block.cells.rows() for cell in row if cell is not None]
        assert block.may_hold_nul or not any("\0" in cell for cell in cells)
    return rows, malformed, skipped


def first_record(lines):
    """Return fields, fault and physical lines of the first record of *lines*, by the csv module alone."""
    taken = 0

    def feed():
        nonlocal taken
        for line in lines:
            taken += 1
            yield line
        taken += 1  # more was wanted than there is

    try:
        return next(csv.reader(feed(), strict=True)), None, min(taken, len(lines))
    except csv.Error:
        fault = "cut" if taken > len(lines) else "has text after a closing quote"
        return [], fault, min(taken, len(lines))


def reason(fields, fault, line, spans):
    count = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
    said = fault or f"has {count}; the header has {len(HEADER)}"
    said = "ends inside a quoted field: the file is cut" if fault == "cut" else said
    return said if spans == 1 else f"{said} (lines {line} to {line + spans - 1})"


def is_blank(fields):
    return not any(field.strip(WHITE_SPACE) for field in fields)


def expected(text):
    """Read *text* a record at a time; None when a quote swallows lines and never closes."""
    lines = io.StringIO(text, newline="").readlines()
    rows, malformed, skipped, line = [], [], 0, 1
    while line <= len(lines):
        fields, fault, spans = first_record(lines[line - 1 :])
        if fault == "cut" and spans > 1:
            return None
        own, beyond = fields[: len(HEADER)], fields[len(HEADER) :]
        if not fault and (is_blank(fields) or (tuple(own) == HEADER and is_blank(beyond))):
            skipped += 1
        elif not fault and len(own) == len(HEADER) and is_blank(beyond):
            rows.append((line, tuple(field or None for field in own)))
        else:
            malformed.append((line, reason(fields, fault, line, spans)))
        line += spans
    return rows, malformed, skipped


def agree(text, size):
    wanted = expected(text)
    try:
        found = read(text, size)
    except SourceError:
        found = None
    assert found == wanted


@settings(max_examples=1500, deadline=None)
@given(texts, st.integers(1, 40))
@example("x,y,z\r\n,,\r\n1,2\r\n", 3)
@example('a,"b\r\n', 100)
@example("\r", 1)
@example("a,b,x" + 40 * "," + "\n", 100)
@example("a,b,x" + 40 * "," + "y\n", 100)
def test_any_text_is_read_as_the_csv_module_reads_it(text, size):
    agree(text, size)


@settings(max_examples=700, deadline=None)
@given(tables, st.integers(1, 200))
def test_a_table_with_quotes_is_read_as_the_csv_module_reads_it(text, size):
    agree(text, size)


@settings(max_examples=300, deadline=None)
@given(tables)
def test_every_record_is_a_row_or_malformed_or_skipped(text):
    lines = io.StringIO(text, newline="").readlines()
    try:
        rows, malformed, skipped = read(text, 50)
    except SourceError:
        return
    assert len(rows) + len(malformed) + skipped == len(list(csv.reader(lines)))


@settings(max_examples=300, deadline=None)
@given(tables, st.integers(1, 200))
@example("a,b,, ", 1)
def test_a_nameless_column_at_the_end_of_the_header_changes_nothing(text, size):
    found = []
    for header in [("a", "b"), ("a", "b", ""), ("a", "b", "", "")]:
        try:
            rows, malformed, skipped = read(text, size, header)
        except SourceError:
            rows, malformed, skipped = [], [], None
        found.append((rows, [line for line, _ in malformed], skipped))
    assert found[0] == found[1] == found[2]
