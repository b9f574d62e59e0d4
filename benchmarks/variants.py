"""
What load.py measures: each variant says how to prepare a database, what to run, and how to see that
the rows are there. Rivals get a file without bad rows, since they judge nothing; ours gets the bad ones too.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cluster import Cluster
from measure import Sample, run

HERE = Path(__file__).parent
CACHE = HERE.parent / ".cache"
#: dlt's dicts are measured on this many rows and scaled: a million take minutes.
ROWS_OF_DICTS = 100_000

DAFTARI = str(Path(sys.executable).with_name("daftari"))
LOAD = (DAFTARI, "load", "expenses", "{file}")  #: what is measured
#: What comes before: not measured.
INIT = (DAFTARI, "init", "{workspace}")
GOVERN = (
    (DAFTARI, "apply"),
    (DAFTARI, "load", "departments", "{data}/our-departments.csv"),
    (DAFTARI, "load", "roles", "{data}/our-roles.csv"),
    (DAFTARI, "load", "users", "{data}/our-users.csv"),
)
GOVERNED_TEMPLATE = "governed_template"

COLUMNS = (
    "expense_id text primary key",
    "spent_on date",
    "department_code text",
    "user_id text",
    "category text",
    "supplier text",
    "description text",
    "amount numeric(14,2)",
    "currency text",
    "status text",
    "approved_at timestamptz",
)
BARE_TABLE = f"create table expenses ({', '.join(COLUMNS)})"


class WrongResult(Exception):
    """A variant ended well and left something else than the rows it was given."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One cluster, one size of file."""

    cluster: Cluster
    rows: int
    data: Path

    def file(self, suffix: str = "", *, rows: int | None = None) -> str:
        return str(self.data / f"expenses-{rows or self.rows}{suffix}.csv")

    @property
    def workspace(self) -> Path:
        return self.data / "workspace"

    def measure(self, argv: list[str], environment: dict[str, str] | None = None) -> Sample:
        self.cluster.sql("checkpoint")
        return run(argv, environment=environment or {}, server_cpu=self.cluster.cpu_seconds)

    def expect(self, database: str, table: str, expected: int) -> None:
        """Raises WrongResult where *table* has another number of rows."""
        found = int(self.cluster.sql(f"select count(*) from {table}", database))
        if found != expected:
            raise WrongResult(f"{database}: {table} has {found} rows; expected {expected}")


class Variant:
    name = ""
    title = ""

    def lacks(self) -> str | None:
        """What is missing on this machine, in words; None when it can be measured."""
        return None

    def rows(self, bench: Bench) -> int:
        return bench.rows

    def measure(self, bench: Bench) -> Sample:
        raise NotImplementedError


class Copy(Variant):
    """The ruler."""

    name, title = "copy", r"psql \copy into a bare table with a primary key"

    def measure(self, bench: Bench) -> Sample:
        bench.cluster.fresh(self.name)
        bench.cluster.sql(BARE_TABLE, self.name)
        copy = rf"\copy expenses from '{bench.file('-good')}' csv header"
        sample = bench.measure([*bench.cluster.psql(self.name), "-c", copy])
        bench.expect(self.name, "expenses", bench.rows)
        return sample


