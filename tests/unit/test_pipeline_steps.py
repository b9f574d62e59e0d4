"""Which steps of a pipeline need not be repeated."""

from __future__ import annotations

import pytest

from daftari.operations.workspace.run_pipeline import PipelineStep, finished_before

ALL_WELL = {"load": "succeeded", "check": "succeeded", "transform": "succeeded", "check_marts": "succeeded"}


@pytest.mark.parametrize(
    ("last", "skipped"),
    [
        ({}, ""),
        (ALL_WELL, ""),
        ({"load": "failed"}, ""),
        ({"load": "succeeded", "check": "failed"}, ""),
        ({"load": "succeeded", "check": "succeeded", "transform": "failed"}, "check"),
        ({"load": "succeeded", "check": "skipped", "transform": "failed"}, "check"),
        ({**ALL_WELL, "check_marts": "failed"}, "check"),
    ],
)
def test_steps_before_the_one_that_failed_are_skipped_when_nothing_is_new(last, skipped):
    assert finished_before(last, anything_new=False) == {PipelineStep(name) for name in skipped.split()}
    assert finished_before(last, anything_new=True) == set()
