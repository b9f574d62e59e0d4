"""A rule may sum over rows: one verdict whichever way a row comes, for two at once too, and by the table's check."""

from __future__ import annotations

import json
import threading
from decimal import Decimal

import psycopg
import pytest
from tests.clinic import VISITS, write_workspace
from tests.contracts import field
from tests.served_clinic import opened, visit

from daftari.compile.quality.suites import suite
from daftari.errors import ContractError

RULE = {
    "id": "fees_of_a_day",
    "expression": "sum(fee) filter (where notes is null) over (partition by patient, seen_on) <= 25",
    "message": "makes the fees of a patient's day more than 25",
}
TOLD = ("fees_of_a_day", "fee, notes, patient, seen_on", RULE["message"])
#: The third visit of a day is one too much; one that is not counted, or of another day or patient, is none.
RECORDS = [
    visit(1),
    visit(2),
    visit(3),
    visit(4, notes="free"),
    visit(5, seen_on="2026-03-02"),
    visit(6, patient="Otieno"),
    visit(7, seen_on="2026-03-02", fee="12.51"),
    visit(8, patient=None, fee="25"),
    visit(9, patient=None, fee="1"),
]


@pytest.fixture
def house(filled, tmp_path):
    with opened(filled, tmp_path, rules=[RULE]) as made:
        yield made


def lines(*records):
    fields = ("visit_id", "seen_on", "ward", "patient", "fee", "notes")
    return [",".join(str(it.get(name) or "") for name in fields) for it in records]


def by_http(house, records):
    house.ask(*records, is_new=False)


def by_http_one_by_one(house, records):
    for record in records:
        house.ask(record, is_new=False)


def by_http_as_new(house, records):
    house.ask(*records)


def by_file(house, records):
    house.clinic.load(*lines(*records), again=True)


def by_a_callers_file(house, records):
    sender = (house.write_context().context, house.roles)
    house.clinic.load(*lines(*records), sender=sender, again=True)


def by_sql(house, records):
    """Row by row; a refused row stays out."""
    for record in records:
        named = {"fee": None, "notes": None, **record, "_run_id": 0}
        statement = (
            f"insert into ops.visits ({', '.join(named)}) values ({', '.join(['%s'] * len(named))})"
            " on conflict (visit_id) do update set fee = excluded.fee, patient = excluded.patient,"
            " notes = excluded.notes"
        )
        try:
            house.conn.execute(statement, list(named.values()))
        except psycopg.errors.CheckViolation as error:
            assert error.diag.constraint_name == "visits_fees_of_a_day"


WAYS = [by_http, by_http_one_by_one, by_http_as_new, by_file, by_a_callers_file, by_sql]


def in_quarantine(house):
    found = house.conn.execute("select key, reasons from daftari.quarantine where resolved_by is null")
    return {
        (key if isinstance(key, dict) else json.loads(key))["visit_id"]: tuple(
            reason[name] for name in ("rule", "field", "reason")
        )
        for key, (reason,) in found
    }


@pytest.mark.parametrize("way", WAYS)
def test_a_rule_over_a_sum_gives_one_verdict_whichever_way_a_row_comes(house, way):
    way(house, RECORDS)

    assert house.clinic.keys() == "V1 V2 V4 V5 V6 V8"
    if way is not by_sql:
        assert in_quarantine(house) == dict.fromkeys(("V3", "V7", "V9"), TOLD)


@pytest.mark.parametrize("way", [by_http, by_http_as_new, by_file, by_a_callers_file])
def test_a_row_that_fits_for_what_another_row_of_the_batch_gives_up_is_written(house, way):
    house.post(visit(1), visit(2))

    way(house, [visit(3, fee="20"), visit(1, fee="5"), visit(2, notes="free")])

    assert house.fees() == [("V1", 5), ("V2", Decimal("12.50")), ("V3", 20)]
    assert in_quarantine(house) == {}


