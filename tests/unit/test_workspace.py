from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.contracts import contract_document, field

from daftari.contract.access.mart_readers import MartReaders
from daftari.errors import ContractError, UnknownName
from daftari.io.workspace.files import read_workspace

REFERENCE = Path(__file__).parents[2] / "workspace"
KEY = {"name": "id", "logicalType": "string", "required": True, "primaryKey": True}


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "daftari.toml").write_text('[workspace]\nname = "Clinic"\n')

    def write(path: str, **changes):
        name = Path(path).name.split(".")[0]
        file = tmp_path / "pipelines" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(contract_document(**({"name": name} | changes))))
        return tmp_path

    write.root = tmp_path
    return write


def refers(*targets: str) -> list[dict]:
    return [KEY, *(field(f"{t}_id", "string", relationships=[{"to": f"{t}.id"}]) for t in targets)]


def faults(root: Path) -> list[str]:
    with pytest.raises(ContractError) as raised:
        read_workspace(root)
    return [str(fault) for fault in raised.value.faults]


def test_the_reference_workspace_is_read_with_what_is_referred_to_first():
    workspace = read_workspace(REFERENCE)
    names = [contract.dataset.name for contract in workspace.contracts]
    assert sorted(names) == [
        "departments",
        "expenses",
        "incidents",
        "leave_requests",
        "roles",
        "salaries",
        "users",
    ]
    assert names.index("departments") < names.index("users") < names.index("expenses")
    pipeline, contract = workspace.dataset("expenses")
    assert (pipeline.name, contract.dataset.name) == ("expense-tracking", "expenses")
    assert contract.source == "pipelines/expense-tracking/expenses.odcs.yaml"


def test_referred_datasets_come_first_across_pipelines_and_a_dataset_may_refer_to_itself(workspace):
    workspace("a/visits.odcs.yaml", fields=refers("people"))
    workspace("b/people.odcs.yaml", fields=refers("people", "wards"))
    root = workspace("b/wards.odcs.yaml", fields=[KEY])
    read = read_workspace(root)
    assert [c.dataset.name for c in read.contracts] == ["wards", "people", "visits"]
    assert [c.dataset.name for c in read.pipeline("b").contracts] == ["wards", "people"]
    assert read.name == "Clinic"


def test_a_workspace_may_have_no_pipelines_yet(workspace):
    assert read_workspace(workspace.root).contracts == ()


def test_mappings_and_examples_are_found_beside_the_contract(workspace):
    root = workspace("a/visits.odcs.yaml")
    for name in ("system.yaml", "claims.yaml"):
        (root / "pipelines/a/ingest").mkdir(exist_ok=True)
        (root / "pipelines/a/ingest" / name).touch()
    [pipeline] = read_workspace(root).pipelines
    assert [path.name for path in pipeline.mappings] == ["claims.yaml", "system.yaml"]
    assert pipeline.examples("visits") == root / "pipelines/a/tests/visits.examples.yaml"


def test_who_reads_a_mart_is_said_beside_its_model(workspace):
    root = workspace("a/visits.odcs.yaml")
    folder = root / "pipelines/a/transform"
    folder.mkdir()
    (folder / "schema.yml").write_text("""
models:
  - name: visits_by_month
    config:
      meta:
        daftari: {readers: [clerk, {role: patient, rows: own}], subject: patient_id}
    columns: [{name: patient_id}]
  - {name: nobodys, columns: [{name: x}]}
""")
    read = read_workspace(root)
    (readers,) = read.readers.of.values()
    assert readers == MartReaders(scopes={"clerk": "all", "patient": "own"}, subject="patient_id")
    assert read.readers.scope("visits_by_month", "patient") == "own"
    assert read.readers.scope("visits_by_month", "auditor") is read.readers.scope("nobodys", "clerk") is None
    assert read.rights("dev_").roles.of("clerk") == "dev_clerk"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (
            "[{name: m, config: {meta: {daftari: {readers: clerk}}}}]",
            "models.m.config.meta.daftari.readers: found 'clerk'",
        ),
        (
            "[{name: m, config: {meta: {daftari: {readers: [pg_x]}}}}]",
            "models.m.config.meta.daftari.readers: found ['pg_x']",
        ),
        (
            "[{name: m, config: {meta: {daftari: {readers: [{role: clerk, rows: half}]}}}}]",
            "models.m.config.meta.daftari.readers: found [{'role': 'clerk', 'rows': 'half'}]",
        ),
        (
            "[{name: m, config: {meta: {daftari: {readers: [clerk, {role: clerk, rows: all}]}}}}]",
            "models.m.config.meta.daftari.readers: found ['clerk', {'role': 'clerk', 'rows': 'all'}]",
        ),
        (
            "[{name: m, config: {meta: {daftari: {readers: [{role: clerk, rows: own}], subject: y}}}}]",
            "models.m.config.meta.daftari.subject: found 'y'; expected a subject: the described column",
        ),
        ("[", "pipelines/a/transform/schema.yml: found text that is not YAML in UTF-8; expected YAML"),
    ],
)
def test_readers_that_cannot_be_roles_are_a_fault(workspace, said, found):
    root = workspace("a/visits.odcs.yaml")
    (root / "pipelines/a/transform").mkdir()
    (root / "pipelines/a/transform/schema.yml").write_text(f"models: {said}")
    (fault,) = faults(root)
    assert found in fault


