"""A pipeline goes from step to step, stops where it must, and goes on from there."""

from __future__ import annotations

import pytest
from tests.clinic import NOW, apply_workspace, write_workspace

from daftari.errors import ChecksFailed, ReconciliationError, SourceError, TooManyRejected, UnknownName
from daftari.operations.quarantine.replay_quarantine import replay_quarantine
from daftari.operations.workspace.run_pipeline import Actions, run_pipeline

GOOD = [f"V{at},2026-03-01,A,,1," for at in range(8)]


class Steps:
    """The steps after loading: each writes down that it was taken, and fails when told to."""

    def __init__(self):
        self.taken, self.failing = [], set()

    def step(self, name):
        def take(pipeline):
            self.taken.append(name)
            if name in self.failing:
                raise ChecksFailed(f"{pipeline.name}: {name} failed")

        return take

    @property
    def actions(self):
        return Actions(
            check=self.step("check"), transform=self.step("transform"), check_marts=self.step("check_marts")
        )


@pytest.fixture
def steps():
    return Steps()


@pytest.fixture
def run(clinic, steps):
    """Run the clinic's pipeline; return the steps that were taken after loading."""

    def runner(*, failing=()):
        steps.taken, steps.failing = [], set(failing)
        runner.result = run_pipeline(clinic.conn, clinic.workspace, "clinic", steps.actions, now=NOW)
        return steps.taken

    return runner


def put(clinic, *rows, name="visits.csv"):
    (clinic.folder / "inbox/visits").mkdir(parents=True, exist_ok=True)
    return clinic.file(*rows, name=f"inbox/visits/{name}")


def recorded(clinic):
    """The steps of the newest run, each with how it ended."""
    return clinic.conn.execute("""
        select step, status, error_code from daftari.pipeline_step
        where run_id = (select max(run_id) from daftari.pipeline_step) order by started_at, finished_at
    """).fetchall()


WELL = [(step, "succeeded", None) for step in ("load", "check", "transform", "check_marts")]


def test_what_waits_is_loaded_checked_transformed_and_checked(clinic, run):
    put(clinic, *GOOD)

    assert run() == ["check", "transform", "check_marts"]
    assert recorded(clinic) == WELL
    assert run.result.counts.inserted == 8
    assert clinic.runs("kind", "status") == [("pipeline", "succeeded"), ("load", "succeeded")]


def test_a_run_that_finds_nothing_new_takes_every_step_all_the_same(clinic, run):
    put(clinic, *GOOD)
    run()

    assert run() == ["check", "transform", "check_marts"]
    assert [one.known for one in run.result.loaded] == [True]


@pytest.mark.parametrize(
    ("failing", "first", "second", "skipped"),
    [
        ("check", ["check"], ["check", "transform", "check_marts"], []),
        ("transform", ["check", "transform"], ["transform", "check_marts"], ["check"]),
        ("check_marts", ["check", "transform", "check_marts"], ["transform", "check_marts"], ["check"]),
    ],
)
def test_the_next_run_goes_on_from_the_step_that_failed(clinic, run, steps, failing, first, second, skipped):
    put(clinic, *GOOD)
    with pytest.raises(ChecksFailed):
        run(failing=[failing])
    assert steps.taken == first
    assert recorded(clinic)[-1] == (failing, "failed", "checks_failed")
    assert clinic.runs("kind", "status", "error_code")[0] == ("pipeline", "refused", "checks_failed")

    assert run() == second
    assert [step for step, status, _ in recorded(clinic) if status == "skipped"] == skipped


def test_a_step_that_was_skipped_stays_done_when_the_same_step_fails_again(clinic, run):
    put(clinic, *GOOD)
    for _ in range(2):
        with pytest.raises(ChecksFailed):
            run(failing=["transform"])

    assert run() == ["transform", "check_marts"]
    assert run() == ["check", "transform", "check_marts"]


def new_file(clinic):
    put(clinic, "V9,2026-03-02,A,,1,", name="more.csv")


