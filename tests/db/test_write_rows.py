"""What callers send: judged like a file's rows, written in the caller's role, answered record by record."""

import threading
from decimal import Decimal

import psycopg
import pytest
from psycopg import sql
from tests.clinic import NOW
from tests.served_clinic import opened, visit

from daftari.errors import AccessRefused, Drift, KeyReused, RequestUnderWay, UnknownName
from daftari.io.access.callers import speak_for
from daftari.io.row_writing.staging import stage_of_session
from daftari.io.runs import ledger
from daftari.io.write import idempotency
from daftari.io.write.caller_write import CallerWrite
from daftari.io.write.idempotency import Named
from daftari.operations.write.judge_records import JudgedRecords, judge_records
from daftari.operations.write.write_requests import WriteRequest
from daftari.operations.write.write_rows import write_rows
from daftari.rows.intake.records import NotARecord


@pytest.fixture
def house(filled, tmp_path):
    with opened(filled, tmp_path) as made:
        yield made


def test_each_record_is_told_what_became_of_it(house):
    assert house.post(visit(1), visit(2)) == ["inserted", "inserted"]
    no_record = NotARecord(reason="is not a JSON object")
    assert house.post(
        visit(1), visit(2, fee=3), visit(3), visit(3), visit(4, fee=-1, ward="Z"), no_record
    ) == [
        "unchanged",
        "updated",
        "duplicate",
        "inserted",
        "fee.minimum ward.reference",
        "shape",
    ]
    assert house.fees() == [("V1", Decimal("12.50")), ("V2", Decimal(3)), ("V3", Decimal("12.50"))]


def test_what_waits_for_others_that_wait_for_it_is_written_all_the_same(house):
    house.post(*(visit(number) for number in range(1, 41)))
    with (
        psycopg.connect(house.clinic.url) as other,
        psycopg.connect(house.clinic.url, autocommit=True) as watch,
    ):
        # So that it is the writer whom the server chooses to begin anew.
        other.execute("set deadlock_timeout = '1 min'")
        other.execute("update ops.visits set fee = 1 where visit_id = 'V20'")
        told = []
        writing = threading.Thread(
            target=lambda: told.extend(
                house.post(*(visit(number, fee=7) for number in range(1, 41)), is_new=False)
            )
        )
        writing.start()
        waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        while not watch.execute(waits).fetchone()[0]:
            assert writing.is_alive(), told
        other.execute("update ops.visits set fee = 2 where visit_id <> 'V20'")
        other.commit()
        writing.join(30)
    assert told == ["updated"] * 40
    assert {fee for _, fee in house.fees()} == {Decimal(7)}
    states = [state for (state,) in house.clinic.runs("status::text")]
    assert states.count("succeeded") == 2


def test_every_request_is_a_run_that_accounts_for_its_records(house):
    house.post(visit(1), visit(1), visit(2, ward="Z"))
    (run,) = house.clinic.runs("kind", "status::text", "received", "inserted", "duplicate", "quarantined")
    assert run == ("write", "succeeded", 3, 1, 1, 1)
    assert house.clinic.open_lines() == [("api", 3)]


def test_the_audit_names_the_caller_its_role_and_its_request(house):
    house.post(visit(1), role="nurse")
    house.post(visit(1, fee=1), role="nurse")
    found = house.conn.execute(
        "select operation, actor, request_id, run_id is not null from daftari.audit_entry"
        " where relation = 'ops.visits' and operation in ('insert', 'merge', 'update') order by entry_id"
    ).fetchall()
    assert found == [
        ("insert", "test nurse", "r1", True),
        ("update", "test nurse", "r1", True),
        ("merge", "test nurse", "r1", True),
    ]


def test_a_row_that_lands_mends_what_was_refused_under_its_key(house):
    house.post(visit(1, fee=-1))
    assert house.clinic.open_lines() == [("api", 1)]
    house.post(visit(1))
    assert house.clinic.open_lines() == []


@pytest.mark.parametrize(
    ("record", "role"),
    [
        (visit(9, ward="B"), "nurse"),  # not hers to write
        (visit(1, ward="A"), "nurse"),  # there, and hidden from her: the same content
        (visit(1, ward="A", fee=1), "nurse"),  # there, hidden, and other content
        (visit(9, ward="Z"), "nurse"),  # refers to a ward that does not exist, of which she sees none
    ],
)
def test_what_a_caller_may_not_know_of_is_refused_in_the_words_of_what_a_caller_may_not_write(
    house, record, role
):
    house.post(visit(1, ward="B"))
    before = house.clinic.rows("visit_id", "ward", "fee")
    answer = house.ask(record, role=role)
    assert [it["rule"] for it in answer.outcomes[0].reasons] == ["not_taken"]
    assert house.clinic.rows("visit_id", "ward", "fee") == before


def test_rows_beside_one_that_is_refused_are_written(house):
    records = [visit(number, ward="B" if number % 7 == 0 else "A") for number in range(1, 30)]
    found = house.post(*records, role="nurse")
    assert [found.count("inserted"), found.count("not_taken")] == [25, 4]
    assert len(house.clinic.rows()) == 25


