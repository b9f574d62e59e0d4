from __future__ import annotations

import pytest

from daftari.contract.sql_guard import refusal_to_run


@pytest.mark.parametrize(
    "query",
    [
        "select count(*) from ${object} where ${property} is null",
        "select lower(a), coalesce(b, c), now(), date_trunc('month', d) from ${object} -- a comment",
        "with recent as (select * from ${object}) select count(*) from recent;",
        "select 1 union all select 2",
        "select sum(amount) over (partition by department) from ${object}",
        "select ';' as semicolon, 'delete from x' as text",
    ],
)
def test_one_statement_that_only_reads_may_run(query):
    assert refusal_to_run(query) is None


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("", "0 statements"),
        ("-- nothing", "0 statements"),
        ("select 1; select 2", "2 statements"),
        ("select 1; drop table users", "2 statements"),
        ("select from where", "text that does not parse as PostgreSQL"),
        ("delete from users", "a statement other than select: delete"),
        ("truncate users", "a statement other than select: truncatetable"),
        ("copy users to '/tmp/x'", "a statement other than select: copy"),
        ("call f()", "a statement other than select: command"),
        ("do $$ begin end $$", "a statement other than select: command"),
        ("set role postgres", "a statement other than select: command"),
        ("with gone as (delete from users returning 1) select * from gone", "delete inside a select"),
        ("with new as (insert into users values (1) returning 1) select 1", "insert inside a select"),
        ("select * into copied from users", "into inside a select"),
        ("select * from users for update", "lock inside a select"),
        ("select pg_sleep(10)", "the function pg_sleep, which is not known only to read"),
        ("select pg_read_file('/etc/passwd')", "the function pg_read_file, which is not known only to read"),
        (
            "select PG_TERMINATE_BACKEND(1)",
            "the function PG_TERMINATE_BACKEND, which is not known only to read",
        ),
        ("select nextval('s')", "the function nextval, which is not known only to read"),
        ("select * from dblink('a', 'b')", "the function dblink, which is not known only to read"),
        ("select set_config('a', 'b', false)", "the function set_config, which is not known only to read"),
        ("select ops.do_something(1)", "the function ops.do_something, which is not known only to read"),
    ],
)
def test_what_changes_something_or_might_is_refused_by_name(query, refusal):
    assert refusal_to_run(query) == refusal
