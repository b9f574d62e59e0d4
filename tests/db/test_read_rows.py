"""Rows as callers read them: in their role, page by page, and kept in the audit where they are restricted."""

import io
import json
from decimal import Decimal
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.served_clinic import opened, visit

from daftari.errors import AccessRefused, QueryRefused
from daftari.io.audit.audit_entries import AuditFilter, audit_entries
from daftari.operations.read.read_rows import export_rows, query_of, read_one, read_page

SHOWN = "visit_id,ward,fee"


@pytest.fixture
def house(filled, tmp_path):
    with opened(filled, tmp_path) as made:
        made.post(
            visit(1, fee=3, notes="asthma"),
            visit(2, ward="B", fee=None),
            visit(3, fee=1),
            visit(4, ward="C", fee=1, patient=None),
            visit(5, ward="A", fee=Decimal("0.10")),
        )
        yield made


def read(house, *asked, role="matron", **said):
    reader = house.reader(role, **said)
    return read_page(house.conn, reader, query_of(reader, [("fields", SHOWN), *asked]))


def keys(page):
    return " ".join(json.loads(row)["visit_id"] for row in page.rows)


def test_a_caller_reads_the_rows_of_its_role(house):
    assert keys(read(house, role="matron")) == "V1 V2 V3 V4 V5"
    assert keys(read(house, role="nurse")) == "V1 V3 V5"


def test_a_number_comes_with_the_digits_that_it_is_kept_with(house):
    assert read(house, ("visit_id", "V5")).rows == ('{"visit_id":"V5","ward":"A","fee":0.10}',)


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("ward", "A", "V1 V3 V5"),
        ("ward.ne", "A", "V2 V4"),
        ("ward.in", "B,C", "V2 V4"),
        ("fee.gte", "1", "V1 V3 V4"),
        ("fee.lt", "1.0", "V5"),
        ("fee.is", "null", "V2"),
        ("patient.is", "notnull", "V1 V2 V3 V5"),
        ("visit_id.starts", "V", "V1 V2 V3 V4 V5"),
        ("visit_id.starts", "%", ""),
        ("ward", "A' or true --", ""),
    ],
)
def test_rows_are_chosen_by_what_their_fields_are(house, name, value, found):
    assert keys(read(house, (name, value))) == found


def test_nulls_come_last_whichever_way_rows_are_sorted(house):
    assert keys(read(house, ("sort", "fee"))) == "V5 V3 V4 V1 V2"
    assert keys(read(house, ("sort", "-fee"))) == "V1 V3 V4 V5 V2"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.sampled_from(["ward", "fee", "patient", "seen_on"]), unique=True, max_size=3),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.integers(1, 4),
)
def test_pages_put_together_are_all_rows_in_order_each_of_them_once(house, names, turned, limit):
    sort = ",".join(f"{'-' if down else ''}{name}" for name, down in zip(names, turned, strict=False))
    asked = [("sort", sort)] if sort else []
    whole = keys(read(house, *asked)).split()
    found, after = [], None
    while True:
        page = read(house, *asked, ("limit", str(limit)), *([("after", after)] if after else []))
        found += keys(page).split()
        after = page.next
        if after is None:
            break
        assert len(page.rows) == limit
    assert found == whole
    assert len(set(found)) == 5


def test_a_page_goes_on_where_the_last_one_ended_though_rows_come_between(house):
    first = read(house, ("limit", "2"))
    house.post(visit("1x"), visit("2x"))
    assert keys(read(house, ("after", first.next))) == "V2x V3 V4 V5"


def test_what_a_role_sees_masked_is_shown_masked(house):
    reader = house.reader("porter")
    asked = [("fields", "visit_id,patient"), ("visit_id", "V1")]
    found = read_page(house.conn, reader, query_of(reader, asked))
    assert found.rows == ('{"visit_id":"V1","patient":"***"}',)


@pytest.mark.parametrize(
    ("role", "asked"),
    [
        ("porter", ("patient", "Wanjiku")),
        ("porter", ("sort", "patient")),
        ("matron", ("notes", "asthma")),
        ("matron", ("notes.in", "asthma,malaria")),
        ("matron", ("sort", "-notes")),
    ],
)
def test_a_value_that_is_masked_or_restricted_stands_in_no_address(house, role, asked):
    with pytest.raises(QueryRefused, match="may not be used in a URL"):
        read(house, asked, role=role)


def test_one_row_is_read_by_its_key_and_a_hidden_one_is_as_one_that_is_not_there(house):
    nurse = house.reader("nurse", purpose="the ward's round")
    assert json.loads(read_one(house.conn, nurse, ["V1"]))["fee"] == 3
    assert read_one(house.conn, nurse, ["V2"]) is None
    assert read_one(house.conn, nurse, ["V99"]) is None


