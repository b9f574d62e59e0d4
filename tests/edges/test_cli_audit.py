"""daftari audit at the terminal: what it says, and its exit codes."""

from __future__ import annotations

import pytest


@pytest.fixture
def used(daftari, clinic):
    """A clinic with a load and an update, and a signing key."""
    clinic.load("V1,2026-03-01,A,Wanjiku,10,asthma", "V2,2026-03-02,B,,20,")
    clinic.conn.execute("update ops.visits set fee = 11 where visit_id = 'V1'")
    assert daftari("audit", "keygen").exit_code == 0
    return daftari


def test_an_audit_is_proved_once_it_is_anchored(used):
    before = used("audit", "verify")
    assert (before.exit_code, before.err.splitlines()) == (61, [
        "error: audit: not anchored; expected a chain with a signed anchor",
        "hint: `daftari audit checkpoint` signs how far it has come.",
    ])  # fmt: skip
    signed = used("audit", "checkpoint", "--output", "json").json
    assert signed["anchor"].endswith(f"checkpoint-{signed['position']:012}.json")
    assert used("audit", "checkpoint").lines == [
        f"Nothing new: the chain ends at {signed['position']} and is anchored there."
    ]
    proved = used("audit", "verify")
    assert (proved.exit_code, proved.lines[-1].split(":")[0]) == (0, "whole")
    verdict = used("audit", "verify", "--output", "json").json
    assert (verdict["verdict"], verdict["anchored"]) == ("whole", signed["position"])


def test_what_was_done_to_it_is_named_and_is_an_error(used, clinic):
    used("audit", "checkpoint")
    clinic.conn.execute("set session_replication_role = replica")
    clinic.conn.execute("alter table daftari.audit_entry disable trigger all")
    clinic.conn.execute("update daftari.audit_entry set actor = 'x' where operation = 'update'")
    found = used("audit", "verify")
    assert found.exit_code == 60
    assert "(update of ops.visits by x): differs from the entry chained at" in found.out
    assert used("audit", "verify", "--output", "json").json["findings"][0]["kind"] == "edited"


def test_entries_are_shown_newest_first_without_values_of_rows(used):
    said = used("audit", "show", "--relation", "ops.visits")
    assert said.lines[0].split() == ["entry", "time", "operation", "rows", "actor", "run", "purpose"]
    assert [line.split()[3:6] for line in said.lines[1:3]] == [
        ["update", "ops.visits", "1"],
        ["insert", "ops.visits", "2"],
    ]
    assert {line.split()[3] for line in said.lines[3:]} == {"alter"}, "what made the table"
    assert [it["run_id"] for it in used("audit", "show", "--run", "1", "--output", "json").json] == [1]
    assert used("audit", "show", "--actor", "nobody").lines == ["No audit entry matches."]


def test_an_export_says_where_its_anchors_are(used, tmp_path):
    used("audit", "checkpoint")
    said = used("audit", "export", str(tmp_path / "audit.jsonl"), "--output", "json").json
    assert (said["path"], said["entries"] > 2) == (str(tmp_path / "audit.jsonl"), True)
    assert used("audit", "export", str(tmp_path / "audit.jsonl")).out.replace("\n", "").endswith(said["log"])


def test_without_a_key_it_is_said_how_to_make_one(daftari):
    for command in ("checkpoint", "verify"):
        said = daftari("audit", command)
        assert (said.exit_code, said.err.splitlines()[-1]) == (62, "hint: `daftari audit keygen` makes one.")
