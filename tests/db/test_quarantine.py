"""Rows that were refused, and their way back: each lands once, however often it is tried."""

from __future__ import annotations

import csv
import threading
from copy import deepcopy
from decimal import Decimal

import pytest
from tests.clinic import HEADER, NOW, VISITS, apply_workspace, counted, write_workspace

from daftari.errors import MappingError, SourceError
from daftari.io.quarantine import quarantine_entries
from daftari.operations.quarantine.export_quarantine import export_quarantine
from daftari.operations.quarantine.replay_quarantine import replay_corrected, replay_quarantine

ROWS = [
    "V1,2026-03-01,A,Wanjiku,100.00,asthma",
    "V2,2026-03-02,X,Otieno,200.50,",  # line 3: no such ward
    "V3,2026-03-03,C,,-1,",  # line 4: a negative fee
    "V4,2026-03-04,A",  # line 5: short
    'V5,2026-03-05,Y,"a, ""b""",-2,"two\nlines"',  # line 6, over two: two reasons
    "V6,2026-03-06,B,,6,",  # line 8
]


def export(clinic, folder="mending"):
    return list(export_quarantine(clinic.conn, clinic.workspace, "visits", clinic.folder / folder))


def replayed(clinic, path=None):
    """What a replay did, run by run."""
    found = (
        replay_corrected(clinic.conn, clinic.workspace, "visits", path, now=NOW)
        if path
        else replay_quarantine(clinic.conn, clinic.workspace, "visits", now=NOW)
    )
    return [counted(one) for one in found]


