"""What is right for rows with more or fewer fields than the header."""


def payments(ran, prefix):
    return ran.query("select ref, amount from ops.payments where ref like %s order by 1", f"{prefix}-%")


def uneven(ran):
    return [it for it in ran.last.remarks if it.startswith("more or fewer fields than the header")]


def ragged_1(ran):
    assert ran.last.counts == {"received": 3, "inserted": 3}
    assert uneven(ran) == [
        "more or fewer fields than the header, none of them filled: accepted (3 times, first in line 2)"
    ]


def ragged_2(ran):
    assert ran.last.counts == {"received": 3, "inserted": 3}
    assert len(uneven(ran)) == 1
    assert payments(ran, "E") == [("E-1", "100.00"), ("E-2", "250.50"), ("E-3", "49.50")]


def ragged_3(ran):
    assert ran.last.counts == {"received": 2, "inserted": 2}
    assert payments(ran, "G") == [("G-1", "100.00"), ("G-2", "250.50")]


def ragged_4(ran):
    assert ran.last.counts == {"received": 3, "inserted": 1, "quarantined": 2}
    shapes = [(it["reason"], it["rows"], it["line"]) for it in ran.last.loaded["reasons"]]
    assert shapes == [
        ("has 6 fields; the header has 5", 1, 3),
        ("has 4 fields; the header has 5", 1, 4),
    ]
    assert payments(ran, "Q") == [("Q-1", "100.00")]
