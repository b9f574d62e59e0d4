r"""
A governed load beside `\copy`, dlt and pgloader, in one run.

    make bench BENCH_ARGS="--rows 100000 --rounds 3 --only governed"

Each round measures every variant once, with the ruler (`psql \copy` of the same rows into a bare table)
before and after it; a ratio is taken against the mean of those two. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean, median

from cluster import SETTINGS, Cluster, find_binaries
from measure import Sample
from variants import CACHE, VARIANTS, Bench, Copy, Dlt, Governed, Variant, write_files

RESULTS = Path(__file__).parent / "results"
#: What `\copy`'s time is to be of ours, and how many times ours a rival's: from the issue.
AIMED_SPEED = 0.7
AIMED_TIMES = {"dlt-adbc": 1.2, "dlt-arrow": 3.0, "dlt-dicts": 20.0, "pgloader": 10.0}
AIMED_REPEAT = 0.05
AIMED_PEAK_MIB = 500


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One measurement, between two of the ruler."""

    sample: Sample
    ruler_wall_seconds: float
    ruler_cpu_seconds: float
    inside_seconds: float | None  #: by the command's own clock, without its start

    @property
    def wall_ratio(self) -> float:
        return self.sample.wall_seconds / self.ruler_wall_seconds

    @property
    def cpu_ratio(self) -> float:
        return self.sample.cpu_seconds / self.ruler_cpu_seconds


@dataclass(frozen=True, kw_only=True)
class Row:
    """A variant's line in the table. Ratios are to the ruler's time: below 1 is faster."""

    name: str
    title: str
    rounds: int
    seconds: float
    fastest_seconds: float
    slowest_seconds: float
    wall_ratio: float
    cpu_seconds: float
    cpu_ratio: float
    peak_mib: float
    inside_seconds: float | None


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", choices=[v.name for v in VARIANTS], help="may be repeated")
    parser.add_argument("--postgres", type=Path, help="folder with initdb, pg_ctl and psql")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    chosen = [v for v in VARIANTS if not options.only or v.name in options.only]
    for variant in [v for v in chosen if v.lacks()]:
        say(f"left out: {variant.title}: {variant.lacks()}")
    variants = [v for v in chosen if not v.lacks()]
    data = CACHE / "bench"
    dicts_rows = {v.most_rows for v in variants if isinstance(v, Dlt) and v.most_rows}
    write_files(data, {options.rows, *(min(rows, options.rows) for rows in dicts_rows)})
    facts = machine(options)
    with Cluster(options.postgres or find_binaries()) as cluster:
        facts["postgresql"] = cluster.sql("show server_version")
        trials, rulers = measure_all(
            Bench(cluster=cluster, rows=options.rows, data=data), variants, options.rounds
        )
    rows = [ruler_row(rulers), *(row_of(v, trials[v.name]) for v in variants)]
    report(facts, rows, trials, rulers)


def measure_all(
    bench: Bench, variants: list[Variant], rounds: int
) -> tuple[dict[str, list[Trial]], list[Sample]]:
    """Return the trials by variant, and every measurement of the ruler."""
    ruler = Copy()
    ruler.measure(bench)  # warms the file's cache; not counted
    trials: dict[str, list[Trial]] = {variant.name: [] for variant in variants}
    rulers = []
    for number in range(1, rounds + 1):
        rulers.append(ruler.measure(bench))
        for variant in variants:
            sample = variant.measure(bench)
            bench.cluster.drop(variant.name)
            before, after = rulers[-1], ruler.measure(bench)
            rulers.append(after)
            scaled, inside = scale(sample, bench.rows / variant.rows(bench))
            trials[variant.name].append(
                Trial(
                    sample=scaled,
                    ruler_wall_seconds=fmean([before.wall_seconds, after.wall_seconds]),
                    ruler_cpu_seconds=fmean([before.cpu_seconds, after.cpu_seconds]),
                    inside_seconds=inside,
                )
            )
            ratio = trials[variant.name][-1].wall_ratio
            say(f"round {number}: {variant.title}: {scaled.wall_seconds:.2f} s, {ratio:.2f} of copy's time")
    return trials, rulers


