"""What is right for the inputs of `dates`."""


def _days(ran, prefix):
    return ran.query(
        "select ref, paid_on, amount from ops.payments where ref like %s order by 1", f"{prefix}-T%"
    )


def dates_1(ran):
    assert ran.quarantined() == {2: ["hired_on is before 1970-01-01"]}
    assert ran.query("select user_id, hired_on from ops.users where user_id like 'Y_' order by 1") == [
        ("Y2", "1971-01-15")
    ]
    assert "hired_on: two-digit years are read as 1960 to 2059" in ran.last.remarks


def dates_2(ran):
    assert list(ran.quarantined()) == [3]
    assert ran.query("select expense_id, spent_on from ops.expenses where expense_id like 'YE-%%'") == [
        ("YE-1", "2026-03-14")
    ]


def dates_3(ran):
    assert ran.last.exit_code == 21
    assert "fields: {spent_on: {from: spent_on, format: DD/MM/YYYY}}" in ran.last.err


def _mixes_two_styles(ran):
    assert ran.last.exit_code == 21
    assert "dates only as DD/MM/YYYY and 1 only as MM/DD/YYYY" in ran.last.err


def dates_4(ran):
    _mixes_two_styles(ran)


def dates_5(ran):
    _mixes_two_styles(ran)
    assert _days(ran, "DL") == []


def dates_6(ran):
    assert ran.last.counts == {"received": 23, "inserted": 22, "quarantined": 1}
    assert _days(ran, "NS") == [("NS-T0", "2026-03-25", "1234.50"), ("NS-T1", "2026-03-25", "-99.00")]


def dates_7(ran):
    assert ran.last.counts == {"received": 18_003, "inserted": 18_002, "quarantined": 1}
    assert _days(ran, "NL") == [("NL-T0", "2026-03-25", "1234.50"), ("NL-T1", "2026-03-25", "-99.00")]
