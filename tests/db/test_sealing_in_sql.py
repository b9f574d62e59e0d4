"""Sealing and revealing by pgcrypto, in sessions that were lent a key. The promises of 0006_sealing.sql."""

from time import sleep

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from tests.vectors import RFC_7518_B3

from daftari.io.database import platform_migrations
from daftari.io.keys.session_keys import SessionKey, lend_keys_to_session, return_keys
from daftari.operations.schema.examine_server import examine_server
from daftari.protect.keys import DataKey
from daftari.protect.seal import Algorithm, FieldKey, derive

FIELD, SUBJECT, VALUE = "users.phone", "U1", "+254712345678"
CBC = Algorithm.A256CBC_HS512
#: Text that PostgreSQL holds.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def key(number=1, version=1):
    secret = bytes(range(number, number + 64))
    return DataKey(key_id=number.to_bytes(8, "big"), version=version, secret=secret)


def sealed(value=VALUE, *, of=None, field=FIELD, subject=SUBJECT, row="R1"):
    return FieldKey(of or key(), field, subject, CBC).seal(value, row)


def loan(of=None, *, field=FIELD, subject=SUBJECT, seals=True):
    of = of or key()
    secret = derive(of, field, CBC)
    return SessionKey(
        field=field, subject=subject, key_id=of.key_id, version=of.version, secret=secret, seals=seals
    )


def reveal(conn, content, field=FIELD, subject=SUBJECT):
    return conn.execute("select daftari.reveal(%b, %s, %s)", [content, field, subject]).fetchone()[0]


def seal(conn, value=VALUE, field=FIELD, subject=SUBJECT, row="R1"):
    return conn.execute("select daftari.seal(%s, %s, %s, %s)", [value, field, subject, row]).fetchone()[0]


@pytest.fixture
def session(pgcrypto, db):  # noqa: ARG001 -- where it is not there, the test is skipped
    return db


@pytest.fixture
def clerk(session, database_url):
    """A session of a role that may use lent keys and owns nothing."""
    name = f"clerk_{session.info.dbname}"
    role = sql.Identifier(name)
    session.execute(sql.SQL("create role {} login").format(role))
    for grant in (
        "usage on schema daftari",
        "insert on daftari.key_loan",
        "execute on function daftari.reveal, daftari.seal, daftari.return_keys",
    ):
        session.execute(sql.SQL(f"grant {grant} to {{}}").format(role))
    with psycopg.connect(database_url, user=name, autocommit=True) as conn:
        yield conn
    session.execute(sql.SQL("drop owned by {0}; drop role {0}").format(role))


def has_pgcrypto(conn):
    return bool(conn.execute("select from pg_available_extensions where name = 'pgcrypto'").fetchall())


@pytest.mark.each_server
def test_the_functions_are_there_where_the_server_has_pgcrypto_and_doctor_tells(db):
    is_there = db.execute("select to_regproc('daftari.reveal') is not null").fetchone()[0]
    told = {ability.name: ability.present for ability in examine_server(db).abilities}["pgcrypto"]
    assert is_there == told == has_pgcrypto(db)
    assert ("0006_sealing" in platform_migrations.applied(db)) == is_there
    assert ("reveal" in platform_migrations.shipped_functions(db)) == is_there


def test_pgcrypto_in_a_schema_of_somebodys_choice_is_used_there(session):
    session.execute("drop extension pgcrypto cascade")
    for name in ("reveal", "seal"):
        session.execute(f"drop function daftari.{name}")
    session.execute("drop view daftari.key_loan")
    for name in ("take_loan", "return_keys", "encrypt_a256cbc_hs512", "decrypt_a256cbc_hs512"):
        session.execute(f"drop function daftari.{name}")
    session.execute("create schema theirs; create extension pgcrypto schema theirs")
    session.execute("delete from daftari.migration where name = '0006_sealing'")
    assert platform_migrations.migrate(session) == ["0006_sealing"]
    lend_keys_to_session(session, [loan()])
    assert reveal(session, sealed()) == VALUE


