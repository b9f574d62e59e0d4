"""What is right for the inputs of `excel`."""

NEW = "select expense_id, {} from ops.expenses where expense_id like '{}%%' order by 1"


def stored(ran, what, key):
    return ran.query(NEW.format(what, key))


def says(ran, *words):
    return [one for one in ran.last.remarks if all(word in one for word in words)]


def excel_1(ran):
    assert ran.last.counts == {"received": 2, "quarantined": 2}
    why = "is a formula without a stored value; open the workbook in a spreadsheet program and save it"
    assert ran.quarantined() == {
        2: [f"supplier is not read: E2 {why}"],
        3: [f"amount is not read: G3 {why}"],
    }
    assert stored(ran, "supplier", "XF-1") == []


def excel_2(ran):
    assert ran.steps[0].counts == {"received": 1, "inserted": 1}
    assert ran.last.counts == {"received": 1, "quarantined": 1}
    assert stored(ran, "supplier", "XF-3") == [("XF-3", "Known Supplier")]


def excel_3(ran):
    assert ran.last.counts == {"received": 3, "inserted": 1, "quarantined": 2}
    why = "is part of the merged area C2:C4, whose value is in its first cell alone"
    assert ran.quarantined() == {
        3: [f"department_code is missing: C3 {why}"],
        4: [f"department_code is missing: C4 {why}"],
    }


def excel_4(ran):
    assert ran.last.counts == {"received": 3, "inserted": 3}
    assert says(ran, "'supplier'", "merged areas are read as empty", "`merged: fill`", "2 times")
    assert stored(ran, "supplier", "XN-") == [("XN-1", "Lake Bus"), ("XN-2", None), ("XN-3", None)]


def excel_5(ran):
    assert ran.last.counts == {"received": 2, "quarantined": 2}
    assert ran.quarantined() == {
        2: ["supplier is not read: E2 holds the error #N/A"],
        3: [
            "supplier is not read: E3 holds the error #REF!",
            "description is not read: F3 holds the error #VALUE!",
        ],
    }


def excel_6(ran):
    assert ran.last.counts == {"received": 4, "inserted": 1, "quarantined": 3}
    assert {line: why[0].split(",")[0] for line, why in ran.quarantined().items()} == {
        2: "expense_id is not read: A2 is a number of more than 15 digits",
        3: "expense_id is not read: A3 is a number of more than 15 digits",
        5: "expense_id is not read: A5 is a truth value; a key must be a text or a number",
    }
    assert stored(ran, "amount", "4") == [("4", "10.00")]


def excel_7(ran):
    assert ran.last.counts == {"received": 4, "inserted": 2, "quarantined": 2}
    assert stored(ran, "amount", "XD-") == [("XD-1", "0.30"), ("XD-2", "99.99")]


def excel_14(ran):
    assert ran.last.exit_code == 20
    assert "has 2 sheets with rows (Matumizi, Maelezo)" in ran.last.err
    assert "--sheet" in ran.last.err


def excel_15(ran):
    assert ran.last.counts == {"received": 1, "inserted": 1}
    assert says(ran, "sheet 'Maelezo' is not read")


def excel_16(ran):
    assert ran.last.counts == {"received": 2, "inserted": 2}
    assert [key for key, _ in stored(ran, "amount", "0004")] == ["00042", "00043"]


def excel_18(ran):
    assert ran.last.counts == {"received": 1, "inserted": 1}
    assert stored(ran, "spent_on", "X4-") == [("X4-1", "2026-03-14")]


def excel_19(ran):
    assert ran.last.counts == {"received": 2, "inserted": 2}
    assert stored(ran, "supplier", "CS-") == [("CS-1", "Alpha"), ("CS-2", None)]


def excel_20(ran):
    assert ran.last.loaded["counts"]["quarantined"] == 0  # 00042 came before, by excel-16
    keys = "('00042', '12345678901234567891')"
    assert len(ran.query(f"select 1 from ops.expenses where expense_id in {keys}")) == 2
