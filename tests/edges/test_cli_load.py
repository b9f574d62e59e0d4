"""`daftari load` as a user sees it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from tests.clinic import HEADER, SECRETS

SOURCES = Path(__file__).parents[2] / "src"
GOOD = ["V1,2026-03-01,A,Wanjiku,100.00,asthma", "V2,2026-03-02,B,Otieno,200.50,"]
BAD = [
    "V1,2026-03-01,A,Wanjiku,150.00,",
    "V3,2026-03-03,X,,-1,",
    "V4,1999-12-31,X,Wanjiku wa Njoroge,1,malaria and much more",
    "V5,2026-03-05,A",
]


def test_what_became_of_each_files_rows_is_one_line_and_its_commonest_reasons(clinic, daftari):
    clinic.file(*GOOD, name="good.csv")
    clinic.file(*BAD, name="bad.csv")

    said = daftari("load", "visits", "good.csv", "bad.csv")

    assert said.exit_code == 40
    assert said.err.splitlines() == [
        "error: bad.csv: 3 of 4 rows are in quarantine (75.0%); the contract tolerates 50.0%",
        "hint: See them with `daftari quarantine show visits`, correct them, then load the file again.",
    ]
    assert said.lines == [
        "received inserted updated unchanged duplicate quarantined file",
        "       2        2       0         0         0           0 good.csv",
        "       4        0       1         0         0           3 bad.csv",
        "good.csv: run 1: see it with daftari runs show 1, undo it with daftari undo 1",
        "bad.csv: 2 x ward refers to a row that does not exist (ward.reference)",
        "bad.csv: 1 x fee is below 0 (fee.minimum)",
        "bad.csv: 1 x notes is longer than 20 (notes.length)",
        "bad.csv: 1 x patient is longer than 12 (patient.length)",
        "bad.csv: 1 x seen_on is before 2020-01-01 (seen_on.minimum)",
        "bad.csv: and 1 more reasons",
        "bad.csv: run 2: see it with daftari runs show 2, undo it with daftari undo 2",
        "Show rejected rows: daftari quarantine show visits",
    ]


def test_nothing_that_is_said_is_wider_than_80_columns_or_holds_a_protected_value(clinic, daftari):
    name = "a-file-with-a-very-long-name-as-finance-offices-give-them-final-version-2.csv"
    clinic.file(*BAD, name=name)

    said = daftari("load", "visits", name)

    assert max(map(len, said.lines)) <= 80
    assert [secret for secret in SECRETS if secret in said.out + said.err] == []


def test_the_same_content_again_is_nothing_new(clinic, daftari):
    clinic.file(*GOOD, name="good.csv")
    daftari("load", "visits", "good.csv")
    clinic.file(*GOOD, name="copy.csv")

    assert daftari("load", "visits", "copy.csv").lines == ["copy.csv: nothing new; run 1 loaded this content"]
    assert daftari("load", "visits", "copy.csv", "--again").lines[1].split() == [*"200200", "copy.csv"]


@pytest.mark.parametrize(
    ("rows", "exit_code"),
    [
        (["V1,2026-03-01,A,,1,", "V2,2026-03-01,X,,1,"], 0),  # half of them, as the contract tolerates
        (["V1,2026-03-01,A,,1,", "V2,2026-03-01,X,,1,", "V3,2026-03-01,X,,1,"], 40),
        (["V1,2026-03-01,X,,1,"], 40),
    ],
)
def test_the_exit_code_is_another_where_too_many_rows_are_rejected(clinic, daftari, rows, exit_code):
    clinic.file(*rows, name="march.csv")
    assert daftari("load", "visits", "march.csv").exit_code == exit_code


def test_a_row_that_another_of_its_key_replaces_is_counted_as_superseded(clinic, daftari):
    clinic.file(GOOD[0], GOOD[0].replace("100", "150"), GOOD[0].replace("100", "150"), name="march.csv")
    assert daftari("load", "visits", "march.csv").lines[:2] == [
        "received inserted updated unchanged duplicate superseded quarantined file",
        "       3        1       0         0         1          1           0 march.csv",
    ]


def test_rows_that_come_right_are_told(clinic, daftari):
    clinic.file(*BAD, name="bad.csv")
    daftari("load", "visits", "bad.csv")
    clinic.file("V3,2026-03-03,A,,1,", name="mended.csv")

    assert "mended.csv: 1 row from quarantine resolved" in daftari("load", "visits", "mended.csv").lines


def two_months(clinic):
    book = openpyxl.Workbook()
    book.active.title = "March"
    for row in (HEADER.split(","), GOOD[0].split(",")):
        book.active.append(row)
    for row in (HEADER.split(","), *(one.split(",") for one in GOOD)):
        (book["April"] if "April" in book else book.create_sheet("April")).append(row)
    book.save(clinic.folder / "visits.xlsx")


@pytest.mark.parametrize("sheet", ["April", "2"])
def test_a_sheet_of_a_workbook_is_loaded_by_name_or_number(clinic, daftari, sheet):
    two_months(clinic)

    refused = daftari("load", "visits", "visits.xlsx")
    loaded = daftari("load", "visits", "visits.xlsx", "--sheet", sheet, "--output", "json")

    assert refused.exit_code == 20
    assert "has 2 sheets with rows (March, April)" in " ".join(refused.err.split())
    assert loaded.json[0]["counts"]["inserted"] == 2


def test_json_holds_the_same(clinic, daftari):
    clinic.file(*BAD, name="bad.csv")

    said = daftari("load", "visits", "bad.csv", "--output", "json")

    (loaded,) = said.json
    assert loaded["counts"] == {
        "received": 4,
        "inserted": 1,
        "updated": 0,
        "unchanged": 0,
        "duplicate": 0,
        "superseded": 0,
        "quarantined": 3,
    }
    assert loaded["reasons"][0] == {
        "rule": "ward.reference",
        "field": "ward",
        "reason": "refers to a row that does not exist",
        "rows": 2,
        "line": 3,
    }
    assert (loaded["dataset"], loaded["source"], loaded["run_id"], loaded["known"]) == (
        "visits",
        "bad.csv",
        1,
        False,
    )


def test_a_file_that_is_refused_keeps_no_other_back_and_the_first_refusal_gives_the_exit_code(
    clinic, daftari
):
    clinic.file(*GOOD, name="good.csv")
    (clinic.folder / "empty.csv").write_bytes(b"")

    said = daftari("load", "visits", "missing.csv", "empty.csv", "good.csv")

    assert said.exit_code == 20
    assert said.lines[1].endswith(" good.csv")
    assert said.err.splitlines() == [
        "error: empty.csv: is empty (0 bytes)",
        "hint: Ask the sender for the file again.",
        "error: missing.csv: no such file",
        "hint: Check the path.",
    ]


@pytest.mark.parametrize(
    ("words", "exit_code", "err"),
    [
        (
            ["visit", "good.csv"],
            10,
            "error: workspace: no dataset 'visit'; known: visits, wards\nhint: Did you mean 'visits'?\n",
        ),
        (
            ["visits", "."],
            20,
            "error: .: is a folder; a file was expected\nhint: Name its files, e.g. ./*.csv\n",
        ),
        (
            ["visits", "narrow.csv"],
            21,
            (
                "error: narrow.csv: no column for ward, which visits requires\n"
                "hint: Unused columns: colour. Declare the source of each under `fields` in a source mapping"
                " (`from`, `constant` …).\n"
            ),
        ),
        (
            ["visits", "open.csv"],
            21,
            (
                "error: open.csv: column 'seen_on' (field seen_on): its 2 distinct values are valid both as DD/MM/YYYY"
                " and as MM/DD/YYYY; no day is above 12\n"
                "hint: Declare it in a source mapping: fields: {seen_on: {from: seen_on, format: DD/MM/YYYY}}\n"
            ),
        ),
        (
            ["visits", "good.csv", "--total", "rows=3", "--total", "fee=300.51"],
            22,
            (
                "error: good.csv: does not reconcile: rows: stated 3, found 2 (difference -1);"
                " sum of fee: stated 300.51, found 300.50 (difference -0.01)\n"
                "hint: Nothing was loaded. Ask the sender for the complete file, or correct the stated totals.\n"
            ),
        ),
        (
            ["visits", "good.csv", "--total", "rows=many"],
            3,
            (
                "error: --total rows=many: 'many' is not a number\n"
                "hint: For example --total rows=1204, --total amount=12.50 or --rounding amount=0.01\n"
            ),
        ),
        (
            ["visits", "good.csv", "--total", "rows=1.5"],
            3,
            (
                "error: --total rows=1.5: '1.5' is not a whole number\n"
                "hint: For example --total rows=1204, --total amount=12.50 or --rounding amount=0.01\n"
            ),
        ),
    ],
)
def test_what_a_user_does_wrong_is_one_line_with_a_hint_and_an_exit_code(
    clinic, daftari, words, exit_code, err
):
    clinic.file(*GOOD, name="good.csv")
    clinic.file("V1,2026-03-04,red", header="visit_id,seen_on,colour", name="narrow.csv")
    clinic.file("V1,03/04/2026,A,,1,", "V2,04/03/2026,A,,1,", name="open.csv")

    said = daftari("load", *words)

    assert (said.exit_code, said.err, said.out) == (exit_code, err, "")
    assert clinic.keys() == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["visits"], "Missing argument 'files'"),
        (["visits", "good.csv", "--mapping", "nope.yaml"], "not exist"),
        (["visits", "good.csv", "--output", "xml"], "is not one of"),
    ],
)
def test_a_command_that_cannot_be_understood_says_how_to_get_help(clinic, daftari, words, message):
    clinic.file(*GOOD, name="good.csv")

    said = daftari("load", *words)

    assert said.exit_code == 2
    assert message in said.err
    assert "load --help" in said.err


def test_stated_totals_are_looked_at_even_where_the_file_is_known(clinic, daftari):
    clinic.file(*GOOD, name="good.csv")
    daftari("load", "visits", "good.csv")

    assert daftari("load", "visits", "good.csv", "--total", "fee=12,50").exit_code == 3


def test_a_database_without_tables_is_told_how_to_get_them(clinic, daftari):
    clinic.file(*GOOD, name="good.csv")
    clinic.conn.execute("drop schema daftari cascade")

    for words in (["load", "visits", "good.csv"], ["quarantine", "list"]):
        said = daftari(*words)
        assert (said.exit_code, said.err.splitlines()[1]) == (
            30,
            "hint: Run `daftari apply`.",
        )
        assert said.err.startswith('error: database: does not match the contracts: relation "daftari.')


def test_a_database_of_another_contract_is_named(clinic, daftari):
    clinic.file(*GOOD, name="good.csv")
    clinic.conn.execute("update daftari.contract_marker set hash = repeat('0', 64)")

    said = daftari("load", "visits", "good.csv")

    assert said.exit_code == 32
    found = "the database has contract 000000000000; the workspace has "
    assert said.err.startswith(f"error: visits: {found}")
    assert "hint: See the changes with `daftari plan`" in said.err


def test_a_load_that_waits_too_long_for_another_says_so(clinic, daftari, monkeypatch):
    clinic.file(*GOOD, name="good.csv")
    monkeypatch.setenv("DAFTARI_LOCK_TIMEOUT_SECONDS", "0.05")
    with clinic.session() as other, other.transaction():
        other.execute("select daftari.take_turn('load visits')")
        said = daftari("load", "visits", "good.csv")

    assert said.exit_code == 30
    assert said.err.splitlines() == [
        "error: visits: another load of it is running and did not end in time",
        "hint: Load the file again when that one has ended, or raise lock_timeout_seconds.",
    ]


def test_a_user_who_may_not_load_is_told_what_they_may_not(clinic, daftari, monkeypatch):
    clinic.file(*GOOD, name="good.csv")
    name = f"reader_{clinic.conn.info.dbname}"
    clinic.conn.execute(f"create role {name} login")
    clinic.conn.execute(f"grant usage on schema daftari to {name}")
    clinic.conn.execute(f"grant select on all tables in schema daftari to {name}")
    monkeypatch.setenv("DAFTARI_DATABASE_URL", clinic.url.replace("//daftari@", f"//{name}@"))

    said = daftari("load", "visits", "good.csv")

    clinic.conn.execute(f"drop owned by {name}")
    clinic.conn.execute(f"drop role {name}")
    assert said.exit_code == 30
    assert said.err.splitlines() == [
        f"error: visits: policies hide rows of it from user {name}; expected an operator, who sees all rows",
        "hint: Connect as the user who applies the contracts, or let that user run `daftari apply` again.",
    ]


def test_explain_shows_how_each_column_is_read_and_loads_nothing(clinic, daftari):
    clinic.file(*GOOD, name="good.csv", header=HEADER.replace("fee", "Fee").replace("notes", "remarks"))

    said = daftari("load", "visits", "good.csv", "--explain")

    assert said.exit_code == 0
    assert said.lines[0] == "good.csv: delimited text, mapping none: by names"
    assert "  fee      <- 'Fee': number, as 1234.56 (plain digits with a decimal point)" in said.lines
    assert any("remarks" in line for line in said.lines)
    assert clinic.runs() == []
    assert (
        daftari("load", "visits", "good.csv", "--explain", "--output", "json").json[0]["file"] == "good.csv"
    )


def test_standard_input_is_a_file_like_any_other(clinic):
    environment = {**os.environ, "DAFTARI_DATABASE_URL": clinic.url, "PYTHONPATH": str(SOURCES)}
    command = [sys.executable, "-m", "daftari", "load", "visits", "-"]
    for expected in (
        "       2        2       0         0         0           0 standard input",
        "nothing new",
    ):
        done = subprocess.run(
            command,
            env=environment,
            cwd=clinic.folder,
            input="\n".join([HEADER, *GOOD]),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert expected in done.stdout


def test_help_ends_with_an_example(daftari):
    said = daftari("load", "--help")

    assert "Example: daftari load expenses march.csv --total rows=1204" in said.out


def test_a_total_that_differs_by_rounding_is_accepted_by_name(clinic, daftari):
    clinic.file(*GOOD, ",,,,300.51,Total", name="good.csv")

    refused = daftari("load", "visits", "good.csv")
    accepted = daftari("load", "visits", "good.csv", "--rounding", "fee=0.01", "--output", "json")

    assert refused.exit_code == 22
    assert "--rounding fee=0.01" in refused.err
    (loaded,) = accepted.json
    assert loaded["counts"]["inserted"] == 2
    assert loaded["left_out"]["totals"] == 1
    assert "line 4: sum of fee: stated 300.51, found 300.50 (difference -0.01): accepted as rounding" in [
        it["says"] for it in loaded["remarks"]
    ]
    assert daftari("load", "visits", "good.csv", "--rounding", "fee=little").exit_code == 3
