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
    assert ran.quarantined() == {
        line: [
            (
                f"department_code is missing: C{line} is part of the merged area C2:C4,"
                " whose value is in its first cell alone"
            )
        ]
        for line in (3, 4)
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


def excel_8(ran):
    assert ran.last.counts == {"received": 3, "inserted": 3}
    assert stored(ran, "spent_on", "XT-") == [
        ("XT-1", "2026-03-14"),
        ("XT-2", "2026-03-15"),
        ("XT-3", "2026-04-03"),
    ]


def excel_9(ran):
    assert ran.last.counts == {"received": 8, "inserted": 8}
    assert [day for _, day in stored(ran, "spent_on", "TD2-")] == [
        "2026-04-01",
        "2026-04-02",
        "2026-04-03",
        "2026-04-04",
        "2026-04-05",
        "2026-04-06",
        "2026-04-19",
        "2026-04-20",
    ]


def matumizi(ran, first, last):
    where = f"na between {first} and {last}"
    return ran.query(f"select na, tarehe, kiasi from ops.matumizi where {where} order by na")


def excel_10(ran):
    assert ran.last.counts == {"received": 7, "inserted": 6, "quarantined": 1}
    assert matumizi(ran, 1, 7) == [
        ("1", "2026-03-03", "1250.00"),
        ("2", "2026-03-05", "3400.00"),
        ("3", "2026-03-06", "800.00"),
        ("4", "2026-03-15", "2150.00"),
        ("5", "2026-03-17", "12500.50"),
        ("7", "2026-03-23", "-500.00"),
    ]


def excel_11(ran):
    assert ran.last.counts == {"received": 8, "inserted": 8}
    assert [day for _, day, _ in matumizi(ran, 100, 107)] == [
        *(f"2026-04-0{day}" for day in range(1, 7)),
        "2026-04-19",
        "2026-04-20",
    ]


def excel_12(ran):
    assert ran.last.exit_code == 40  # half of the rows
    assert ran.last.counts == {"received": 2, "inserted": 1, "quarantined": 1}
    assert [reason.split(" as ")[0] for reason in ran.quarantined()[5]] == ["kiasi cannot be read"]
    assert says(ran, "stated 5,400.00", "read 3,400.00", "line 5 could not be read")
    assert says(ran, "it could not be compared")
    assert matumizi(ran, 11, 12) == [("11", "2026-03-05", "3400.00")]


def excel_13(ran):
    assert ran.last.exit_code == 0
    assert ran.last.counts == {"received": 2, "inserted": 2}
    assert ran.last.left_out["totals"] == 1
    assert stored(ran, "amount", "JU-") == [("JU-1", "100.00"), ("JU-2", "50.00")]


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


def excel_17(ran):
    assert ran.last.counts == {"received": 1, "quarantined": 1}
    assert all("currency" in one for one in ran.last.reasons)


def excel_18(ran):
    assert ran.last.counts == {"received": 1, "inserted": 1}
    assert stored(ran, "spent_on", "X4-") == [("X4-1", "2026-03-14")]


def excel_19(ran):
    assert ran.last.counts == {"received": 2, "inserted": 2}
    assert stored(ran, "supplier", "CS-") == [("CS-1", "Alpha"), ("CS-2", None)]


def excel_20(ran):
    assert ran.last.counts["received"] == 2
    assert ran.quarantined() == {}
    keys = ran.query("select expense_id from ops.expenses where expense_id ~ '^(0*42|123456.*)$' order by 1")
    assert keys == [("00042",), ("12345678901234567891",)]
