"""Changes to a field's text that a mapping or a contract declares."""

from dataclasses import replace

import pytest
from tests.tables import column_of, dataset, field, rows_of

from daftari.rows.formats.parse import to_rows
from daftari.rows.intake.records import record_block, record_plan
from daftari.rows.mapping.steps import e164

#: as written, as E.164 in Kenya
PHONES = [
    ("0712345678", "+254712345678"),
    ("712345678", "+254712345678"),
    ("254712345678", "+254712345678"),
    ("+254 712 345-678", "+254712345678"),
    ("+254 (0) 712 345 678", "+254712345678"),
    ("00254712345678", "+254712345678"),
    ("712345678.0", "+254712345678"),
    ("2.54712345678E+11", "+254712345678"),
    ("2.54712E+11", None),  # its last digits are lost
    ("7.12345678E+09", None),  # so are these, although nine are left
    ("0110 345 678", "+254110345678"),
    ("020 1234567", "+254201234567"),
    ("+44 20 7946 0000", "+442079460000"),
    ("0712345", None),
    ("0712345678 / 0733000000", None),
    ("+25471234567", None),
    ("ask the office", None),
]


@pytest.mark.parametrize(("written", "number"), PHONES)
def test_a_kenyan_phone_number_is_written_in_one_way(written, number):
    assert e164(written, "254") == number
    assert column_of([written], "string", phone="KE") == [number]


def test_a_phone_number_that_is_none_is_quarantined_with_what_was_expected():
    rows = rows_of({"x": ["2.54712E+11"]}, [field("x")], {"fields": {"x": {"from": "x", "phone": "KE"}}})
    assert rows.text["x"].to_list() == ["2.54712E+11"]
    assert rows.unreadable["x"].startswith("a phone number of KE with all its digits")


#: what the mapping declares, as written, as read
STEPS = [
    ({"strip": "*# "}, "** 42 #", "42"),
    ({"replace": {"O": "0", "l": "1"}}, "lO2", "102"),
    ({"keep": "digits"}, "ID 1234-5678", "12345678"),
    ({"keep": "digits"}, "none", None),
    ({"pad": 5}, "42", "00042"),
    ({"pad": 5}, "123456", "123456"),
    ({"keep": "digits", "pad": 8, "prefix": "N"}, "No. 42", "N00000042"),
    ({"strip": "'", "lookup": {"4100": "FIN"}}, "'4100", "FIN"),
    ({"part": "([0-9]+) of .*", "pad": 3}, "7 of 9", "007"),
]


@pytest.mark.parametrize(("declared", "written", "read"), STEPS)
def test_the_steps_of_a_mapping_change_the_text_in_their_order(declared, written, read):
    assert column_of([written], "string", **declared) == [read]


def test_a_contract_may_say_that_a_field_has_only_digits_and_how_many_by_file_and_by_record():
    one = replace(field("x"), digits_only=True, width=8)
    assert rows_of({"x": ["400-0001", "04000001", "-"]}, [one]).values["x"].to_list() == [
        "04000001",
        "04000001",
        None,
    ]
    whole = dataset(one)
    rows = to_rows(record_plan(whole), record_block({"x": "400 0001"}, whole), whole)
    assert rows.values["x"].to_list() == ["04000001"]
