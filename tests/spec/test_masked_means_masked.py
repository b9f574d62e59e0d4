"""A writer learns nothing of masked values: the server answers the same in two worlds that differ in those alone."""

from __future__ import annotations

from itertools import product

import psycopg
import pytest
from psycopg import sql
from tests.spec.matrix import acting, may_write

#: A row of each dataset by its key, and what is masked for data_engineer in it in the other world. The rows of both
#: worlds are valid, so that what fails in one alone tells which it is. A mask shows whether there is a value, and some
#: masks show a first letter: those are the same in both.
WORLDS = [
    (
        "salaries",
        "user_id = 'U3'",
        {"basic": 50000, "gross": 50000, "paye": 9000, "shif": 1375, "housing_levy": 750, "net": 37875},
    ),
    ("salaries", "user_id = 'U3'", {"allowances": 1000, "gross": 41000, "net": 34300}),
    ("salaries", "user_id = 'U3'", {"bank_account": "01-001-0999999999"}),
    ("users", "user_id = 'U3'", {"email": "cara@example.org", "full_name": "Cara Kip"}),
    ("users", "user_id = 'U3'", {"national_id_index": b"other", "kra_pin_index": b"other"}),
    ("expenses", "expense_id = 'E4'", {"user_id": "U4", "description": "Other"}),
    ("incidents", "incident_id = 'I2'", {"reported_by": "U4", "description": "Other"}),
]  # fmt: skip
ROLE = "data_engineer"
#: No row has these.
HANDLE = 999_999


def values_of(world, name, changes):
    """What is worth trying in each column: what some row has, what the other world has, and nonsense."""
    rows = world.oracle.rows[name]
    tried = {column: {row[column] for row in rows} for column in rows[0]}
    for column, value in changes.items():
        tried.setdefault(column, set()).add(value)
    return tried


def answer_to(conn, statement, values):
    """What the server answers, in the words of the error, without what was sent."""
    try:
        with conn.transaction(force_rollback=True):
            return conn.execute(statement, values).rowcount
    except psycopg.Error as error:
        return (error.sqlstate, error.diag.constraint_name, error.diag.message_primary)


def attacks(world, relation, changes):
    tried = values_of(world, relation.name, changes)
    with acting(world.conn, world.callers[ROLE]):
        updates = sorted(may_write(world.conn, relation)["update"])
    for column in updates:
        set_it = sql.SQL("update {} set {} = %s where _run_id = {}").format(
            relation.place, sql.Identifier(column), sql.Literal(HANDLE)
        )
        yield from ((set_it, [value]) for value in sorted(tried[column], key=str))
    view = sql.Identifier("views", f"{relation.name}_{ROLE}")
    for column, kind in product(changes, ("numeric", "date", "bigint")):
        cast = sql.SQL("select count({}::text::" + kind + ") from {} where _run_id = {}").format(
            sql.Identifier(column), view, sql.Literal(HANDLE)
        )
        yield cast, []


@pytest.mark.parametrize(("name", "which", "changes"), WORLDS)
def test_the_server_answers_the_same_whatever_is_masked(world, name, which, changes):
    conn = world.conn
    relation = next(it for it in world.relations if str(it) == f"ops.{name}")
    tried = list(attacks(world, relation, changes))
    assert len(tried) > 5
    heard = []
    for is_other in (False, True):
        with conn.transaction(force_rollback=True):
            conn.execute(f"update ops.{name} set _run_id = {HANDLE} where {which}")
            if is_other:
                sets = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(it)) for it in changes)
                conn.execute(
                    sql.SQL("update {} set {} where " + which).format(relation.place, sets),
                    [*changes.values()],
                )
            with acting(conn, world.callers[ROLE]):
                heard.append([answer_to(conn, *it) for it in tried])
    differing = [
        (statement.as_string(), values, *both)
        for (statement, values), *both in zip(tried, *heard, strict=True)
        if both[0] != both[1]
    ]
    assert differing == []


@pytest.mark.parametrize("column", ["_run_id", "created_at", "updated_at"])
def test_nobody_writes_a_column_of_the_platform(world, column):
    value = {"_run_id": "806"}.get(column, "now()")
    for relation in world.relations:
        if relation.schema != "ops" or relation.parent or relation.name not in world.oracle.datasets:
            continue
        for caller in world.callers.values():
            if not caller.roles or caller.roles[0].startswith("daftari_"):
                continue
            with acting(world.conn, caller), pytest.raises(psycopg.errors.InsufficientPrivilege):
                world.conn.execute(sql.SQL(f"update {{}} set {column} = {value}").format(relation.place))
            with acting(world.conn, caller), pytest.raises(psycopg.errors.InsufficientPrivilege):
                world.conn.execute(
                    sql.SQL(f"insert into {{}} ({column}) values ({value})").format(relation.place)
                )