def mend(path, **changes):
    """Change columns of exported rows, by visit: `V2={"ward": "A"}`."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    for row in rows:
        for name, value in changes.get(row[header.index("visit_id")], {}).items():
            row[header.index(name)] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_an_export_holds_the_rows_as_their_source_has_them_each_with_its_entry_and_reasons(clinic):
    clinic.load(*ROWS)

    (exported,) = export(clinic)

    assert (exported.source, exported.path.name, exported.rows) == ("visits.csv", "visits.quarantine.csv", 3)
    assert exported.shapeless == (5,)
    with exported.path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["_quarantine_id", "_reasons", *HEADER.split(",")]
    assert [row[1:] for row in rows] == [
        ["ward refers to a row that does not exist", "V2", "2026-03-02", "X", "Otieno", "200.50", ""],
        ["fee is below 0", "V3", "2026-03-03", "C", "", "-1", ""],
        [
            "fee is below 0; ward refers to a row that does not exist",
            "V5",
            "2026-03-05",
            "Y",
            'a, "b"',
            "-2",
            "two\nlines",
        ],
    ]
    numbers = clinic.conn.execute(
        "select quarantine_id::text from daftari.quarantine where line <> 5 order by line"
    ).fetchall()
    assert [(row[0],) for row in rows] == numbers


def test_mended_rows_land_once_however_often_they_are_replayed(clinic):
    clinic.load(*ROWS)
    (exported,) = export(clinic)
    mended = mend(exported.path, V2={"ward": "A"}, V3={"fee": "1"}, V5={"ward": "B", "fee": "2"})

    first, second = replayed(clinic, mended), replayed(clinic, mended)

    assert (first, second) == ([{"received": 3, "inserted": 3}], [])
    assert clinic.keys() == "V1 V2 V3 V5 V6"
    assert clinic.rows("fee", "notes")[3] == (Decimal(2), "two\nlines")
    assert clinic.open_lines() == [("visits.csv", 5)]


def test_a_text_that_a_spreadsheet_would_run_is_exported_as_text_and_comes_back_as_it_was(clinic):
    clinic.load("V1,2026-03-01,X,=1+1,1,+254 700", "V2,2026-03-01,X,'=a,-1,-")
    (exported,) = export(clinic)

    with exported.path.open(encoding="utf-8-sig", newline="") as file:
        _, *rows = csv.reader(file)
    assert [row[5:] for row in rows] == [["'=1+1", "1", "'+254 700"], ["''=a", "-1", "'-"]]
    mended = mend(exported.path, V1={"ward": "A"}, V2={"ward": "A", "fee": "1"})
    assert replayed(clinic, mended) == [{"received": 2, "inserted": 2}]
    assert clinic.rows("patient", "notes") == [("=1+1", "+254 700"), ("'=a", "-")]


def test_what_is_still_wrong_after_mending_stays_and_the_same_export_mended_further_lands_it(clinic):
    clinic.load(*ROWS)
    (exported,) = export(clinic)

    steps = [
        replayed(clinic, mend(exported.path, V2={"ward": "A"}, V5={"fee": "2"})),
        replayed(clinic, mend(exported.path, V5={"ward": "B"})),
        replayed(clinic, mend(exported.path, V3={"fee": "1"})),
        replayed(clinic, exported.path),
    ]

    assert steps == [
        [{"received": 3, "inserted": 1, "quarantined": 2}],
        [{"received": 2, "inserted": 1, "quarantined": 1}],
        [{"received": 1, "inserted": 1}],
        [],
    ]
    assert clinic.keys() == "V1 V2 V3 V5 V6"
    assert clinic.open_lines() == [("visits.csv", 5)]


def test_what_is_still_wrong_after_mending_may_be_exported_anew(clinic):
    clinic.load(*ROWS)
    (first,) = export(clinic)
    replayed(clinic, mend(first.path, V2={"ward": "A"}, V5={"fee": "2"}))

    short, second = export(clinic, "again")

    assert (short.rows, short.shapeless, second.rows, second.shapeless) == (0, (5,), 2, ())
    with second.path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["_quarantine_id", "_reasons", *HEADER.split(",")]
    assert [(row[1], row[2], row[6]) for row in rows] == [
        ("fee is below 0", "V3", "-1"),
        ("ward refers to a row that does not exist", "V5", "2"),
    ]
    mended = mend(second.path, V3={"fee": "1"}, V5={"ward": "C"})
    assert replayed(clinic, mended) == [{"received": 2, "inserted": 2}]
    assert replayed(clinic, first.path) == []


def test_the_contract_mended_and_the_sources_replayed_twice_land_each_row_once(clinic):
    clinic.load(*ROWS)
    fields = deepcopy(VISITS)
    fields[4]["logicalTypeOptions"]["minimum"] = -1
    clinic.workspace = write_workspace(clinic.folder, visits=fields)
    apply_workspace(clinic.conn, clinic.workspace)

    first, second = replayed(clinic), replayed(clinic)

    assert first == [{"received": 4, "inserted": 1, "quarantined": 3}]
    assert second == [{"received": 3, "quarantined": 3}]
    assert clinic.keys() == "V1 V3 V6"
    assert clinic.open_lines() == [("visits.csv", line) for line in (3, 5, 6)]


def test_parents_that_have_come_meanwhile_let_rows_land_and_an_older_export_finds_them_landed(clinic):
    clinic.load(*ROWS)
    (exported,) = export(clinic)
    clinic.conn.execute("insert into ops.wards (ward, _run_id) values ('X', 0)")

    assert replayed(clinic) == [{"received": 4, "inserted": 1, "quarantined": 3}]
    assert replayed(clinic, mend(exported.path, V3={"fee": "1"})) == [
        {"received": 2, "inserted": 1, "quarantined": 1}
    ]
    assert clinic.keys() == "V1 V2 V3 V6"


def test_every_entry_knows_the_one_it_took_the_place_of_and_what_resolved_it(clinic):
    clinic.load(*ROWS)
    replayed(clinic)
    (exported,) = export(clinic)
    replayed(clinic, mend(exported.path, V3={"fee": "1"}))

    chain = clinic.conn.execute("""
        select q.run_id, first.line, q.resolved_by from daftari.quarantine q
        left join daftari.quarantine first on first.quarantine_id = q.replaces order by q.run_id, q.line
    """).fetchall()
    assert chain == [
        *((1, None, 2) for _ in range(4)),
        (2, 3, 3),
        (2, 4, 3),
        (2, 5, None),
        (2, 6, 3),
        (3, 3, None),
        (3, 6, None),
    ]


def test_rows_are_read_as_their_file_was_and_a_day_is_not_guessed_anew_from_a_few(clinic):
    clinic.load("V1,13/03/2026,A,,1,", "V2,04/03/2026,X,,2,", "V3,05/03/2026,A,,-3,")
    (exported,) = export(clinic)

    replayed(clinic, mend(exported.path, V2={"ward": "A"}, V3={"fee": "3", "seen_on": "2026-03-05"}))

    assert [(key, day.isoformat()) for key, day in clinic.rows("visit_id", "seen_on")] == [
        ("V1", "2026-03-13"),
        ("V2", "2026-03-04"),
    ]
    assert clinic.open_lines() == [("visits.quarantine.csv", 3)]


def test_replays_of_the_same_rows_at_once_land_each_once(clinic):
    clinic.load(*ROWS)
    (exported,) = export(clinic)
    mend(exported.path, V2={"ward": "A"})
    ready, found = threading.Barrier(2), []

    def run():
        with clinic.session() as conn:
            ready.wait()
            loaded = replay_corrected(conn, clinic.workspace, "visits", exported.path, now=NOW)
            found.append([counted(one) for one in loaded])

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    first = [{"received": 3, "inserted": 1, "quarantined": 2}]
    # the other came to the lock second and found nothing left, or came later still and tried the two again
    assert sorted(found, key=lambda one: -len(str(one))) in (
        [first, second] for second in ([{}], [{"received": 2, "quarantined": 2}])
    )
    assert clinic.keys() == "V1 V2 V6"
    assert len(clinic.open_lines()) == 3


def test_files_of_one_name_are_exported_side_by_side(clinic):
    for at in (1, 2):
        (clinic.folder / str(at)).mkdir()
        clinic.load(f"V{at},2026-03-01,X,,1,", name=f"{at}/march.csv")

    exported = export(clinic)

    assert [one.path.name for one in exported] == ["march.quarantine.csv", "march-2.quarantine.csv"]
    for at, one in enumerate(exported, start=1):
        replayed(clinic, mend(one.path, **{f"V{at}": {"ward": "A"}}))
    assert clinic.keys() == "V1 V2"


def test_an_export_writes_over_nothing(clinic):
    clinic.load(*ROWS)
    export(clinic)

    with pytest.raises(SourceError, match=r"visits\.quarantine\.csv: exists already"):
        export(clinic)


@pytest.mark.parametrize("does", [export, replayed])
def test_a_source_that_has_gone_or_changed_is_named_with_what_to_do(clinic, does):
    clinic.load(*ROWS)
    path = clinic.folder / "visits.csv"
    content = path.read_text("utf-8")

    path.write_text(content + "V7,2026-03-07,A,,7,\n", "utf-8")
    with pytest.raises(SourceError) as changed:
        does(clinic)
    path.unlink()
    with pytest.raises(SourceError) as gone:
        does(clinic)
    path.write_text(content, "utf-8")
    does(clinic)

    assert str(changed.value) == f"visits.csv: has changed since its rows went into quarantine ({path})"
    assert changed.value.hint == f"Load its current content: daftari load visits {path}"
    assert str(gone.value) == f"visits.csv: the file does not exist any more ({path})"
    assert gone.value.hint == "Restore it, or load a corrected file: daftari load visits FILE"


def test_an_export_edited_since_its_rows_were_refused_is_to_be_replayed_itself(clinic):
    clinic.load(*ROWS)
    (exported,) = export(clinic)
    replayed(clinic, mend(exported.path, V2={"ward": "A"}))
    mend(exported.path, V3={"fee": "1"})

    with pytest.raises(SourceError) as caught:
        replayed(clinic)

    assert str(caught.value).startswith(
        "visits.quarantine.csv: has changed since its rows went into quarantine"
    )
    assert (
        caught.value.hint
        == f"Load its current content: daftari quarantine replay visits --corrected {exported.path}"
    )


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (
            HEADER,
            "V2,2026-03-02,A,,1,",
            "no column _quarantine_id; expected a file made by `daftari quarantine export`",
        ),
        (f"_quarantine_id,{HEADER}", "x,V2,2026-03-02,A,,1,", "line 2: _quarantine_id is not a number"),
        (f"_quarantine_id,{HEADER}", ",V2,2026-03-02,A,,1,", "line 2: _quarantine_id is not a number"),
        (f"_quarantine_id,{HEADER}", "1,V2,2026-03-02,A", "line 2: has 4 fields; the header has 7"),
    ],
)
def test_a_file_that_is_no_mended_export_is_refused_and_nothing_is_loaded(clinic, header, row, message):
    clinic.load(*ROWS)
    path = clinic.file(row, name="mended.csv", header=header)

    with pytest.raises((MappingError, SourceError)) as caught:
        replayed(clinic, path)

    assert str(caught.value).startswith(f"mended.csv: {message}")
    assert len(clinic.runs()) == 1


def test_rows_of_several_files_in_one_export_are_refused(clinic):
    clinic.load("V1,2026-03-01,X,,1,", name="march.csv")
    clinic.load("V2,2026-04-01,X,,1,", name="april.csv")
    entries = [
        number for (number,) in clinic.conn.execute("select quarantine_id from daftari.quarantine").fetchall()
    ]
    rows = [f"{entry},V{at},2026-03-01,A,,1," for at, entry in enumerate(entries)]

    with pytest.raises(
        MappingError, match=r"mended\.csv: holds rows of march\.csv, april\.csv; expected those of one"
    ):
        replayed(clinic, clinic.file(*rows, name="mended.csv", header=f"_quarantine_id,{HEADER}"))


def test_entries_that_are_not_ours_are_passed_over(clinic):
    clinic.load(*ROWS)
    path = clinic.file("999,V9,2026-03-01,A,,1,", name="mended.csv", header=f"_quarantine_id,{HEADER}")

    assert replayed(clinic, path) == []
    assert clinic.keys() == "V1 V6"


def test_piles_are_told_by_file_with_their_commonest_reason(clinic):
    clinic.load(*ROWS, "V7,2026-03-07,X,,1,", name="march.csv")
    clinic.load("V8,2026-03-08,A,,2000,", name="april.csv")

    piles = quarantine_entries.quarantined_files(clinic.conn, None)

    assert [(one.dataset, one.source, one.rows, one.top_reason) for one in piles] == [
        ("visits", "april.csv", 1, "fee.maximum"),
        ("visits", "march.csv", 5, "ward.reference"),
    ]
    assert quarantine_entries.quarantined_files(clinic.conn, "wards") == ()


def test_entries_are_shown_in_the_order_of_their_file_up_to_a_limit(clinic):
    clinic.load(*ROWS)

    found = quarantine_entries.quarantine_entries(clinic.conn, "visits", run_id=None, limit=2)

    assert [(one.line, one.source, one.preview["patient"]) for one in found] == [
        (3, "visits.csv", "***"),
        (4, "visits.csv", None),
    ]
    assert quarantine_entries.quarantine_entries(clinic.conn, "visits", run_id=99, limit=2) == ()
