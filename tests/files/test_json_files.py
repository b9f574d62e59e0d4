"""JSON files: a bad value or a broken object costs its own row, a broken file is refused with the place."""

import json
import tracemalloc

import pytest
from tests.tables import dataset, field

from daftari.errors import SourceError
from daftari.io.files import open_source
from daftari.rows.mapping.mapping import Mapping

KNOWN = dataset(field("id"), field("name"))


def read(path, **mapping):
    source = open_source(path, mapping=Mapping(dataset="d", **mapping), dataset=KNOWN)
    blocks = list(source.blocks())
    rows = {line: row for one in blocks for line, row in zip(one.lines, one.cells.rows(), strict=True)}
    return source, rows, [(record.line, record.reason) for one in blocks for record in one.malformed]


def faults(source):
    """The faults of the cells, by line and column."""
    return {
        (line, name): reason
        for block in source.blocks()
        for name, reasons in block.faults.items()
        for line, reason in zip(block.lines, reasons, strict=True)
        if reason is not None
    }


def test_numbers_keep_their_digits(tmp_path):
    path = tmp_path / "f.json"
    path.write_text('[{"id": 12345678901234567890, "name": 0.12345678901234567890}]')
    assert read(path)[1] == {1: ("12345678901234567890", "0.12345678901234567890")}


NUMBERS = [
    ("-0", "-0"),
    ("1.50", "1.50"),
    ("2.5e3", "2500"),
    ("1E-3", "0.001"),
    ("1e20000000", "1e20000000"),  # written out it would be 20 MB
    ("-1E+999999999999", "-1E+999999999999"),
    ("1" * 5000, "1" * 5000),
]


@pytest.mark.parametrize(("sent", "text"), NUMBERS, ids=[sent[:20] for sent, _ in NUMBERS])
def test_an_exponent_is_written_out_only_as_far_as_that_is_short(tmp_path, sent, text):
    path = tmp_path / "f.jsonl"
    path.write_text(f'{{"id": 1, "name": {sent}}}\n')
    assert read(path)[1] == {1: ("1", text)}


FAULTS = [
    (r'"Shop \ud83d"', "Shop \u2039U+D83D\u203a", "is not valid text (U+D83D alone)"),
    (r'"\uDC00x"', "\u2039U+DC00\u203ax", "is not valid text (U+DC00 alone)"),
    ("NaN", "NaN", "is NaN, which JSON does not have"),
    ("-Infinity", "-Infinity", "is -Infinity, which JSON does not have"),
    ('{"a": [1, 2.50]}', '{"a": [1, 2.50]}', "is a JSON object, not a single value"),
    ("[]", "[]", "is a JSON array, not a single value"),
    ('[{"a": NaN}]', '[{"a": "NaN"}]', "holds a value that is NaN, which JSON does not have"),
    ('{"a": 1, "a": 2}', '{"a": 2}', "holds an object that has a name twice"),
]


@pytest.mark.parametrize(("sent", "text", "reason"), FAULTS)
@pytest.mark.parametrize("shape", ["[{}, {}]", "{}\n{}", '{{"items": [{}, {}]}}'])
def test_a_value_that_no_field_may_hold_is_a_fault_of_its_cell(tmp_path, shape, sent, text, reason):
    path = tmp_path / ("f.json" if shape[0] in "[{" and "\n" not in shape else "f.jsonl")
    path.write_text(shape.format(f'{{"id": 1, "name": {sent}}}', '{"id": 2, "name": "b"}'))
    source, rows, malformed = read(path)
    assert (rows, malformed) == ({1: ("1", text), 2: ("2", "b")}, [])
    assert faults(source) == {(1, "name"): reason}


def test_whole_characters_outside_the_first_plane_are_no_fault(tmp_path):
    path = tmp_path / "f.jsonl"
    path.write_text('{"id": "\\ud83d\\ude00", "name": "😀\\\\ud83d"}\n', encoding="utf-8")
    source, rows, _ = read(path)
    assert rows == {1: ("😀", "😀\\ud83d")}
    assert faults(source) == {}


