"""What every login really sees and may do, asked of the server, and held against the oracle."""

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

SCHEMAS = ["ops", "views", "staging", "marts", "daftari"]
RELATIONS = """
    select c.oid, n.nspname, c.relname, coalesce(p.relname, ''),
           array(select a.attname::text from pg_attribute a
                 where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum)
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_inherits h on h.inhrelid = c.oid
    left join pg_class p on p.oid = h.inhparent
    where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v', 'm')
    order by 2, 3
"""
READABLE = """
    select a.attname::text from pg_attribute a
    where a.attrelid = %(oid)s::oid and a.attnum > 0 and not a.attisdropped
      and has_schema_privilege(%(schema)s, 'usage')
      and has_column_privilege(a.attrelid, a.attnum, 'select')
    order by a.attnum
"""
WRITABLE = """
    select a.attname::text, has_column_privilege(a.attrelid, a.attnum, 'insert'),
           has_column_privilege(a.attrelid, a.attnum, 'update')
    from pg_attribute a
    where a.attrelid = %s::oid and a.attnum > 0 and not a.attisdropped
"""


@dataclass(frozen=True)
class Relation:
    oid: int
    schema: str
    name: str
    parent: str
    columns: tuple

    @property
    def place(self):
        return sql.Identifier(self.schema, self.name)

    def __str__(self):
        return f"{self.schema}.{self.name}"


def relations(conn):
    return [Relation(*row[:4], tuple(row[4])) for row in conn.execute(RELATIONS, [SCHEMAS])]


@contextmanager
def acting(conn, caller):
    """Be *caller*, as far as the server can tell. What is done is undone."""
    with conn.transaction(force_rollback=True):
        conn.execute(sql.SQL("set local session authorization {}").format(sql.Identifier(caller.login)))
        for name, value in caller.settings.items():
            conn.execute("select set_config(%s, %s, true)", [name, value])
        yield


def attempt(conn, statement):
    """Run *statement*, undone; None where the caller may not."""
    try:
        with conn.transaction(force_rollback=True):
            return conn.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return None


def granted(conn, relation):
    """The columns of *relation* that the caller was given to read, whether or not it then sees something."""
    return tuple(name for (name,) in conn.execute(READABLE, {"oid": relation.oid, "schema": relation.schema}))


def seen(conn, relation):
    """Which columns of *relation* the caller reads, and the rows in them."""
    columns = granted(conn, relation)
    if not columns:
        return (), Counter()
    chosen = sql.SQL(", ").join(map(sql.Identifier, columns))
    found = attempt(conn, sql.SQL("select {} from {}").format(chosen, relation.place))
    return ((), Counter()) if found is None else (columns, Counter(map(_hashable, found)))


def _hashable(row):
    return tuple(str(value) if isinstance(value, list | dict) else value for value in row)


def refused_columns(conn, relation):
    """The columns that the caller is really refused, each asked for by itself."""
    query = sql.SQL("select {} from {} limit 1")
    return {
        c for c in relation.columns if attempt(conn, query.format(sql.Identifier(c), relation.place)) is None
    }


def may_write(conn, relation):
    """Columns that the caller may insert and update, and whether it may delete."""
    found = conn.execute(WRITABLE, [relation.oid]).fetchall()
    (delete,) = conn.execute("select has_table_privilege(%s::oid, 'delete')", [relation.oid]).fetchone()
    return {
        "insert": {name for name, may, _ in found if may},
        "update": {name for name, _, may in found if may},
        "delete": delete,
    }


def reached(conn, relation, operation):
    """How many rows the caller updates or deletes when it names none."""
    if operation == "update":
        return _updated(conn, relation) if may_write(conn, relation)["update"] else 0
    found = attempt(conn, sql.SQL("delete from {}").format(relation.place))
    return 0 if found is None else found.rowcount


def _updated(conn, relation):
    """The caller is lent the right to a column that no constraint looks at, so that policies alone decide."""
    with conn.transaction(force_rollback=True):
        (login,) = conn.execute("select session_user").fetchone()
        conn.execute("set local session authorization default")
        lend = sql.SQL("grant update (_run_id) on {} to {}")
        conn.execute(lend.format(relation.place, sql.Identifier(login)))
        conn.execute(sql.SQL("set local session authorization {}").format(sql.Identifier(login)))
        found = attempt(conn, sql.SQL("update {} set _run_id = 7").format(relation.place))
    return 0 if found is None else found.rowcount


def admitted(conn, relation, row):
    """Whether a policy lets the caller insert *row*; what a constraint says of it afterwards is not asked."""
    names = sql.SQL(", ").join(map(sql.Identifier, row))
    try:
        with conn.transaction(force_rollback=True):
            values = sql.SQL(", ").join(sql.Literal(value) for value in row.values())
            conn.execute(sql.SQL("insert into {} ({}) values ({})").format(relation.place, names, values))
    except psycopg.errors.InsufficientPrivilege:
        return False
    except psycopg.errors.IntegrityError:
        return True
    return True


def leaked(conn, relation):
    """The distinct values of the first column that a function of the caller's own meets."""
    heard = []
    column = sql.Identifier(relation.columns[0])
    try:
        with conn.transaction(force_rollback=True):
            conn.execute(
                "create function pg_temp.listen(x text) returns boolean language plpgsql cost 0.0001 "
                "as $$ begin raise notice '%', x; return true; end $$"
            )
            # no index may hold rows back before the function meets them
            conn.execute("set local enable_indexscan = off; set local enable_bitmapscan = off")
            conn.add_notice_handler(lambda diagnostic: heard.append(diagnostic.message_primary))
            conn.execute(
                sql.SQL("select from {} where pg_temp.listen({}::text)").format(relation.place, column)
            )
    except psycopg.errors.InsufficientPrivilege:
        return set()
    finally:
        conn._notice_handlers.clear()
    return set(heard)