@pytest.mark.parametrize("way", WAYS)
def test_a_row_of_a_group_that_is_too_large_already_may_change_in_what_the_rule_does_not_look_at(house, way):
    house.conn.execute("alter table ops.visits disable trigger sum_fees_of_a_day_insert")
    house.post(visit(1, fee="20"), visit(2, fee="20"))
    house.conn.execute("alter table ops.visits enable always trigger sum_fees_of_a_day_insert")

    way(house, [visit(1, fee="20", seen_on="2026-03-01", ward="B"), visit(2, fee="21")])

    assert house.fees() == [("V1", 20), ("V2", 20)]
    if way is not by_sql:
        assert house.clinic.rows("ward") == [("B",), ("A",)]
        assert in_quarantine(house) == {"V2": TOLD}


@pytest.mark.parametrize("first", ["insert", "update"])
def test_of_two_who_write_at_once_the_second_waits_and_is_refused(house, first):
    house.post(visit(1, fee="5"))
    ends = {"insert": visit(2, fee="20"), "update": visit(1, fee="25")}
    other = house.clinic.session()
    told = []
    with house.clinic.session() as holding:
        holding.autocommit = False
        if first == "insert":
            holding.execute(
                "insert into ops.visits (visit_id, seen_on, ward, patient, fee, _run_id)"
                " values ('V9', '2026-03-01', 'A', 'Wanjiku', 20, 0)"
            )
        else:
            holding.execute("update ops.visits set fee = 25 where visit_id = 'V1'")
        second = threading.Thread(target=lambda: told.extend(house.post(visit(3, fee="1"), conn=other)))
        second.start()
        second.join(0.5)
        assert second.is_alive(), "it waits for the first"
        holding.commit()
        second.join(20)
    other.close()

    assert told == ["fees_of_a_day"]
    assert ends[first]["fee"] in ("20", "25")


def test_a_transaction_that_cannot_see_what_others_commit_is_refused(house):
    with (
        pytest.raises(psycopg.errors.InvalidTransactionState, match="fees_of_a_day"),
        house.conn.transaction(),
    ):
        house.conn.execute("set transaction isolation level repeatable read")
        by_sql(house, RECORDS[:1])


def test_a_caller_who_does_not_see_every_row_is_told_no_more_than_of_a_policy(house):
    house.post(visit(1), visit(2))

    assert house.post(visit(3), role="nurse", is_new=False) == ["not_taken"]
    assert house.post(visit(3), role="matron", is_new=False) == ["fees_of_a_day"]


def test_who_reaches_only_own_rows_is_told_of_a_sum_by_person(filled, tmp_path):
    access = [
        {"role": "patient", "operations": ["read", "insert"], "rows": "own"},
        {"role": "matron", "operations": ["read", "insert", "update"], "rows": "all"},
    ]
    fields = [*VISITS[:3], field("patient", "string"), *VISITS[4:]]
    with opened(filled, tmp_path, visits=fields, rules=[RULE], subject="patient", access=access) as house:
        found = house.post(visit(1), visit(2), visit(3), role="patient", user_id="Wanjiku", is_new=False)

    assert found == ["inserted", "inserted", "fees_of_a_day"]


def test_the_check_of_the_table_finds_the_rows_whose_sum_is_too_large(filled, tmp_path):
    with opened(filled, tmp_path, rules=[{**RULE, "when": "checked"}]) as house:
        house.post(
            visit(1),
            visit(2),
            visit(3, seen_on="2026-03-02"),
            visit(4, seen_on="2026-03-02"),
            visit(5, seen_on="2026-03-02", fee="0.01"),
            visit(6, seen_on="2026-03-02", notes="not counted"),
        )
        (check,) = [it for it in suite(house.contract).checks if it.id == "rule.fees_of_a_day"]

        query = check.kwargs["unexpected_rows_query"].replace("\\:", ":")
        found = house.conn.execute(query).fetchall()

    assert sorted(key for (key,) in found) == ["V3", "V4", "V5"]


def test_a_rule_sums_over_one_group_when_a_row_is_written(tmp_path):
    two = f"{RULE['expression']} and sum(fee) over (partition by ward) <= 100"
    expected = "sums over different groups, when always; expected the same partition by in all of its sums"
    with pytest.raises(ContractError, match=expected):
        write_workspace(tmp_path, rules=[{**RULE, "expression": two}])
