"""What a file shows of itself is taken; what it leaves open is refused, never guessed."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from tests.tables import block, column_of, dataset, field, plan_of, rows_of

from daftari.contract.model import Options
from daftari.errors import MappingError
from daftari.rows.formats.inference import infer_styles
from daftari.rows.formats.parse import to_rows
from daftari.rows.mapping.column_plan import resolve_columns
from daftari.rows.mapping.mapping import Mapping

UTC = ZoneInfo("UTC")

DAYS = [
    (["2024-03-07", "2024-03-31"], date(2024, 3, 7)),
    (["07/03/2024", "31/03/2024"], date(2024, 3, 7)),
    (["03/07/2024", "03/31/2024"], date(2024, 3, 7)),
    (["07-Mar-24", "31-Mar-24"], date(2024, 3, 7)),
    (["7 March 2024", "31 March 2024"], date(2024, 3, 7)),
    (["Thursday, 7 March 2024"], date(2024, 3, 7)),
    (["2024/03/07"], date(2024, 3, 7)),
    (["07.03.24", "31.03.24"], date(2024, 3, 7)),
    (["2024-03-07 00:00:00", "2024-03-31 00:00:00"], date(2024, 3, 7)),  # a spreadsheet's day
    (["45358", "45382"], date(2024, 3, 7)),
    (["03/03/2024"], date(2024, 3, 3)),  # the same either way
    (["14th September, 2012", "1st May, 2013"], date(2012, 9, 14)),
    (["September 14th, 2012"], date(2012, 9, 14)),
    (["3RD of May 2012"], date(2012, 5, 3)),
    (["31/12/68", "15/01/71"], date(1968, 12, 31)),  # 2068 is far off
    (["31/12/29"], date(2029, 12, 31)),
    (["31/12/45"], None),  # of either century
    (["29/02/00"], date(2000, 2, 29)),
    (["2024-03-13T21:00:00Z"], date(2024, 3, 14)),  # midnight in Nairobi, where nothing else is said
    (["2024-03-13T23:30:00+00:00"], date(2024, 3, 14)),
    (["2024-03-07T00:00:00+03:00"], date(2024, 3, 7)),
    (["0000-01-01", "0001-01-01"], None),
    (["3 Machi 2026", "14 Aprili 2026"], date(2026, 3, 3)),
    (["20 MEI 2026"], date(2026, 5, 20)),
    (["1er avril 2026", "14 mars 2026"], date(2026, 4, 1)),
    (["3 août 2026", "2 févr. 2026"], date(2026, 8, 3)),
    (["14 de março de 2026"], date(2026, 3, 14)),
    (["3/mai/2026", "4/dez/2026"], date(2026, 5, 3)),
    (["25568", "100"], None),  # a number is hardly a day of before 1970
    (["100000"], None),
]


@pytest.mark.parametrize(("texts", "first"), DAYS)
def test_the_style_of_dates_is_found(texts, first):
    assert column_of(texts, "date")[0] == first


MOMENTS = [
    (["2024-03-07T09:05:00+03:00"], datetime(2024, 3, 7, 6, 5, tzinfo=UTC)),
    (["2024-03-07T09:05:00Z"], datetime(2024, 3, 7, 9, 5, tzinfo=UTC)),
    (["2024-03-07 09:05:00"], datetime(2024, 3, 7, 6, 5, tzinfo=UTC)),  # Nairobi, where nothing else is said
    (["2024-03-07T09:05"], datetime(2024, 3, 7, 6, 5, tzinfo=UTC)),
    (["07/03/2024 09:05", "31/03/2024 09:05"], datetime(2024, 3, 7, 6, 5, tzinfo=UTC)),
    (["07/03/2024 09:05", "31/03/2024 09:05:30"], datetime(2024, 3, 7, 6, 5, tzinfo=UTC)),
    (["2024-03-07"], datetime(2024, 3, 6, 21, 0, tzinfo=UTC)),  # its first instant
    (["2024/03/07 9:05:00 PM GMT+3"], datetime(2024, 3, 7, 18, 5, tzinfo=UTC)),
    (["2024/03/07 9:05:00 AM GMT-0530"], datetime(2024, 3, 7, 14, 35, tzinfo=UTC)),
    (["31/03/2024 09:05 UTC"], datetime(2024, 3, 31, 9, 5, tzinfo=UTC)),
    (["2024-03-07 09:05 EAT", "2024-03-07 09:05 CAT"], datetime(2024, 3, 7, 6, 5, tzinfo=UTC)),
    (["2024-03-07 09:05:00 UTC+5:30"], datetime(2024, 3, 7, 3, 35, tzinfo=UTC)),
]

#: moments before the year 1 or after 9999 in UTC
OUTSIDE = ["0001-01-01T00:00:00+03:00", "9999-12-31T23:59:59-01:00", "0000-06-01T00:00:00Z"]


@pytest.mark.parametrize("text", OUTSIDE)
def test_a_moment_outside_the_years_1_to_9999_is_not_read(text):
    sound = "9999-12-31T23:59:59.999999Z"
    assert column_of([text, sound], "timestamp") == [None, datetime.max.replace(tzinfo=UTC)]


@pytest.mark.parametrize(("texts", "first"), MOMENTS)
def test_the_style_of_moments_is_found(texts, first):
    found = column_of(texts, "timestamp")
    assert found[0] == first
    assert None not in found


def test_days_up_to_12_alone_are_refused_with_the_line_that_settles_it():
    with pytest.raises(MappingError) as raised:
        column_of(["01/02/2024", "03/04/2024"], "date")
    assert str(raised.value) == (
        "f.csv: column 'x' (field x): its 2 distinct values are valid both as DD/MM/YYYY and as MM/DD/YYYY;"
        " no day is above 12"
    )
    assert raised.value.hint == "Declare it in a source mapping: fields: {x: {from: x, format: DD/MM/YYYY}}"


def test_the_declared_style_settles_it():
    assert column_of(["01/02/2024"], "date", format="MM/DD/YYYY") == [date(2024, 1, 2)]


def test_of_several_declared_styles_the_file_shows_one():
    declared = ["MM/DD/YYYY", "DD/MM/YYYY"]
    assert column_of(["01/02/2024", "31/02/2024", "31/01/2024"], "date", format=declared) == [
        date(2024, 2, 1),
        None,
        date(2024, 1, 31),
    ]


#: of dates without a pivot, the field's bounds tell the century: minimum, maximum, year of 31/12/45
BOUNDS = [
    (None, None, None),
    ("2000-01-01", None, 2045),
    (None, "2020-12-31", 1945),
    ("1930-01-01", None, None),
]


@pytest.mark.parametrize(("minimum", "maximum", "year"), BOUNDS)
def test_the_bounds_of_the_field_may_tell_the_century(minimum, maximum, year):
    bounded = replace(field("x", "date"), options=Options(minimum=minimum, maximum=maximum))
    rows = rows_of({"x": ["31/12/45"]}, [bounded])
    assert rows.values["x"].to_list() == [year and date(year, 12, 31)]
    if year is None:
        assert "declare `pivot`" in rows.unreadable["x"]


@pytest.mark.parametrize(("pivot", "year"), [(44, 1945), (45, 2045), (99, 2045)])
def test_the_declared_pivot_tells_the_century(pivot, year):
    assert column_of(["31/12/45"], "date", pivot=pivot) == [date(year, 12, 31)]
    assert column_of(["31/12/45"], "date", pivot=pivot, format="DD/MM/YY") == [date(year, 12, 31)]


def test_declared_styles_that_read_no_value_differently_are_all_read():
    declared = ["DD/MM/YYYY", "excel", "DD-MM-YYYY", "D Month YYYY"]
    texts = ["03/03/2026", "05-03-2026", "46087", "15 March 2026", "31/02/2026", "2026-03-17"]
    assert column_of(texts, "date", format=declared) == [
        date(2026, 3, 3),
        date(2026, 3, 5),
        date(2026, 3, 6),
        date(2026, 3, 15),
        None,
        None,
    ]


def test_dates_in_iso_fit_beside_the_one_style_of_the_texts():
    assert column_of(["2026-03-14", "15/03/2026", "03/04/2026"], "date") == [
        date(2026, 3, 14),
        date(2026, 3, 15),
        date(2026, 4, 3),
    ]


def test_a_cell_that_the_file_marks_as_a_date_needs_no_style():
    columns = {"x": ["2026-04-01", "2026-04-02", "2026-04-03", "19/04/2026", "46087"]}
    typed = {"x": pl.Series([True, True, True, False, True])}
    marked = replace(block(columns), typed=typed)
    plan = resolve_columns(Mapping(dataset="d"), ("x",), dataset(field("x", "date")))
    rows = to_rows(infer_styles(plan, [marked]), marked, dataset(field("x", "date")))
    assert rows.values["x"].to_list() == [date(2026, 4, day) for day in (1, 2, 3, 19)] + [None]


def test_a_cell_that_the_file_marks_as_a_number_needs_no_style():
    columns = {"x": ["1.125", "1.500,25", "2.375"]}
    marked = replace(block(columns), typed={"x": pl.Series([True, False, True])})
    one = dataset(field("x", "number", "numeric(14,3)"))
    plan = resolve_columns(Mapping(dataset="d"), ("x",), one)
    rows = to_rows(infer_styles(plan, [marked]), marked, one)
    assert rows.values["x"].to_list() == [Decimal("1.125"), Decimal("1500.25"), Decimal("2.375")]


#: type, what the first block holds, what a later one holds
LATE = [
    ("date", ["25/03/2026"], ["04/25/2026"]),
    ("date", ["2026-03-25"], ["26 March 2026"]),
    ("timestamp", ["2026-03-25T10:00:00Z"], ["25/03/2026 10:00"]),
    ("timestamp", ["25/03/2026 10:00"], ["25/03/2026 10:00:30"]),
    ("number", ["10.00"], ["1,234.50"]),
    ("number", ["10"], ["1.500"]),
    ("number", ["10"], ["10,5"]),
    ("number", ["10.5"], ["KES 5"]),
    ("number", ["10.5"], ["5%"]),
    ("integer", ["10"], ["1.000"]),
]


@pytest.mark.parametrize(("kind", "first", "later"), LATE)
def test_a_later_part_that_shows_something_new_is_noticed(kind, first, later):
    one = dataset(field("x", kind))
    plan = resolve_columns(Mapping(dataset="d"), ("x",), one)
    blocks = [block({"x": first}), block({"x": later})]
    partial = infer_styles(plan, blocks)
    assert not to_rows(partial, blocks[0], one).contradicted
    assert to_rows(partial, blocks[1], one).contradicted == ("x",)


#: type, what the first block holds, what a later one holds: nothing that could change the style
USUAL = [
    ("date", ["25/03/2026"], ["31/02/2026", "soon", "n/a", "01/02/2026"]),
    ("date", ["25/03/2026", "2026-03-25"], ["2026-03-26"]),
    ("number", ["10.5", "KES 5"], ["abc", "1.500", "N/A", "7.25"]),
    ("number", ["10"], ["0.5", "11.125"]),
    ("integer", ["10"], ["ten", "12.0"]),
]


@pytest.mark.parametrize(("kind", "first", "later"), USUAL)
def test_a_later_part_that_shows_nothing_new_is_read_on(kind, first, later):
    one = dataset(field("x", kind))
    plan = resolve_columns(Mapping(dataset="d"), ("x",), one)
    blocks = [block({"x": first}), block({"x": later})]
    assert not to_rows(infer_styles(plan, blocks), blocks[1], one).contradicted


@pytest.mark.parametrize(("kind", "first", "later"), LATE)
def test_the_whole_file_decides_as_one_block_does(kind, first, later):
    plan = resolve_columns(Mapping(dataset="d"), ("x",), dataset(field("x", kind)))

    def styles_of(blocks):
        try:
            return infer_styles(plan, blocks, whole=True).fields[0].styles
        except MappingError as error:
            return str(error)

    apart = styles_of([block({"x": first}), block({"x": later})])
    assert apart == styles_of([block({"x": [*first, *later]})])


def test_a_column_that_contradicts_itself_is_refused():
    with pytest.raises(MappingError, match=r"some of its values are dates only as .* and 1 only as"):
        column_of(["31/01/2024", "01/02/2024", "01/31/2024"], "date")


def test_later_blocks_are_asked_where_the_first_leaves_it_open():
    plan = resolve_columns(Mapping(dataset="d"), ("x",), dataset(field("x", "date")))
    blocks = [block({"x": ["01/02/2024"]}), block({"x": ["02/03/2024"]}), block({"x": ["31/03/2024"]})]
    assert infer_styles(plan, blocks).fields[0].styles[0].words == "DD/MM/YYYY"


def test_no_more_is_read_than_is_needed():
    def blocks():
        yield block({"x": ["31/03/2024"]})
        raise AssertionError("the first block had settled it")

    infer_styles(resolve_columns(Mapping(dataset="d"), ("x",), dataset(field("x", "date"))), blocks())


def test_one_column_s_decimal_mark_holds_for_the_file():
    rows = rows_of(
        {"a": ["1,234"], "b": ["1.234,5"]},
        [field("a", "number", "numeric(9,3)"), field("b", "number", "numeric(9,3)")],
    )
    assert rows.values.row(0) == (Decimal("1.234"), Decimal("1234.5"))


def test_a_word_for_nothing_is_null_in_a_column_of_numbers_and_text_in_one_of_texts():
    rows = rows_of({"n": ["1.5", "N/A", "-"], "t": ["x", "N/A", "-"]}, [field("n", "number"), field("t")])
    assert rows.text["n"].to_list() == ["1.5", None, None]
    assert rows.values["t"].to_list() == ["x", "N/A", "-"]
    assert rows.unreadable == {}


def test_a_declared_word_for_nothing_is_null_everywhere():
    rows = rows_of({"t": ["x", "?"]}, [field("t")], {"null_words": ["?"]})
    assert rows.values["t"].to_list() == ["x", None]


def test_a_column_of_no_dates_is_expected_to_be_iso():
    rows = rows_of({"x": ["soon", "later"]}, [field("x", "date")])
    assert rows.values["x"].to_list() == [None, None]
    assert rows.text["x"].to_list() == ["soon", "later"]
    assert rows.unreadable == {"x": "a date as YYYY-MM-DD"}


def test_a_time_that_a_clock_change_skips_or_repeats_is_not_read():
    skipped, repeated = "2024-03-31 01:30:00", "2024-10-27 01:30:00"
    rows = rows_of(
        {"x": [skipped, repeated, "2024-06-01 12:00:00"]},
        [field("x", "timestamp")],
        {"timezone": "Europe/London"},
    )
    assert rows.values["x"].to_list() == [None, None, datetime(2024, 6, 1, 11, tzinfo=UTC)]
    assert rows.unreadable["x"].endswith("once in Europe/London")


def test_a_date_keeps_no_time_unless_the_mapping_declares_it():
    assert column_of(["2024-03-07 10:30:00", "2024-03-08 00:00:00"], "date") == [None, date(2024, 3, 8)]
    assert column_of(["07/03/2024 10:30"], "date", format="DD/MM/YYYY HH:MM") == [date(2024, 3, 7)]


def test_a_zone_that_nobody_knows_is_not_read():
    assert column_of(["2024-03-07 09:05 XAT"], "timestamp") == [None]


def test_numbers_that_nobody_declared_as_days_are_read_as_such_with_a_remark():
    guesses = [
        plan_of({"x": ["46000"]}, [field("x", "date")], {"fields": {"x": {"from": "x", **source}}})
        .fields[0]
        .guess
        for source in ({}, {"format": "excel"})
    ]
    assert guesses == ["numbers are read as the days of a spreadsheet, of which 46000 is 2025-12-09", ""]
    assert column_of(["100", "46000"], "date", format="excel")[0] == date(1900, 4, 9)


def test_a_word_for_nothing_is_missing_in_a_column_of_truths_too():
    rows = rows_of({"x": ["yes", "n/a", "perhaps"]}, [field("x", "boolean")])
    assert (rows.values["x"].to_list(), rows.text["x"].to_list()) == (
        [True, None, None],
        ["yes", None, "perhaps"],
    )
    assert [str(one) for one in rows.remarks] == ["x: a word such as n/a is read as empty (line 3)"]


def test_the_evidence_is_told():
    plan = plan_of({"x": ["07/03/2024", "31/03/2024"]}, [field("x", "date")])
    assert plan.fields[0].evidence == ("2 of 2 distinct values match; 1 values are not a date as MM/DD/YYYY")


def test_a_style_that_a_column_showed_early_is_doubted_later_though_another_column_shows_none():
    fields = (field("amount", "number", "numeric(14,2)"), field("rate", "number"))
    blocks = [block({"amount": [text], "rate": [None]}) for text in ("5.84", "36,287.99")]
    whole = dataset(*fields)
    plan = infer_styles(resolve_columns(None, ["amount", "rate"], whole), blocks)
    assert [to_rows(plan, one, whole).contradicted for one in blocks] == [(), ("amount",)]
    plan = infer_styles(plan, blocks, whole=True)
    assert to_rows(plan, blocks[1], whole).values["amount"].to_list() == [Decimal("36287.99")]


#: texts of a file whose format has a decimal point, and the value of the first; None: it may be either
POINTED = [
    (["1.907"], Decimal("1.907")),
    (["1.234,50", "1,907"], Decimal("1234.5")),  # texts that somebody wrote
    (["0,126", "1,125"], Decimal("0.126")),
    (["1,907"], None),
]


@pytest.mark.parametrize(("texts", "value"), POINTED)
def test_a_text_of_a_number_has_the_point_of_its_format_unless_it_shows_another_style(texts, value):
    whole = dataset(field("x", "number"))
    table = replace(block({"x": texts}), has_points=True)
    plan = resolve_columns(None, ["x"], whole)
    if value is None:
        with pytest.raises(MappingError, match="may be a decimal or a thousands separator"):
            infer_styles(plan, [table])
    else:
        assert to_rows(infer_styles(plan, [table]), table, whole).values["x"][0] == value


def test_a_text_of_a_number_follows_the_decimal_mark_of_its_file_before_that_of_its_format():
    whole = dataset(field("x", "number"), field("n", "integer"))
    table = replace(block({"x": ["6.571,80", "1,5"], "n": ["3.779", "2.000"]}), has_points=True)
    plan = infer_styles(resolve_columns(None, ["x", "n"], whole), [table])
    assert to_rows(plan, table, whole).values["n"].to_list() == [3779, 2000]


BOOLEANS = [("TRUE", True), ("no", False), ("Y", True), ("0", False), ("Ndiyo", True), ("maybe", None)]
BOOLEANS += [
    ("VRAI", True),
    ("FAUX", False),
    ("Sim", True),
    ("NÃO", False),
    ("kweli", True),
    ("0.0", False),
    ("✓", None),
]


@pytest.mark.parametrize(("text", "value"), BOOLEANS)
def test_words_for_true_and_false(text, value):
    assert column_of([text], "boolean") == [value]


@pytest.mark.parametrize(
    ("text", "hour"), [("09:05", 9), ("23:59:59", 23), ("24:00", None), ("9:60", None), ("9", None)]
)
def test_times_of_day(text, hour):
    found = column_of([text], "time")[0]
    assert (found.hour if found else None) == hour


def test_a_nul_makes_a_text_unreadable_and_nothing_crashes():
    rows = rows_of({"x": ["a\0b", "ab"]}, [field("x")])
    assert rows.values["x"].to_list() == [None, "ab"]
    assert rows.unreadable == {"x": "text without NUL characters"}
