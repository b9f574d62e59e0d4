"""What is right for rows that are totals, or only look like one."""


def stored(ran, prefix):
    return ran.query(
        "select expense_id, amount from ops.expenses where expense_id like %s order by 1", f"{prefix}-%"
    )


def payments(ran, prefix):
    return ran.query("select ref, amount from ops.payments where ref like %s order by 1", f"{prefix}-%")


def totals_1(ran):
    assert ran.last.counts == {"received": 2, "inserted": 1, "quarantined": 1}
    assert ran.quarantined() == {3: ["department_code is missing"]}
    assert ran.last.left_out == {}
    assert stored(ran, "TW") == [("TW-1", "100.00")]


def totals_2(ran):
    assert ran.last.counts == {"received": 4, "inserted": 2, "quarantined": 2}
    assert ran.quarantined() == {3: ["department_code is missing"], 4: ["currency is missing"]}
    assert stored(ran, "TS") == [("TS-1", "100.00"), ("TS-4", "10.00")]


def totals_3(ran):
    assert ran.last.counts == {"received": 3, "inserted": 2, "quarantined": 1}
    assert ran.quarantined() == {4: ["department_code is missing"]}
    assert stored(ran, "TZ") == [("TZ-1", "50.00"), ("TZ-2", "-50.00")]


def totals_4(ran):
    assert ran.last.exit_code == 0
    assert ran.last.counts == {"received": 2, "inserted": 2}
    assert ran.last.left_out == {"totals": 2}
    assert "total row: left out; it agrees with the rows (2 times, first in line 3)" in ran.last.remarks
    assert stored(ran, "TT") == [("TT-1", "80.00"), ("TT-2", "20.00")]


def totals_5(ran):
    assert ran.last.counts == {"received": 3, "inserted": 2, "quarantined": 1}
    assert ran.last.left_out == {"totals": 1}
    said = "total row: sum of amount: stated 362.50; read 350.50; line 4 could not be read (line 5)"
    assert said in ran.last.remarks
    assert payments(ran, "T") == [("T-1", "100.00"), ("T-2", "250.50")]


def totals_6(ran):
    assert ran.last.counts == {"received": 3, "inserted": 3}
    assert ran.last.left_out == {"totals": 1}
    assert ran.query("select sum(amount) from ops.payments_nokey") == [("400.00",)]


def totals_7(ran):
    assert ran.last.counts == {"received": 3, "inserted": 3}
    assert ran.last.left_out == {"totals": 1}
    assert ran.query("select sum(amount) from ops.payments_nokey") == [("800.00",)]


def totals_8(ran):
    assert ran.last.exit_code == 22
    assert "stated 350.51, found 350.50" in ran.last.err
    assert "--rounding amount=0.01" in ran.last.err
    assert ran.last.loaded is None
