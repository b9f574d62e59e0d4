"""
What policies cost a reader: each read of a shipped policy beside the same read without it.

    .venv/bin/python benchmarks/reads.py [--rows N] [--rounds K]

For every role and table that has a policy to read, a login of that role counts every column that it may read. Beside
it the server's superuser, whom no policy holds, asks for the same rows by a condition in the query, with what the
policy asks about the caller written in. Both read the same rows; rounds alternate; a ratio is that of medians.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from psycopg import Connection

from cluster import Cluster, find_binaries
from daftari.io.workspace.files import read_workspace
from daftari.operations.schema.apply_contracts import apply_contracts

WORKSPACE = Path(__file__).parents[1] / "workspace"
AIMED = 1.1  #: times the read without
PEOPLE, DEPARTMENTS = 20_000, 40
READER = "U000300"  #: has some people below, and people above
LOGIN = "bench_reader"
LEAST_SECONDS = 1.0  #: that one read is repeated for: the short ones need many rounds
MANY_ROWS = 5_000  #: where what a policy asks once is little beside the rows

#: What policies that read let each role see of each table: several for one role add up.
POLICIES = """
    select c.relname, r.rolname, string_agg(format('(%s)', pg_get_expr(p.polqual, p.polrelid)), ' or '),
           array(select a.attname::text from pg_attribute a
                 where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                   and has_column_privilege(r.oid, c.oid, a.attnum, 'select')
                 order by a.attnum)
    from pg_policy p
    join pg_class c on c.oid = p.polrelid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_roles r on r.oid = p.polroles[1]
    where n.nspname = 'ops' and p.polcmd = 'r' and p.polname <> 'operator' and not c.relispartition
    group by c.oid, c.relname, r.oid, r.rolname
    order by 1, 2
"""
COLUMNS = """
    select a.attname, t.typtype, t.typname,
           (select e.enumlabel from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder limit 1)
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped
"""
#: Only reading is measured: what holds rows apart would make inventing them long.
LOOSEN = """
    do $$
    declare c record;
    begin
        for c in
            select conname, conrelid::regclass as place from pg_constraint
            where connamespace = 'ops'::regnamespace and contype in ('c', 'x') and conislocal
        loop
            execute format('alter table %s drop constraint if exists %I', c.place, c.conname);
        end loop;
    end $$
"""
BY_TYPE = {
    "date": "date '2026-01-01' + (n % 300 + n / 20000)::int",
    "timestamptz": "timestamptz '2026-01-01 08:00+03' + (n % 300) * interval '1 day'",
    "numeric": "n % 900 + 1",
    "int4": "n % 9 + 1",
    "int8": "n % 9 + 1",
    "int2": "n % 9 + 1",
    "bool": "true",
    "bytea": "decode(lpad(to_hex(n), 64, '0'), 'hex')",
    "jsonb": "'{}'::jsonb",
}


@dataclass(frozen=True, kw_only=True)
class Read:
    table: str
    role: str
    query: str
    condition: str  #: what its policy comes to for this reader
    rows: int
    ratio: float
    seconds: float
    same_plan: bool


def fill(conn: Connection[Any], table: str, rows: int) -> None:
    values = {name: value(table, name, *facts) for name, *facts in conn.execute(COLUMNS, [f"ops.{table}"])}
    conn.execute(
        f"insert into ops.{table} ({', '.join(values)}) select {', '.join(values.values())} "
        f"from generate_series(1, {rows}) n"
    )


def value(table: str, name: str, kind: str, type_: str, label: str | None) -> str:
    if name == "manager_id":
        return "case when n > 1 then 'U' || lpad(((n + 6) / 8)::text, 6, '0') end"  # each has eight people, or none
    if name == "user_id":
        who = "n" if table == "users" else f"n % {PEOPLE} + 1"
        return f"'U' || lpad(({who})::text, 6, '0')"
    if name == "department_code":
        return "'D' || n" if table == "departments" else f"'D' || (n % {DEPARTMENTS} + 1)"
    if kind == "e":
        return f"'{label}'::ops.{type_}"
    if name == "_run_id":
        return "0"
    return BY_TYPE.get(type_, f"'{name} ' || n")


def prepare(conn: Connection[Any], rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        contracts = read_workspace(WORKSPACE).contracts
        apply_contracts(conn, contracts, migrations_dir=Path(folder), now=datetime.now(UTC))
    conn.execute(LOOSEN)
    conn.execute("set session_replication_role = replica")
    sizes = {"departments": DEPARTMENTS, "users": PEOPLE, "expenses": rows, "roles": 10}
    for contract in contracts:
        name = contract.dataset.name
        fill(conn, name, sizes.get(name, rows // 10))
    conn.execute("set session_replication_role = origin")
    conn.execute("vacuum analyze")


def written_in(conn: Connection[Any], condition: str) -> str:
    """Return a policy's condition with what it asks about the caller answered."""

    def answer(found: re.Match[str]) -> str:
        if found[1].startswith("daftari.acts_as"):
            return "true"
        row = conn.execute(f"select {found[1]}").fetchone()
        assert row is not None, "a select without from has one row"
        told = row[0]
        if isinstance(told, list):
            return "(array[{}]::text[])".format(", ".join(f"'{one}'" for one in told))
        return f"'{told}'"

    return re.sub(r"\( SELECT (daftari\.\w+\([^)]*\)) AS \w+\)", answer, condition)


