"""What `daftari quality show`, `daftari transform` and `daftari env` say at a terminal."""

import json

import pytest
from typer.testing import CliRunner

from daftari.cli import quality, transform
from daftari.compile.quality.verdicts import CheckOutcome, CheckVerdict
from daftari.errors import ChecksFailed, DatabaseError
from daftari.io.database.platform_migrations import migrate
from daftari.io.runs import check_results
from daftari.io.runs.check_results import CheckedDataset

PASSED = CheckOutcome(
    check="amount.not_null",
    field="amount",
    description="amount is there",
    verdict=CheckVerdict.PASSED,
    reason="0 of 3 fail",
    tested=3,
    failing=0,
)
FAILED = CheckOutcome(
    check="rule.paid_is_approved",
    field=None,
    description="no row is paid without an approval",
    verdict=CheckVerdict.FAILED,
    reason="1 of 3 fail",
    tested=3,
    failing=1,
    keys=({"expense_id": "E6"},),
)


@pytest.fixture
def checked(db, settings):
    """A workspace's folder; its database holds one check of one dataset, which failed."""
    with db.transaction():
        migrate(db)
        (run_id,) = db.execute("insert into daftari.run (kind) values ('check') returning run_id").fetchone()
        found = CheckedDataset(
            run_id=run_id,
            dataset="expenses",
            contract_hash="abc",
            verdict=CheckVerdict.FAILED,
            rows=3,
            outcomes=(PASSED, FAILED),
        )
        check_results.record_check_results(db, found)
    return settings.root


def test_show_has_a_line_a_dataset_and_what_did_not_pass_with_keys(checked):
    result = CliRunner().invoke(quality.app, ["show", "--workspace", str(checked)])

    assert [line.rstrip() for line in result.stdout.splitlines()] == [
        "dataset   rows  passed  failed  warned  not evaluated  verdict",
        "expenses     3       1       1       0              0  failed",
        "expenses: no row is paid without an approval: failed, 1 of 3 fail",
        "(rule.paid_is_approved)",
        "  for example E6",
    ]


def test_show_as_json_has_every_check(checked):
    result = CliRunner().invoke(quality.app, ["show", "--workspace", str(checked), "--output", "json"])

    (document,) = json.loads(result.stdout)
    assert (document["dataset"], document["verdict"], document["rows"]) == ("expenses", "failed", 3)
    assert [(it["check"], it["verdict"], it["failing_ratio"]) for it in document["outcomes"]] == [
        ("amount.not_null", "passed", 0.0),
        ("rule.paid_is_approved", "failed", 1 / 3),
    ]


def test_nothing_checked_is_nothing_to_show(settings):
    result = CliRunner().invoke(quality.app, ["show", "--workspace", str(settings.root)])

    assert isinstance(result.exception, DatabaseError)
    assert str(result.exception) == "quality: no check has run on any dataset yet"


def test_a_workspace_without_contracts_does_not_pass(settings):
    result = CliRunner().invoke(quality.app, ["run", "--workspace", str(settings.root)])

    assert isinstance(result.exception, ChecksFailed)
    assert str(result.exception) == "quality: nothing was checked; expected one dataset at least"


def test_env_prints_what_dbt_by_hand_asks_of_the_environment(settings, db):
    result = CliRunner().invoke(transform.app, ["env", "--workspace", str(settings.root)])

    exports = dict(line.removeprefix("export ").split("=", 1) for line in result.stdout.splitlines())
    assert exports["DAFTARI_ENV"] == "dev"
    assert exports["DAFTARI_DB_NAME"] == db.info.dbname
    assert exports["DAFTARI_DBT_SCHEMA"] == "marts"
