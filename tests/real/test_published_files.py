"""Files as their publishers left them become rows whose counts and sums are the known ones, to the penny."""

import csv
import gzip
import io
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from daftari.contract.reader.read import read_contract
from daftari.io.files import open_source
from daftari.rows.formats.inference import infer_styles
from daftari.rows.intake.file_reading import start_reading, take
from daftari.rows.mapping.column_plan import resolve_columns
from daftari.rows.mapping.mapping_reader import read_mapping

HERE = Path(__file__).parent


@dataclass
class Read:
    dataset: object
    source: object
    plan: object
    reading: object
    values: pl.DataFrame
    unreadable: dict

    def style(self, field):
        return next(one for one in self.plan.fields if one.field.name == field).styles[0].words


def read(path, ingest):
    """Take a file the whole way to typed values, by the mapping *ingest* and the contract it names."""
    mapping = read_mapping((HERE / "ingest" / ingest).read_text("utf-8"), ingest)
    contract = HERE / "contracts" / f"{mapping.dataset}.odcs.yaml"
    dataset = read_contract(contract.read_text("utf-8"), source=contract.name).dataset
    source = open_source(path, mapping=mapping, dataset=dataset)
    plan = infer_styles(resolve_columns(mapping, source.header, dataset, file=path.name), source.blocks())
    reading, frames, unreadable = start_reading(plan, dataset), [], {}
    for block in source.blocks():
        rows, reading = take(reading, block)
        frames.append(rows.values)
        unreadable |= rows.unreadable
    return Read(dataset, source, plan, reading, pl.concat(frames), unreadable)


def assert_complete(found):
    """Every row keeps what its contract requires, each key is there once, no column goes unmentioned."""
    required = [field.name for field in found.dataset.fields if field.required]
    assert found.values.select(required).null_count().row(0) == (0,) * len(required)
    assert found.values.select(found.dataset.key).n_unique() == found.values.height
    assert (found.unreadable, found.reading.malformed) == ({}, 0)


#: month, how its dates are written, what its publisher's total row states
LEEDS = [
    ("2010-12", "DD/MM/YYYY", None),
    ("2011-01", "DD-Mon-YYYY", None),
    ("2011-05", "DD-Mon-YY", None),
    ("2011-12", "DD/MM/YYYY", "publisher_total"),
    ("2012-02", "DD-Mon-YYYY", None),
]


@pytest.mark.parametrize(("month", "dates", "total"), LEEDS)
def test_one_mapping_reads_every_month_of_leeds(real_data, month, dates, total):
    folder = real_data / "expenses_uk_leeds_raw"
    with (folder / "TRUTH_control_totals_dev_months.csv").open(newline="") as file:
        truth = next(row for row in csv.DictReader(file) if row["month"] == month)

    found = read(folder / f"{month}.csv", "leeds.yaml")

    assert_complete(found)
    assert found.plan.unmapped == ()
    assert found.style("paid_on") == dates
    assert found.values.height == int(truth["data_rows"])
    assert found.values["amount"].sum() == Decimal(truth["net_sum_without_total_row"])
    assert (found.values["amount"] < 0).sum() == int(truth["negative_rows"])
    assert found.reading.left_out.blank == int(truth["blank_rows"])
    assert str(found.values["paid_on"].min()) == truth["first_date"]
    assert str(found.values["paid_on"].max()) == truth["last_date"]
    stated = [row.stated.sums["amount"] for row in found.reading.totals]
    assert stated == ([Decimal(truth[total])] if total else [])
    assert all(row.agrees for row in found.reading.totals)


def test_one_mapping_reads_every_month_of_the_cabinet_office(real_data):
    months = sorted((real_data / "expenses_uk_other/cabinetoffice").glob("20*.csv"))
    assert len(months) == 35
    for path in months:
        found = read(path, "cabinet_office.yaml")
        rows = plainly_read(path)
        assert_complete(found)
        assert found.plan.unmapped == (), path.name
        assert found.values.height == len(rows), path.name
        assert found.values["amount"].sum() == sum(Decimal(row["Amount"]) for row in rows), path.name


