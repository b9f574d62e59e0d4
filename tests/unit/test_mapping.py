"""A source mapping: what it may say, what it does to cells, and how its faults are told."""

from pathlib import Path

import pytest
from tests.tables import field, plan_of, rows_of

from daftari.errors import MappingError
from daftari.rows.mapping.mapping_reader import read_mapping

FAULTS = [
    ("dataset: d\nfields:\n  x: {form: y}\n", "m.yaml:3: fields.x.form: unknown name"),
    ("fields: {}\n", "m.yaml:1: dataset: field required"),
    ("dataset: d\nseparator: ',,'\n", "m.yaml:2: separator: string should have at most 1 character"),
    (
        "dataset: d\nfields:\n  x:\n    from: a\n    constant: b\n",
        "m.yaml:3: fields.x: expected one source; found from and constant",
    ),
    (
        "dataset: d\nfields:\n  x:\n    from: a\n    format: MM/YYYY\n",
        "m.yaml:5: fields.x: date format 'MM/YYYY' has no day",
    ),
    ("- a\n", "m.yaml:1: not a mapping; expected `dataset:` and `fields:`"),
    ("dataset: d\nfields: {x: [\n", "m.yaml:3: not valid YAML: "),
    (
        "dataset: d\nfields:\n  x:\n    unit: much\n",
        "m.yaml:4: fields.x.unit: input should be a valid decimal",
    ),
    ("dataset: d\ntimezone: Mars/Olympus\n", "m.yaml:2: timezone: 'Mars/Olympus' is not an IANA time zone"),
    (
        "dataset: d\nfields:\n  x: {from: a, part: '('}\n",
        "m.yaml:3: fields.x.part: is not a regular expression",
    ),
    ("dataset: d\nfields:\n  x: {from: a, part: 'a'}\n", "m.yaml:3: fields.x.part: has no group"),
    (
        "dataset: d\nfields:\n  x: {from: a, part: '(?=a)(b)'}\n",
        "m.yaml:3: fields.x.part: is not a regular expression (look-around",
    ),
    (
        "dataset: d\nfields:\n  x: {from: a, replace: {'': '-'}}\n",
        "m.yaml:3: fields.x.replace: has an empty text, which is everywhere",
    ),
    (
        "dataset: d\ncontrol_totals: {sums: {x: '1e999999999'}}\n",
        "m.yaml:2: control_totals.sums.x: is not a number",
    ),
    (
        "dataset: d\ntotal_row: {label: 'a('}\n",
        "m.yaml:2: total_row.label: is not a regular expression (missing )",
    ),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_a_fault_is_told_by_line(text, message):
    with pytest.raises(MappingError) as raised:
        read_mapping(text, "m.yaml")
    assert str(raised.value).startswith(message)


def test_all_faults_are_told_at_once():
    with pytest.raises(MappingError) as raised:
        read_mapping("dataset: d\nseperator: ','\nfields:\n  x: {form: y}\n", "m.yaml")
    assert str(raised.value).splitlines() == [
        "m.yaml:2: seperator: unknown name",
        "m.yaml:4: fields.x.form: unknown name",
    ]


def test_every_mapping_we_ship_can_be_read():
    root = Path(__file__).parents[2]
    mappings = [*root.glob("workspace/pipelines/*/ingest/*.yaml"), *root.glob("tests/real/ingest/*.yaml")]
    assert len(mappings) >= 7
    for path in mappings:
        read_mapping(path.read_text("utf-8"), path.name)


def values(columns, source, kind="string"):
    rows = rows_of(columns, [field("f", kind)], {"fields": {"f": source}})
    return rows.values["f"].to_list()


#: cells, where the field comes from, its values
SOURCES = [
    ({"A": ["1"]}, "A", ["1"]),
    ({"Supplier  Name ": ["1"]}, "supplier-name", ["1"]),
    ({"B": ["2"]}, ["A", "B"], ["2"]),  # synonyms
    ({"A": ["1", "2"]}, {"constant": "c"}, ["c", "c"]),
    ({"A": ["1", "2"]}, {"row_number": True}, ["2", "3"]),
    ({"A": ["1", "1"], "B": ["x", None]}, {"join": {"columns": ["A", "B"]}}, ["1-x", None]),
    ({"Jina": ["x"], "B": ["1"]}, {"join": {"columns": [["Name", "Jina"], "B"]}}, ["x-1"]),
    ({"A": ["x", None]}, {"from": "A", "default": "d"}, ["x", "d"]),
    ({"A": ["7", None]}, {"from": "A", "prefix": "+254"}, ["+2547", None]),
    ({"A": ["INV-12", "12"]}, {"from": "A", "part": r"INV-(\d+)"}, ["12", None]),
    ({"A": ["paid INV-12 late", "INV-"]}, {"from": "A", "part": r"INV-(\d+)"}, ["12", None]),
    ({"A": ["INV-12", "INV-12 late"]}, {"from": "A", "part": r"^INV-(\d+)$"}, ["12", None]),
    ({"A": ["one", "ONE ", "two"]}, {"from": "A", "lookup": {"One": "1"}}, ["1", "1", None]),
    ({"A": ["one", "two"]}, {"from": "A", "lookup": {"one": "1", "else": "keep"}}, ["1", "two"]),
    ({"A": ["one", "two"]}, {"from": "A", "lookup": {"one": "1", "else": "other"}}, ["1", "other"]),
    ({"A": [" \u00a0x\t"]}, "A", ["x"]),
]


@pytest.mark.parametrize(("columns", "source", "expected"), SOURCES)
def test_a_field_is_made_as_the_mapping_says(columns, source, expected):
    assert values(columns, source) == expected


def test_a_value_outside_the_lookup_is_unreadable_and_one_looked_up_as_nothing_is_missing():
    columns = {"A": ["one", "two", "three"]}
    rows = rows_of(
        columns, [field("f")], {"fields": {"f": {"from": "A", "lookup": {"one": "1", "two": None}}}}
    )
    assert rows.values["f"].to_list() == ["1", None, None]
    assert rows.text["f"].to_list() == ["one", None, "three"]
    assert rows.unreadable == {"f": "a value of the mapping's lookup"}


def test_a_digest_is_the_same_for_the_same_cells_alone():
    first, second, third = values({"A": ["ab", "ab", "a"], "B": ["c", "c", "bc"]}, {"digest": ["A", "B"]})
    assert first == second != third


@pytest.mark.parametrize("source", [["Name", "Jina"], [["Name", "Jina"], "B"]])
def test_a_digest_is_the_same_under_each_name_that_a_column_may_have(source):
    asked = source if isinstance(source[0], list) else [source]
    one = values({"Name": ["x"], "B": ["1"]}, {"digest": {"of": asked}})
    assert one == values({"Jina": ["x"], "B": ["1"]}, {"digest": asked})


def test_a_joined_column_that_a_file_has_under_none_of_its_names_is_an_error():
    with pytest.raises(MappingError, match="field 'f' needs one of the columns 'Name', 'Jina', which"):
        values({"B": ["1"]}, {"join": {"columns": [["Name", "Jina"], "B"]}})


def test_occurrences_keep_equal_rows_apart():
    found = values({"A": ["x", "y", "x"]}, {"digest": {"of": ["A"], "occurrence": True}})
    assert [key.rpartition("-")[2] for key in found] == ["1", "1", "2"]
    assert len(set(found)) == 3


def test_a_required_field_without_a_column_is_refused_with_what_there_is():
    with pytest.raises(MappingError) as raised:
        plan_of({"A": ["1"]}, [field("f", required=True), field("g")])
    assert str(raised.value) == "f.csv: no column for f, which d requires"
    assert raised.value.hint.startswith("Unused columns: A. Declare the source of each under `fields`")


#: headers that are rows of a file without one
ROWS = [
    ["R-17", "Wanjiku Kamau", "12.50"],
    ["R-17", "Wanjiku Kamau", "2026-03-14"],
    ["R-17", "0712 345 678"],
    ["R-17", "wanjiku@example.org"],
    ["Wanjiku Kamau", "Otieno Odhiambo"],
]


@pytest.mark.parametrize("header", ROWS)
def test_no_value_is_told_where_a_row_was_taken_for_the_header(header):
    with pytest.raises(MappingError) as raised:
        plan_of({name: ["x"] for name in header}, [field("f", required=True)])
    told = f"{raised.value} {raised.value.hint}"
    assert "Its header looks like a row" in told
    assert not [name for name in header if name in told]


def test_of_many_or_long_names_only_some_are_told():
    with pytest.raises(MappingError) as raised:
        plan_of({f"{'n' * 200}{n}": ["x"] for n in range(200)}, [field("f", required=True)])
    assert "… and 100 more." in raised.value.hint
    assert len(raised.value.hint) < 9000


def test_a_mapping_for_a_field_that_does_not_exist_is_refused():
    with pytest.raises(MappingError, match="d has no field 'z'"):
        plan_of({"A": ["1"]}, [field("f")], {"fields": {"z": "A"}})


def test_what_nothing_uses_is_reported_unless_it_is_known():
    plan = plan_of({"f": ["1"], "A": ["1"], "B": ["1"]}, [field("f")], {"ignore": ["b"]})
    assert plan.unmapped == ("A",)


def test_without_a_mapping_names_and_business_names_are_sought():
    assert plan_of({"F!": ["1"]}, [field("f")]).fields[0].columns == ("F!",)


REMARKS = [  # columns, mapping, what is taken, what is said
    (
        ["Net", "Amount"],
        {"f": ["Net", "Amount"]},
        "Net",
        ["field f: column 'Net' is taken; 'Amount' matches too"],
    ),
    (
        ["Amount", "Net"],
        {"f": ["Net", "Amount"]},
        "Net",
        ["field f: column 'Net' is taken; 'Amount' matches too"],
    ),
    (["F", "f "], {}, "F", ["field f: column 'F' is taken; 'f ' matches too", "column 'f ' is not used"]),
    (["f", "F"], {}, "f", ["column 'F' is not used"]),
    (["Net"], {"f": ["Net", "Amount"]}, "Net", []),
    (["Net", "f"], {"f": "Net"}, "Net", []),
    (  # none of the mapping's columns: the file has our names
        ["f", "g"],
        {"f": "Net", "g": ["G", "Gross"]},
        "f",
        ["has none of the columns that mapping names; its columns are named as the fields"],
    ),
]


@pytest.mark.parametrize(("columns", "fields", "taken", "said"), REMARKS)
def test_a_mapping_that_matches_several_columns_says_which_it_took(columns, fields, taken, said):
    plan = plan_of({name: ["1"] for name in columns}, [field("f"), field("g")], {"fields": fields})
    assert plan.fields[0].columns == (taken,)
    kinds = (
        ("matched_several", "our_names")
        if taken == "Net"
        else ("matched_several", "our_names", "unused_column")
    )
    assert [str(one) for one in plan.remarks if one.kind in kinds] == said


@pytest.mark.parametrize("columns", [["A", "f"], ["A"], ["A", "f", "g"]])
def test_a_column_that_the_mapping_names_and_the_file_lacks_is_an_error(columns):
    with pytest.raises(MappingError) as raised:
        plan_of(
            {name: ["1"] for name in columns}, [field("f"), field("g")], {"fields": {"f": "Hal", "g": "A"}}
        )
    assert str(raised.value) == "f.csv: mapping: field 'f' needs column 'Hal', which the file does not have"
    assert raised.value.hint == (
        f"Its columns are {', '.join(columns)}. For files without it, declare `absent: keep` or `absent: clear`."
    )


@pytest.mark.parametrize(
    "mapping",
    [
        {"fields": {"f": {"from": "Hal", "absent": "keep"}, "g": "A"}},
        {"fields": {"f": {"from": "Hal", "default": "x"}, "g": "A"}},
        {"fields": {"f": "Hal", "g": "A"}, "absent": "clear"},
    ],
)
def test_a_mapping_may_say_that_files_lack_a_column(mapping):
    assert plan_of({"A": ["1"]}, [field("f"), field("g")], mapping).fields[0].columns == ()


def test_a_header_that_looks_like_a_row_is_not_quoted():
    columns = {"[14/03/2026": ["x"], "09:05] Jane: paid 500": ["y"]}
    with pytest.raises(MappingError) as raised:
        plan_of(columns, [field("f", required=True)])
    assert raised.value.hint.startswith("Its header looks like a row: ")
    assert "Jane" not in raised.value.hint


def test_a_file_of_one_column_may_have_another_separator():
    with pytest.raises(MappingError) as raised:
        plan_of({"ref;amount": ["x"]}, [field("f", required=True)])
    assert "was read as one column: declare its `separator`" in raised.value.hint


def test_the_only_column_that_a_mapping_names_is_never_the_fields_own():
    with pytest.raises(MappingError, match="field 'f' needs column 'Hal', which the file does not have"):
        plan_of({"f": ["1"], "g": ["1"]}, [field("f"), field("g")], {"fields": {"f": "Hal"}})


@pytest.mark.parametrize(
    "written", ["Numéro", "Nume\u0301ro", "NUMÉRO", " nume\u200b\u0301ro:", "Nu\u00admé\u00a0ro"]
)
def test_a_column_is_found_however_its_name_is_written(written):
    assert rows_of({written: ["1"]}, [field("numéro")]).values["numéro"].to_list() == ["1"]
