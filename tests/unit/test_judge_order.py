"""What the process that judges a large file is sent arrives there, for every dataset of the reference workspace."""

import pickle
from datetime import date

import polars as pl
import pytest

from daftari.operations.load.judge_process import JudgeOrder
from daftari.rows.rules.references import ExistingRows


def test_the_rows_that_rules_look_at_can_be_sent(reference):
    sent = 0
    for contract in reference.contracts:
        relationships = contract.dataset.relationships
        existing = ExistingRows(keys=dict.fromkeys(relationships, pl.DataFrame({"key": ["A"]})))
        order = JudgeOrder(run_id=1, today=date(2026, 3, 14), existing=existing.as_sent())

        arrived = pickle.loads(pickle.dumps(order))

        assert arrived.existing.keys.keys() == set(relationships)
        sent += sum(bool(it.known_fields) for it in relationships)
    assert sent > 5, "the fields of referenced datasets are known here"


def test_the_fields_of_referenced_datasets_cannot(reference):
    dataset = next(it.dataset for it in reference.contracts if it.dataset.name == "expenses")
    existing = ExistingRows(keys=dict.fromkeys(dataset.relationships, pl.DataFrame()))
    with pytest.raises(TypeError):
        pickle.dumps(existing)
