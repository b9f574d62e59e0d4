"""In which order pipelines run where none is named."""

from pathlib import Path

from tests.contracts import contract_of

from daftari.io.workspace.files import Pipeline, Workspace
from daftari.operations.workspace.run_pipelines import pipeline_order


def pipeline(name, *contracts):
    return Pipeline(name=name, path=Path(name), contracts=contracts, mappings=())


def test_a_pipeline_runs_after_those_whose_datasets_it_refers_to_and_an_empty_one_does_not_run():
    users, leave, expenses = (contract_of(name=name) for name in ("users", "leave", "expenses"))
    workspace = Workspace(
        root=Path(),
        name="clinic",
        pipelines=(pipeline("a", expenses), pipeline("b"), pipeline("c", leave, users)),
        contracts=(users, leave, expenses),  # a dataset that others refer to comes first
    )
    assert pipeline_order(workspace) == ["c", "a"]
