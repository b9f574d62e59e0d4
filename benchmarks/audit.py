"""
An update of many expenses that is audited row by row, beside the same update on a table without the audit.

    .venv/bin/python benchmarks/audit.py [--rows N] [--rounds K]

Both tables are as `daftari apply` makes them, with their keys, checks, indexes and other triggers; from the bare
one the audit's triggers are taken away. Rounds alternate. Each statement is one transaction, on the disk when it
is through; what the last one left behind is vacuumed away before the next.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psycopg

from cluster import Cluster, find_binaries
from daftari.io.workspace.files import read_workspace
from daftari.operations.schema.apply_contracts import apply_contracts

WORKSPACE = Path(__file__).parents[1] / "workspace"
AIMED = 2.5  #: times a bare update
FILL = """
    insert into ops.expenses
        (expense_id, spent_on, department_code, category, supplier, description, amount, currency, status, _run_id)
    select 'E-' || n, date '2026-01-01' + n %% 300, 'FIN', 'office', 'Supplier ' || n %% 500,
           'Paper, pens and other things for the month', n %% 9000 + 0.5, 'KES', 'submitted', 1
    from generate_series(1, %s) n
"""
UPDATE = "update ops.expenses set amount = amount + 1, _run_id = _run_id + 1"
STRIP = """
    do $$
    declare t record;
    begin
        for t in
            select tgname, tgrelid::regclass as relation from pg_trigger
            where tgname like 'audit%' and tgparentid = 0 and not tgisinternal
        loop
            execute format('drop trigger %I on %s', t.tgname, t.relation);
        end loop;
    end $$
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    with Cluster(find_binaries()) as cluster:
        print("\n".join(lines(measure_updates(cluster, options.rows, options.rounds), options.rows)))


def measure_updates(cluster: Cluster, rows: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of the update in each round, bare and audited."""
    seconds: dict[str, list[float]] = {"bare": [], "audited": []}
    for name in seconds:
        prepare(cluster, name, rows)
    for _ in range(rounds):
        for name in seconds:
            seconds[name].append(measure(cluster, name))
    return seconds


def lines(seconds: dict[str, list[float]], rows: int) -> list[str]:
    base = median(seconds["bare"])
    found = [
        f"| {name} | {median(taken):.2f} | {min(taken):.2f}..{max(taken):.2f} "
        f"| {median(taken) / base:.2f} | {len(taken)} |"
        for name, taken in seconds.items()
    ]
    times = median(seconds["audited"]) / base
    return [
        f"update of {rows:,} rows",
        "",
        "| variant | median s | min..max | time ÷ bare | n |",
        "| --- | ---: | ---: | ---: | ---: |",
        *found,
        "",
        f"- an audited update takes {times:.2f} times a bare one (aim: {AIMED})",
    ]


def prepare(cluster: Cluster, name: str, rows: int) -> None:
    cluster.fresh(name)
    with tempfile.TemporaryDirectory() as folder, psycopg.connect(cluster.url(name), autocommit=True) as conn:
        contracts = read_workspace(WORKSPACE).contracts
        apply_contracts(conn, contracts, migrations_dir=Path(folder), now=datetime.now(UTC))
        conn.execute(
            "insert into ops.departments (department_code, name, city, cost_centre, is_active, _run_id) "
            "values ('FIN', 'Finance', 'Nairobi', '4100', true, 1)"
        )
        if name == "bare":
            conn.execute(STRIP)
        conn.execute(FILL, [rows])


def measure(cluster: Cluster, name: str) -> float:
    with psycopg.connect(cluster.url(name), autocommit=True) as conn:
        conn.execute("vacuum analyze ops.expenses")
        conn.execute("checkpoint")
        begun = time.perf_counter()
        conn.execute(UPDATE)
        return time.perf_counter() - begun


if __name__ == "__main__":
    main()
