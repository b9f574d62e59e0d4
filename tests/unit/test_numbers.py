"""Numbers: every way of writing them, and nothing rounded."""

from decimal import Decimal

import pytest
from tests.tables import column_of, field, plan_of

from daftari.errors import MappingError

#: cells of one column, what they are
READ = [
    (["1234.5", "-7"], ["1234.5", "-7"]),
    (["1,234.50", "12.00"], ["1234.50", "12.00"]),
    (["1.234,50", "12,00"], ["1234.50", "12.00"]),
    (["1 234,50", "12,00"], ["1234.50", "12.00"]),
    (["1\u00a0234,50", "12,00"], ["1234.50", "12.00"]),
    (["1'234.50"], ["1234.50"]),
    (["1,00,000.00"], ["100000.00"]),  # lakhs
    (["1,234,567"], ["1234567"]),  # two groups: no decimal mark
    (["(1,234.50)", "5.00"], ["-1234.50", "5.00"]),
    (["1,234.50-", "5.00"], ["-1234.50", "5.00"]),
    (["\u22125.25"], ["-5.25"]),
    (["+5.25"], ["5.25"]),
    (["KES 1,234.50", "KES 5.00"], ["1234.50", "5.00"]),
    (["1,234.50 KES", "5.00"], ["1234.50", "5.00"]),
    (["Ksh. 1,234.50", "500/="], ["1234.50", "500"]),
    (["£1,234.50", "-£5.00", "(£6.00)"], ["1234.50", "-5.00", "-6.00"]),
    (["$5.25", "US$ 6.00"], ["5.25", "6.00"]),
    (["12.5%", "5%"], ["0.125", "0.05"]),
    ([".5", "0.25"], ["0.5", "0.25"]),
    (["239.554", "205.91"], ["239.554", "205.91"]),  # the second tells what the first is
    (["1239.554", "205.917"], ["1239.554", "205.917"]),  # no group has four digits
    (["0.500", "12.125"], ["0.500", "12.125"]),  # no group begins with 0
    (["1.500", "1.200.000"], ["1500", "1200000"]),
    (["0,125"], ["0.125"]),  # no group begins with 0
    (["1,234", "1,5"], ["1.234", "1.5"]),  # the second tells what the first is
    (["1,234", "1,234.5"], ["1234", "1234.5"]),
    (["007.10"], ["7.10"]),
    ([" 5.00 ", "\u00a06.00\u00a0"], ["5.00", "6.00"]),
]


@pytest.mark.parametrize(("texts", "numbers"), READ)
def test_a_number_is_read_exactly(texts, numbers):
    assert column_of(texts, "number", "numeric(14,4)") == [Decimal(number) for number in numbers]


#: cells of one column, what is read of them; None: unreadable
REFUSED = [
    (["1.50", "abc"], ["1.50", None]),
    (["1.50", "1e3"], ["1.50", None]),
    (["1.50", "1.2.3"], ["1.50", None]),
    (["1.50", "12,34"], ["1.50", None]),  # no group of two at the end
    (["1.50", "NaN"], ["1.50", None]),
    (["1.50", "٣"], ["1.50", None]),  # PostgreSQL reads no other digits either
    (["1.50", "1.505"], ["1.50", None]),  # a third decimal would be rounded away
    (["1.50", "1.500"], ["1.50", "1.50"]),  # a nought is no loss
    (["1.50", "9999999999999.99"], ["1.50", None]),  # too large for numeric(14,2)
    (["KES 1.50", "KES"], ["1.50", None]),
]


@pytest.mark.parametrize(("texts", "numbers"), REFUSED)
def test_a_number_that_would_change_is_not_read(texts, numbers):
    wanted = [number and Decimal(number) for number in numbers]
    assert column_of(texts, "number", "numeric(14,2)") == wanted


