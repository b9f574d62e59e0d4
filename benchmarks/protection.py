r"""
What protection costs, in one run: sealing a value beside pgcrypto's pgp_sym_encrypt, a load with a sealed column beside
`\copy`, an audited update beside a bare one (audit.py), reads under each policy beside the same without (reads.py).

    .venv/bin/python benchmarks/protection.py --rows 100000 --rounds 3

The load is that of load.py with one more duty: the expenses' description is sealed under a key of each of 20,000
people, and has a blind index.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median

import polars as pl
import psycopg

import audit
import reads
from cluster import Cluster, find_binaries
from daftari.contract.model import Dataset, Field, LogicalType, Protection
from daftari.io.keys.session_keys import SessionKey, lend_keys_to_session
from daftari.protect.keys import DataKey
from daftari.protect.seal import Algorithm, derive
from daftari.protect.sealed_columns import Keys, open_rows, seal_rows
from load import RESULTS, machine, markdown, measure_all, row_of, ruler_row, say
from variants import CACHE, GOVERN, GOVERNED_TEMPLATE, INIT, Bench, Governed, write_files

AIMED_TIMES = 50  #: as fast as pgp_sym_encrypt and pgp_sym_decrypt
AIMED_SPEED = 0.5  #: of \copy's
VALUE = "+254712345678"


class Sealed(Governed):
    name, title = "sealed", "daftari load, one column sealed, with its blind index"

    def _make_template(self, bench: Bench) -> None:
        shutil.rmtree(bench.workspace, ignore_errors=True)  # of a run that was broken off
        super()._run(bench, INIT, GOVERNED_TEMPLATE)
        contract = bench.workspace / "pipelines/expense-tracking/expenses.odcs.yaml"
        head, name, tail = contract.read_text("utf-8").partition("      - name: description\n")
        field, rest = tail.split("      - name: ", 1)
        seal = "{property: daftari.protection, value: {sealed: true, lookup: true}}"
        field += f"        customProperties:\n          - {seal}\n"
        contract.write_text(f"{head}{name}{field}      - name: {rest}", "utf-8")
        bench.cluster.fresh(GOVERNED_TEMPLATE)
        for argv in GOVERN:
            self._run(bench, argv, GOVERNED_TEMPLATE)


def dataset(*, revealable: bool) -> Dataset:
    protection = Protection(sealed=True, revealable=revealable)
    key = Field(name="id", logical_type=LogicalType.INTEGER, key_position=1)
    phone = Field(name="phone", logical_type=LogicalType.STRING, protection=protection)
    return Dataset(name="people", fields=(key, phone))


def microseconds(action: Callable[[], object], values: int, rounds: int) -> float:
    """The median time of *action* by each of its *values*."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        taken.append((time.perf_counter() - began) / values * 1e6)
    return median(taken)


def of_python(values: int, rounds: int) -> dict[str, float]:
    key = DataKey(key_id=b"bench---", version=1, secret=secrets.token_bytes(64))
    rows = pl.DataFrame({"id": range(values), "phone": [VALUE] * values})
    found = {}
    for algorithm, revealable in (("A256GCM", False), ("A256CBC-HS512", True)):
        of, keys = dataset(revealable=revealable), Keys(of={"": key}, indexes={})
        sealed = seal_rows(rows, of, keys)
        known = {(key.key_id, key.version): key}
        found[f"seal, {algorithm}"] = microseconds(lambda: seal_rows(rows, of, keys), values, rounds)  # noqa: B023
        found[f"open, {algorithm}"] = microseconds(lambda: open_rows(sealed, of, known), values, rounds)  # noqa: B023
    return found


def of_sql(cluster: Cluster, values: int, rounds: int) -> dict[str, float]:
    """The same in the server: pgcrypto's own way, and the functions for sessions that were lent a key."""
    key = DataKey(key_id=b"bench---", version=1, secret=secrets.token_bytes(64))
    secret = derive(key, "people.phone", Algorithm.A256CBC_HS512)
    loan = SessionKey(
        field="people.phone", subject="", key_id=key.key_id, version=1, secret=secret, seals=True
    )
    with psycopg.connect(cluster.url(GOVERNED_TEMPLATE), autocommit=True) as conn:
        lend_keys_to_session(conn, [loan])
        conn.execute(
            "create temporary table plain as select %s::text as v from generate_series(1, %s)",
            [VALUE, values],
        )
        conn.execute(
            "create temporary table pgp as select daftari.pgp_sym_encrypt(v, 'passphrase') as v from plain"
        )
        conn.execute(
            "create temporary table sealed as select daftari.seal(v, 'people.phone', '', 'r') as v from plain"
        )
        statements = {
            "pgp_sym_encrypt": "select count(daftari.pgp_sym_encrypt(v, 'passphrase')) from plain",
            "pgp_sym_decrypt": "select count(daftari.pgp_sym_decrypt(v, 'passphrase')) from pgp",
            "daftari.seal": "select count(daftari.seal(v, 'people.phone', '', 'r')) from plain",
            "daftari.reveal": "select count(daftari.reveal(v, 'people.phone', '')) from sealed",
        }
        return {
            name: microseconds(lambda: conn.execute(statement).fetchone(), values, rounds)  # noqa: B023
            for name, statement in statements.items()
        }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--values", type=int, default=200_000, help="sealed by Python; a hundredth of it by SQL"
    )
    parser.add_argument("--postgres", type=Path, help="folder with initdb, pg_ctl and psql")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    data = CACHE / "bench-sealed"
    write_files(data, {options.rows})
    facts = machine(options)
    with Cluster(options.postgres or find_binaries()) as cluster:
        facts["postgresql"] = cluster.sql("show server_version")
        bench = Bench(cluster=cluster, rows=options.rows, data=data)
        trials, rulers = measure_all(bench, [Sealed()], options.rounds)
        rows = [ruler_row(rulers), row_of(Sealed(), trials[Sealed.name])]
        each = of_python(options.values, options.rounds)
        each |= of_sql(cluster, max(100, options.values // 100), options.rounds)
        updates = audit.measure_updates(cluster, options.rows // 10, options.rounds)
        under_policies = reads.measure_reads(cluster, options.rows, options.rounds)
    report(
        facts,
        [
            markdown(rows),
            *verdicts(each),
            rf"- {1 / rows[1].wall_ratio:.2f} of \copy's speed (aim: {AIMED_SPEED})",
            "",
            *audit.lines(updates, options.rows // 10),
            "",
            *reads.lines(under_policies),
        ],
    )
    (RESULTS / "protection.json").write_text(
        json.dumps({"machine": facts, "microseconds": each, "load": [asdict(row) for row in rows]}, indent=2)
    )


def verdicts(each: dict[str, float]) -> list[str]:
    lines = ["", *(f"- {name}: {taken:.2f} µs a value" for name, taken in each.items())]
    for verb, theirs in (("seal", "pgp_sym_encrypt"), ("open", "pgp_sym_decrypt")):
        for algorithm in ("A256GCM", "A256CBC-HS512"):
            times = each[theirs] / each[f"{verb}, {algorithm}"]
            lines.append(f"- {verb}, {algorithm}: {times:.0f} times as fast as {theirs} (aim: {AIMED_TIMES})")
    return lines


def report(facts: dict[str, object], lines: list[str]) -> None:
    RESULTS.mkdir(exist_ok=True)
    text = "\n".join(lines)
    (RESULTS / "protection.md").write_text(text + "\n")
    print(f"{facts}\n\n{text}\n")
    say(f"written: {RESULTS / 'protection.md'} and protection.json")


if __name__ == "__main__":
    main()
