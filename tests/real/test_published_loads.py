"""
The same files in governed tables: what was published is what the database holds, and a second load adds nothing.

`test_published_files.py` compares what is read with what is known of each file; here it lands.
"""

import csv
import json
import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from daftari.io.workspace.files import read_workspace
from daftari.operations.load.load_path import LoadRequest, load_path
from daftari.operations.schema.apply_contracts import apply_contracts

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


@pytest.fixture
def workspace(settings):
    """A workspace of one pipeline with the contracts and mappings beside this test, applied to a fresh database."""
    pipeline = settings.root / "pipelines" / "published"
    shutil.copytree(HERE / "contracts", pipeline)
    shutil.copytree(HERE / "ingest", pipeline / "ingest")
    return read_workspace(settings.root)


@pytest.fixture
def load(db, settings, workspace):
    """Load a file by a mapping, twice more after that; return what the first load said."""
    apply_contracts(db, workspace.contracts, migrations_dir=settings.migrations_dir, now=NOW)

    def load(path, dataset, mapping):
        request = LoadRequest(dataset=dataset, path=path, mapping=HERE / "ingest" / mapping)
        first = load_path(db, workspace, request, now=NOW)
        before = content(db, dataset)

        again = load_path(db, workspace, request, now=NOW)
        assert again.known
        assert again.run_id == first.run_id

        forced = LoadRequest(dataset=dataset, path=path, mapping=HERE / "ingest" / mapping, again=True)
        unchanged = load_path(db, workspace, forced, now=NOW).counts
        assert (unchanged.inserted, unchanged.updated) == (0, 0)
        assert unchanged.received == first.counts.received
        assert content(db, dataset) == before
        return first

    return load


def content(db, dataset):
    return db.execute(
        f"select count(*), md5(string_agg(md5(t::text), '' order by md5(t::text))) from ops.{dataset} t"
    ).fetchone()


def count_and_sum(db, dataset, amount):
    return db.execute(f"select count(*), sum({amount}) from ops.{dataset}").fetchone()


def test_five_months_of_leeds_land_by_one_mapping_and_equal_their_control_totals(real_data, db, load):
    folder = real_data / "expenses_uk_leeds_raw"
    with (folder / "TRUTH_control_totals_dev_months.csv").open(newline="") as file:
        truth = list(csv.DictReader(file))
    for month in truth:
        loaded = load(folder / f"{month['month']}.csv", "council_payments", "leeds.yaml")
        rows, net = db.execute(
            "select count(*), sum(amount) from ops.council_payments where _run_id = %s", [loaded.run_id]
        ).fetchone()
        assert (rows, net) == (int(month["data_rows"]), Decimal(month["net_sum_without_total_row"]))
        assert loaded.counts.received == loaded.counts.inserted == rows

    assert count_and_sum(db, "council_payments", "amount") == (
        44_954,
        sum(Decimal(month["net_sum_without_total_row"]) for month in truth),
    )


def test_every_month_of_the_cabinet_office_lands(real_data, db, load):
    received = 0
    for path in sorted((real_data / "expenses_uk_other/cabinetoffice").glob("20*.csv")):
        loaded = load(path, "department_spend", "cabinet_office.yaml")
        assert loaded.counts.quarantined == 0, path.name
        received += loaded.counts.received
    assert count_and_sum(db, "department_spend", "amount")[0] == received


@pytest.mark.parametrize(
    ("file", "dataset", "mapping", "rows"),
    [
        ("expenses_uk_other/gla/all.csv", "authority_payments", "gla.yaml", 28_145),
        ("payroll/montgomery_employee_salaries_2016.csv", "county_salaries", "montgomery.yaml", 9_228),
        ("leave/Absenteeism_at_work.csv", "absences", "absenteeism.yaml", 740),
        ("incidents/incident_event_log_5998.csv", "incident_events", "servicenow.yaml", 5_998),
    ],
)
def test_every_row_of_a_file_lands_once(real_data, db, load, file, dataset, mapping, rows):
    loaded = load(real_data / file, dataset, mapping)
    assert (loaded.counts.received, loaded.counts.inserted) == (rows, rows)
    assert content(db, dataset)[0] == rows


def test_salaries_in_the_database_sum_to_the_published_sum(real_data, db, load):
    truth = json.loads((real_data / "payroll/TRUTH.json").read_text())["montgomery_2016"]
    load(real_data / "payroll/montgomery_employee_salaries_2016.csv", "county_salaries", "montgomery.yaml")
    assert count_and_sum(db, "county_salaries", "salary") == (truth["rows"], Decimal(truth["sum_salary"]))


@pytest.mark.parametrize("log", ["DomesticDeclarations", "RequestForPayment"])
def test_every_event_of_a_claim_lands_with_its_exact_amount(real_data, db, load, log):
    folder = real_data / "expense_claims_tue_bpi2020"
    truth = json.loads((folder / "TRUTH.json").read_text())[log]
    loaded = load(folder / f"{log}.csv.gz", "claim_events", "declarations.yaml")
    assert loaded.counts.inserted == truth["events"]
    cases, total = db.execute(
        "select count(*), round(sum(amount), 2) from (select distinct on (claim) amount from ops.claim_events) c"
    ).fetchone()
    assert (cases, total) == (truth["cases"], Decimal(str(truth["sum_amount"])))