def test_bytes_that_are_not_utf8_are_a_fault_of_their_cell(tmp_path):
    path = tmp_path / "f.json"
    path.write_bytes(b'[{"id": 1, "name": "Caf\xe9"}, {"id": 2, "name": "Caf\xc3\xa9"}]')
    source, rows, _ = read(path)
    assert rows == {1: ("1", "Caf\u2039U+DCE9\u203a"), 2: ("2", "Café")}
    assert faults(source) == {(1, "name"): "is not valid UTF-8 (byte E9)"}


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["f.json", "f.jsonl"])
def test_a_byte_order_mark_says_the_encoding(tmp_path, name, codec):
    path = tmp_path / name
    text = '{"id": 1, "name": "é"}'
    path.write_bytes((f"[{text}]" if name == "f.json" else f"{text}\n").encode(codec))
    assert read(path)[1] == {1: ("1", "é")}


def test_a_line_that_is_no_record_spoils_no_other(tmp_path):
    path = tmp_path / "f.jsonl"
    deep = '{"id": ' + "[" * 200 + "]" * 200 + "}"
    lines = ['{"id": 1}', "", "[1]", '{"id": ', '{"id": 1, "id": 2}', deep, "{'id': 1}", '{"id": 3} x']
    path.write_text("\n".join([*lines, "5", '\ufeff{"id": 4}']) + "\n", encoding="utf-8")
    _, rows, malformed = read(path)
    assert list(rows) == [1, 10]
    assert malformed == [
        (3, "is not a JSON object"),
        (4, "is not valid JSON"),
        (5, "has a key twice"),
        (6, "is nested more than 100 deep"),
        (7, "is not valid JSON"),
        (8, "is not valid JSON"),
        (9, "is not a JSON object"),
    ]


def test_blank_lines_are_counted(tmp_path):
    path = tmp_path / "f.jsonl"
    path.write_text('{"id": 1}\n\n  \n{"id": 2, "name": "b"}\n\n')
    source, rows, _ = read(path)
    assert rows == {1: ("1", None), 4: ("2", "b")}
    assert sum(one.blank for one in source.blocks()) == 3


def test_numbers_are_marked_as_such(tmp_path):
    path = tmp_path / "f.json"
    path.write_text('[{"id": 1, "name": "a"}, {}, {"id": "2", "name": "b"}, {"id": 1.5, "name": null}]')
    (block,) = read(path)[0].blocks()
    assert {name: marks.to_list() for name, marks in block.typed.items()} == {"id": [True, False, True]}


BROKEN = [
    ('{"id": 2 "name": "b"}', "is not valid JSON"),
    ("{'id': 2}", "is not valid JSON"),
    ('{"id": 2, "name": "b\\x"}', "is not valid JSON"),
    ('{"id": 2, "name": undefined}', "is not valid JSON"),
    ('{"id": 2, "name": "he said "hi" to me"}', "is not valid JSON"),
    ('{"id": 2, "name": 02}', "is not valid JSON"),
    ('{"id": 2, "id": 3}', "has a key twice"),
    ('{"id": 2, "name": ' + "[" * 5000 + "]" * 5000 + "}", "is nested more than 100 deep"),
    ("null", "is not a JSON object"),
]


@pytest.mark.parametrize(("broken", "reason"), BROKEN)
@pytest.mark.parametrize(
    "layout", ["[{}, {}, {}]", "[\n  {},\n  {},\n  {}\n]\n", '{{"rows": [{},{},{}], "next": null}}']
)
def test_the_rows_after_a_broken_object_of_an_array_land(tmp_path, layout, broken, reason):
    path = tmp_path / "f.json"
    path.write_text(layout.format('{"id": 1}', broken, '{"id": 3}'))
    _, rows, malformed = read(path)
    assert list(rows) == [1, 3]
    assert malformed == [(2, reason)]


