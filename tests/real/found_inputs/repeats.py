"""What is right for rows and files that come again."""


def repeats_1(ran):
    first, second = ran.steps
    assert first.counts == {"received": 4, "inserted": 4}
    assert second.exit_code == 33
    said = " ".join(second.err.split())
    assert (
        f"3 of 4 rows are in payments_nokey already, word for word, from run {first.run_id} (3 rows); it has no key"
        in said
    )
    assert f"undo that first: daftari undo {first.run_id}" in said
    assert ran.query("select supplier, count(*) from ops.payments_nokey group by 1 order by 1") == [
        ("Alpha", "3"),
        ("Beta", "1"),
    ]


def repeats_2(ran):
    assert ran.steps[1].counts == {"received": 1, "updated": 1}
    assert (ran.last.exit_code, ran.last.loaded["known"]) == (0, True)
    changed = f"1 of its rows was changed since, last by run {ran.steps[1].run_id}"
    assert ran.last.remarks == [f"{changed}; to load this content over them, add --again"]
    assert ran.query("select amount from ops.expenses where expense_id = 'AB-1'") == [("999.00",)]


def repeats_5(ran):
    loads = [ran.steps[0], ran.steps[2]]
    assert [load.counts for load in loads] == [{"received": 1, "inserted": 1}] * 2
    assert ran.steps[1].exit_code == 0
    assert ran.query("select expense_id from ops.expenses where expense_id = 'UN-1'") == [("UN-1",)]


def repeats_6(ran):
    assert [step.exit_code for step in ran.steps] == [0, 0, 0]
    assert ran.steps[1].status == 200
    assert ran.last.counts == {"received": 3, "unchanged": 3}


NAMES = "select department_code, name from ops.departments where department_code like 'SW%%' order by 1"


def repeats_3(ran):
    assert [step.counts for step in ran.steps] == [
        {"received": 2, "inserted": 2},
        {"received": 2, "updated": 2},
    ]
    assert ran.query(NAMES) == [("SWA", "Beta"), ("SWB", "Alpha")]


def repeats_4(ran):
    assert ran.last.counts == {"received": 2, "updated": 1, "unchanged": 1}
    assert ran.query(NAMES) == [("SWA", "Gamma"), ("SWB", "Alpha")]
