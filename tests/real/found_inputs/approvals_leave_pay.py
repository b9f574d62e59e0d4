"""What is right for the inputs of `approvals_leave_pay`."""


def approvals_leave_pay_4(ran):
    assert ran.last.counts == {"received": 2, "quarantined": 2}
    assert ran.quarantined() == {
        2: ["start_date, user_id starts before the person was hired"],
        3: ["end_date, user_id ends after the person left"],
    }


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
