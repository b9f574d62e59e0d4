"""What is right for rows and files that come again."""


def repeats_5(ran):
    loads = [ran.steps[0], ran.steps[2]]
    assert [load.counts for load in loads] == [{"received": 1, "inserted": 1}] * 2
    assert ran.steps[1].exit_code == 0
    assert ran.query("select expense_id from ops.expenses where expense_id = 'UN-1'") == [("UN-1",)]


def repeats_6(ran):
    assert [step.exit_code for step in ran.steps] == [0, 0, 0]
    assert ran.steps[1].status == 200
    assert ran.last.counts == {"received": 3, "unchanged": 3}