def test_rights_to_write_that_differ_by_rows_are_a_fault(workspace):
    lines = [
        {"role": "clerk", "operations": ["update"], "rows": "all", "fields": ["fee"]},
        {"role": "clerk", "operations": ["update"], "rows": "fee < 10", "fields": ["seen_on"]},
    ]
    root = workspace("a/visits.odcs.yaml", custom={"access": lines})
    assert faults(root) == [
        (
            "pipelines/a/visits.odcs.yaml:1: visits.access: found clerk may update different fields in different "
            "rows; expected the same in all, as PostgreSQL grants writing by column or by row, not by cell"
        )
    ]


def test_the_faults_of_all_contracts_are_told_together(workspace):
    workspace("a/visits.odcs.yaml", fields=[field("Fee")])
    workspace("b/people.odcs.yaml", custom={"kind": "x"})
    root = workspace(
        "b/wards.odcs.yaml", custom={"rules": [{"id": "r", "expression": "fees > 0", "message": "m"}]}
    )
    (root / "pipelines/b/broken.odcs.yaml").write_bytes(b"a: \xff")
    found = [fault.partition(": found ")[0] for fault in faults(root)]
    assert found == [
        "pipelines/a/visits.odcs.yaml:1: visits.Fee.name",
        "pipelines/b/broken.odcs.yaml",
        "pipelines/b/people.odcs.yaml:1: schema.people.customProperties.daftari.kind.value",
        "pipelines/b/wards.odcs.yaml:1: wards.rules.r",
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            [KEY, field("ward", "string", relationships=[{"to": "ward.id"}])],
            (
                "visits.relationships.ward: found dataset 'ward';"
                " expected one of visits, wards (did you mean 'wards'?)"
            ),
        ),
        (
            [KEY, field("ward", "string", relationships=[{"to": "wards.name"}])],
            "visits.relationships.wards: found field 'name'; expected a field of wards: one of id, floor",
        ),
        (
            [KEY, field("ward", "integer", relationships=[{"to": "wards.floor"}])],
            (
                "visits.relationships.wards: found floor;"
                " expected the primary key of wards, or a unique field of it"
            ),
        ),
        (
            [KEY, field("ward", "integer", relationships=[{"to": "wards.id"}])],
            "visits.ward.relationships.wards: found ward of type integer; expected string, as wards.id",
        ),
    ],
)
def test_a_reference_that_does_not_hold_is_a_fault(workspace, fields, expected):
    workspace("a/wards.odcs.yaml", fields=[KEY, field("floor", "integer")])
    root = workspace("a/visits.odcs.yaml", fields=fields)
    assert faults(root) == [f"pipelines/a/visits.odcs.yaml:1: {expected}"]


def test_references_in_a_circle_are_a_fault(workspace):
    workspace("a/visits.odcs.yaml", fields=refers("people"))
    [fault] = faults(workspace("a/people.odcs.yaml", fields=refers("visits")))
    assert "expected references without a cycle" in fault


def test_two_contracts_of_one_dataset_are_a_fault(workspace):
    workspace("a/visits.odcs.yaml")
    assert faults(workspace("b/visits.odcs.yaml")) == [
        (
            "pipelines/b/visits.odcs.yaml:1: visits.name: found 'visits' again;"
            " expected a name other than in pipelines/a/visits.odcs.yaml"
        )
    ]


def test_a_contract_is_called_as_its_file(workspace):
    assert faults(workspace("a/visits.odcs.yaml", name="calls")) == [
        "pipelines/a/visits.odcs.yaml:1: schema.name: found 'calls'; expected 'visits', the file's name"
    ]


def test_an_unknown_dataset_or_pipeline_is_told_with_those_there_are(workspace):
    read = read_workspace(workspace("a/visits.odcs.yaml"))
    with pytest.raises(UnknownName, match="workspace: no dataset 'visit'; known: visits") as raised:
        read.dataset("visit")
    assert raised.value.hint == "Did you mean 'visits'?"
    with pytest.raises(UnknownName, match="workspace: no pipeline 'b'; known: a"):
        read.pipeline("b")
