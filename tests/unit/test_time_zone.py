"""Whatever needs a time zone follows the workspace's: each consumer in two zones in which the day differs."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from ruamel.yaml import YAML
from tests.contracts import contract_document, contract_of, field
from tests.tables import block

from daftari.compile.access import access_policies
from daftari.compile.access.access_policies import Present, Rights
from daftari.compile.marts.dbt_files import staging_files
from daftari.compile.partitions import day_of
from daftari.compile.tables import tables
from daftari.compile.tables.objects import Partition, Policy
from daftari.contract.model import DEFAULT_TIME_ZONE
from daftari.io.workspace.files import read_open_workspace, read_workspace
from daftari.operations.marts.build_marts import TransformOptions, dbt_arguments
from daftari.operations.write.judge_records import JudgedRecords, judge_records
from daftari.rows.formats.inference import infer_styles
from daftari.rows.formats.parse import to_rows
from daftari.rows.mapping.column_plan import resolve_columns
from daftari.rows.mapping.mapping import Mapping
from daftari.rows.rules.expressions import parse
from daftari.settings import Settings, read_settings
from daftari.web.value_formats import environment

NAIROBI, LIMA = "Africa/Nairobi", "America/Lima"
#: 1 April, 01:30 in Nairobi; 31 March, 17:30 in Lima; 31 March in UTC
EVENING = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
#: 1 April, 05:00 in Nairobi; 31 March, 21:00 in Lima; 1 April in UTC
MORNING = datetime(2026, 4, 1, 2, 0, tzinfo=UTC)
MARCH, APRIL = date(2026, 3, 31), date(2026, 4, 1)

VISITS = {
    "fields": [
        {"name": "visit_id", "logicalType": "string", "required": True, "primaryKey": True},
        field("seen_on", "date", required=True),
        field("seen_at", "timestamp"),
    ],
    "custom": {
        "rules": [{"id": "past", "expression": "seen_on <= current_date", "message": "is to come"}],
        "access": [{"role": "nurse", "operations": ["read"], "rows": "seen_on = current_date"}],
        "partition": {"field": "seen_on", "every": "month", "ahead": 0},
    },
}


def write(root, time_zone=None):
    folder = root / "pipelines" / "clinic"
    folder.mkdir(parents=True)
    (folder / "visits.odcs.yaml").write_text(json.dumps(contract_document(**VISITS)), "utf-8")
    said = f'time_zone = "{time_zone}"\n' if time_zone else ""
    (root / "daftari.toml").write_text(f"[workspace]\n{said}", "utf-8")
    return root


@pytest.fixture(params=[NAIROBI, LIMA])
def zone(request):
    return request.param


@pytest.fixture
def workspace(zone, tmp_path):
    return read_open_workspace(read_settings(write(tmp_path, zone)))


@pytest.fixture
def dataset(workspace):
    return workspace.dataset("visits")[1].dataset


# --- where the zone comes from


def test_a_workspace_and_its_datasets_are_in_the_zone_of_the_settings(tmp_path, monkeypatch):
    root = write(tmp_path, LIMA)
    assert read_open_workspace(read_settings(root)).time_zone == LIMA
    monkeypatch.setenv("DAFTARI_TIME_ZONE", "Asia/Manila")
    for only in (None, "visits"):
        workspace = read_open_workspace(read_settings(root), only=only)
        zones = [it.dataset.time_zone for it in (*workspace.contracts, *workspace.pipelines[0].contracts)]
        assert [workspace.time_zone, *zones] == ["Asia/Manila"] * 3


def test_the_zone_is_that_of_nairobi_where_nothing_is_said(tmp_path):
    workspace = read_open_workspace(read_settings(write(tmp_path)))
    assert workspace.time_zone == workspace.contracts[0].dataset.time_zone == NAIROBI
    assert Settings.model_fields["time_zone"].default == DEFAULT_TIME_ZONE == NAIROBI
    assert read_workspace(tmp_path).time_zone == NAIROBI


# --- pages


@pytest.mark.parametrize(("zone", "shown"), [(NAIROBI, "1 Apr 2026, 01:30"), (LIMA, "31 Mar 2026, 17:30")])
def test_a_page_shows_instants_in_the_zone(zone, shown):
    pages = environment(ZoneInfo(zone))
    assert pages.from_string("{{ at | moment }}").render(at=EVENING) == shown
    assert pages.from_string("{{ at | value }}").render(at=EVENING) == shown


# --- rules


@pytest.mark.parametrize(
    ("zone", "today", "accepted"), [(NAIROBI, APRIL, 1), (LIMA, MARCH, 0)], indirect=["zone"]
)
@pytest.mark.parametrize("now", [EVENING, MORNING])
def test_the_today_of_a_rule_is_the_zones(workspace, dataset, today, accepted, now):
    assert workspace.today(now) == dataset.today(now) == today
    contract = workspace.dataset("visits")[1]
    sent = JudgedRecords(records=[{"visit_id": "1", "seen_on": "2026-04-01"}], seal=lambda rows: rows)
    judged = judge_records(contract, sent, now, look_up=None)
    assert sum(it.height for it in judged.batches) == accepted


@pytest.mark.parametrize(("zone", "day"), [(NAIROBI, APRIL), (LIMA, MARCH)], indirect=["zone"])
def test_an_instant_becomes_the_day_that_it_is_in_the_zone(dataset, zone, day):
    condition = parse("cast(seen_at as date) = seen_on", dataset, where="rule")
    frame = pl.DataFrame({"seen_at": [EVENING], "seen_on": [day]})
    assert frame.select(condition.expression(APRIL)).item() is True
    assert condition.check == f'CAST(("seen_at" AT TIME ZONE \'{zone}\') AS DATE) = "seen_on"'


def test_a_policy_and_a_dbt_test_ask_for_the_day_in_the_zone(workspace, dataset, zone):
    today = f"CAST((NOW() AT TIME ZONE '{zone}') AS DATE)"
    (policy,) = [
        it
        for it in access_policies.access_objects([dataset], Present(), Rights())
        if isinstance(it, Policy) and it.name == "nurse_read"
    ]
    assert policy.using == f"(select daftari.acts_as('nurse')) and (\"seen_on\" = {today})"
    (sources,) = [it.text for it in staging_files(workspace.contracts) if it.name == "sources.yml"]
    (table,) = YAML(typ="safe").load(sources)["sources"][0]["tables"]
    (rule,) = [it["row_rule"] for it in table["data_tests"] if "row_rule" in it]
    assert rule["arguments"] == {"condition": f'"seen_on" <= {today}'}


# --- files


@pytest.mark.parametrize(
    ("zone", "mapping", "read"),
    [
        (NAIROBI, {}, datetime(2026, 3, 31, 9, tzinfo=UTC)),
        (LIMA, {}, datetime(2026, 3, 31, 17, tzinfo=UTC)),
        (LIMA, {"timezone": "Asia/Manila"}, datetime(2026, 3, 31, 4, tzinfo=UTC)),
    ],
    indirect=["zone"],
)
def test_a_time_in_a_file_is_the_zones_unless_its_mapping_names_another(dataset, mapping, read):
    cells = block({"visit_id": ["1"], "seen_on": ["2026-03-31"], "seen_at": ["2026-03-31 12:00:00"]})
    plan = infer_styles(
        resolve_columns(Mapping(dataset="visits", **mapping), tuple(cells.cells.columns), dataset), [cells]
    )
    assert to_rows(plan, cells, dataset).values["seen_at"].to_list() == [read]


# --- partitions


@pytest.mark.parametrize(
    ("zone", "now", "kind", "suffix"),
    [
        (NAIROBI, EVENING, "date", "2026_04"),
        (NAIROBI, EVENING, "timestamp", "2026_04"),
        (LIMA, EVENING, "date", "2026_03"),
        (LIMA, EVENING, "timestamp", "2026_03"),
        (LIMA, MORNING, "date", "2026_03"),
        # its bounds are UTC's: an instant of now must have a place
        (LIMA, MORNING, "timestamp", "2026_04"),
    ],
    indirect=["zone"],
)
def test_partitions_are_made_for_the_day_in_the_zone(zone, now, kind, suffix):
    fields = [it | {"logicalType": kind} if it["name"] == "seen_on" else it for it in VISITS["fields"]]
    custom = {"partition": VISITS["custom"]["partition"]}
    dataset = replace(contract_of(fields=fields, custom=custom).dataset, time_zone=zone)
    made = tables.table_objects([dataset], now=now).values()
    assert [it.name for it in made if isinstance(it, Partition)] == [f"visits_{suffix}", "visits_default"]
    assert day_of(dataset, now) == {"2026_03": MARCH, "2026_04": APRIL}[suffix]


# --- marts


def test_dbt_is_told_the_zone(workspace, zone):
    arguments = dbt_arguments(workspace, TransformOptions(environment="dev", data_dir=Path()))
    assert json.loads(arguments[arguments.index("--vars") + 1]) == {"time_zone": zone}
