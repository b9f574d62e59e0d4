"""
Peak memory of one governed load at a million and at ten million rows: it should not grow.

    .venv/bin/python benchmarks/memory.py [ROWS ...]
"""

from __future__ import annotations

import sys

from cluster import Cluster, find_binaries
from variants import CACHE, Bench, Governed, write_files

SIZES = (1_000_000, 10_000_000)


def main(sizes: tuple[int, ...]) -> None:
    data = CACHE / "bench"
    write_files(data, set(sizes))
    print("| rows | seconds | CPU s | peak MiB |\n| ---: | ---: | ---: | ---: |")
    with Cluster(find_binaries()) as cluster:
        for rows in sizes:
            sample = Governed().measure(Bench(cluster=cluster, rows=rows, data=data))
            cost = f"{sample.wall_seconds:.1f} | {sample.cpu_seconds:.1f} | {sample.peak_bytes / 2**20:.0f}"
            print(f"| {rows:,} | {cost} |", flush=True)
            cluster.drop(Governed.name)


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or SIZES)
