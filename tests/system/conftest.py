"""
A reference workspace over a real database, its marts published once for all tests of the run.

dbt takes seconds to start. So what every test begins with is built once, and each test gets a copy of it: of
the database by way of a template, of the workspace's folder by way of the file system.
"""

import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from daftari.io.embedded import server as embedded
from daftari.io.workspace.files import read_workspace
from daftari.operations.marts.build_marts import TransformOptions, build_marts
from daftari.operations.schema.apply_contracts import apply_contracts

REFERENCE = Path(__file__).parents[2] / "workspace"
#: What dbt read of a project counts for the database that it was read for, by its name. So copies bear the name of
#: the one that was built, and that one is called otherwise from then on.
_READY = "_ready"
ROWS = Path(__file__).with_name("rows.sql").read_text("utf-8")


def transform(conn, root, **options):
    """`daftari transform` without its terminal."""
    chosen = TransformOptions(environment="dev", data_dir=root / ".daftari", **options)
    return build_marts(conn, read_workspace(root), chosen, lambda *_: None)


@pytest.fixture(scope="session")
def admin(server):
    with psycopg.connect(**embedded.server_parameters(server, "postgres"), autocommit=True) as conn:
        yield conn


@pytest.fixture(scope="session")
def governed_template(admin, server, tmp_path_factory):
    """The reference contracts' tables with some rows in them: the name of the database, and the workspace."""
    root = tmp_path_factory.mktemp("governed") / "workspace"
    shutil.copytree(REFERENCE, root, ignore=shutil.ignore_patterns("target", "logs", ".daftari", "staging"))
    workspace = read_workspace(root)
    with copy_of(admin, server, "template1") as (name, url):
        with psycopg.connect(url, autocommit=True) as conn:
            now = datetime(2026, 7, 1, tzinfo=UTC)
            rights = workspace.rights()
            apply_contracts(
                conn, workspace.contracts, migrations_dir=root / "migrations", rights=rights, now=now
            )
            conn.execute(ROWS)
        yield name, root


@pytest.fixture(scope="session")
def published_template(admin, server, governed_template, tmp_path_factory):
    """The same, with its marts published: the database's name, the workspace, and what the transform said."""
    name, governed = governed_template
    root = tmp_path_factory.mktemp("published") / "workspace"
    shutil.copytree(governed, root)
    with copy_of(admin, server, name) as (copy, url):
        with psycopg.connect(url, autocommit=True) as conn:
            transformed = transform(conn, root)
        ready = f"{copy}{_READY}"
        admin.execute(sql.SQL("alter database {} rename to {}").format(*map(sql.Identifier, (copy, ready))))
    yield ready, root, transformed


@pytest.fixture
def governed(admin, server, governed_template, tmp_path):
    """A connection to governed tables with rows in them, and the workspace's folder."""
    name, root = governed_template
    shutil.copytree(root, tmp_path / "workspace")
    with copy_of(admin, server, name) as (_, url), psycopg.connect(url, autocommit=True) as conn:
        yield conn, tmp_path / "workspace"


@pytest.fixture
def published(admin, server, published_template, tmp_path):
    """A connection to a database with published marts, and the workspace's folder."""
    ready, root, _ = published_template
    shutil.copytree(root, tmp_path / "workspace")
    name = ready.removesuffix(_READY)
    with copy_of(admin, server, ready, name) as (_, url), psycopg.connect(url, autocommit=True) as conn:
        yield conn, tmp_path / "workspace"


class copy_of:  # noqa: N801 -- reads as a function
    """A copy of a database for as long as the block lasts: its name and address."""

    def __init__(self, admin, server, template, name=None):
        self._admin, self._server, self._template = admin, server, template
        self._name = name or f"test_{uuid.uuid4().hex[:12]}"

    def __enter__(self):
        names = map(sql.Identifier, (self._name, self._template))
        self._admin.execute(sql.SQL("create database {} template {} strategy file_copy").format(*names))
        where = f"host={self._server.sockets}&port={embedded.PORT}"
        return self._name, f"postgresql://{embedded.USER}@/{self._name}?{where}"

    def __exit__(self, *_):
        self._admin.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(self._name))
        )
