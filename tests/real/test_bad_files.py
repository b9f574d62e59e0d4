"""
Each file of `bad_files` is read right or refused with a message that names file, place and reason.

The expectations were taken from the files by eye, spreadsheets with another library; not from our reader.
"""

import csv
import hashlib
import re

import pytest

from daftari.contract.model import Dataset, Field, LogicalType
from daftari.errors import DaftariError, MappingError, SourceError
from daftari.io.files import open_source
from daftari.rows.formats.inference import infer_styles
from daftari.rows.intake.file_reading import start_reading, take
from daftari.rows.mapping.column_plan import resolve_columns
from daftari.rows.mapping.mapping import Mapping

FOLDER = "bad_files/frictionless"


def text_dataset(columns):
    """A dataset that knows *columns* as texts."""
    names = [name for name in columns if not name.startswith("column ")]
    fields = tuple(Field(name=name, logical_type=LogicalType.STRING, required=False) for name in names)
    return Dataset(name="d", fields=fields)


def read(path, known=(), **mapping):
    """Return header, rows with their lines, malformed (line, reason) and blank records."""
    dataset = text_dataset(known)
    source = open_source(path, mapping=Mapping(dataset="d", **mapping), dataset=dataset)
    rows, malformed, blank = [], [], 0
    for block in source.blocks():
        rows += zip(block.lines, block.cells.rows(), strict=True)
        malformed += [(one.line, one.reason) for one in block.malformed]
        blank += block.blank
    return source.header, rows, malformed, blank


#: file, columns separated by spaces or their number, rows, then one row's line and fingerprint: what the
#: files hold is not ours to repeat here
TABLES = [
    ("[table].csv", "id name", 2, 3, "4f6afd3f1cdb"),
    ("accent.csv", 17, 2, 2, ""),
    ("adjust-floating-point-error.xlsx", 4, 5, 2, "c7461494e78e"),
    ("analysis-data.csv", 11, 9, 2, ""),
    ("bom.csv", "id name", 2, 2, "a816e28d0614"),
    ("capital-3.csv", "id name", 5, 6, "b6f6bbc5d741"),
    ("cast-int-to-string-issue-1251.xlsx", "A B C D E", 2, 2, "940806b23c24"),
    ("chunk1.csv", "id name", 1, 2, "a816e28d0614"),
    ("chunk1.csv.zip", "id name", 1, 2, "a816e28d0614"),
    ("compression__explicit.csv.zip", "id name", 2, 3, "4f6afd3f1cdb"),
    ("countries-cleaned.csv", "id neighbor_id name population", 4, 5, "229157fb85f0"),
    ("country-2.csv", "id neighbor_id name population", 5, 3, "9d0169cff590"),  # a comment above the header
    ("country-3.csv", "id capital_id name population", 5, 2, "639985dbf760"),
    ("data.csv", "id name description amount", 2, 2, "20f69ca73ad1"),
    ("duplicate-rows.csv", "id name age", 3, 4, "95db792b764f"),
    ("infer__data2.csv", "parent comment", 3, 4, "c9846a967186"),
    ("issue-1066-largecellsize.csv", "Description status", 19, 2, ""),
    ("issue-1100.csv", "id timestamp", 2, 2, "44871c234535"),
    ("issue-1105-timezone.csv", "id timestamp", 2, 3, "bb54418e3a5b"),
    ("issue-1232.csv", 7, 5, 2, ""),
    ("issue-1341.csv", 51, 99, 2, ""),
    ("issue-277.csv", 71, 75, 2, ""),
    ("issue-905__bad.csv", "id name", 1, 2, "41ee6c2b0d51"),
    ("issue-905__ok1.csv", "id name", 1, 2, "7dac983e084e"),
    ("issue-991.csv", 3, 1, 2, "7d86b02fd952"),
    ("long.csv", "id name", 6, 7, "155b96e76815"),
    ("nested.csv", "id cat name", 4, 2, "b4e6e02d5444"),
    ("package__data2.csv", "parent comment", 3, 2, "b3523a31cef3"),
    ("preserve-formatting-percentage.xlsx", "col1 col2", 3, 2, "fee7e66b6c2a"),
    ("primary-file-types.csv", "id integer_minmax boolean", 2, 3, "cfbe4bc4f84d"),
    ("sheet2.xls", "id name", 2, 3, "4f6afd3f1cdb"),
    ("sheet2.xlsx", "id name", 2, 3, "4f6afd3f1cdb"),
    ("skip-rows-before-headers.csv", "id name", 2, 3, "a816e28d0614"),
    ("table-infer-boolean.xlsx", "number string boolean", 2, 2, "a3424ba2c223"),
    ("table-infer-missing-values.csv", "id age name", 7, 3, "ac080649b88b"),
    ("table-infer.csv", "id age name", 4, 2, "e2344eb6638f"),
    ("table-output.csv", "id name", 2, 3, "070a1bfb7d2f"),
    ("table-output.ods", "id name", 2, 3, "070a1bfb7d2f"),
    ("table-unicode-headers.csv", "id 国人", 2, 2, "a816e28d0614"),
    ("table-with-accents.csv", 8, 638, 2, ""),
    ("table-with-booleans.ods", "id boolean", 2, 3, "7cf636c2006d"),
    ("table-with-booleans.xls", "id boolean", 2, 3, "7cf636c2006d"),
    ("table-with-ints-floats-dates.xls", "Int Float Date", 3, 2, "024cf254cc05"),
    ("table.csv.bz2", "id name", 2, 3, "4f6afd3f1cdb"),
    ("table.csv.gz", "id name", 2, 3, "4f6afd3f1cdb"),
    ("table.ods", "id name", 2, 3, "4f6afd3f1cdb"),
    ("table.xlsx", "id name", 2, 3, "4f6afd3f1cdb"),  # the other sheet has no known header
    ("tables__chunk2.csv", "id name", 1, 2, "4f6afd3f1cdb"),
    ("timezone-with-id.csv", "id datetime time", 4, 2, "237676982ff0"),
    ("timezone.csv", "datetime time", 4, 5, "69220e83c599"),
    ("transpose.csv", "id 1 2 3", 2, 2, "40716f603e63"),
    ("unique-field.csv", "id name slug", 9, 10, "d215214243ec"),
    ("zipped-resources__ogd10_energieforschungstatistik_ch.csv", 6, 2311, 2, "01f9e59bd9be"),
    ("capitals.csv", "id cid name", 5, 2, "dc028c813a7f"),
]

