"""A mask leaves the same of a value in Python and in SQL, and never more than it says."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daftari.contract.model import Field, LogicalType, Mask, Protection
from daftari.protect import mask

TEXTS = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20
) | st.from_regex(r"[a-z]{0,3}@?[a-z]{0,3}(\.|@|\n)?[a-z]{0,3}", fullmatch=True)
DATES = st.dates(date(1, 1, 1), date(9999, 12, 31))
INSTANTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC))
VALUES = {
    LogicalType.STRING: ("text", TEXTS),
    LogicalType.INTEGER: ("bigint", st.integers(-(2**63), 2**63 - 1)),
    LogicalType.NUMBER: ("numeric", st.decimals(allow_nan=False, allow_infinity=False, places=2)),
    LogicalType.BOOLEAN: ("boolean", st.booleans()),
    LogicalType.DATE: ("date", DATES),
    LogicalType.TIMESTAMP: ("timestamptz", INSTANTS),
}
TOGETHER = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def field(kind, wanted):
    return Field(name="value", logical_type=kind, protection=Protection(mask=wanted))


@pytest.mark.parametrize("wanted", [None, *Mask], ids=str)
@pytest.mark.parametrize("kind", VALUES)
@given(data=st.data())
@TOGETHER
def test_python_and_sql_agree(scratch, kind, wanted, data):
    type_, strategy = VALUES[kind]
    values = data.draw(st.lists(st.none() | strategy, max_size=20))
    masked = field(kind, wanted)
    with scratch.transaction(force_rollback=True):
        # what a session says of dates and zones must not show through a mask
        scratch.execute("set local datestyle = 'SQL, DMY'; set local timezone = 'Asia/Tokyo'")
        found = scratch.execute(
            f"select {mask.sql(masked, 'value')} from unnest(%s::{type_}[]) with ordinality v(value, n) order by n",
            [values],
        )
        assert [it for (it,) in found] == [mask.masked(mask.mask_of(masked), value) for value in values]


@given(TEXTS)
def test_of_a_text_that_is_no_longer_than_five_nothing_is_told(text):
    assert mask.masked(Mask.LAST3, text[:5]) == "*****"


@given(TEXTS, st.sampled_from(Mask))
def test_no_mask_gives_back_a_text_of_some_length(text, kind):
    if len(text.replace(" ", "")) > 3 * len(text.split(" ")):
        assert text not in (mask.masked(kind, text) or "")
