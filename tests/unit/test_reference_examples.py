"""The example rows that the reference contracts and the template of a pipeline ship get their verdicts."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from ruamel.yaml import YAML

from daftari.io.workspace.files import read_workspace
from daftari.operations.contracts.check_examples import check_examples
from daftari.operations.workspace.init_workspace import init_workspace
from daftari.operations.workspace.new_pipeline import new_pipeline
from daftari.rows.formats.inference import canonical
from daftari.rows.formats.parse import to_rows
from daftari.rows.intake.block import Block
from daftari.rows.mapping.column_plan import resolve_columns
from daftari.rows.rules.rules import judge_rows, rulebook

ROOT = Path(__file__).parents[2] / "workspace"
DATASETS = ("departments", "roles", "users", "expenses", "leave_requests", "salaries", "incidents")


def verdicts(pipeline, contract):
    """The rules that each example breaks, by its name, beside those that it says."""
    dataset = contract.dataset
    path = pipeline.examples(dataset.name)
    for example in YAML(typ="safe", pure=True).load(path.read_text("utf-8")):
        if "given" in example:  # of a referenced row: below
            continue
        cells = {name: _text(value) for name, value in example["row"].items()}
        block = Block(
            cells=pl.DataFrame([cells], infer_schema_length=1).cast(pl.String), lines=pl.Series([1])
        )
        plan = canonical(resolve_columns(None, list(cells), dataset))
        rejected = judge_rows(
            to_rows(plan, block, dataset), rulebook(dataset, today=date(2026, 11, 23))
        ).rejected
        found = [reason["rule"] for reasons in rejected["reasons"] for reason in json.loads(reasons)]
        expected = [example["rule"]] if example["verdict"] == "rejected" else []
        yield example["name"], found, expected


def _text(value):
    return None if value is None else str(value)


@pytest.mark.parametrize("dataset", DATASETS)
def test_each_example_breaks_the_rule_that_it_says_and_no_other(dataset):
    judged = list(verdicts(*read_workspace(ROOT).dataset(dataset)))
    assert {bool(expected) for _, _, expected in judged} == {False, True}, (
        "some are accepted, and some are not"
    )
    for name, found, expected in judged:
        assert found == expected, name


@pytest.mark.parametrize("dataset", DATASETS)
def test_an_example_may_give_the_fields_of_the_row_that_it_refers_to(dataset):
    (checked,) = check_examples(read_workspace(ROOT), [dataset], today=date(2026, 11, 23))

    assert [it.example.name for it in checked.outcomes if not it.has_passed] == []


def test_the_examples_of_a_new_pipeline_get_their_verdicts(tmp_path):
    init_workspace(tmp_path, name="registry")
    new_pipeline(read_workspace(tmp_path), "fleet")

    judged = list(verdicts(*read_workspace(tmp_path).dataset("fleet")))
    assert judged != []
    for name, found, expected in judged:
        assert found == expected, name
