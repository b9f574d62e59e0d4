"""A rule may sum over rows: the check of the table finds the rows that break it."""

from __future__ import annotations

import pytest
from tests.clinic import write_workspace
from tests.served_clinic import opened, visit

from daftari.compile.quality.suites import suite
from daftari.errors import ContractError

RULE = {
    "id": "fees_of_a_day",
    "expression": "sum(fee) filter (where notes is null) over (partition by patient, seen_on) <= 25",
    "message": "makes the fees of a patient's day more than 25",
}


def test_the_check_of_the_table_finds_the_rows_whose_sum_is_too_large(filled, tmp_path):
    with opened(filled, tmp_path, rules=[{**RULE, "when": "checked"}]) as house:
        house.post(
            visit(1),
            visit(2),
            visit(3, seen_on="2026-03-02"),
            visit(4, seen_on="2026-03-02"),
            visit(5, seen_on="2026-03-02", fee="0.01"),
            visit(6, seen_on="2026-03-02", notes="not counted"),
        )
        (check,) = [it for it in suite(house.contract).checks if it.id == "rule.fees_of_a_day"]

        query = check.kwargs["unexpected_rows_query"].replace("\\:", ":")
        found = house.conn.execute(query).fetchall()

    assert sorted(key for (key,) in found) == ["V3", "V4", "V5"]


def test_a_sum_cannot_be_judged_when_a_row_is_written(tmp_path):
    with pytest.raises(ContractError, match="found a sum over rows, when always; expected when: checked"):
        write_workspace(tmp_path, rules=[RULE])
