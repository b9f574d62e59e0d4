"""Pages that are asked for again and again: prepared for one role each, and nothing of one caller left to the next."""

import pytest
from tests.db.test_read_rows import keys, read
from tests.served_clinic import opened, visit

from daftari.errors import QueryRefused


@pytest.fixture
def house(filled, tmp_path):
    with opened(filled, tmp_path) as made:
        made.post(visit(1), visit(2, ward="B"))
        yield made


def prepared(house):
    return {
        n for (n,) in house.conn.execute("select name from pg_prepared_statements where name like 'daftari%'")
    }


def test_what_was_prepared_for_one_role_shows_another_no_row_more(house):
    for _ in range(8):  # from the sixth time on a plan may be kept for all values
        assert keys(read(house, ("visit_id.gt", "V0"), role="matron")) == "V1 V2"
        assert keys(read(house, ("visit_id.gt", "V0"), role="nurse")) == "V1"
    assert len(prepared(house)) == 2


def test_after_a_page_the_session_is_its_login_and_speaks_for_nobody(house):
    before = house.conn.execute("select current_user").fetchone()
    read(house, role="nurse")
    assert house.conn.execute("select current_user").fetchone() == before
    assert house.conn.execute("select current_setting('daftari.actor', true)").fetchone() == ("",)


def test_a_page_that_fails_leaves_the_session_to_the_next(house):
    for _ in range(2):
        with pytest.raises(QueryRefused):
            read(house, ("fee.gt", "9" * 200_000), role="nurse")
    assert house.conn.execute("select 1").fetchone() == (1,)
    assert keys(read(house, role="nurse")) == "V1"


def test_a_session_that_was_made_to_forget_is_asked_again(house):
    read(house)
    house.conn.execute(
        "create temporary table gone (); drop table gone"
    )  # psycopg has all forgotten after it
    house.conn.execute("deallocate all", prepare=False)
    assert keys(read(house)) == "V1 V2"
    read(house, ("limit", "1"))
    house.conn.execute("deallocate all", prepare=False)
    for limit in range(1, 110):  # a new one first, which takes the place of none that is forgotten
        assert keys(read(house, ("limit", str(limit)))) == ("V1" if limit == 1 else "V1 V2")
    assert keys(read(house)) == "V1 V2"


def test_a_session_that_forgot_in_the_midst_of_many_is_asked_as_before(house):
    for limit in range(1, 120):
        if limit % 7 == 0:
            house.conn.execute("deallocate all", prepare=False)
        for one in (limit, limit // 2 + 1, 1):
            assert keys(read(house, ("limit", str(one)))) == ("V1" if one == 1 else "V1 V2")
    assert len(prepared(house)) <= 120


def test_a_connection_keeps_a_hundred_of_them_and_forgets_those_that_were_not_asked_for_again(house):
    for limit in range(1, 121):
        read(house, ("limit", str(limit)))
        read(house, ("limit", "1"))
    assert len(prepared(house)) == 100
    for limit in (2, 120, 1, 119):
        assert keys(read(house, ("limit", str(limit)))) == ("V1" if limit == 1 else "V1 V2")
    assert len(prepared(house)) == 100


def test_values_are_quoted_whatever_is_in_them(house):
    for value in ("'", "\\", "\\'", "%s", "$1", "'); reset role; select ('", "{", '"', "🙂"):
        assert keys(read(house, ("ward", value))) == ""
        assert keys(read(house, ("ward.in", f"{value},A"))) in ("V1", "")
        assert keys(read(house, ("ward.ne", value))) == "V1 V2"
