"""
`daftari transform` of all marts at a million expenses, beside the same SQL by hand.

    .venv/bin/python benchmarks/transform.py [--rows N] [--rounds K]

By hand is one psql that makes each model's relation from the SQL that dbt compiled, in dbt's order,
and nothing else: no start of dbt, no tests, no building aside and swapping.
"""

from __future__ import annotations

import argparse
import json
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median

from cluster import Cluster, find_binaries
from measure import Sample
from variants import CACHE, DAFTARI, Bench, Governed, write_files

TRANSFORM = (DAFTARI, "transform")  #: what is measured
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
    script.write_text(by_hand(newest_manifest(bench.workspace)))
    bench.cluster.sql(f"create schema {BY_HAND}", database)
    samples["by hand"].append(bench.measure([*bench.cluster.psql(database), "-f", str(script)]))
    samples["again"].append(bench.measure(list(TRANSFORM), environment))
    bench.cluster.drop(database)


def newest_manifest(workspace: Path) -> Path:
    """dbt's account of the run that just ended."""
    return max(workspace.rglob("manifest.json"), key=lambda path: path.stat().st_mtime)


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
