"""What is right for the inputs of `approvals_leave_pay`."""

from __future__ import annotations

import os
from pathlib import Path

from daftari.compile.quality.suites import suite
from daftari.io.workspace.files import read_workspace


def approvals_leave_pay_1(ran):
    assert ran.last.counts == {"received": 2, "inserted": 2}


def approvals_leave_pay_2(ran):
    load, transform = ran.steps
    assert load.counts == {"received": 1, "inserted": 1}
    assert transform.exit_code == 0
    # half a day of the case before may be there
    taken = dict(
        ran.query("select year, taken from marts.leave_balance where user_id = 'U3' and year >= 2025")
    )
    assert taken["2025"] == "7.00"
    assert taken["2026"] in ("6.00", "6.50")


def approvals_leave_pay_3(ran):
    load, transform = ran.steps
    assert load.counts == {"received": 1, "inserted": 1}
    assert "leave_balance__is_not_below_zero: 1 row" in " ".join(transform.out.split())


def approvals_leave_pay_4(ran):
    assert ran.last.counts == {"received": 2, "quarantined": 2}
    assert ran.quarantined() == {
        2: ["start_date, user_id starts before the person was hired"],
        3: ["end_date, user_id ends after the person left"],
    }


def approvals_leave_pay_5(ran):
    assert ran.last.counts == {"received": 3, "inserted": 2, "quarantined": 1}
    assert ran.quarantined() == {
        2: ["days, end_date, start_date counts more days than there are from its start to its end"]
    }
    contract = read_workspace(Path(os.environ["DAFTARI_WORKSPACE"])).dataset("leave_requests")[1]
    checks = {it.id: it.kwargs for it in suite(contract).checks}
    query = checks["rule.days_are_working_days"]["unexpected_rows_query"].replace("\\:", ":")
    assert {("LD-2",), ("LD-3",)} <= set(ran.query(query))


def approvals_leave_pay_6(ran):
    assert [step.counts for step in ran.steps] == [
        {"received": 1, "inserted": 1},
        {"received": 2, "inserted": 1, "updated": 1},
    ]
    stored = "select request_id, status from ops.leave_requests where request_id like 'LR-%%' order by 1"
    assert ran.query(stored) == [("LR-1", "cancelled"), ("LR-2", "approved")]


def approvals_leave_pay_7(ran):
    assert ran.last.counts == {"received": 2, "quarantined": 2}
    assert ran.quarantined() == {
        2: ["month, user_id is pay for a month more than one after the person left"],
        3: ["month, user_id is pay for a month before the person was hired"],
    }


def approvals_leave_pay_8(ran):
    assert ran.last.counts == {"received": 1, "quarantined": 1}
    assert [it["rule"] for it in ran.last.loaded["reasons"]] == ["net_adds_up"]


def approvals_leave_pay_9(ran):
    assert ran.last.counts == {"received": 1, "quarantined": 1}
    assert ran.quarantined() == {2: ["department_code names a department that is closed"]}


def approvals_leave_pay_10(ran):
    assert ran.last.counts == {"received": 2, "inserted": 2}
    managers = "select user_id, manager_id from ops.users where user_id in ('C1', 'C2') order by 1"
    assert ran.query(managers) == [("C1", "C2"), ("C2", "C1")]
