"""What is right for the inputs of `json`."""

_ROWS = (
    "select expense_id, supplier, description, amount from ops.expenses where expense_id like %s order by 1"
)


def json_1(ran):
    assert ran.last.exit_code != 1  # no fault; half of so few rows is more than the contract lets be rejected
    assert ran.last.counts == {"received": 2, "inserted": 1, "quarantined": 1}
    assert ran.quarantined() == {1: ["supplier is not valid text (U+D83D alone)"]}
    assert ran.query(_ROWS, "SU-%") == [("SU-2", "Shop", None, "10.00")]


def json_2(ran):
    assert ran.last.exit_code != 1  # no fault; half of so few rows is more than the contract lets be rejected
    assert ran.last.counts == {"received": 2, "inserted": 1, "quarantined": 1}
    (reasons,) = ran.quarantined().values()
    assert reasons[0].startswith("amount cannot be read as a number")


def json_3(ran):
    assert ran.last.counts == {"received": 1, "quarantined": 1}
    (reasons,) = ran.quarantined().values()
    assert reasons[0].startswith("amount cannot be read as a number")


def json_4(ran):
    assert ran.last.counts == {"received": 3, "quarantined": 3}
    assert ran.quarantined() == {
        1: ["supplier is NaN, which JSON does not have", "amount is NaN, which JSON does not have"],
        2: ["supplier is NaN, which JSON does not have", "description is Infinity, which JSON does not have"],
        3: ["amount is -Infinity, which JSON does not have"],
    }
    assert ran.query(_ROWS, "NA-%") == []


def json_5(ran):
    assert ran.last.counts == {"received": 1, "inserted": 1}
    assert ran.query("select user_id from ops.expenses where expense_id = 'JN-1'") == [(None,)]
    assert any("user" in it for it in ran.last.remarks)


def json_6(ran):
    assert ran.last.counts == {"received": 1, "inserted": 1}
    assert ran.query(_ROWS, "JW-1") == [("JW-1", "S", None, "1.10")]


def json_7(ran):
    assert ran.last.counts == {"received": 1, "inserted": 1}
    assert ran.query(_ROWS, "JW-2") == [("JW-2", "S", None, "1.10")]


def json_8(ran):
    assert ran.last.counts == {"received": 1, "quarantined": 1}
    (reasons,) = ran.quarantined().values()
    assert reasons[0].startswith("amount cannot be read as a number")
    ((size,),) = ran.query(
        "select octet_length(cells::text) + octet_length(preview::text) from daftari.quarantine where run_id = %s",
        ran.last.run_id,
    )
    assert int(size) < 2000
