"""plan, apply, verify, doctor and server at the terminal: what they print, and with which exit code."""

import json
import shutil

import pytest
from tests.conftest import REFERENCE
from typer.testing import CliRunner

from daftari.cli import app
from daftari.errors import BreakingChange, Drift, SettingError
from daftari.io.embedded import server as embedded
from daftari.io.embedded.home import home_of
from daftari.settings import read_settings


@pytest.fixture
def workspace(settings):
    """The reference workspace, on a fresh database."""
    shutil.copytree(REFERENCE / "pipelines", settings.root / "pipelines")
    return settings.root


@pytest.fixture
def run(workspace):
    def run(*words):
        return CliRunner().invoke(app, [*words, "--workspace", str(workspace)])

    return run


def change(workspace, old, new):
    path = workspace / "pipelines/expense-tracking/expenses.odcs.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_a_plan_shows_the_sql_and_the_class_of_each_change(run):
    done = run("plan")
    assert done.exit_code == 0
    assert "additive  table ops.expenses (new)" in done.stdout
    assert '    create table "ops"."expenses" (' in done.stdout
    assert "contracts new or changed: " in done.stdout


def test_apply_then_plan_and_verify_find_nothing_to_do(run):
    assert "wrote migrations/versions/0001_" in run("apply").stdout
    assert run("plan").stdout == "Nothing to change: the database matches the contracts.\n"
    assert run("apply").stdout == "Nothing to change: the database matches the contracts.\n"
    verified = run("verify")
    assert verified.exit_code == 0
    assert verified.stdout.rstrip().endswith("all match the contracts.")


def test_a_dry_run_shows_the_plan_and_does_nothing(run, workspace):
    assert "additive  table ops.expenses (new)" in run("apply", "--dry-run").stdout
    assert not (workspace / "migrations").exists()
    assert "additive  table ops.expenses (new)" in run("plan").stdout


def test_a_breaking_change_is_refused_until_allowed(run, workspace):
    run("apply")
    change(workspace, "maxLength: 200", "maxLength: 100")
    plan = run("plan")
    assert (
        "breaking  constraint ops.expenses.expenses_supplier_length (rows accepted until now may be rejected)"
        in plan.stdout
    )
    assert isinstance(run("apply").exception, BreakingChange)
    assert run("apply", "--allow-breaking").exit_code == 0


def test_drift_is_named_and_ends_with_its_own_exit_code(run, db):
    run("apply")
    db.execute("alter table ops.expenses alter column supplier set not null")
    found = run("verify", "--output", "json")
    assert isinstance(found.exception, Drift)
    assert found.exception.exit_code == 32
    assert json.loads(found.stdout)["drifts"] == [
        {
            "kind": "column",
            "name": "ops.expenses.supplier",
            "drift": "different",
            "text": "column ops.expenses.supplier: found not null; expected null allowed",
            "remedy": "daftari plan",
        }
    ]


def test_a_plan_as_json_has_every_change_with_its_statements(run):
    document = json.loads(run("plan", "--output", "json").stdout)
    assert set(document) == {"migrations", "versions", "changes", "contracts"}
    table = next(it for it in document["changes"] if it["what"] == "table ops.departments")
    assert table["class"] == "additive"
    assert table["statements"][0].startswith('create table "ops"."departments"')


def test_doctor_tells_what_the_server_can_do(run):
    document = json.loads(run("doctor", "--output", "json").stdout)
    abilities = {it["name"]: it for it in document["abilities"]}
    assert abilities["btree_gist"]["present"]
    assert abilities["bulk key checks"]["present"]
    assert abilities["data checksums"]["present"]
    assert not abilities["logs restricted reads"]["present"]  # nothing is applied
    assert all(it["present"] for it in abilities.values() if it["essential"])


def test_a_server_of_ones_own_is_not_started_or_stopped(run):
    done = run("server", "stop")
    assert isinstance(done.exception, SettingError)
    assert "the workspace has no embedded server" in str(done.exception)


def test_the_workspaces_own_server_is_started_looked_at_and_stopped(tmp_path, monkeypatch):
    monkeypatch.delenv("DAFTARI_DATABASE_URL", raising=False)
    (tmp_path / "daftari.toml").write_text("[workspace]\n", "utf-8")
    home = home_of(read_settings(tmp_path).data_dir)

    def server(*words):
        return CliRunner().invoke(app, ["server", *words, "--workspace", str(tmp_path)]).stdout

    try:
        assert server("status").startswith("not running; data in ")
        assert server("start") == f"running in {home.folder}\n"
        assert json.loads(server("status", "--output", "json"))["running"] is True
        assert server("stop") == "stopped\n"
        assert server("stop") == "was not running\n"
    finally:
        embedded.stop_postgres(home)
        shutil.rmtree(home.folder)


@pytest.mark.parametrize("command", ["plan", "apply", "verify", "doctor"])
def test_help_ends_with_an_example(command):
    lines = CliRunner().invoke(app, [command, "--help"]).stdout
    assert f"Example: daftari {command}" in lines


def test_who_sees_more_is_an_exposure_and_needs_no_sql(run, workspace):
    run("apply")
    change(workspace, "classification: personal", "classification: internal")
    plan = run("plan").stdout
    assert "exposure  expenses.user_id: classification: personal → internal" in plan
    run("apply")
    assert run("plan").stdout == "Nothing to change: the database matches the contracts.\n"