def load_by_hand(clinic):
    clinic.load("V9,2026-03-02,A,,1,", name="by_hand.csv")


def let_out_of_quarantine(clinic):
    clinic.conn.execute("insert into ops.wards (ward, _run_id) values ('X', 0)")
    list(replay_quarantine(clinic.conn, clinic.workspace, "visits", now=NOW))


def another_contract(clinic):
    clinic.workspace = write_workspace(clinic.folder, purpose="Another.")
    apply_workspace(clinic.conn, clinic.workspace)
    clinic.conn.execute("update daftari.contract_marker set applied_at = clock_timestamp()")


@pytest.mark.parametrize("event", [new_file, load_by_hand, let_out_of_quarantine, another_contract])
def test_checks_are_repeated_when_rows_or_contracts_came_since(clinic, run, event):
    put(clinic, *GOOD, "VX,2026-03-01,X,,1,")
    with pytest.raises(ChecksFailed):
        run(failing=["transform"])

    event(clinic)

    assert run() == ["check", "transform", "check_marts"]


def test_more_rejected_rows_than_the_contract_tolerates_stop_it_before_the_transform(clinic, run, steps):
    clinic.workspace = write_workspace(clinic.folder, maxRejectedRatio=0.2)
    apply_workspace(clinic.conn, clinic.workspace)
    put(clinic, *GOOD[:7], "V7,2026-03-01,X,,1,", "V8,2026-03-01,X,,1,")

    for _ in range(2):  # what is known already counts as well
        with pytest.raises(TooManyRejected) as caught:
            run()
        assert str(caught.value) == (
            "visits: 2 of 9 rows are in quarantine (22.2%); the contract tolerates 20.0%"
        )
        assert (steps.taken, recorded(clinic)) == ([], [("load", "failed", "too_many_rejected")])

    let_out_of_quarantine(clinic)
    assert run() == ["check", "transform", "check_marts"]


def test_just_as_many_as_are_tolerated_go_through(clinic, run):
    clinic.workspace = write_workspace(clinic.folder, maxRejectedRatio=0.2)
    apply_workspace(clinic.conn, clinic.workspace)
    put(clinic, *GOOD[:4], "V8,2026-03-01,X,,1,")

    assert run() == ["check", "transform", "check_marts"]


def test_a_file_that_cannot_be_read_stops_it_and_what_came_before_stays(clinic, run, steps):
    put(clinic, *GOOD, name="a.csv")
    (clinic.folder / "inbox/visits/b.csv").write_bytes(b"")

    with pytest.raises(SourceError, match=r"b\.csv: is empty"):
        run()

    assert (steps.taken, recorded(clinic)) == ([], [("load", "failed", "source_unreadable")])
    assert len(clinic.rows()) == 8


def test_what_is_our_own_fault_is_recorded_by_its_name(clinic, run, steps):
    def broken(_pipeline):
        raise ZeroDivisionError

    steps.step = lambda _name: broken
    with pytest.raises(ZeroDivisionError):
        run()

    assert recorded(clinic)[-1] == ("check", "failed", "ZeroDivisionError")
    assert clinic.runs("status") == [("failed",)]


def test_manifests_and_hidden_files_are_not_loaded_and_a_manifest_holds_its_files_to_their_totals(
    clinic, run
):
    inbox = put(clinic, *GOOD).parent
    put(clinic, *GOOD, name=".hidden.csv")
    (inbox / "manifest.csv").write_text("file,rows\nvisits.csv,9\n", "utf-8")
    with pytest.raises(ReconciliationError, match="rows: stated 9, found 8"):
        run()

    (inbox / "manifest.csv").write_text("file,rows\nvisits.csv,8\n", "utf-8")
    run()

    assert [one.source for one in run.result.loaded] == ["visits.csv"]


def test_a_pipeline_that_is_not_there_is_named(clinic, steps):
    with pytest.raises(UnknownName, match="no pipeline 'clinics'; known: clinic"):
        run_pipeline(clinic.conn, clinic.workspace, "clinics", steps.actions, now=NOW)
