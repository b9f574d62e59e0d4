"""What is right for the inputs of `numbers`."""


def _amounts(ran, prefix):
    return ran.query(
        "select expense_id, amount from ops.expenses where expense_id like %s order by 1", f"{prefix}-%"
    )


def _is_asked(ran, mark):
    assert ran.last.exit_code == 21
    assert f"a {mark} with three digits after it may be a decimal or a thousands separator" in ran.last.err
    assert "decimal: '.'}" in ran.last.err


def numbers_1(ran):
    _is_asked(ran, "point")
    assert _amounts(ran, "DT") == []


def numbers_2(ran):
    _is_asked(ran, "point")


def numbers_3(ran):
    _is_asked(ran, "point")


def numbers_4(ran):
    _is_asked(ran, "point")


def numbers_5(ran):
    assert ran.query("select claim_id, amount, fee from ops.claims order by 1") == [
        ("c1", "1500.00", "12.50"),
        ("c2", "2000.00", "3.00"),
        ("c3", "12250.00", "0.75"),
    ]


def numbers_6(ran):
    _is_asked(ran, "point")


def numbers_7(ran):
    assert _amounts(ran, "ND1") == [("ND1-1", "1500.00"), ("ND1-2", "1200000.00")]


def numbers_8(ran):
    assert _amounts(ran, "NM1") == [("NM1-1", "0.50")]
    assert list(ran.quarantined()) == [3]


def numbers_9(ran):
    _is_asked(ran, "comma")


def numbers_10(ran):
    assert _amounts(ran, "NE1") == [("NE1-1", "1250.50"), ("NE1-2", "12000.00")]


def numbers_11(ran):
    assert _amounts(ran, "NF1") == [("NF1-1", "1250.50"), ("NF1-2", "12000.00")]


def numbers_12(ran):
    assert _amounts(ran, "NG1") == [("NG1-1", "125000.00"), ("NG1-2", "1234567.50")]


def numbers_13(ran):
    assert ran.last.exit_code == 21
    assert "more than one currency (KES, USD)" in ran.last.err


def numbers_14(ran):
    reason = "amount is written in USD, but currency says otherwise"
    assert ran.quarantined() == {2: [reason], 3: [reason]}
    assert _amounts(ran, "CU") == []


def numbers_15(ran):
    assert _amounts(ran, "NG") == [("NG-1", "-1250.00"), ("NG-2", "-1250.00"), ("NG-3", "-7.50")]
    assert list(ran.quarantined()) == [5, 6]


def numbers_16(ran):
    assert _amounts(ran, "RL") == [("RL-1", "1250.00"), ("RL-2", "12.50")]
    assert "amount: U+200F removed" in " ".join(ran.last.remarks)


def numbers_17(ran):
    assert _amounts(ran, "AR") == [("AR-2", "12.50")]
    assert list(ran.quarantined()) == [2]
