"""What is right for the inputs of `absent_columns`."""


def absent_columns_1(ran):
    assert ran.last.counts == {"received": 1, "updated": 1}
    assert ran.query("select amount, supplier, description from ops.expenses where expense_id = 'MC-1'") == [
        ("1300.00", "Kilima Stores", "Printer paper")
    ]
    assert any("left as they are" in text and "supplier" in text for text in ran.last.remarks)


def absent_columns_2(ran):
    assert ran.query(
        "select user_id, approved_at at time zone 'Africa/Nairobi' from ops.expenses where expense_id = 'AP1-1'"
    ) == [("U3", "2026-03-15 09:00:00")]
    assert (
        "status changed from approved to submitted, which is not a step of the contract's approval"
        in ran.last.remarks
    )


def absent_columns_3(ran):
    assert ran.last.counts == {"received": 1, "updated": 1}
    assert ran.query("select supplier, description from ops.expenses where expense_id = 'MD-1'") == [
        (None, "Printer paper")
    ]


def absent_columns_4(ran):
    assert ran.last.counts == {"received": 1, "inserted": 1}
    assert ran.query("select supplier from ops.expenses where expense_id = 'BH-1'") == [(None,)]
    assert "column 'column 5' is not used" in ran.last.remarks
    assert "column 5 has no name in the header; it is read as 'column 5'" in ran.last.remarks


def absent_columns_5(ran):
    assert ran.last.counts == {"received": 1, "inserted": 1}
    assert ran.query("select amount from ops.expenses where expense_id = 'DH-1'") == [("100.00",)]
    assert "column 'amount (2)' is not used" in ran.last.remarks
    assert "column 9 'amount' comes again in the header; it is read as 'amount (2)'" in ran.last.remarks


def absent_columns_6(ran):
    assert ran.last.counts == {"received": 1, "inserted": 1}
    assert ran.query("select amount from ops.expenses where expense_id = 'UC-1'") == [("10.00",)]
    assert "column 'vat_amount' is not used" in ran.last.remarks