def test_sql_makes_and_opens_the_vector_of_rfc_7518(session):
    one = RFC_7518_B3
    made = session.execute(
        "select daftari.encrypt_a256cbc_hs512(%b, %b, %b, %b)",
        [one.key, one.nonce, one.plain, one.associated],
    ).fetchone()[0]
    assert made == one.cipher + one.tag
    opened = session.execute(
        "select daftari.decrypt_a256cbc_hs512(%b, %b, %b, %b)", [one.key, one.nonce, made, one.associated]
    ).fetchone()[0]
    assert opened == one.plain


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=TEXT, row=TEXT)
def test_a_value_that_sql_sealed_opens_in_python_and_the_other_way_round(session, value, row):
    lend_keys_to_session(session, [loan()])
    in_sql, in_python = seal(session, value, row=row), sealed(value, row=row)
    assert in_sql == in_python
    assert FieldKey(key(), FIELD, SUBJECT, CBC).open(in_sql) == value
    assert reveal(session, in_python) == value


def test_null_stays_null(session):
    lend_keys_to_session(session, [loan()])
    assert (reveal(session, None), seal(session, None)) == (None, None)


def test_a_session_that_was_lent_no_key_seals_and_reveals_nothing(clerk):
    for attempt in (lambda: reveal(clerk, sealed()), lambda: seal(clerk)):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="was lent to this session"):
            attempt()
    lend_keys_to_session(clerk, [loan(key(2)), loan(key(1, version=2), subject="U9")])
    for attempt in (lambda: reveal(clerk, sealed()), lambda: seal(clerk, subject="U7")):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="was lent to this session"):
            attempt()


def test_a_lent_key_is_for_one_field(clerk):
    lend_keys_to_session(clerk, [loan()])
    other = sealed(field="users.national_id")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reveal(clerk, other, "users.national_id")
    with pytest.raises(psycopg.errors.DataCorrupted):
        reveal(clerk, other)


@pytest.mark.parametrize(
    "content",
    [
        sealed(subject="U2"),
        sealed(of=DataKey(key_id=key().key_id, version=1, secret=b"x" * 64)),
        sealed()[:-1],
        sealed()[:28],
        sealed()[:28] + bytes([sealed()[28] ^ 1]) + sealed()[29:],
        sealed()[:-1] + bytes([sealed()[-1] ^ 1]),
        b"\1\1" + sealed()[2:],
        b"\2\2" + sealed()[2:],
    ],
    ids=["subject", "key", "cut", "no text", "text", "tag", "algorithm", "form"],
)
def test_what_was_sealed_otherwise_or_damaged_is_refused_without_its_value(clerk, content):
    lend_keys_to_session(clerk, [loan()])
    with pytest.raises(psycopg.errors.DataCorrupted) as caught:
        reveal(clerk, content)
    assert VALUE not in str(caught.value) and content.hex() not in str(caught.value)


def test_old_versions_of_a_key_reveal_and_the_newest_seals(clerk):
    new = key(3, version=2)
    old = DataKey(key_id=new.key_id, version=1, secret=b"o" * 64)
    lend_keys_to_session(clerk, [loan(old, seals=False), loan(new)])
    assert reveal(clerk, sealed(of=old)) == VALUE
    assert seal(clerk) == sealed(of=new)


def test_nobody_reads_a_lent_key(clerk, session, database_url):
    lend_keys_to_session(clerk, [loan()])
    assert clerk.execute("select count(*) from pg_class where relname = 'daftari_loan'").fetchone() == (1,)
    for statement in (
        "select * from pg_temp.daftari_loan",
        "table pg_temp.daftari_loan",
        "alter table pg_temp.daftari_loan owner to current_user",
        "create trigger t before insert on pg_temp.daftari_loan execute function suppress_redundant_updates_trigger()",
        "copy pg_temp.daftari_loan to stdout",
        "select daftari.take_loan()",
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported)):
            clerk.execute(statement)
    schema = session.execute(
        "select relnamespace::regnamespace::text from pg_class where relname = 'daftari_loan'"
    ).fetchone()[0]
    with psycopg.connect(database_url, autocommit=True) as other:  # a superuser even: not its session's table
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="lent to this session"):
            reveal(other, sealed())
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            other.execute(sql.SQL("select * from {}.daftari_loan").format(sql.Identifier(schema)))


