"""A login that takes every lock it can take stops nobody's work but its own."""

from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql
from tests.clinic import Clinic, open_clinic

from daftari.io.audit import audit_entries
from daftari.io.database.turns import take_turn
from daftari.io.marts import publish
from daftari.io.runs import ledger
from daftari.io.workspace.files import read_workspace
from daftari.operations.schema.apply_contracts import apply_contracts

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
#: Every name that stood for an advisory lock of the platform at some time.
NAMES = (
    "daftari.apply", "daftari.audit_chain", "daftari.audit_checkpoint", "daftari.load", "daftari.run",
    "daftari transform",
)  # fmt: skip


@pytest.fixture
def clinic(filled, tmp_path):
    with filled(open_clinic, tmp_path) as (conn, url):
        conn.execute("set lock_timeout = '2s'")
        yield Clinic(workspace=read_workspace(tmp_path), conn=conn, url=url)


@pytest.fixture
def stranger(clinic):
    """A login with no rights at all, which holds the advisory locks of all names, and of the first runs."""
    name = sql.Identifier(f"stranger_{clinic.conn.info.dbname}")
    clinic.conn.execute(sql.SQL("create role {} login").format(name))
    with psycopg.connect(clinic.conn.info.dsn, user=name._obj[0], autocommit=True) as conn:
        for held in NAMES:
            conn.execute("select pg_advisory_lock(hashtext(%s))", [held])
            for second in ("hashtext('visits')", *map(str, range(1, 20))):
                conn.execute(f"select pg_advisory_lock(hashtext(%s), {second})", [held])
        yield conn
    clinic.conn.execute(sql.SQL("drop role {}").format(name))


@pytest.mark.usefixtures("stranger")
def test_apply_load_transform_and_the_chain_go_on(clinic):
    apply_contracts(
        clinic.conn,
        clinic.workspace.contracts,
        migrations_dir=clinic.workspace.root / "migrations",
        now=NOW,
    )
    assert clinic.load("V1,2026-03-01,A,P1,12.5,").counts.inserted == 1
    with ledger.ledger_run(clinic.conn, "transform") as run_id:
        publish.begin_build(clinic.conn, run_id)
    with clinic.conn.transaction():
        assert audit_entries.extend_chain(clinic.conn) > 0


def test_work_of_the_platform_holds_no_lock_that_any_login_may_take(clinic):
    held = "select count(*) from pg_locks where locktype = 'advisory'"
    with ledger.ledger_run(clinic.conn, "load"), clinic.conn.transaction():
        for name in ("apply", "checkpoint", "chain", "load visits"):
            take_turn(clinic.conn, name)
        assert clinic.conn.execute(held).fetchone() == (0,)


@pytest.mark.parametrize(
    "statement",
    [
        "select daftari.take_turn('load visits')",
        "select from daftari.turn for update",
        "lock table daftari.turn in access exclusive mode",
        "insert into daftari.turn values ('load visits')",
        "lock table daftari.run",
    ],
)
def test_no_login_takes_a_turn(stranger, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), stranger.transaction():
        stranger.execute(statement)


def test_a_turn_is_one_sessions_at_a_time_and_ends_with_its_transaction(clinic):
    with clinic.session() as other:
        with other.transaction():
            take_turn(other, "load visits")
            clinic.conn.execute("set lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable), clinic.conn.transaction():
                take_turn(clinic.conn, "load visits")
        with clinic.conn.transaction():
            take_turn(clinic.conn, "load visits")
