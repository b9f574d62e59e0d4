import pytest

from daftari.compile.schema_changes.wider_types import is_looser, is_wider
from daftari.compile.tables.objects import Constraint, ConstraintKind


@pytest.mark.parametrize(
    ("live", "wanted", "expected"),
    [
        ("smallint", "bigint", True),
        ("bigint", "integer", False),
        ("bigint", "numeric", True),
        ("numeric(12,2)", "numeric(14,2)", True),
        ("numeric(12,2)", "numeric(14,4)", True),
        # more decimals take away from the digits before the point
        ("numeric(12,2)", "numeric(12,4)", False),
        ("numeric(12,2)", "numeric", True),
        ("numeric", "numeric(30,2)", False),
        ("character varying(20)", "character varying(40)", True),
        ("character varying(40)", "character varying(20)", False),
        ("character varying(40)", "text", True),
        ("text", "bigint", False),
        ("text", 'text collate "C"', True),
        ("character varying(9)", 'character varying(8) collate "C"', False),
        ("date", "timestamp with time zone", False),
    ],
)
def test_a_type_is_wider_when_it_holds_every_value_of_the_other(live, wanted, expected):
    assert is_wider(wanted, live) is expected


def check(definition):
    return Constraint(schema="ops", table="t", name="c", kind=ConstraintKind.CHECK, definition=definition)


@pytest.mark.parametrize(
    ("live", "wanted", "expected"),
    [
        ("CHECK ((x >= 5))", "CHECK ((x >= 4))", True),
        ("CHECK ((x >= 5))", "CHECK ((x >= 6))", False),
        ("CHECK ((x <= 99.5))", "CHECK ((x <= 100))", True),
        ("CHECK ((x >= '-10'::integer))", "CHECK ((x >= '-20'::integer))", True),
        ("CHECK ((d >= '2020-01-01'::date))", "CHECK ((d >= '2019-12-31'::date))", True),
        ("CHECK ((d <= '2020-01-01'::date))", "CHECK ((d <= '2019-12-31'::date))", False),
        # one bound wider, the other tighter
        (
            "CHECK (((char_length(x) >= 2) AND (char_length(x) <= 9)))",
            "CHECK (((char_length(x) >= 3) AND (char_length(x) <= 12)))",
            False,
        ),
        # another condition altogether
        ("CHECK ((x >= 5))", "CHECK ((y >= 4))", False),
    ],
)
def test_a_check_is_looser_when_every_row_that_passed_still_passes(live, wanted, expected):
    assert is_looser(check(wanted), check(live)) is expected