def test_keys_are_not_put_into_a_table_that_the_session_has_laid_out_for_them(clerk):
    clerk.execute("""
        create temporary table daftari_loan (field text, subject text, key_id bytea, version int,
            encryption bytea, nonce bytea, seals boolean, primary key (key_id, version, field))
    """)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="stands where lent keys would be kept"):
        lend_keys_to_session(clerk, [loan()])
    assert clerk.execute("select count(*) from daftari_loan").fetchone() == (0,)


def test_types_that_a_session_lays_over_those_of_the_server_change_nothing(clerk):
    clerk.execute("create type pg_temp.bytea as (a int); create type pg_temp.text as (a int)")
    lend_keys_to_session(clerk, [loan()])
    assert reveal(clerk, sealed()) == VALUE


def test_a_lent_key_is_gone_when_it_is_returned_and_when_the_session_ends(clerk, database_url, session):
    lend_keys_to_session(clerk, [loan()])
    assert reveal(clerk, sealed()) == VALUE
    return_keys(clerk)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reveal(clerk, sealed())
    lend_keys_to_session(clerk, [loan()])
    assert reveal(clerk, sealed()) == VALUE
    clerk.execute("discard all")  # what a pool sends between two users of a session
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reveal(clerk, sealed())
    with psycopg.connect(database_url, autocommit=True) as other:
        lend_keys_to_session(other, [loan()])
    for _ in range(100):  # the session ends a little after its connection
        left = session.execute("select count(*) from pg_class where relname = 'daftari_loan'").fetchone()
        if left == (0,):
            break
        sleep(0.05)
    assert left == (0,)


def test_lent_keys_are_in_a_table_that_is_neither_logged_nor_dumped(session):
    lend_keys_to_session(session, [loan()])
    persistence = session.execute("select relpersistence from pg_class where relname = 'daftari_loan'")
    assert persistence.fetchone()[0] == "t"


LOG_ALL = """
    load 'auto_explain';
    set auto_explain.log_min_duration = 0;
    set auto_explain.log_nested_statements = on;
    set auto_explain.log_analyze = on;
    set auto_explain.log_verbose = on;
    set log_statement = 'all';
    set log_min_duration_statement = 0;
    set log_parameter_max_length = -1;
    set log_parameter_max_length_on_error = -1;
    set log_min_messages = 'debug1';
    set log_error_verbosity = 'verbose';
"""


def test_neither_a_lent_key_nor_a_revealed_value_stands_in_the_servers_log(session, server):
    begin = server.log.stat().st_size
    session.execute(LOG_ALL)
    session.execute("create temporary table incoming (value text); create temporary table kept (value bytea)")
    with session.cursor() as cursor, cursor.copy("copy incoming from stdin") as out:
        out.write_row([VALUE])
    lend_keys_to_session(session, [loan()])
    session.execute("insert into kept select daftari.seal(value, 'users.phone', 'U1', 'R1') from incoming")
    found = session.execute("select daftari.reveal(value, 'users.phone', 'U1') from kept").fetchone()
    with pytest.raises(psycopg.errors.DataCorrupted):
        reveal(session, sealed(of=key(), subject="U2"))
    return_keys(session)
    assert found == (VALUE,)
    with server.log.open("rb") as log:
        log.seek(begin)
        written = log.read()
    assert b"copy daftari.key_loan" in written and b"daftari.reveal" in written
    secret = derive(key(), FIELD, CBC)
    for hidden in (VALUE.encode(), secret.encryption, secret.nonce):
        for form in (hidden, hidden.hex().encode(), hidden[:8].hex().encode()):
            assert form not in written