@pytest.mark.parametrize(("role", "caller"), [("kiosk", {}), ("matron", {"datasets": ("wards",)}), ("x", {})])
def test_who_reads_nothing_of_a_dataset_is_refused_whatever_is_asked(house, role, caller):
    with pytest.raises(AccessRefused, match="visits: this caller may not read it"):
        read(house, role=role, **caller)


# --- what is restricted


def reads(house):
    found = audit_entries(house.conn, AuditFilter(relation="ops.visits"))
    return [(it.actor, it.purpose, it.rows, it.detail["columns"]) for it in found if it.operation == "read"]


@pytest.mark.parametrize("asked", [[("fields", "visit_id,notes")], [("notes.is", "null")], []])
def test_a_restricted_field_is_not_read_shown_or_asked_about_for_no_purpose(house, asked):
    reader = house.reader()
    rest = [("fields", "visit_id")] if asked and asked[0][0] != "fields" else []
    with pytest.raises(AccessRefused, match="visits: notes: restricted, and read without a purpose"):
        read_page(house.conn, reader, query_of(reader, [*asked, *rest]))
    assert reads(house) == []


def test_a_read_of_a_restricted_field_is_in_the_audit_with_its_purpose(house):
    reader = house.reader(purpose="a second opinion")
    page = read_page(house.conn, reader, query_of(reader, [("ward", "A")]))
    assert json.loads(page.rows[0])["notes"] == "asthma"
    assert reads(house) == [("test matron", "a second opinion", 3, ["notes"])]


def test_a_read_of_other_fields_leaves_no_trace(house):
    read(house)
    assert reads(house) == []


# --- exports


def export(house, *asked, role="matron", form="csv", purpose=None):
    reader = house.reader(role, purpose)
    pieces = export_rows(house.conn, reader, query_of(reader, asked), form=form)
    return b"".join(pieces).decode()


def test_an_export_holds_all_rows_whatever_the_limit(house):
    asked = [("fields", SHOWN), ("sort", "-fee"), ("limit", "1"), ("ward", "A")]
    assert export(house, *asked) == "visit_id,ward,fee\r\nV1,A,3.00\r\nV3,A,1.00\r\nV5,A,0.10\r\n"
    lines = export(house, *asked, form="ndjson").splitlines()
    assert [json.loads(line)["visit_id"] for line in lines] == ["V1", "V3", "V5"]


def test_an_export_holds_the_rows_of_the_callers_role(house):
    assert export(house, ("fields", "visit_id"), role="nurse").split() == ["visit_id", "V1", "V3", "V5"]


def parquet(house, *asked, role="matron"):
    reader = house.reader(role, "a test")
    pieces = export_rows(house.conn, reader, query_of(reader, asked), form="parquet")
    return pl.read_parquet(io.BytesIO(b"".join(pieces)))


def test_a_parquet_export_has_the_types_of_the_contract_to_the_last_digit(house):
    found = parquet(house, ("ward", "A"), ("fields", "visit_id,seen_on,fee,created_at"), ("sort", "visit_id"))
    assert found.schema["seen_on"] == pl.Date
    assert found.schema["fee"] == pl.Decimal(10, 2)
    assert found.schema["created_at"] == pl.Datetime("us", "UTC")
    assert found["fee"].to_list() == [Decimal("3.00"), Decimal("1.00"), Decimal("0.10")]


def test_a_parquet_export_shows_what_the_role_sees_and_is_a_file_where_there_is_nothing(house):
    assert set(parquet(house, role="porter")["patient"].to_list()) <= {"***", None}
    assert parquet(house, ("visit_id", "V999"), role="nurse").height == 0


def test_a_parquet_export_of_several_groups_has_every_row(house):
    house.conn.execute(
        "insert into ops.visits (visit_id, seen_on, ward, _run_id)"
        " select 'g' || n, '2026-03-01', 'A', 1 from generate_series(1, 45000) n"
    )
    assert parquet(house, ("fields", "visit_id"), ("visit_id.starts", "g")).n_unique() == 45_000


def test_an_export_of_a_restricted_field_is_in_the_audit_before_its_first_row_is_sent(house):
    reader = house.reader(purpose="the annual report")
    pieces = export_rows(house.conn, reader, query_of(reader, []), form="csv")
    next(pieces)
    pieces.close()
    assert [it[1] for it in reads(house)] == ["the annual report"]


def test_an_export_of_more_rows_than_a_piece_has_them_all(house):
    house.post(*(visit(f"x{number:05}", fee=None) for number in range(5000)))
    found = export(house, ("fields", "visit_id")).split()[1:]
    assert len(found) == 5005
    assert all(one < other for one, other in pairwise(found))


def test_a_value_beyond_what_a_column_holds_is_refused_and_no_fault(house):
    assert keys(read(house, ("fee.lt", "1" + "0" * 40))) == "V1 V3 V4 V5"
    assert keys(read(house, ("fee", "2.999"))) == ""  # and is not rounded to what it holds
    with pytest.raises(QueryRefused):
        read(house, ("seen_on", "0000-01-01"))
