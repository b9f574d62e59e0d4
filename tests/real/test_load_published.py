"""The published files in a governed PostgreSQL: every row accounted for, and a second load changes nothing."""

import csv
import json
import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from psycopg import sql

from daftari.io.workspace import read_workspace
from daftari.operations.apply_contracts import apply
from daftari.operations.load_path import Request, load_path

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture
def load(db, tmp_path):
    """Apply a contract of these tests, then load files by one of their mappings, one after the other."""

    def loading(ingest, paths):
        mapping = HERE / "ingest" / ingest
        dataset = mapping.read_text("utf-8").partition("dataset: ")[2].split()[0]
        pipeline = tmp_path / "pipelines" / dataset
        if not pipeline.exists():
            (pipeline / "ingest").mkdir(parents=True)
            (tmp_path / "daftari.toml").write_text('[workspace]\nname = "published"\n', "utf-8")
            shutil.copy(HERE / "contracts" / f"{dataset}.odcs.yaml", pipeline)
            contracts = read_workspace(tmp_path).contracts
            apply(db, contracts, migrations_dir=tmp_path / "migrations", now=NOW)
        workspace = read_workspace(tmp_path)
        requests = [Request(dataset=dataset, path=path, mapping=mapping) for path in paths]
        return [load_path(db, workspace, request, now=NOW) for request in requests]

    return loading


def totals(db, dataset, amount):
    """Rows and the sum of *amount* in a table."""
    query = sql.SQL("select count(*), sum({}) from {}").format(
        sql.Identifier(amount), sql.Identifier("ops", dataset)
    )
    return db.execute(query).fetchone()


def test_five_months_of_leeds_land_to_the_penny_and_a_second_load_changes_nothing(db, load, real_data):
    folder = real_data / "expenses_uk_leeds_raw"
    with (folder / "TRUTH_control_totals_dev_months.csv").open(newline="") as file:
        truth = {row["month"]: row for row in csv.DictReader(file)}
    paths = [folder / f"{month}.csv" for month in truth]
    wanted = (
        sum(int(row["data_rows"]) for row in truth.values()),
        sum(Decimal(row["net_sum_without_total_row"]) for row in truth.values()),
    )

    first = load("leeds.yaml", paths)
    assert [one.counts.inserted for one in first] == [int(row["data_rows"]) for row in truth.values()]
    assert sum(one.counts.quarantined for one in first) == 0
    assert totals(db, "council_payments", "amount") == wanted

    again = load("leeds.yaml", paths)
    assert all(one.known for one in again)
    assert totals(db, "council_payments", "amount") == wanted


#: mapping, file, amount, rows
OTHERS = [
    ("gla.yaml", "expenses_uk_other/gla/all.csv", "amount", 28_145),
    ("montgomery.yaml", "payroll/montgomery_employee_salaries_2016.csv", "salary", 9_228),
    ("absenteeism.yaml", "leave/Absenteeism_at_work.csv", "hours", 740),
    ("servicenow.yaml", "incidents/incident_event_log_5998.csv", "changes", 5_998),
    ("declarations.yaml", "expense_claims_tue_bpi2020/RequestForPayment.csv.gz", "amount", 36_072),
]


@pytest.mark.parametrize(("ingest", "path", "amount", "rows"), OTHERS)
def test_each_published_file_lands_whole(db, load, real_data, ingest, path, amount, rows):
    (loaded,) = load(ingest, [real_data / path])
    assert (loaded.counts.inserted, loaded.counts.quarantined) == (rows, 0)
    assert totals(db, loaded.dataset, amount)[0] == rows


def test_the_payroll_sums_to_the_cent(db, load, real_data):
    truth = json.loads((real_data / "payroll/TRUTH.json").read_text())["montgomery_2016"]
    load("montgomery.yaml", [real_data / "payroll/montgomery_employee_salaries_2016.csv"])
    assert totals(db, "county_salaries", "salary") == (truth["rows"], Decimal(truth["sum_salary"]))


def test_every_month_of_the_cabinet_office_lands(db, load, real_data):
    months = sorted((real_data / "expenses_uk_other/cabinetoffice").glob("20*.csv"))
    loaded = load("cabinet_office.yaml", months)
    assert sum(one.counts.quarantined for one in loaded) == 0
    rows = sum(map(lines_of_data, months))
    assert sum(one.counts.inserted for one in loaded) == rows
    assert totals(db, "department_spend", "amount")[0] == rows


def lines_of_data(path):
    """Rows by the csv module alone."""
    text = path.read_bytes().decode("latin-1")
    return sum(1 for row in csv.reader(text.splitlines(keepends=True)) if any(row)) - 1
