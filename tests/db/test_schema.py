"""`schema.sql` is what the migrations come to, object by object, so that people may read it instead of them."""

import re
from pathlib import Path

import psycopg
import pytest
from tests.conftest import database

from daftari.io.database import platform_migrations

SQL = Path(platform_migrations.__file__).parent
#: What the parts of CATALOGUE find is what there is to compare.
CATALOGUE = dict(
    re.findall(
        r"^-- name: (\w+)\n(.*?;)$", Path(__file__).with_name("catalogue.sql").read_text("utf-8"), re.M | re.S
    )
)
#: Of one function; all else about it stays.
OTHER_BODY = """
create or replace function daftari.hashed_field(said text) returns text
    language sql
    immutable
as $$ select said $$
"""


def catalogue(conn):
    """Each object of the database by its kind and name, with its definition."""
    with conn.transaction():
        conn.execute("set local search_path = ''")  # so that every name is printed with its schema
        return {
            f"{kind}: {name}": definition
            for kind, query in CATALOGUE.items()
            for name, definition in conn.execute(query).fetchall()
        }


def differing(one, other):
    return {name for name in one | other if one.get(name) != other.get(name)}


@pytest.fixture
def made_by_schema(server):
    """A connection to a new database in which schema.sql was run, and nothing else."""
    with database(server, "template1") as url, psycopg.connect(url, autocommit=True) as conn:
        conn.execute(platform_migrations.schema(conn))
        yield conn


@pytest.mark.each_server
def test_the_schema_makes_the_same_database_as_the_migrations(scratch, made_by_schema):
    by_migrations, by_schema = catalogue(scratch), catalogue(made_by_schema)
    assert differing(by_migrations, by_schema) == set()
    assert len(by_schema) > 400


@pytest.mark.each_server
def test_the_schema_fills_the_same_tables_as_the_migrations(db, made_by_schema):
    assert filled(db) == {"audit_log": 1, "migration": len(platform_migrations.possible(db))}
    assert filled(made_by_schema) == {"audit_log": 1}


def filled(conn):
    tables = conn.execute(
        "select relname from pg_class where relnamespace = 'daftari'::regnamespace and relkind = 'r'"
    ).fetchall()
    counted = {name: conn.execute(f"select count(*) from daftari.{name}").fetchone()[0] for (name,) in tables}
    return {name: rows for name, rows in counted.items() if rows}


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        # a function: its body, its settings, its volatility, who may run it, its owner
        (OTHER_BODY, {"functions: daftari.hashed_field(text)"}),
        ("alter function daftari.actor() reset search_path", {"functions: daftari.actor()"}),
        ("alter function daftari.user_id() parallel unsafe", {"functions: daftari.user_id()"}),
        ("alter function daftari.user_id() security invoker", {"functions: daftari.user_id()"}),
        ("grant execute on function daftari.chain_audit() to public", {"functions: daftari.chain_audit()"}),
        ("revoke execute on function daftari.actor() from public", {"functions: daftari.actor()"}),
        (
            "alter function daftari.reports() owner to pg_database_owner",
            {"functions: daftari.reports()"},
        ),
        # a table: an index, rights, a default, a type, null or not, row security, where it stands
        ("drop index daftari.run_dataset", {"indexes: daftari.run_dataset"}),
        ("grant select on daftari.api_token to public", {"relations: daftari.api_token"}),
        ("grant select (name) on daftari.api_token to public", {"columns: daftari.api_token.name"}),
        ("alter table daftari.run alter received set default 1", {"columns: daftari.run.received"}),
        ("alter table daftari.run alter source type varchar", {"columns: daftari.run.source"}),
        ("alter table daftari.run enable row level security", {"relations: daftari.run"}),
        ("alter table daftari.run set (fillfactor = 50)", {"relations: daftari.run"}),
        ("alter table daftari.run add column note text", {"columns: daftari.run.note"}),
        # its constraints, triggers and policies
        (
            "alter table daftari.run drop constraint run_conserves_rows",
            {"constraints: daftari.run run_conserves_rows"},
        ),
        (
            "alter table daftari.audit_link disable trigger refuse_change",
            {"triggers: daftari.audit_link refuse_change"},
        ),
        (
            "drop trigger access_review_stays on daftari.access_review",
            {"triggers: daftari.access_review access_review_stays"},
        ),
        (
            "create policy everyone on daftari.run using (true)",
            {"policies: daftari.run everyone"},
        ),
        # the rest
        ("alter type daftari.verdict add value 'unknown'", {"types: daftari.verdict"}),
        ("alter sequence daftari.audit_entry_number increment 2", {"sequences: daftari.audit_entry_number"}),
        ("create view daftari.peek as select 1 as n", {"relations: daftari.peek", "columns: daftari.peek.n"}),
        ("comment on table daftari.run is 'Runs.'", {"comments: table daftari.run"}),
        ("grant usage on schema daftari to public", {"schemas: daftari"}),
        (
            "create event trigger watched on sql_drop execute function daftari.watch_drops()",
            {"event_triggers: watched"},
        ),
        (
            "do $$ begin execute format('alter database %I set jit = off', current_database()); end $$",
            {"settings: -"},
        ),
    ],
)
def test_a_difference_is_seen(undone, change, seen):
    before = catalogue(undone)
    undone.execute(change)
    assert differing(before, catalogue(undone)) == seen


def test_every_file_is_part_of_the_schema():
    named = re.findall(r"^\\ir schema/(\w+)\.sql$", (SQL / "schema.sql").read_text("utf-8"), re.M)
    assert sorted(named) == sorted(path.stem for path in (SQL / "schema").iterdir())


@pytest.mark.parametrize("path", sorted((SQL / "schema").glob("*.sql")), ids=lambda path: path.stem)
def test_a_sentence_above_each_object_says_why_it_is_so(path):
    lines = path.read_text("utf-8").splitlines()
    made = [number for number, line in enumerate(lines) if is_object(line)]
    assert made
    assert [lines[number] for number in made if not lines[number - 1].startswith("-- ")] == []


def is_object(line):
    return line.startswith(
        ("create table", "create view", "create function", "create type", "create sequence", "create schema")
    )
