"""The contracts that a dataset was brought to, one after another, and what each changed."""

from __future__ import annotations

from tests.clinic import NOW, write_workspace

from daftari.operations.contracts.contract_history import contract_history
from daftari.operations.schema.apply_contracts import apply_contracts


def test_each_version_that_was_applied_is_there_with_what_it_changed(db, tmp_path):
    write_and_apply(db, tmp_path, "2y")
    write_and_apply(db, tmp_path, "2y")
    write_and_apply(db, tmp_path, "3y")
    newest, first = contract_history(db, "visits")
    assert first.changes is None
    assert any("retention" in it.what for it in newest.changes)
    assert newest.by == db.info.user
    assert contract_history(db, "visits", limit=1) == (newest,)


def write_and_apply(conn, root, retention):
    workspace = write_workspace(root, retention=retention)
    apply_contracts(conn, workspace.contracts, migrations_dir=root / "migrations", now=NOW)