#: file, columns, rows, malformed records, blank records: what is not a row, told line by line
UNEVEN = [
    ("blank-headers.csv", ("id", "column 2", "age"), 2, [], 0),
    ("blank-rows-no-fields.csv", ("id", "name", "age"), 2, [], 1),
    (
        "countries.csv",
        ("id", "neighbor_id", "name", "population"),
        3,
        [(4, "has 5 fields; the header has 4"), (7, "has 1 field; the header has 4")],
        0,
    ),
    (
        "defective-rows.csv",
        ("id", "name", "age"),
        0,
        [(2, "has 2 fields; the header has 3"), (3, "has 4 fields; the header has 3")],
        0,
    ),
    ("duplicate-headers.csv", ("id", "name", "id (2)", "age", "id (3)"), 2, [], 0),
    ("escaping.csv", ("ID", "Test"), 2, [(4, "has text after a closing quote")], 0),  # `\"` is not CSV
    (
        "invalid.csv",
        ("id", "name", "column 3", "name (2)"),
        0,
        [
            (2, "has 2 fields; the header has 4"),
            (3, "has 2 fields; the header has 4"),
            (5, "has 5 fields; the header has 4"),
        ],
        1,
    ),
    ("invalid__data.csv", ("id", "name", "description", "amount"), 2, [], 1),
    (
        "issue-1004-data1.csv",
        ("id", "neighbor_id", "name", "population"),
        3,
        [(3, "has 5 fields; the header has 4"), (6, "has 1 field; the header has 4")],
        0,
    ),
    (
        "issue-312.xlsx",
        ("id", "name", "column 3", "name (2)"),
        3,
        [(6, "has a value beyond column 4, under a column without a name")],
        1,
    ),
    ("skip-blank-at-the-end.csv", ("test1", "test2"), 1, [(2, "has 1 field; the header has 2")], 1),
    ("skip-rows.csv", ("id", "name"), 2, [(4, "has 1 field; the header has 2")], 0),
]

#: A header and nothing below it: no rows, and no error either.
HEADER_ONLY = [
    ("merged-cells.xls", ("data",)),
    ("merged-cells.xlsx", ("data",)),
    ("without-rows.csv", ("id", "name")),
    ("fixtures__template.xlsx", ("abc", "xyz", "string", "number", "integer", "boolean")),
]

REFUSED = [
    ("empty.csv", (), "empty.csv: is empty (0 bytes)"),
    (
        "sheets.xlsx",
        ("id", "name"),
        "sheets.xlsx: has 3 sheets with rows (Sheet1, Sheet2, Sheet3); one was expected",
    ),
]

#: file, width, rows: files without a header are refused until the mapping says so
HEADLESS = [
    ("chunk2.headless.csv", 2, 1),
    ("chunk3.csv", 2, 1),
    ("issue-1478__table.csv", 4, 10),
    ("without-headers.csv", 2, 3),
]

#: what stands apart, each with a test of its own below
APART = ["issue-1024.xlsx", "table-infer-iso-8859-7.csv"]


def fingerprint(cells):
    return hashlib.sha256("\x1f".join(cell or "" for cell in cells).encode()).hexdigest()[:12]


def names(columns):
    return tuple(columns.split()) if isinstance(columns, str) else ()


@pytest.mark.parametrize(
    ("file", "columns", "rows", "line", "digest"), TABLES, ids=[one[0] for one in TABLES]
)
def test_a_table_is_read_whole(real_data, file, columns, rows, line, digest):
    header, found, malformed, blank = read(real_data / FOLDER / file, names(columns))

    assert len(header) == columns if isinstance(columns, int) else header == names(columns)
    assert (len(found), malformed, blank) == (rows, [], 0)
    assert line in dict(found)
    assert not digest or fingerprint(dict(found)[line]) == digest


