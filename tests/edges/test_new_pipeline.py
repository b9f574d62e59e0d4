from __future__ import annotations

from datetime import date

import pytest
from typer.testing import CliRunner

from daftari.cli import app
from daftari.errors import SettingError
from daftari.io.files import open_source
from daftari.io.workspace.files import Workspace, read_workspace
from daftari.operations.load.load_path import LoadRequest, prepare_load
from daftari.operations.workspace.init_workspace import init_workspace
from daftari.operations.workspace.new_pipeline import new_pipeline
from daftari.rows.formats.parse import to_rows
from daftari.rows.rules.rules import judge_rows, rulebook


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    init_workspace(tmp_path / "registry", name="registry")
    return read_workspace(tmp_path / "registry")


def test_the_contract_of_a_new_pipeline_can_be_enforced(workspace):
    result = CliRunner().invoke(
        app, ["new", "pipeline", "fleet-costs", "--dataset", "trips", "-w", str(workspace.root)]
    )

    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        "pipelines/fleet-costs/trips.odcs.yaml",
        "pipelines/fleet-costs/ingest/trips.yaml",
        "pipelines/fleet-costs/tests/trips.examples.yaml",
        "pipelines/fleet-costs/tests/trips.sample.csv",
        "pipelines/fleet-costs/transform/trips_by_month.sql",
        "pipelines/fleet-costs/transform/schema.yml",
    ]
    pipeline, contract = read_workspace(workspace.root).dataset("trips")
    assert (pipeline.name, contract.dataset.key) == ("fleet-costs", ("record_id",))


def test_its_sample_fits_its_mapping_and_every_row_is_right(workspace):
    made = new_pipeline(workspace, "fleet-costs")

    delivery = prepare_load(
        read_workspace(workspace.root), LoadRequest(dataset="fleet_costs", path=made.sample)
    )

    dataset = delivery.contract.dataset
    [block] = open_source(made.sample, mapping=delivery.plan.mapping, dataset=dataset).blocks()
    verdicts = judge_rows(to_rows(delivery.plan, block, dataset), rulebook(dataset, today=date(2026, 11, 23)))
    assert verdicts.accepted.height == 3
    assert verdicts.rejected.is_empty()
    assert [str(it) for it in verdicts.accepted["quantity"]] == ["12.50", "1200.00", "7.25"]


@pytest.mark.parametrize(
    ("name", "dataset", "message"),
    [
        (
            "Fleet",
            None,
            "pipeline 'Fleet': expected lowercase letters and digits, with hyphens between words",
        ),
        ("../fleet", None, "pipeline '../fleet': expected lowercase letters"),
        ("payroll", "trips", "pipeline 'payroll': "),
        ("fleet", "expenses", "dataset 'expenses': pipeline expense-tracking has it already"),
        ("fleet", "Trips", "dataset 'Trips': expected up to 40 lowercase letters"),
        ("fleet", "t" * 41, "expected up to 40 lowercase letters"),
    ],
)
def test_a_name_that_is_taken_or_unusable_is_refused(workspace, name, dataset, message):
    with pytest.raises(SettingError) as raised:
        new_pipeline(workspace, name, dataset=dataset)

    assert message in str(raised.value)


def test_a_dry_run_writes_nothing(workspace):
    new_pipeline(workspace, "fleet", dry_run=True)

    assert not (workspace.root / "pipelines" / "fleet").exists()