INTEGERS = [
    (["12", "-3", "+4"], [12, -3, 4]),
    (["12.0", "12.000"], [12, 12]),  # a spreadsheet's way to write a whole number
    (["12.5", "12"], [None, 12]),
    (["1,234", "5"], [1234, 5]),  # a whole number has no decimals, so a comma groups
    (["1.500", "12.000"], [1500, 12000]),  # for the same reason, a point groups
    (["12.0", "12.000", "13.000"], [12, 12, 13]),
    (["9223372036854775807", "9223372036854775808"], [2**63 - 1, None]),
    (["0x10", "12"], [None, 12]),
]


@pytest.mark.parametrize(("texts", "numbers"), INTEGERS)
def test_an_integer_is_whole_or_not_read(texts, numbers):
    assert column_of(texts, "integer") == numbers


#: cells, what the mapping declares, what is read
DECLARED = [
    (["1,234"], {"decimal": ","}, ["1.234"]),
    (["1,234"], {"decimal": "."}, ["1234"]),
    (["1.234"], {"decimal": ","}, ["1234"]),
    (["5"], {"unit": 1000}, ["5000"]),
    (["12345"], {"unit": "0.01"}, ["123.45"]),
    (["5.00"], {"sign": "negate"}, ["-5.00"]),
    (["$5", "£6"], {"currency": "USD"}, ["5", None]),
]


@pytest.mark.parametrize(("texts", "source", "numbers"), DECLARED)
def test_what_the_mapping_declares_wins(texts, source, numbers):
    assert column_of(texts, "number", "numeric(14,4)", **source) == [n and Decimal(n) for n in numbers]


def test_a_number_without_declared_scale_keeps_sixteen_decimals():
    assert column_of(["26.8512045086212812"], "number") == [Decimal("26.8512045086212812")]


#: cells, field, mark in the message, what the mapping may say
UNTOLD = [
    (["1,234", "5,678"], "number", "comma", "decimal: '.'}}"),
    (["1.500", "12.000", "3.250"], "number", "point", "decimal: '.'}}, or ','"),
    (["1.500", "950", "12.000"], "number", "point", "decimal: '.'}}, or ','"),
    (["-1.234", "(12.000)"], "number", "point", "decimal: '.'}}, or ','"),
    (["KES 1.500"], "number", "point", "decimal: '.'}}, or ','"),
    (["1.000", "2.000", "12.000"], "integer", "point", "decimal: '.'}}, or ','"),  # as a database writes them
    (["1.500", "1,500"], "number", "comma", "decimal: '.'}}"),
]


@pytest.mark.parametrize(("texts", "kind", "mark", "settles"), UNTOLD)
def test_a_mark_that_may_be_either_is_refused_with_the_line_that_settles_it(texts, kind, mark, settles):
    with pytest.raises(MappingError) as raised:
        column_of(texts, kind)
    assert str(raised.value) == (
        f"f.csv: column 'x' (field x): a {mark} with three digits after it may be a decimal or a thousands separator;"
        " no value shows which"
    )
    assert raised.value.hint == f"Declare it in a source mapping: fields: {{x: {{from: x, {settles}"


def test_a_point_is_a_decimal_point_where_the_field_has_three_decimals_and_that_is_said():
    texts = {"x": ["239.554", "205.917"]}
    fields = [field("x", "number", "numeric(9,3)")]
    assert column_of(texts["x"], "number", "numeric(9,3)") == [Decimal("239.554"), Decimal("205.917")]
    assert (
        plan_of(texts, fields).fields[0].guess.startswith("a point before three digits is read as a decimal")
    )


def test_both_marks_as_decimal_marks_are_refused_where_a_number_reads_either_way():
    with pytest.raises(MappingError, match="both point and comma are used as the decimal mark"):
        column_of(["1.5", "1,5", "1,234"], "number")


def test_two_currencies_in_a_column_are_refused():
    with pytest.raises(MappingError, match=r"numbers in more than one currency \(EUR, USD\)"):
        column_of(["$5", "€6"], "number")