def test_a_role_that_writes_nothing_is_refused_before_anything_is_begun(house):
    with pytest.raises(AccessRefused, match="role porter may not write"):
        house.post(visit(1), role="porter")
    assert house.clinic.runs() == []


def test_a_role_without_the_right_to_insert_is_refused_by_the_server_and_its_run_is_closed(house):
    house.post(visit(1))
    assert house.post(visit(1, fee=1), role="fixer") == ["updated"]
    with pytest.raises(AccessRefused, match="role fixer may not insert"):
        house.post(visit(1, fee=2), visit(2), role="fixer")
    assert house.clinic.runs("status::text", "received")[-1] == ("refused", 0)
    assert house.fees() == [("V1", Decimal(1))]


def test_a_role_that_may_insert_and_not_change_leaves_what_is_there(house):
    house.post(visit(1))
    assert house.post(visit(1, fee=1), visit(2), role="clerk") == ["not_taken", "inserted"]
    assert house.fees()[0] == ("V1", Decimal("12.50"))


def test_a_role_that_sees_nothing_does_not_learn_that_its_own_row_is_there(house):
    assert house.post(visit(1), role="kiosk") == ["inserted"]
    assert house.post(visit(1), role="kiosk") == ["not_taken"]


def test_a_token_for_reading_or_for_another_dataset_writes_nothing(house):
    for caller in ({"writes": False}, {"datasets": ("wards",)}):
        with pytest.raises(AccessRefused, match="may not write to it"):
            house.post(visit(1), **caller)


@pytest.mark.parametrize("name", ["_run_id", "created_at", "colour"])
def test_a_record_with_what_is_no_field_is_refused_and_nothing_is_written(house, name):
    with pytest.raises(UnknownName, match="record 2: no field"):
        house.post(visit(1), visit(2, **{name: 1}))
    assert house.clinic.rows() == []


# --- tried as new, and looked at closely where they are not


def test_rows_are_the_same_whether_they_are_tried_as_new_or_looked_at_first(house):
    tried = house.post(visit(1), visit(1), visit(2, patient=None), visit(3, seen_on="2026-03-02"))
    looked_at = house.post(
        visit(4), visit(4), visit(5, patient=None), visit(6, seen_on="2026-03-02"), is_new=False
    )
    assert tried == looked_at == ["duplicate", "inserted", "inserted", "inserted"]
    first, second = house.clinic.runs("kind", "status::text", "received", "inserted", "duplicate", "source")
    assert first == second == ("write", "succeeded", 4, 3, 1, "api")
    values = house.clinic.rows("ward", "patient", "fee", "seen_on")
    assert values[:3] == values[3:]


def test_nothing_is_left_of_a_run_that_tried_rows_as_new_and_met_one_that_is_there(house):
    house.post(visit(1))
    assert house.post(visit(1), visit(2)) == ["unchanged", "inserted"]
    assert len(house.clinic.runs()) == 2
    assert house.conn.execute(
        "select count(*) from daftari.audit_entry where relation = 'ops.visits' and operation = 'insert'"
    ).fetchone() == (2,)


def test_a_row_that_refers_to_nothing_is_told_so_by_name_although_it_is_tried_as_new(house):
    assert house.post(visit(1), visit(2, ward="Z")) == ["inserted", "ward.reference"]


def test_what_was_left_open_under_a_key_that_another_request_brings_is_mended(house):
    house.post(visit(1, fee=-1), visit(2, fee=-1))
    assert house.post(visit(2), visit(3)) == ["inserted", "inserted"]
    assert house.clinic.open_lines() == [("api", 1)]


def test_no_record_of_a_batch_is_taken_for_the_total_of_the_others(house):
    records = [
        visit(1, fee=2),
        visit(2, fee=3),
        visit(0, visit_id=None, seen_on=None, ward=None, patient=None, fee=5),
    ]
    found = house.post(*records)
    assert found[:2] == ["inserted", "inserted"]
    assert "visit_id.required" in found[2]


@pytest.mark.parametrize("mark", ["other", None])
def test_a_database_of_another_contract_is_written_to_by_nobody(house, mark):
    change = (
        "update daftari.contract_marker set hash = 'other'" if mark else "delete from daftari.contract_marker"
    )
    house.conn.execute(change)
    with pytest.raises(Drift, match="the database has"):
        house.post(visit(1))
    assert house.clinic.rows() == []
    assert house.clinic.runs() == []


@pytest.mark.parametrize("is_new", [True, False])
def test_texts_come_into_the_table_as_they_were_sent(house, is_new):
    texts = [
        '"quoted"',
        "a,b",
        "two\nlines",
        "a\n\\.\nb",
        "\\.",
        "\\N",
        "back\\slash",
        "'",
        "null",
        "wan\u00e7ik\u0169",
    ]
    records = [visit(at, patient=text) for at, text in enumerate(texts)]
    assert house.post(*records, is_new=is_new) == ["inserted"] * len(texts)
    assert [patient for _, patient in house.clinic.rows("visit_id", "patient")] == texts


