"""The whole demo on a real server: what it reports is what was planted in its files."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from daftari.cli import app
from daftari.cli.session import now
from daftari.demo.files.expected import ExpectedCounts, truth_of
from daftari.demo.files.write_files import demo_files
from daftari.operations.demo.demo_report import DemoReport
from daftari.operations.demo.run_demo import prepare_demo, run_demo
from daftari.settings import read_settings

pytestmark = pytest.mark.system

_FATES = "select source, inserted, updated, unchanged, duplicate, run_id from daftari.run where kind = 'load'"
#: Of each quarantined row its rules, joined: a fault was planted to break one rule and no other.
_RULES = """
select rules, count(*)
from (
    select (select string_agg(reason ->> 'rule', ' and ') from jsonb_array_elements(q.reasons) reason) as rules
    from daftari.quarantine q
    where q.run_id = %s
) as row
group by rules
"""


def _run(folder: Path, url: str) -> DemoReport:
    prepare_demo(folder, lambda *_: None)
    with psycopg.connect(url, autocommit=True) as conn:
        return run_demo(conn, read_settings(folder), now=now(), watch=lambda *_: None)


def _found(url: str) -> dict[str, ExpectedCounts]:
    with psycopg.connect(url) as conn:
        return {
            source: ExpectedCounts(
                inserted=inserted,
                updated=updated,
                unchanged=unchanged,
                duplicate=duplicate,
                quarantined=dict(conn.execute(_RULES, [run_id]).fetchall()),
            )
            for source, inserted, updated, unchanged, duplicate, run_id in conn.execute(_FATES).fetchall()
        }


def test_the_demo_finds_what_was_planted_and_nothing_new_the_second_time(database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("DAFTARI_DATABASE_URL", database_url)
    truth = truth_of(demo_files(2026))

    first = _run(tmp_path / "demo", database_url)

    assert _found(database_url) == truth.by_file
    assert {it.dataset: it.counts.received for it in first.datasets} == {
        name: counts.received for name, counts in truth.by_dataset.items()
    }
    assert first.new_files == first.files == 81
    assert first.checks.failed == ()
    assert len(first.spend) == 13
    assert len(first.months) == 24
    assert "monthly_spend_summary" in first.published

    second = _run(tmp_path / "demo", database_url)

    assert (second.files, second.new_files) == (81, 0)
    assert second.datasets == first.datasets
    assert second.spend == first.spend


def test_the_demo_keeps_out_of_a_workspace_of_somebodys_own(tmp_path):
    CliRunner().invoke(app, ["init", str(tmp_path / "mine")])

    result = CliRunner().invoke(app, ["demo", str(tmp_path / "mine")])

    assert str(result.exception) == (
        f"{tmp_path / 'mine'}: is the workspace of 'mine'; expected a new folder, or one that the demo made"
    )
    assert not (tmp_path / "mine" / "inbox").exists()
