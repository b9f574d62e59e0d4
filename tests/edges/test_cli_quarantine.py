"""`daftari quarantine` as a user sees it."""

from __future__ import annotations

import pytest
from tests.clinic import SECRETS

ROWS = [
    "V1,2026-03-01,A,Wanjiku,100.00,asthma",
    "V2,2026-03-02,X,Otieno,200.50,malaria",
    "V3,2026-03-03,C,,-1,",
    "V4,2026-03-04,A",
]


@pytest.fixture
def refused(clinic):
    """A file of which three rows were refused: at lines 3, 4 and 5."""
    clinic.load(*ROWS, name="march.csv")


def test_without_refused_rows_there_is_nothing_to_list_show_export_or_replay(daftari):
    assert daftari("quarantine", "list").lines == ["Nothing is in quarantine."]
    assert daftari("quarantine", "show", "visits").lines == ["No row of visits is in quarantine."]
    assert daftari("quarantine", "export", "visits").lines == ["No row of visits is in quarantine."]
    assert daftari("quarantine", "replay", "visits").lines == ["No row of visits is waiting for this."]
    assert daftari("quarantine", "list", "--output", "json").json == []


@pytest.mark.usefixtures("refused")
def test_the_list_is_by_file(daftari):
    assert daftari("quarantine", "list").lines == [
        "dataset  run  file       rows  most common reason",
        "visits   1    march.csv  3     fee.minimum",
    ]
    (pile,) = daftari("quarantine", "list", "visits", "--output", "json").json
    assert (pile["dataset"], pile["source"], pile["rows"]) == ("visits", "march.csv", 3)
    assert daftari("quarantine", "list", "wards").lines == ["Nothing is in quarantine."]


@pytest.mark.usefixtures("refused")
def test_each_row_is_shown_with_its_place_its_reasons_and_what_may_be_seen_of_it(daftari):
    said = daftari("quarantine", "show", "visits")

    assert said.lines == [
        "#1  march.csv, line 3: ward refers to a row that does not exist",
        "    visit_id=V2, seen_on=2026-03-02, ward=X, patient=***, fee=200.50, notes=***",
        "#2  march.csv, line 4: fee is below 0",
        "    visit_id=V3, seen_on=2026-03-03, ward=C, fee=-1",
        "#3  march.csv, line 5: has 3 fields; the header has 6",
    ]
    shown = said.out + daftari("quarantine", "show", "visits", "--output", "json").out
    assert [secret for secret in SECRETS if secret in shown] == []


@pytest.mark.usefixtures("refused")
def test_more_rows_than_asked_for_are_hinted_at(daftari):
    said = daftari("quarantine", "show", "visits", "--limit", "1")

    assert said.lines[-1] == "There are more: use --limit 10."
    assert len(daftari("quarantine", "show", "visits", "--limit", "2", "--output", "json").json) == 2
    assert daftari("quarantine", "show", "visits", "--limit", "3").lines[-1].startswith("#3")


@pytest.mark.usefixtures("refused")
def test_from_refusal_by_way_of_an_export_to_the_table(clinic, daftari):
    said = daftari("quarantine", "export", "visits", "--to", "mending/of/march")

    assert said.lines == [
        "mending/of/march/march.quarantine.csv: 2 rows of march.csv",
        "  not exported, to be corrected in march.csv itself: line 5",
        "Correct them, then: daftari quarantine replay visits --corrected FILE",
    ]
    path = clinic.folder / "mending/of/march/march.quarantine.csv"
    path.write_text(path.read_text("utf-8").replace(",X,", ",B,"), "utf-8")

    said = daftari("quarantine", "replay", "visits", "--corrected", str(path))

    assert (said.exit_code, said.err) == (0, "")
    assert said.lines == [
        "received inserted updated unchanged duplicate quarantined file",
        "       2        1       0         0         0           1 march.quarantine.csv",
        "march.quarantine.csv: 1 x fee is below 0 (fee.minimum)",
        "march.quarantine.csv: run 2: see it with daftari runs show 2, undo it with",
        "daftari undo 2",
        "Show rejected rows: daftari quarantine show visits",
    ]
    assert clinic.keys() == "V1 V2"
    (again,) = daftari("quarantine", "replay", "visits", "--corrected", str(path), "--output", "json").json
    assert (again["counts"]["received"], again["counts"]["quarantined"]) == (1, 1)


@pytest.mark.parametrize(
    ("words", "exit_code", "err"),
    [
        (["list", "visit"], 10, "error: workspace: no dataset 'visit'; known: visits, wards\n"),
        (["show", "visit"], 10, "error: workspace: no dataset 'visit'; known: visits, wards\n"),
        (["export", "visit"], 10, "error: workspace: no dataset 'visit'; known: visits, wards\n"),
        (["replay", "visit"], 10, "error: workspace: no dataset 'visit'; known: visits, wards\n"),
        (["replay", "visits", "--corrected", "nope.csv"], 20, "error: nope.csv: no such file\n"),
        (
            ["replay", "visits", "--corrected", "march.csv"],
            21,
            "error: march.csv: no column _quarantine_id; expected a file made by `daftari quarantine export`\n",
        ),
        (["export", "visits", "--to", "taken"], 20, "error: taken/march.quarantine.csv: exists already\n"),
    ],
)
@pytest.mark.usefixtures("refused")
def test_what_a_user_does_wrong_is_one_line_with_a_hint_and_an_exit_code(
    clinic, daftari, words, exit_code, err
):
    (clinic.folder / "taken").mkdir()
    (clinic.folder / "taken/march.quarantine.csv").write_text("mine", "utf-8")

    said = daftari("quarantine", *words)

    assert (said.exit_code, said.out) == (exit_code, "")
    assert said.err.startswith(err)
    assert said.err.splitlines()[1].startswith("hint: ")
    assert (clinic.folder / "taken/march.quarantine.csv").read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show", "visits", "--limit", "0"], "greater than or equal to 1"),
        (["export", "visits", "--to", "march.csv"], "is a file"),
        (
            ["replay", "visits", "--corrected", "march.csv", "--run", "1"],
            "cannot be used with --corrected",
        ),
        ([], "Usage:"),
    ],
)
@pytest.mark.usefixtures("refused")
def test_a_command_that_cannot_be_understood_says_so(daftari, words, message):
    said = daftari("quarantine", *words)

    assert said.exit_code == 2
    assert message in said.err + said.out


@pytest.mark.parametrize("verb", ["list", "show", "export", "replay"])
def test_help_of_each_verb_ends_with_an_example(daftari, verb):
    assert f"Example: daftari quarantine {verb}" in daftari("quarantine", verb, "--help").out
