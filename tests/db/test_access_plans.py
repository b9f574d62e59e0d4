"""What is asked about the caller is asked once a statement, and an index finds the rows."""

import pytest


@pytest.fixture
def plan(governed):
    """How a role's read of a table would be run, where reading it all is made dear."""

    def plan(role, table):
        with governed.transaction(force_rollback=True):
            governed.execute("set local enable_seqscan = off")
            governed.execute(f"set local role {role}")
            found = governed.execute(f"explain (format json) select _run_id from ops.{table}").fetchone()
        return found[0][0]["Plan"]

    return plan


def nodes(plan):
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@pytest.mark.parametrize(
    ("role", "table", "field", "lines", "asked"),
    [
        ("employee", "expenses", "user_id", 1, 2),  # the role, and the person
        ("employee", "salaries", "user_id", 1, 2),
        ("manager", "expenses", "user_id", 2, 2),  # rows of nobody by another line
    ],
)
def test_a_policy_uses_the_index_of_its_field_and_asks_once(plan, role, table, field, lines, asked):
    found = list(nodes(plan(role, table)))
    conditions = [it["Index Cond"] for it in found if "Index Cond" in it]
    assert [field in it for it in conditions] == [True] * lines
    assert sum(it.get("Subplan Name", "").startswith("InitPlan") for it in found) == asked
    assert not any(it.get("Subplan Name", "").startswith("SubPlan") for it in found)


@pytest.mark.parametrize(
    ("role", "table"), [("finance", "expenses"), ("manager", "expenses"), ("hr", "users")]
)
def test_a_policy_keeps_no_read_from_parallel_workers(governed, role, table):
    with governed.transaction(force_rollback=True):
        for setting in ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"):
            governed.execute(f"set local {setting} = 0")
        governed.execute("set local enable_indexscan = off; set local enable_bitmapscan = off")
        governed.execute(f"set local role {role}")
        found = governed.execute(f"explain (format json) select count(_run_id) from ops.{table}").fetchone()
    assert "Gather" in {node["Node Type"] for node in nodes(found[0][0]["Plan"])}