def plainly_read(path):
    """The file by the csv module alone."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252")
    return [row for row in csv.DictReader(io.StringIO(text, newline="")) if any(row.values())]


def test_the_authority_s_file_keeps_its_declared_key(real_data):
    path = real_data / "expenses_uk_other/gla/all.csv"
    found = read(path, "gla.yaml")
    assert_complete(found)
    assert found.values.height == 28_145
    assert found.values["amount"].sum() == sum(Decimal(row["Amount"]) for row in plainly_read(path))


def test_salaries_without_names_are_all_there(real_data):
    truth = json.loads((real_data / "payroll/TRUTH.json").read_text())["montgomery_2016"]
    found = read(real_data / "payroll/montgomery_employee_salaries_2016.csv", "montgomery.yaml")
    assert_complete(found)
    assert found.style("hired_on") == "MM/DD/YYYY"
    assert found.values.height == truth["rows"]
    assert found.values["salary"].sum() == Decimal(truth["sum_salary"])
    assert found.values["gender"].null_count() == truth["blank_gender"]
    assert found.values["department_code"].n_unique() == truth["departments"]
    mismatched = found.values.filter(pl.col("hired_on").dt.year() != pl.col("hired_in"))
    assert mismatched.height == truth["year_mismatch"]
    repeated = found.values.select(pl.col("post_id").str.split("-").list.last() != "1").to_series().sum()
    assert repeated == truth["exact_dup_rows"]


def test_absences_that_look_alike_stay_apart(real_data):
    found = read(real_data / "leave/Absenteeism_at_work.csv", "absenteeism.yaml")
    assert_complete(found)
    assert found.source.facts["separator"] == ";"
    assert found.values.height == 740
    assert (found.values["absence_id"].min(), found.values["absence_id"].max()) == (2, 741)
    assert found.values["workload"].min() == Decimal("205.917")  # a point with three digits is decimal here
    assert (found.values["month"] == 0).sum() == 3
    assert (found.values["reason"] == 0).sum() == 43
    assert (found.values["hours"] == 0).sum() == 44


def test_incident_events_are_read_day_first(real_data):
    found = read(real_data / "incidents/incident_event_log_5998.csv", "servicenow.yaml")
    assert_complete(found)
    assert found.values.height == 5_998
    assert found.style("changed_at") == "DD-MM-YYYY HH:MM"
    assert str(found.values["opened_at"].min()) == "2016-02-29 01:16:00+00:00"
    assert set(found.values["priority"]) == {"critical", "high", "medium", "low"}
    assert found.values["assigned_to"].null_count() > 0
    assert not found.values.select(pl.any_horizontal(pl.col(pl.String) == "?")).to_series().any()


@pytest.mark.parametrize("log", ["DomesticDeclarations", "RequestForPayment"])
def test_every_step_of_a_claim_is_read_exactly(real_data, log):
    folder = real_data / "expense_claims_tue_bpi2020"
    truth = json.loads((folder / "TRUTH.json").read_text())[log]
    found = read(folder / f"{log}.csv.gz", "declarations.yaml")
    assert_complete(found)
    assert found.source.facts["packing"] == "gzip"
    assert found.values.height == truth["events"]
    assert found.values["claim"].n_unique() == truth["cases"]
    amounts = found.values.group_by("claim").agg(pl.col("amount").first())["amount"]
    assert round(amounts.sum(), 2) == Decimal(str(truth["sum_amount"]))
    assert dict(found.values["activity"].value_counts().rows()) == truth["activities"]
    assert dict(found.values["role"].value_counts().rows()) == truth["roles"]
    zone = found.values["happened_at"].dt.convert_time_zone("Europe/Amsterdam")
    assert zone.min().isoformat(timespec="milliseconds") == truth["first"]
    assert zone.max().isoformat(timespec="milliseconds") == truth["last"]


def test_no_amount_loses_a_digit(real_data):
    """Sixteen decimals come back as they were written."""
    path = real_data / "expense_claims_tue_bpi2020/DomesticDeclarations.csv.gz"
    with gzip.open(path, "rt", newline="") as file:
        written = sum(Decimal(row["(case)_Amount"]) for row in csv.DictReader(file))
    assert read(path, "declarations.yaml").values["amount"].sum() == written