def test_each_batch_of_a_transaction_finds_nothing_of_the_last_one_laid_out(house):
    dataset, caller = house.contract.dataset, house.write_context().context.caller
    with ledger.ledger_run(house.conn, "write", house.contract), house.conn.transaction():
        speak_for(house.conn, house.write_context().context)
        writing = CallerWrite(house.conn, dataset, caller, house.roles)
        for number in (1, 2):
            sent = JudgedRecords(records=[visit(number)], seal=lambda rows: rows)
            (batch,) = judge_records(house.contract, sent, NOW, look_up=None).batches
            assert [fate.status for fate in writing.write(batch).values()] == ["inserted"]
            count = sql.SQL("select count(*) from {}").format(stage_of_session(dataset))
            assert house.conn.execute(count).fetchone() == (1,)
        raise psycopg.Rollback


def test_a_text_that_is_only_white_space_is_missing_and_one_between_is_trimmed(house):
    assert house.post(visit(1, patient=" \u00a0 "), visit(2, patient="\tWanjiku ")) == [
        "inserted",
        "inserted",
    ]
    assert house.clinic.rows("patient") == [(None,), ("Wanjiku",)]


# --- the same again


def test_the_same_key_and_the_same_records_give_the_same_answer_and_write_nothing(house):
    first = house.ask(visit(1), visit(2, fee=-1), key="k")
    again = house.ask(visit(1), visit(2, fee=-1), key="k")
    assert again.outcomes == first.outcomes
    assert (again.run_id, again.is_repeated) == (first.run_id, True)
    assert len(house.clinic.runs()) == 1


def test_the_same_key_with_other_records_is_refused(house):
    house.ask(visit(1), key="k", fingerprint="one")
    answer = house.ask(visit(1), key="k", fingerprint="two")
    assert isinstance(answer, KeyReused)


def test_a_key_is_its_callers_own(house):
    house.ask(visit(1), key="k", role="matron")
    assert house.ask(visit(1), key="k", role="nurse", fingerprint="x").outcomes[0].status == "unchanged"


def test_while_an_answer_is_being_found_nobody_else_finds_one_under_the_same_key(house):
    named = Named(caller="test matron", key="k", fingerprint="f")
    with house.clinic.session() as other, idempotency.claimed_keys(other, [named]):
        assert isinstance(house.ask(visit(1), key="k"), RequestUnderWay)
    assert house.ask(visit(1), key="k").outcomes[0].status == "inserted"


def test_two_requests_of_one_batch_with_one_key_are_not_both_written(house):
    requests = [
        WriteRequest(records=[visit(1)], request_id=f"r{at}", key="k", fingerprint="f") for at in (1, 2)
    ]
    first, second = write_rows(house.conn, house.write_context(), requests, now=NOW)
    assert [it.status for it in first.outcomes] == ["inserted"]
    assert isinstance(second, RequestUnderWay)


def test_a_request_that_dies_lets_go_of_its_key(house):
    with house.clinic.session() as other:
        pid = other.info.backend_pid
        claim = idempotency.claimed_keys(other, [Named(caller="test matron", key="k", fingerprint="f")])
        claim.__enter__()
        house.conn.execute("select pg_terminate_backend(%s, 5000)", [pid])
    assert house.ask(visit(1), key="k").outcomes[0].status == "inserted"


def test_many_at_once_with_the_same_records_make_one_row(house):
    answers_found = []

    def send():
        with psycopg.connect(house.clinic.url, autocommit=True) as conn:
            answers_found.append(house.ask(visit(1), conn=conn).outcomes[0].status)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers_found) == ["inserted"] + ["unchanged"] * 7
    assert house.fees() == [("V1", Decimal("12.50"))]


def test_two_who_bring_the_same_new_rows_in_other_orders_do_not_lock_each_other_out(house):
    numbers = range(400)
    found = []

    def send(numbers, at):
        with psycopg.connect(house.clinic.url, autocommit=True) as conn:
            records = [visit(at * 1000 + number) for number in numbers]
            found.append({it.status for it in house.ask(*records, conn=conn).outcomes})

    for at in range(4):
        threads = [threading.Thread(target=send, args=[order, at]) for order in (numbers, numbers[::-1])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(map(sorted, found)) == [["inserted"]] * 4 + [["unchanged"]] * 4


@pytest.mark.parametrize(
    ("conflict", "told", "fee"),
    [
        ("update", "updated", 1),
        ("keep", "superseded", Decimal("12.50")),
        ("reject", "conflict", Decimal("12.50")),
    ],
)
def test_a_key_that_comes_with_other_content_goes_by_its_contract(filled, tmp_path, conflict, told, fee):
    with opened(filled, tmp_path, conflict=conflict) as house:
        house.post(visit(1))
        assert house.post(visit(1, fee=1)) == [told]
        assert house.fees() == [("V1", fee)]


@pytest.mark.parametrize("field", ["visit_id", "ward", "patient", "notes"])
def test_a_character_that_the_database_cannot_hold_is_a_reason_and_no_fault(house, field):
    (told,) = house.post(visit(1, **{field: "A\0"}))
    assert field in told or told == "not_taken"
    assert house.clinic.rows() == []
