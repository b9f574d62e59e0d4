"""The ledger of runs. The first three promises are those of migrations/0001_ledger.sql."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql
from tests.contracts import contract_of

from daftari.errors import SourceError
from daftari.io.quarantine import quarantine_entries
from daftari.io.runs import ledger
from daftari.io.runs.ledger import Origin, RunCounts

CONTRACT = contract_of()
ORIGIN = Origin(name="march.csv", sha256="0" * 64, path="/in/march.csv", bytes=10, mapping="clinic.yaml")


def status(conn):
    return conn.execute(
        "select status, error_code, finished_at is not null from daftari.run order by run_id"
    ).fetchall()


def entry(conn, run_id, line=2):
    row = conn.execute(
        "insert into daftari.quarantine (run_id, dataset, line, reasons) values (%s, 'visits', %s, '[{}]')"
        " returning quarantine_id",
        [run_id, line],
    ).fetchone()
    return row[0]


@pytest.mark.parametrize(
    "name", ["inserted", "updated", "unchanged", "duplicate", "superseded", "quarantined"]
)
def test_received_rows_are_accounted_for(db, name):
    with ledger.ledger_run(db, "load", CONTRACT, ORIGIN) as run_id:
        ledger.finish_run(db, run_id, RunCounts(received=3, **{name: 3}))
        for counts in (
            RunCounts(received=3, **{name: 2}),
            RunCounts(received=3, **{name: 4}),
            RunCounts(received=1),
        ):
            with pytest.raises(psycopg.errors.CheckViolation, match="run_conserves_rows"):
                ledger.finish_run(db, run_id, counts)
        with pytest.raises(psycopg.errors.CheckViolation):
            ledger.finish_run(
                db,
                run_id,
                RunCounts(received=3, **{name: 4, "updated" if name == "inserted" else "inserted": -1}),
            )

    assert db.execute("select received from daftari.run").fetchone() == (3,)


def test_a_file_is_loaded_into_a_dataset_once_whatever_its_name(db):
    with ledger.ledger_run(db, "load", CONTRACT, ORIGIN) as first:
        ledger.record_file(db, first, "visits", ORIGIN)
        ledger.finish_run(db, first, RunCounts())
    with ledger.ledger_run(db, "load", CONTRACT, ORIGIN) as second:
        ledger.record_file(db, second, "visits", Origin(name="april.csv", sha256="0" * 64))
        ledger.finish_run(db, second, RunCounts())
    with ledger.ledger_run(db, "replay", CONTRACT, ORIGIN) as third:
        ledger.record_file(db, third, "visits", ORIGIN, is_replay=True)
        ledger.finish_run(db, third, RunCounts())

    assert db.execute("select run_id, name from daftari.source_file").fetchall() == [(second, "april.csv")]
    assert ledger.known_run(db, "visits", "0" * 64) == second != first
    assert ledger.known_run(db, "others", "0" * 64) is None
    assert ledger.known_run(db, "visits", "1" * 64) is None


def test_a_quarantined_row_is_resolved_by_one_run_at_the_most(db, database_url):
    with ledger.ledger_run(db, "load", CONTRACT, ORIGIN) as run_id:
        number = entry(db, run_id)
        with psycopg.connect(database_url) as other:
            assert quarantine_entries.resolve_entries(other, run_id, [number]) == 1
        assert quarantine_entries.resolve_entries(db, run_id, [number]) == 0
        with pytest.raises(psycopg.errors.UniqueViolation):
            entry(db, run_id)  # nor is a line quarantined twice in a run
        ledger.finish_run(db, run_id, RunCounts())


@pytest.mark.parametrize("end", ["running", "failed", "refused", "abandoned"])
def test_a_run_without_success_has_no_rows(db, end):
    with ledger.ledger_run(db, "load", CONTRACT, ORIGIN) as run_id:
        ledger.finish_run(db, run_id, RunCounts(received=1, inserted=1))
        with pytest.raises(psycopg.errors.CheckViolation, match="run_without_success_has_no_rows"):
            finished = "null" if end == "running" else "now()"
            db.execute(f"update daftari.run set status = '{end}', finished_at = {finished}")


def test_a_run_knows_whose_it_is_and_what_it_is_about(db):
    with ledger.ledger_run(db, "load", CONTRACT, ORIGIN) as run_id:
        assert status(db) == [("running", None, False)]
        ledger.finish_run(db, run_id, RunCounts())

    found = db.execute(
        "select kind, dataset, actor, contract_hash, source, sha256 from daftari.run"
    ).fetchone()
    assert found == ("load", "visits", db.info.user, CONTRACT.hash, "march.csv", "0" * 64)
    assert status(db) == [("succeeded", None, True)]


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (SourceError("march.csv: is empty"), ("refused", "source_unreadable", True)),
        (ValueError("a secret value"), ("failed", "ValueError", True)),
        (KeyboardInterrupt(), ("failed", "KeyboardInterrupt", True)),
    ],
)
def test_a_run_that_raises_is_closed_with_the_code_of_its_error_alone(db, error, end):
    with pytest.raises(type(error)), ledger.ledger_run(db, "load", CONTRACT, ORIGIN):
        raise error

    assert status(db) == [end]


def test_what_fails_after_a_run_has_succeeded_does_not_change_it(db):
    with pytest.raises(ValueError), ledger.ledger_run(db, "load", CONTRACT, ORIGIN) as run_id:
        ledger.finish_run(db, run_id, RunCounts())
        raise ValueError

    assert status(db) == [("succeeded", None, True)]


def run_of(conn, kind="load"):
    """Open a run as `ledger.run` does, and leave it open."""
    context = ledger.ledger_run(conn, kind, CONTRACT, ORIGIN)
    context.__enter__()
    return context


def test_a_run_whose_session_is_gone_is_abandoned_by_the_next_of_its_dataset(db, database_url):
    with psycopg.connect(database_url, autocommit=True) as dying:
        dead = run_of(dying)
        pid = dying.info.backend_pid
        db.execute("select pg_terminate_backend(%s, 5000)", [pid])
        dying.close()
    assert status(db) == [("running", None, False)]

    with ledger.ledger_run(db, "load", CONTRACT, ORIGIN) as run_id:
        assert status(db) == [("abandoned", "session_lost", True), ("running", None, False)]
        ledger.finish_run(db, run_id, RunCounts())
    with pytest.raises(ValueError):
        dead.gen.throw(ValueError())
    assert [one for one, *_ in status(db)] == ["abandoned", "succeeded"]


def test_a_run_whose_session_lives_is_left_alone_and_so_is_one_of_another_dataset(db, database_url):
    with psycopg.connect(database_url, autocommit=True) as other:
        alive = run_of(other)
        other.execute("select pg_backend_pid()")
        db.execute("insert into daftari.run (kind, dataset) values ('load', 'others'), ('transform', null)")
        with ledger.ledger_run(db, "load", CONTRACT, ORIGIN) as run_id:
            ledger.finish_run(db, run_id, RunCounts())
        assert [one for one, *_ in status(db)] == ["running", "running", "running", "succeeded"]
        with pytest.raises(KeyboardInterrupt):
            alive.gen.throw(KeyboardInterrupt())


def test_a_run_that_has_ended_is_not_abandoned_afterwards(db):
    for error in (None, ValueError, None):
        try:
            with ledger.ledger_run(db, "load", CONTRACT, ORIGIN) as run_id:
                if error:
                    raise error
                ledger.finish_run(db, run_id, RunCounts())
        except ValueError:
            pass

    assert [one for one, *_ in status(db)] == ["succeeded", "failed", "succeeded"]


@pytest.mark.parametrize("other", ["of this database, later", "of another database"])
def test_a_later_process_with_the_same_number_does_not_keep_a_dead_run_alive(db, database_url, other):
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    url = database_url if "this" in other else database_url.replace(name, "postgres")
    with psycopg.connect(url, autocommit=True) as later:
        db.execute(
            "insert into daftari.run (kind, dataset, session_pid, session_began) values ('load', 'visits', %s, %s)",
            [later.info.backend_pid, None if "another" in other else "2020-01-01"],
        )
        with ledger.ledger_run(db, "load", CONTRACT, ORIGIN) as run_id:
            ledger.finish_run(db, run_id, RunCounts())

    assert [one for one, *_ in status(db)] == ["abandoned", "succeeded"]


def test_runs_that_begin_in_turn_are_stored_in_the_order_of_their_numbers(db, database_url):
    """A later one would otherwise not see an earlier one whose number is taken and whose row is not stored yet."""
    db.execute("set lock_timeout = '50ms'")
    with psycopg.connect(database_url, autocommit=True) as other:
        with (
            other.transaction(),
            pytest.raises(psycopg.errors.LockNotAvailable),
            ledger.ledger_run(other, "transform", in_turn=True),
            ledger.ledger_run(db, "transform", in_turn=True),
        ):
            pass
        with (
            ledger.ledger_run(db, "transform", in_turn=True),
            ledger.ledger_run(other, "transform", in_turn=True),
        ):
            pass


def test_a_session_is_in_a_run_no_longer_than_it_lasts(db):
    current = "select daftari.current_run()"
    for error in (None, ValueError):
        try:
            with ledger.ledger_run(db, "load", CONTRACT, ORIGIN) as run_id:
                assert db.execute(current).fetchone() == (run_id,)
                if error:
                    raise error
                ledger.finish_run(db, run_id, RunCounts())
        except ValueError:
            pass
        assert db.execute(current).fetchone() == (None,)
        assert db.execute("select current_setting('daftari.run_id')").fetchone() == ("",)


@pytest.mark.parametrize("table", ["run", "source_file", "quarantine"])
def test_the_ledger_keeps_no_column_for_values_of_rows_but_the_redacted_preview_and_the_key(db, table):
    columns = db.execute(
        sql.SQL(
            "select column_name from information_schema.columns where table_schema = 'daftari' and table_name = {}"
        ).format(sql.Literal(table))
    ).fetchall()

    assert {name for (name,) in columns} & {"preview", "key", "row", "values", "content"} == (
        {"preview", "key"} if table == "quarantine" else set()
    )