UNCLEAR = "f.json: is one JSON object; expected one list of objects in it, found "
REFUSED = [
    ('[{"id": 1}, {"id":', "f.json:1: is not JSON after object 1; the file is cut or damaged (column 19)"),
    ('[\n{"id": 1}\n', "f.json:3: is not JSON after object 1; the file is cut or damaged (column 1)"),
    ("[]", "f.json: holds no object with a key"),
    ('[\n{"id": 1,\n"name": "12" pipe"},\n{"id": 2, "name": "b"}]', "f.json:3: "),
    ('[{"id": 1, "name": "a}, {"id": 2, "name": "b"}, {"id": 3, "name": "c"}]', "f.json:1: "),
    ('[{"id": 1, {"id": 2}, {"id": 3}]', "f.json:1: object 1 is not valid JSON (column 12)"),
    ('[{"id": [1, 2}, {"id": 3}]', "f.json:1: object 1 is not valid JSON (column 14)"),
    ('[{"id": 1}] {"id": 2}', "f.json:1: goes on after its end (column 13)"),
    ('{"a": [1], "b": [2]}', UNCLEAR + "a (none), b (none)"),
    ('{"a": {"b": [{"id": 1}]}, "c": [{"id": 2}, {}]}', UNCLEAR + "a.b (1 objects), c (2 objects)"),
    ('{"id": 1}', UNCLEAR + "no list"),
    ('{"a": \n oops: 1}', "f.json:2: is not valid JSON"),
    ('[{"id": [' + "0," * 100_001 + "0]}]", "f.json:1: object 1 holds more than 100,000 values"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[text[:30] for text, _ in REFUSED])
def test_json_whose_rows_cannot_be_told_is_refused_with_the_place(tmp_path, text, message):
    path = tmp_path / "f.json"
    path.write_text(text)
    with pytest.raises(SourceError) as raised:
        read(path)
    assert str(raised.value).startswith(message)


INSIDE = [
    ('{"results": [{"id": 1}], "errors": [], "next": null}', "results", {}),
    ('{"data": {"items": [{"id": 1}]}}', "data.items", {}),
    ('{"n": [1, "]", [2]], "a": {"b": {"c": [{"id": 1}]}}, "z": "}"}', "a.b.c", {}),
    ('{"x": [{"id": 2}], "y": {"z": [{"id": 1}]}}', "y.z", {"rows": "y.z"}),
]


@pytest.mark.parametrize(("text", "place", "mapping"), INSIDE)
def test_the_only_list_of_objects_or_the_named_one_is_read(tmp_path, text, place, mapping):
    path = tmp_path / "f.json"
    path.write_text(text)
    source, rows, _ = read(path, **mapping)
    assert list(rows.values()) == [("1",)]
    assert source.facts["rows"] == place


def test_a_list_that_the_mapping_names_and_the_file_lacks_is_an_error(tmp_path):
    path = tmp_path / "f.json"
    path.write_text('{"x": [{"id": 2}]}')
    with pytest.raises(SourceError, match=r"its mapping names rows: y; it holds x \(1 objects\)"):
        read(path, rows="y")


def test_a_long_array_is_read_in_pieces_and_never_held(tmp_path):
    path = tmp_path / "f.json"
    path.write_text(json.dumps([{"id": n, "name": "x" * 50} for n in range(60_000)]))
    source, rows, _ = read(path)
    assert len(rows) == 60_000
    assert len(list(source.blocks())) == 2


def test_a_block_of_long_rows_is_no_longer_than_its_bytes(tmp_path):
    path = tmp_path / "f.jsonl"
    row = json.dumps({"id": 1, "name": "x" * 2**20})
    path.write_text("\n".join([row] * 40))
    blocks = list(open_source(path, dataset=KNOWN).blocks())
    assert sum(block.cells.height for block in blocks) == 40
    assert max(block.cells.height for block in blocks) <= 17


def test_a_row_that_is_longer_than_a_piece_is_read_whole(tmp_path):
    path = tmp_path / "f.json"
    text = "ä\\" * 100_000
    path.write_text(json.dumps([{"id": 1, "name": text}, {"id": 2}]), encoding="utf-8")
    assert read(path)[1] == {1: ("1", text), 2: ("2", None)}


HEAVY = [
    "[" + '{"id": [' + "0," * 4_000_000 + "0]}]",
    "[" + "[" * 8_000_000,
    '[{"id": "' + "x" * 20_000_000 + '"}]',
    '{"a": [' + "[]," * 2_000_000 + "1]}",
    '[{"id": 1 ' + " " * 8_000_000 + '"}]',
    '[{"id": "\U0001f600' + "x" * 16_000_000 + '"}]',  # four bytes a character
]


@pytest.mark.parametrize("text", HEAVY, ids=[text[:12] for text in HEAVY])
def test_a_row_is_measured_before_it_is_built(tmp_path, text):
    path = tmp_path / "f.json"
    path.write_text(text)
    tracemalloc.start()
    try:
        with pytest.raises(SourceError):
            read(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2 * 17 * 2**20  # what is held, and once more where it grows


def test_a_file_with_ever_new_keys_is_refused(tmp_path):
    path = tmp_path / "f.jsonl"
    path.write_text("\n".join(f'{{"k{n}": 1}}' for n in range(10_001)))
    with pytest.raises(SourceError, match="more than 10,000 different keys"):
        read(path)
