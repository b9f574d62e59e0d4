"""Loading beside others: parents that stay as long as they are needed, and sessions that wait for each other."""

from __future__ import annotations

import threading
from datetime import date
from time import monotonic

import psycopg
import pytest
from tests.bulk_loads import Lander, batch_of, counted, make_tables
from tests.contracts import contract_of, field

from daftari.errors import DatabaseError
from daftari.io.load.bulk_load import BulkLoad
from daftari.io.load.foreign_keys import ReferencedRows
from daftari.rows.intake.intake import references
from daftari.rows.rules.rejection import Refusal

KEY = {"name": "visit_id", "logicalType": "string", "required": True, "primaryKey": True}


def visits(*fields):
    return contract_of(fields=[KEY, *fields]).dataset


WARDS = contract_of(
    name="wards", fields=[{"name": "ward", "logicalType": "string", "required": True, "primaryKey": True}]
).dataset
BEDS = visits(
    field("ward", "string", relationships=[{"type": "foreignKey", "to": "wards.ward"}]),
    field("note", "string"),
)


@pytest.fixture
def wards(db):
    make_tables(db, WARDS, BEDS)
    db.execute("insert into ops.wards (ward, _run_id) values ('A', 0), ('B', 0), ('C', 0)")
    return db


UUID = "6f1c7a52-0f4e-4b8e-9b57-8c1e4f9d2a31"


def bed(key, ward):
    return {"visit_id": key, "ward": ward, "note": None}


def use(parents, dataset, *records):
    parents.use(references(batch_of(dataset, *records, run_id=1).rows, dataset))


def test_the_keys_that_exist_are_known(wards):
    ((relationship, keys),) = ReferencedRows(wards, BEDS).known().items()

    assert (relationship.target, sorted(keys["ward"])) == ("wards", ["A", "B", "C"])


def test_a_parent_deleted_meanwhile_stops_the_load(wards, database_url):
    parents = ReferencedRows(wards, BEDS)
    use(parents, BEDS, bed("a", "A"), bed("b", "B"), bed("c", None))
    with psycopg.connect(database_url) as other:
        other.execute("delete from ops.wards where ward = 'B'")

    with pytest.raises(DatabaseError) as caught:
        parents.hold()

    assert str(caught.value) == (
        "visits: a row of wards that rows of this file refer to was deleted while they were being loaded; "
        "nothing was loaded"
    )


def test_parents_in_use_cannot_be_deleted_until_the_load_is_through_and_others_can(wards, database_url):
    parents = ReferencedRows(wards, BEDS)
    use(parents, BEDS, bed("a", "A"))
    with wards.transaction(), psycopg.connect(database_url, autocommit=True) as other:
        parents.hold()
        other.execute("set lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("delete from ops.wards where ward = 'A'")
        other.execute("delete from ops.wards where ward = 'B'")
        other.execute("update ops.wards set updated_at = now() where ward = 'A'")


@pytest.mark.parametrize(
    ("kind", "said", "keys", "found"),
    [
        ("integer", {}, ["1", "2"], [1, 2]),
        ("integer", {"physicalType": "smallint"}, ["1"], [1]),
        ("date", {}, ["2026-03-14"], [date(2026, 3, 14)]),
        ("string", {"physicalType": "uuid"}, [UUID], [UUID]),
        ("string", {"physicalType": "varchar(5)"}, ["ab"], ["ab"]),
        ("number", {"physicalType": "numeric(5,2)"}, ["1.50"], None),
        ("timestamp", {}, ["2026-03-14T00:00:00Z"], None),
    ],
)
def test_parents_of_every_type_of_key_are_known_and_held(undone, kind, said, keys, found):
    parent = contract_of(
        name="wards", fields=[field("ward", kind, required=True, primaryKey=True, **said)]
    ).dataset
    child = visits(field("ward", kind, relationships=[{"type": "foreignKey", "to": "wards.ward"}], **said))
    make_tables(undone, parent, child)
    Lander(undone, parent)([{"ward": key} for key in keys])
    parents = ReferencedRows(undone, child)

    (known,) = parents.known().values()
    use(parents, child, {"visit_id": "a", "ward": keys[0]})
    parents.hold()

    assert known["ward"].len() == len(keys)
    assert found is None or sorted(known["ward"]) == found


@pytest.fixture
def clerk(wards, database_url):
    """A session that may write rows, and may not set session_replication_role."""
    name = "clerk_" + wards.info.dbname
    wards.execute(f"create role {name} login")
    wards.execute(f"grant usage on schema ops, daftari to {name}")
    wards.execute(f"grant all on all tables in schema ops, daftari to {name}")
    wards.execute(f"grant temporary on database {wards.info.dbname} to {name}")
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(f"set session authorization {name}")
        yield conn
    wards.execute(f"drop owned by {name}")
    wards.execute(f"drop role {name}")


def test_a_session_that_may_not_skip_the_key_triggers_loads_too_and_the_server_checks_by_itself(clerk):
    lander = Lander(clerk, BEDS)

    landed = lander([bed("a", "A"), bed("b", "X"), bed("c", None)], [bed("a", "B")])

    assert lander.rows("visit_id", "ward") == [("a", "B"), ("c", None)]
    assert counted(landed) == [{"inserted": 2, "quarantined": 1}, {"superseded": 1}]
    why = Refusal(rule="ward.reference", fields=("ward",), reason="refers to a row that does not exist")
    assert landed[0].refused == {3: why}


def test_key_triggers_fire_again_after_the_load(wards):
    with wards.transaction():
        landing = BulkLoad(wards, BEDS, 1)
        landing.prepare(large=False)
        assert wards.execute("show session_replication_role").fetchone() == ("replica",)
        landing.finish()
        with pytest.raises(psycopg.errors.ForeignKeyViolation), wards.transaction():
            wards.execute("insert into ops.visits (visit_id, ward, _run_id) values ('x', 'X', 1)")


def test_a_second_load_of_a_dataset_waits_for_the_first_and_one_of_another_does_not(wards, database_url):
    events = []

    def second():
        with psycopg.connect(database_url) as other:
            BulkLoad(other, WARDS, 2).prepare(large=False)
            events.append("another dataset")
            BulkLoad(other, BEDS, 2).prepare(large=False)
            events.append("the same dataset")

    thread = threading.Thread(target=second)
    with wards.transaction():
        BulkLoad(wards, BEDS, 1).prepare(large=False)
        thread.start()
        end = monotonic() + 10
        while wards.execute("select count(*) from pg_locks where not granted").fetchone() == (0,):
            assert monotonic() < end, "the second load does not wait"
        events.append("the first ends")
    thread.join()

    assert events == ["another dataset", "the first ends", "the same dataset"]


def test_a_load_that_waits_for_another_too_long_says_so(wards, database_url):
    with wards.transaction(), psycopg.connect(database_url) as other:
        BulkLoad(wards, BEDS, 1).prepare(large=False)
        other.execute("set lock_timeout = '20ms'")
        with pytest.raises(DatabaseError) as caught:
            BulkLoad(other, BEDS, 2).prepare(large=False)

    assert str(caught.value) == "visits: another load of it is running and did not end in time"