@pytest.mark.parametrize(
    ("file", "columns", "rows", "malformed", "blank"), UNEVEN, ids=[one[0] for one in UNEVEN]
)
def test_what_is_no_row_is_told_by_line_and_reason(real_data, file, columns, rows, malformed, blank):
    header, found, told, skipped = read(real_data / FOLDER / file, columns)
    assert (header, len(found), told, skipped) == (columns, rows, malformed, blank)


@pytest.mark.parametrize(("file", "columns"), HEADER_ONLY)
def test_a_header_alone_is_no_rows_and_no_error(real_data, file, columns):
    assert read(real_data / FOLDER / file, columns) == (columns, [], [], 0)


@pytest.mark.parametrize(("file", "columns", "message"), REFUSED)
def test_what_cannot_be_read_is_refused_with_the_reason(real_data, file, columns, message):
    with pytest.raises(SourceError) as raised:
        read(real_data / FOLDER / file, columns)
    assert str(raised.value) == message
    assert raised.value.hint


@pytest.mark.parametrize(("file", "width", "rows"), HEADLESS)
def test_a_file_without_header_is_refused_until_the_mapping_names_its_columns(real_data, file, width, rows):
    path = real_data / FOLDER / file
    wanted = ("id", "name", "c", "d")[:width]
    required = tuple(Field(name=name, logical_type=LogicalType.STRING, required=True) for name in wanted)
    dataset = Dataset(name="d", fields=required)
    with pytest.raises(MappingError, match=f"^{re.escape(file)}: no column for id, name"):
        resolve_columns(None, open_source(path, dataset=dataset).header, dataset, file=file)

    header, found, malformed, _ = read(path, wanted, header_row=0, columns=wanted)
    assert (header, len(found), malformed) == (wanted, rows, [])
    assert found[0][0] == 1


def test_the_header_of_a_report_stands_below_its_titles(real_data):
    columns = ("Country", "Level 1 Name", "Area", "Area ID", "Analysis Name")
    _, found, malformed, blank = read(real_data / FOLDER / "issue-1024.xlsx", columns)

    assert len(found) == 48  # 46 areas, a disclaimer, a source
    assert found[1][0] == 14
    assert fingerprint(found[1][1][:4]) == "b8dc4f5315b0"
    assert (found[-1][0], malformed, blank) == (64, [], 4)


def test_letters_of_another_alphabet_need_the_encoding_declared(real_data):
    path = real_data / FOLDER / "table-infer-iso-8859-7.csv"
    with pytest.raises(SourceError, match="is not UTF-8, and its bytes do not look like Windows-1252 either"):
        open_source(path)
    _, found, _, _ = read(path, ("id", "age", "name"), encoding="iso-8859-7")
    assert [fingerprint(cells) for _, cells in found] == [
        "03a3fc3d08cc",
        "a46eb3d0e1d4",
        "db7acd06515f",
        "9996ef9e8053",
    ]


def test_every_file_has_an_expectation(real_data):
    told = [one[0] for table in (TABLES, UNEVEN, HEADER_ONLY, REFUSED, HEADLESS) for one in table]
    assert sorted([*told, *APART]) == sorted(path.name for path in (real_data / FOLDER).iterdir())


def test_rows_and_columns_are_those_of_the_manifest(real_data):
    with (real_data / "MANIFEST.csv").open(newline="") as file:
        listed = {row["path"]: row for row in csv.DictReader(file) if row["path"].startswith(FOLDER)}
    #: The manifest takes the first line for the header; these begin with a comment.
    commented = {"countries.csv", "country-2.csv", "skip-rows.csv", "skip-rows-before-headers.csv"}
    for path, row in listed.items():
        name = path.rpartition("/")[2]
        if not row["rows"] or name in commented:
            continue
        declared = {"encoding": "iso-8859-7"} if "iso-8859-7" in name else {}
        header, found, malformed, _ = read(real_data / path, **declared)
        assert (len(header), len(found) + len(malformed)) == (int(row["cols"]), int(row["rows"])), name


@pytest.mark.parametrize("strictness", [True, False])
def test_no_file_ends_in_another_error_than_ours(real_data, strictness):
    for path in sorted((real_data / FOLDER).iterdir()):
        kinds = list(LogicalType)
        fields = tuple(
            Field(name=name, logical_type=kinds[n % len(kinds)], required=strictness)
            for n, name in enumerate(("id", "name", "age", "amount", "date", "value", "time", "boolean"))
        )
        dataset = Dataset(name="d", fields=fields)
        try:
            source = open_source(path, dataset=dataset)
            plan = infer_styles(resolve_columns(None, source.header, dataset), source.blocks())
            reading = start_reading(plan, dataset)
            for block in source.blocks():
                _, reading = take(reading, block)
        except DaftariError as error:
            assert str(error)