class Governed(Variant):
    """Ours: read, judged with all reasons, quarantined, de-duplicated, keys held, in the ledger, audited."""

    name, title = "governed", "daftari load"
    measured_suffix = ""  #: of the file that is measured
    already: str | None = None  #: suffix of a file that is loaded before, unmeasured

    def lacks(self) -> str | None:
        return None if Path(DAFTARI).is_file() else f"no {DAFTARI}: run with the project's own Python"

    def measure(self, bench: Bench) -> Sample:
        cluster, environment = bench.cluster, self._environment(bench, self.name)
        if not cluster.sql(f"select 1 from pg_database where datname = '{GOVERNED_TEMPLATE}'"):
            self._make_template(bench)
        cluster.fresh(self.name, template=GOVERNED_TEMPLATE)
        if self.already is not None:
            self._run(bench, LOAD, self.name, file=bench.file(self.already))
        argv = [part.format(file=bench.file(self.measured_suffix)) for part in LOAD]
        sample = bench.measure(argv, environment)
        self._expect_conservation(bench)
        return sample

    def _expect_conservation(self, bench: Bench) -> None:
        facts = json.loads(Path(bench.file()).with_suffix(".json").read_text())
        bench.expect(self.name, "ops.expenses", facts["rows"] - facts["bad"] - facts["doubled"])
        if self.already is None:
            bench.expect(self.name, "daftari.quarantine", facts["bad"])

    def _make_template(self, bench: Bench) -> None:
        shutil.rmtree(bench.workspace, ignore_errors=True)
        bench.cluster.fresh(GOVERNED_TEMPLATE)
        for argv in (INIT, *GOVERN):
            self._run(bench, argv, GOVERNED_TEMPLATE)

    def _run(self, bench: Bench, argv: tuple[str, ...], database: str, file: str = "") -> None:
        names = {"workspace": str(bench.workspace), "data": str(bench.data), "file": file}
        run(
            [part.format(**names) for part in argv],
            environment=self._environment(bench, database),
            server_cpu=float,
        )

    def _environment(self, bench: Bench, database: str) -> dict[str, str]:
        return {
            "DAFTARI_DATABASE_URL": bench.cluster.url(database),
            "DAFTARI_WORKSPACE": str(bench.workspace),
        }


class SameFile(Governed):
    name, title, already = "same-file", "daftari load, the same file again", ""


class KnownRows(Governed):
    name, title, already = "known-rows", "daftari load, rows all there, file unknown", ""
    measured_suffix = "-again"


class Dlt(Variant):
    def __init__(self, way: str, title: str, *, most_rows: int | None = None) -> None:
        self.way, self.name, self.title, self.most_rows = way, f"dlt-{way}", title, most_rows

    def lacks(self) -> str | None:
        if _rival_python().is_file():
            return None
        return "no .cache/bench-venv: python -m venv it and install benchmarks/requirements.txt there"

    def rows(self, bench: Bench) -> int:
        return min(bench.rows, self.most_rows or bench.rows)

    def measure(self, bench: Bench) -> Sample:
        bench.cluster.fresh(self.name)
        file = bench.file("-good", rows=self.rows(bench))
        argv = [str(_rival_python()), str(HERE / "rival_dlt.py"), self.way, file]
        sample = bench.measure(
            [*argv, bench.cluster.tcp_url(self.name)], {"RUNTIME__DLTHUB_TELEMETRY": "false"}
        )
        bench.expect(self.name, "rival.expenses", self.rows(bench))
        return sample


class PgLoader(Variant):
    name, title = "pgloader", "pgloader"

    def lacks(self) -> str | None:
        return None if shutil.which("pgloader") else "no pgloader on the path (Debian: pgloader)"

    def measure(self, bench: Bench) -> Sample:
        bench.cluster.fresh(self.name)
        bench.cluster.sql(BARE_TABLE, self.name)
        names = ", ".join(column.split()[0] for column in COLUMNS)
        read = names.replace("approved_at", "approved_at [null if blanks]")
        command = bench.data / "expenses.load"
        command.write_text(
            f"LOAD CSV FROM '{bench.file('-good')}' ({read})\n"
            f"INTO {bench.cluster.tcp_url(self.name)} TARGET TABLE public.expenses ({names})\n"
            "WITH skip header = 1, fields terminated by ',', batch rows = 25000, workers = 2;\n"
        )
        sample = bench.measure(
            ["pgloader", "--quiet", "--root-dir", str(bench.data / "pgloader"), str(command)]
        )
        bench.expect(self.name, "expenses", bench.rows)
        return sample


def _rival_python() -> Path:
    return CACHE / "bench-venv/bin/python"


def write_files(data: Path, sizes: set[int]) -> None:
    """Invent the files that are not there yet, in a process of its own."""
    missing = sorted(str(size) for size in sizes if not (data / f"expenses-{size}.json").is_file())
    if missing:
        subprocess.run([sys.executable, str(HERE / "invent.py"), str(data), *missing], check=True)


VARIANTS: tuple[Variant, ...] = (
    Governed(),
    SameFile(),
    KnownRows(),
    Dlt("adbc", "dlt, parquet + ADBC, merge by upsert"),
    Dlt("arrow", "dlt, Arrow and CSV, merge by delete-insert"),
    Dlt("dicts", "dlt, dicts, merge by delete-insert", most_rows=ROWS_OF_DICTS),
    PgLoader(),
)
