from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from daftari.contract.model import Field, LogicalType, Mask, Protection
from daftari.protect import mask


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (Mask.FULL, "Wanjiru", "***"),
        (Mask.FULL, None, None),
        (Mask.LAST3, "12345678", "*****678"),
        (Mask.LAST3, "+254712345678", "*****678"),
        (Mask.LAST3, "12345", "*****"),
        (Mask.LAST3, 12345678, "*****678"),
        (Mask.LAST3, None, None),
        (Mask.INITIAL, "Wanjiru Achieng", "W. A."),
        (Mask.INITIAL, "Ng'ang'a", "N."),
        (Mask.INITIAL, "", ""),
        (Mask.EMAIL, "wanjiru.achieng@example.org", "w***@example.org"),
        (Mask.EMAIL, "no address", "***"),
        (Mask.EMAIL, "two@signs@example.org", "***"),
        (Mask.YEAR, date(1990, 5, 17), "1990"),
        (Mask.YEAR, datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=3))), "2025"),
        (Mask.YEAR, datetime(2026, 1, 1, 1, tzinfo=UTC), "2026"),
        (Mask.YEAR, "1990-05-17", "***"),
    ],
)
def test_what_a_mask_leaves(kind, value, shown):
    assert mask.masked(kind, value) == shown


@pytest.mark.parametrize(
    ("logical_type", "wanted", "used"),
    [
        (LogicalType.STRING, None, Mask.FULL),
        (LogicalType.STRING, Mask.LAST3, Mask.LAST3),
        (LogicalType.INTEGER, Mask.LAST3, Mask.LAST3),
        (LogicalType.NUMBER, Mask.LAST3, Mask.FULL),
        (LogicalType.DATE, Mask.YEAR, Mask.YEAR),
        (LogicalType.STRING, Mask.YEAR, Mask.FULL),
        (LogicalType.DATE, Mask.INITIAL, Mask.FULL),
        (LogicalType.BOOLEAN, Mask.EMAIL, Mask.FULL),
    ],
)
def test_a_mask_that_does_not_fit_the_type_hides_all(logical_type, wanted, used):
    assert (
        mask.mask_of(Field(name="x", logical_type=logical_type, protection=Protection(mask=wanted))) is used
    )


def test_of_a_sealed_field_sql_shows_nothing_as_it_has_the_sealed_form():
    phone = Field(
        name="phone",
        logical_type=LogicalType.STRING,
        protection=Protection(sealed=True, mask=Mask.LAST3),
    )
    assert mask.mask_of(phone) is Mask.LAST3
    assert mask.sql(phone, "phone") == "case when phone is not null then '***' end"