def scale(sample: Sample, factor: float) -> tuple[Sample, float | None]:
    """
    Scale what a command measured of itself, and leave its start as it was.

    A command that prints no clock of its own is returned as it is.
    """
    last = sample.output.strip().rpartition("\n")[2]
    if not last.startswith('{"seconds"'):
        return sample, None
    inside = json.loads(last)
    more = factor - 1
    scaled = replace(
        sample,
        wall_seconds=sample.wall_seconds + inside["seconds"] * more,
        client_cpu_seconds=sample.client_cpu_seconds + inside["cpu_seconds"] * more,
        server_cpu_seconds=sample.server_cpu_seconds * factor,
    )
    return scaled, inside["seconds"] * factor


def row_of(variant: Variant, trials: list[Trial]) -> Row:
    walls = [t.sample.wall_seconds for t in trials]
    insides = [t.inside_seconds for t in trials if t.inside_seconds is not None]
    return Row(
        name=variant.name,
        title=variant.title,
        rounds=len(trials),
        seconds=median(walls),
        fastest_seconds=min(walls),
        slowest_seconds=max(walls),
        wall_ratio=median(t.wall_ratio for t in trials),
        cpu_seconds=median(t.sample.cpu_seconds for t in trials),
        cpu_ratio=median(t.cpu_ratio for t in trials),
        peak_mib=max(t.sample.peak_bytes for t in trials) / 2**20,
        inside_seconds=median(insides) if insides else None,
    )


def ruler_row(rulers: list[Sample]) -> Row:
    itself = [
        Trial(
            sample=sample,
            ruler_wall_seconds=sample.wall_seconds,
            ruler_cpu_seconds=sample.cpu_seconds,
            inside_seconds=None,
        )
        for sample in rulers
    ]
    return row_of(Copy(), itself)


def machine(options: argparse.Namespace) -> dict[str, object]:
    return {
        "rows": options.rows,
        "rounds": options.rounds,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_average_at_start": round(os.getloadavg()[0], 2),
        "settings": SETTINGS,
    }


def markdown(rows: list[Row]) -> str:
    lines = [
        r"| variant | median s | min..max | time ÷ \copy's | CPU s | CPU ÷ \copy's | peak MiB | n |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for r in rows:
        wall = f"{r.seconds:.2f} | {r.fastest_seconds:.2f}..{r.slowest_seconds:.2f} | {r.wall_ratio:.2f}"
        cpu = f"{r.cpu_seconds:.2f} | {r.cpu_ratio:.2f}"
        lines.append(f"| {r.title} | {wall} | {cpu} | {r.peak_mib:.0f} | {r.rounds} |")
    return "\n".join(lines)


def verdicts(rows: list[Row]) -> list[str]:
    """How far the aims are met, where what they compare was measured."""
    by_name = {row.name: row for row in rows}
    ours = by_name.get(Governed.name)
    if ours is None:
        return []
    lines = [
        rf"{1 / ours.wall_ratio:.2f} of \copy's speed (aim: {AIMED_SPEED})",
        f"{ours.peak_mib:.0f} MiB at its peak (aim: under {AIMED_PEAK_MIB})",
    ]
    if again := by_name.get("same-file"):
        part = again.wall_ratio / ours.wall_ratio
        lines.append(f"the same file again takes {part:.3f} of a load (aim: {AIMED_REPEAT})")
    for name, aim in AIMED_TIMES.items():
        if rival := by_name.get(name):
            lines.append(
                f"{rival.wall_ratio / ours.wall_ratio:.1f} times as fast as {rival.title} (aim: {aim:g})"
            )
            if rival.inside_seconds is not None:
                lines.append(f"    {rival.inside_seconds / ours.seconds:.1f} times, its start not counted")
    return lines


def report(
    facts: dict[str, object], rows: list[Row], trials: dict[str, list[Trial]], rulers: list[Sample]
) -> None:
    text = "\n".join([markdown(rows), "", *(f"- {line}" for line in verdicts(rows))])
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "load.md").write_text(text + "\n")
    document = {
        "machine": facts,
        "variants": [asdict(row) for row in rows],
        "rulers": [asdict(sample) for sample in rulers],
        "trials": {name: [asdict(trial) for trial in of] for name, of in trials.items()},
    }
    (RESULTS / "load.json").write_text(json.dumps(document, indent=2))
    print(f"{facts}\n\n{text}\n")
    say(f"written: {RESULTS / 'load.md'} and load.json")


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
