"""
`daftari transform` of all marts at a million expenses, beside the same SQL by hand.

    .venv/bin/python benchmarks/transform.py [--rows N] [--rounds K]

By hand is one psql that makes each model's relation from the SQL that dbt compiled, in dbt's order,
and nothing else: no start of dbt, no tests, no building aside and swapping.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median

from cluster import Cluster, find_binaries
from measure import Sample
from variants import CACHE, DAFTARI, Bench, Governed, write_files

TRANSFORM = (DAFTARI, "transform")  #: what is measured
DBT = str(Path(DAFTARI).with_name("dbt"))
LOADED = "loaded_template"
BY_HAND = "by_hand"
#: materialisation in dbt -> what makes it by hand
STATEMENTS = {"view": "create view", "table": "create table", "incremental": "create table"}
TITLES = {
    "first": "daftari transform, nothing there yet",
    "again": "daftari transform, all marts there",
    "by hand": "psql, the same SQL by hand",
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    data = CACHE / "bench"
    write_files(data, {options.rows})
    samples: dict[str, list[Sample]] = {name: [] for name in TITLES}
    with Cluster(find_binaries()) as cluster:
        bench = Bench(cluster=cluster, rows=options.rows, data=data)
        Governed().measure(bench)
        cluster.sql(f'alter database "{Governed.name}" rename to "{LOADED}"')
        for _ in range(options.rounds):
            measure_round(bench, samples)
    report(samples)


def measure_round(bench: Bench, samples: dict[str, list[Sample]]) -> None:
    """Measure each way once, on a fresh copy of the loaded database."""
    database = "transform"
    bench.cluster.fresh(database, template=LOADED)
    bench.cluster.sql("vacuum analyze", database)
    environment = {
        "DAFTARI_DATABASE_URL": bench.cluster.url(database),
        "DAFTARI_WORKSPACE": str(bench.workspace),
    }
    samples["first"].append(bench.measure(list(TRANSFORM), environment))
    script = bench.data / "by_hand.sql"
    if not samples["by hand"]:
        script.write_text(by_hand(compile_models(bench, environment)))
    bench.cluster.sql(f"create schema {BY_HAND}", database)
    samples["by hand"].append(bench.measure([*bench.cluster.psql(database), "-f", str(script)]))
    samples["again"].append(bench.measure(list(TRANSFORM), environment))
    bench.cluster.drop(database)


def compile_models(bench: Bench, environment: dict[str, str]) -> Path:
    """Let dbt compile every model as its first build would run it; return its account of them."""
    target = bench.data / "dbt"
    dbt = f"{shlex.quote(DBT)} compile --full-refresh --quiet --target-path {shlex.quote(str(target))}"
    subprocess.run(
        ["bash", "-c", f'eval "$({shlex.quote(DAFTARI)} env)" && {dbt}'],
        cwd=bench.workspace,
        env={**os.environ, **environment},
        check=True,
    )
    return target / "manifest.json"


def by_hand(manifest: Path) -> str:
    """One statement a model, each after those it reads."""
    nodes = json.loads(manifest.read_text())["nodes"]
    models = {key: node for key, node in nodes.items() if node["resource_type"] == "model"}
    order = TopologicalSorter({key: models[key]["depends_on"]["nodes"] for key in models}).static_order()
    statements = []
    for node in (models[key] for key in order if key in models):
        verb = STATEMENTS.get(node["config"]["materialized"])  # an ephemeral model makes nothing of its own
        if verb:
            statements.append(f"{verb} {BY_HAND}.{node['name']} as\n{node['compiled_code']};\n")
    return "\n".join(statements)


def report(samples: dict[str, list[Sample]]) -> None:
    base = median(s.wall_seconds for s in samples["by hand"])
    base_cpu = median(s.cpu_seconds for s in samples["by hand"])
    print("| variant | median s | min..max | time ÷ by hand | CPU s | CPU ÷ by hand | n |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, title in TITLES.items():
        walls = [s.wall_seconds for s in samples[name]]
        wall, cpu = median(walls), median(s.cpu_seconds for s in samples[name])
        time = f"{wall:.2f} | {min(walls):.2f}..{max(walls):.2f} | {wall / base:.2f}"
        print(f"| {title} | {time} | {cpu:.2f} | {cpu / base_cpu:.2f} | {len(walls)} |")


if __name__ == "__main__":
    main()
