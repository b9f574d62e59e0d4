"""What is right for rows that are totals, or only look like one."""


def totals_4(ran):
    assert ran.last.exit_code == 0
    assert ran.last.counts == {"received": 2, "inserted": 2}
    assert ran.last.left_out == {"totals": 2}
    assert ran.query(
        "select expense_id, amount from ops.expenses where expense_id like 'TT-%%' order by 1"
    ) == [
        ("TT-1", "80.00"),
        ("TT-2", "20.00"),
    ]


def totals_8(ran):
    assert ran.last.exit_code == 22
    assert "stated 350.51, found 350.50" in ran.last.err
    assert ran.last.loaded is None