def measure(url: str, policy: tuple[Any, ...], rounds: int) -> Read:
    table, role, condition, columns = policy
    counted = ", ".join(f"count({name})" for name in columns)
    query = f"select {counted} from ops.{table}"
    with psycopg.connect(url, autocommit=True) as free, psycopg.connect(url, autocommit=True) as held:
        held.execute(f"set session authorization {LOGIN}")
        plain = f"{query} where {written_in(held, condition)}"
        held.execute(f"set role {role}")
        statements = {"held": (held, query), "free": (free, plain)}
        seconds: dict[str, list[float]] = {name: [] for name in statements}
        found = {}
        for conn, statement in statements.values():
            conn.execute(statement)
        until = time.perf_counter() + LEAST_SECONDS
        while len(seconds["free"]) < rounds or time.perf_counter() < until:
            for name, (conn, statement) in statements.items():
                began = time.perf_counter()
                found[name] = conn.execute(statement).fetchone()
                seconds[name].append(time.perf_counter() - began)
        assert found["held"] == found["free"], f"{table} as {role}: not the same rows"
        plans = [scans(conn, statement) for conn, statement in statements.values()]
        rows = free.execute(f"select count(*) from ({plain.replace(counted, '1')}) x").fetchone()
    held_seconds, free_seconds = median(seconds["held"]), median(seconds["free"])
    return Read(
        table=table, role=role, query=query, condition=condition, rows=rows[0] if rows else 0,
        ratio=held_seconds / free_seconds, seconds=held_seconds, same_plan=plans[0] == plans[1],
    )  # fmt: skip


def scans(conn: Connection[Any], statement: str) -> list[str]:
    """How a statement reads tables: each node that scans, and by which index."""
    row = conn.execute(f"explain (format json) {statement}").fetchone()
    assert row is not None, "a plan is one row"

    def walk(node: dict[str, Any]) -> list[str]:
        own = [f"{node['Node Type']} {node.get('Index Name', '')}"] if "Scan" in node["Node Type"] else []
        inner = [
            one for one in node.get("Plans", ()) if not one.get("Subplan Name", "").startswith("InitPlan")
        ]
        return own + [found for one in inner for found in walk(one)]

    return walk(row[0][0]["Plan"])


def measure_reads(cluster: Cluster, rows: int, rounds: int) -> list[Read]:
    cluster.fresh("reads")
    with psycopg.connect(cluster.url("reads"), autocommit=True) as conn:
        prepare(conn, rows)
        policies = conn.execute(POLICIES).fetchall()
        conn.execute(f"create role {LOGIN} login")
        for role in {policy[1] for policy in policies}:
            conn.execute(f'grant "{role}" to {LOGIN}')
        conn.execute(f"grant usage on schema daftari to {LOGIN}")  # to be asked what policies ask
        conn.execute(f"insert into daftari.assignment (login, user_id) values ('{LOGIN}', '{READER}')")
    return [measure(cluster.url("reads"), policy, rounds) for policy in policies]


def lines(found: list[Read]) -> list[str]:
    return [
        "| table | role | rows | ms | time ÷ without | same scans |",
        "| --- | --- | ---: | ---: | ---: | --- |",
        *(
            f"| {one.table} | {one.role} | {one.rows:,} | {1000 * one.seconds:.2f} | {one.ratio:.2f} "
            f"| {'yes' if one.same_plan else 'no'} |"
            for one in found
        ),
        "",
        summary("of many rows", [one for one in found if one.rows >= MANY_ROWS]),
        summary("of few rows", [one for one in found if one.rows < MANY_ROWS]),
    ]


def summary(what: str, found: list[Read]) -> str:
    middle, worst = median(one.ratio for one in found), max(found, key=lambda one: one.ratio)
    added = max(one.seconds - one.seconds / one.ratio for one in found)
    return (
        f"- reads {what} under {len(found)} policies: {middle:.2f} times the same without in the middle, "
        f"{worst.ratio:.2f} at the worst ({worst.role} on {worst.table}); {1000 * added:.2f} ms more at the most "
        f"(aim: {AIMED} times)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with Cluster(find_binaries()) as cluster:
        print("\n".join(lines(measure_reads(cluster, options.rows, options.rounds))))


if __name__ == "__main__":
    main()
