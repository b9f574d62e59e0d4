"""Text that looks the same is the same, and what was removed is said."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from tests.judging import reasons_by_line
from tests.tables import dataset, field, rows_of

from daftari.contract.model import Relationship
from daftari.rows.formats.parse import to_rows
from daftari.rows.intake.block import CELL_NOTES, Block
from daftari.rows.intake.records import record_block, record_plan
from daftari.rows.mapping.clean_text import ESCAPED_BYTE
from daftari.rows.mapping.column_plan import resolve_columns
from daftari.rows.rules.rules import judge_rows, rulebook

#: as written, as a key, as other text
WRITTEN = [
    ("ZW-1\u200b", "ZW-1", "ZW-1"),
    ("\u200eZW-1", "ZW-1", "ZW-1"),
    ("ZW-1\ufeff", "ZW-1", "ZW-1"),
    ("\u200b ZW-1", "ZW-1", "ZW-1"),
    ("Cafe\u0301-1", "Café-1", "Café-1"),
    ("Cafe\u200b\u0301-1", "Café-1", "Café-1"),
    ("\u200b \u200fZW-1\u200f \u200b", "ZW-1", "ZW-1"),
    ("A\u202eB", "AB", "A\u202eB"),
    ("A\u200dB", "AB", "A\u200dB"),
    ("A\u00a0B", "A B", "A\u00a0B"),
    ("Kilima  Stores", "Kilima Stores", "Kilima Stores"),
    ("A\x07B", "AB", "A\x07B"),
    ("two\nlines", "two\nlines", "two\nlines"),
    ("\u200b", None, None),
    ("plain", "plain", "plain"),
    ('="00123"', "00123", "00123"),
    ('="a"&"b"', '="a"&"b"', '="a"&"b"'),
    ("=1+1", "=1+1", "=1+1"),
    ("'00123", "00123", "'00123"),
    ("'Ndegwa", "'Ndegwa", "'Ndegwa"),
]


@pytest.mark.parametrize(("written", "key", "other"), WRITTEN)
def test_text_is_brought_to_the_form_that_people_see(written, key, other):
    columns = {"k": [written], "t": [written]}
    rows = rows_of(columns, [field("k", key=True), field("t")])
    assert rows.values.row(0) == (key, other)
    assert rows.text.row(0) == (key, other)


@pytest.mark.parametrize(("written", "key", "other"), WRITTEN)
def test_a_record_of_the_api_is_brought_to_the_same_form(written, key, other):
    one = dataset(field("k", key=True), field("t"))
    rows = to_rows(record_plan(one), record_block({"k": written, "t": written}, one), one)
    assert rows.values.row(0) == (key, other)


def test_references_and_unique_fields_are_cleaned_like_keys():
    one = replace(
        dataset(field("ref"), replace(field("name"), unique=True), field("note")),
        relationships=(Relationship(fields=("ref",), target="t", target_fields=("id",)),),
    )
    rows = to_rows(
        record_plan(one), record_block(dict.fromkeys(("ref", "name", "note"), "F\u200dN"), one), one
    )
    assert rows.values.row(0) == ("FN", "FN", "F\u200dN")


def test_what_was_removed_is_said_with_its_count_and_first_line():
    columns = {"k": ["a", "b\u200b", "\u200bc\u200e", "Cafe\u0301"]}
    remarks = rows_of(columns, [field("k", key=True)]).remarks
    assert [(it.text, it.count, it.line) for it in remarks] == [
        ("k: U+200B removed", 2, 3),
        ("k: U+200E removed", 1, 4),
        ("k: brought to Unicode form NFC", 1, 5),
    ]


def test_the_marks_with_which_spreadsheets_keep_digits_as_text_are_removed_with_a_remark():
    rows = rows_of(
        {"k": ['="01"', "'02", "x'03"], "n": ["'5", '="6"', "7"]},
        [field("k", key=True), field("n", "integer")],
    )
    assert (rows.values["k"].to_list(), rows.values["n"].to_list()) == (["01", "02", "x'03"], [5, 6, 7])
    formula = 'the formula ="…", with which spreadsheets keep digits, is read as its text'
    apostrophe = "the apostrophe before a number, with which spreadsheets mark a text, removed"
    assert [(it.text, it.line) for it in rows.remarks] == [
        (f"k: {formula}", 2),
        (f"k: {apostrophe}", 3),
        (f"n: {formula}", 3),
        (f"n: {apostrophe}", 2),
    ]


def test_a_number_or_a_date_is_read_without_invisible_characters():
    rows = rows_of(
        {"n": ["\u200f1250.00"], "d": ["\u200e2026-03-14"]}, [field("n", "number"), field("d", "date")]
    )
    assert rows.values["n"].to_list()[0] == 1250
    assert rows.values["d"].to_list() == [date(2026, 3, 14)]


def _reasons(columns, fields):
    rows = rows_of(columns, fields)
    verdicts = judge_rows(rows, rulebook(dataset(*fields), today=date(2026, 3, 14)))
    return reasons_by_line(verdicts.rejected), verdicts.rejected["preview"].to_list()


def test_an_invisible_character_that_stays_is_named_in_quarantine():
    short = replace(field("t"), options=replace(field("t").options, max_length=2))
    reasons, [shown] = _reasons({"t": ["a\u200db"]}, [short])
    assert reasons == {2: [("t.length", "is longer than 2")]}
    assert shown == '{"t":"a\u2039U+200D\u203ab"}'


SHORTENED = "is a long number that a spreadsheet shortened, such as 1.23457E+12: its digits are lost"


def test_a_key_that_a_spreadsheet_shortened_is_refused_and_other_text_of_that_form_is_not():
    columns = {"k": ["1.23457E+12", "1E+05X", "2E+10", "E+10"], "t": ["1.23457E+12"] * 4}
    reasons, _ = _reasons(columns, [field("k", key=True), field("t")])
    assert reasons == {2: [("k.type", SHORTENED)], 4: [("k.type", SHORTENED)]}


def test_an_error_of_a_spreadsheet_is_not_text_and_the_word_null_is():
    reasons, _ = _reasons({"t": ["#REF!", "#N/A", "NULL", "# of pieces", "#1 Supplies", "##"]}, [field("t")])
    expected = [("t.type", "is an error of a spreadsheet, such as #REF! or #N/A")]
    assert reasons == {2: expected, 3: expected}


@pytest.mark.parametrize("kind", ["string", "object", "array"])
def test_a_byte_that_is_not_utf8_is_no_part_of_a_text_or_a_document(kind):
    texts = {"string": "Caf{}", "object": '{{"name": "Caf{}"}}', "array": '["Caf{}"]'}
    byte = chr(ESCAPED_BYTE + 0xE9)
    reasons, _ = _reasons({"t": [texts[kind].format("é"), texts[kind].format(byte)]}, [field("t", kind)])
    assert reasons == {3: [("t.type", "holds a byte that is not UTF-8: 0xE9")]}


@pytest.mark.parametrize("written", ["#VALEUR!", "#N/D", "#NOME?", "#¡REF!", "#BEZUG!", "#NV", "#SPILL!"])
def test_an_error_of_a_spreadsheet_in_another_language_is_not_text(written):
    reasons, _ = _reasons({"t": [written]}, [field("t")])
    assert reasons == {2: [("t.type", "is an error of a spreadsheet, such as #REF! or #N/A")]}


def test_what_a_column_shows_that_was_too_narrow_is_not_text():
    reasons, _ = _reasons({"t": ["########", "#", "##"]}, [field("t")])
    assert reasons == {
        2: [("t.type", "is what a spreadsheet shows where a column is too narrow: its value is lost")]
    }


#: sign at the amount, currency of the row, whether they agree
CURRENCIES = [
    ("$1200", "KES", False),
    ("$1200", "USD", True),
    ("$1200", "AUD", True),
    ("US$ 1200", "AUD", False),
    ("1200 USD", "usd", True),
    ("€5", "EUR", True),
    ("€5", "GBP", False),
    ("500/=", "TZS", True),
    ("Ksh 500", "TZS", False),
    ("500", "GBP", True),
]


@pytest.mark.parametrize(("amount", "currency", "agrees"), CURRENCIES)
def test_a_sign_that_contradicts_the_currency_of_the_row_is_refused(amount, currency, agrees):
    fields = [field("amount", "number"), field("currency")]
    reasons, shown = _reasons({"amount": [amount], "currency": [currency]}, fields)
    assert bool(reasons) is not agrees
    if not agrees:
        [(rule, reason)] = reasons[2]
        assert rule == "amount.type"
        assert reason.endswith("but currency says otherwise")
        assert amount in shown[0]  # with its sign, as received


def test_what_the_reader_found_in_a_cell_is_said_before_what_its_text_shows():
    fields = [field("t"), field("amount", "number")]
    found = {"t": pl.Series(["is odd", None]), "amount": pl.Series(["is NaN", None])}
    plan = resolve_columns(None, ("t", "amount"), dataset(*fields))
    plan = replace(plan, fields=tuple(replace(one, takes_null_words=True) for one in plan.fields))
    cells = pl.DataFrame({"t": ["#N/A", "#REF!"], "amount": ["NaN", "n/a"]})
    rows = to_rows(plan, Block(cells=cells, lines=pl.Series("line", [2, 3]), faults=found), dataset(*fields))
    assert rows.faults["t"].to_list() == ["is odd", "is an error of a spreadsheet, such as #REF! or #N/A"]
    assert rows.faults["amount"].to_list() == ["is NaN", None]
    assert rows.text["amount"].to_list() == ["NaN", None]

    notes = [(2, "t", "fault", "is not read"), (3, "amount", "fault", "is not read")]
    notes = pl.DataFrame(notes, schema=CELL_NOTES, orient="row")
    rows = to_rows(plan, Block(cells=cells, lines=pl.Series("line", [2, 3]), notes=notes), dataset(*fields))
    assert rows.faults["t"].to_list() == [
        "is not read",
        "is an error of a spreadsheet, such as #REF! or #N/A",
    ]
    assert rows.text["amount"].to_list() == [None, "n/a"]
