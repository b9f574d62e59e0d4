"""What is right for the inputs of `text`."""

SHORTENED = "is a long number that a spreadsheet shortened, such as 1.23457E+12: its digits are lost"


def _expenses(ran, prefix, what="supplier"):
    return ran.query(
        f"select expense_id, {what} from ops.expenses where expense_id like %s order by 1", f"{prefix}%"
    )


def text_1(ran):
    assert _expenses(ran, "EN-") == [("EN-1", "Café Müller"), ("EN-2", "Łukasz & Søn")]
    assert ran.quarantined() == {4: ["supplier holds a byte that is not UTF-8: 0xF1"]}
    assert "a byte is not UTF-8" in " ".join(ran.last.remarks)


def text_2(ran):
    assert "was read as cp1252 by a guess: declare `encoding`" in " ".join(ran.last.remarks)


def text_3(ran):
    assert ran.last.counts == {"received": 2, "inserted": 2}
    assert ran.last.left_out == {"repeated": 1}


def text_4(ran):
    assert [key for key, _ in _expenses(ran, "%ZW-1")] in (
        [],
        ["ZW-1"],
    )  # one payment, or none before it is told
    told = " ".join(ran.last.remarks)
    assert all(f"expense_id: {code} removed" in told for code in ("U+200B", "U+200E", "U+FEFF"))


def text_5(ran):
    assert _expenses(ran, "ZF-1", "department_code") == [("ZF-1", "FIN")]
    assert "department_code: U+200B removed" in " ".join(ran.last.remarks)


def text_6(ran):
    assert [key for key, _ in _expenses(ran, "Caf")] in ([], ["Café-1"])


def text_7(ran):
    assert ran.query(
        "select department_code from ops.departments where department_code like 'NF_' order by 1"
    ) == [
        ("NFA",),
        ("NFD",),
    ]
    assert ran.last.counts["quarantined"] == 2


def text_8(ran):
    assert ran.quarantined() == {3: ["email repeats a value that must be unique, whatever its capitals"]}
    assert ran.query("select user_id from ops.users where user_id like 'M_' order by 1") == [("M1",), ("M3",)]


def text_9(ran):
    assert _expenses(ran, "ER-") == [("ER-3", "NULL")]
    assert list(ran.quarantined()) == [2, 3]


def text_10(ran):
    assert [name for _, name in _expenses(ran, "SU9-")] == [
        "Kilima Stores",
        "Kilima Stores",
        "KILIMA STORES",
        "Kilima Stores",
    ]


def text_11(ran):
    assert ran.last.counts == {"received": 3, "quarantined": 3}
    assert all(f"expense_id {SHORTENED}" in reasons for reasons in ran.quarantined().values())


def text_12(ran):
    assert _expenses(ran, "QD-") == [("QD-1", "Two\nlines"), ("QD-2", "Shop")]


def text_13(ran):
    assert ran.query("select cost_centre from ops.departments where department_code = 'LZA'") == [("0042",)]
