"""
A real PostgreSQL for the tests: one server for each process, a fresh database for each test.

`--server auto|system|wheel|all` chooses the programs (default: as the product chooses). What needs a
server asks for `db` (an open connection), `database_url` or `settings`: the platform's tables are there.
`governed` is a connection to a database that has the reference workspace's contracts applied too; `clinic` is
a small workspace with its database, to load files into. A test
marked `each_server` runs on every kind of server that this machine has.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql
from tests.clinic import Clinic, apply_workspace, open_wards, write_workspace
from tests.closing_lines import pytest_terminal_summary  # noqa: F401 -- pytest looks for it here

from daftari.errors import DatabaseError
from daftari.io import server as embedded
from daftari.io.migrations import migrate
from daftari.io.server_binaries import find
from daftari.io.server_home import Home, unprivileged_user
from daftari.io.workspace import read_workspace
from daftari.operations.apply_contracts import apply
from daftari.settings import EmbeddedServer, read_settings

TEMPLATE = "daftari_template"
GOVERNED = "daftari_governed"
REFERENCE = Path(__file__).parents[1] / "workspace"
#: When the contracts of `governed` were applied: decides which partitions there are.
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
_FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "64MB"}

#: How long an example takes says something of the machine, not of the code.
hypothesis.settings.register_profile(
    "daftari", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("daftari")


def pytest_addoption(parser):
    parser.addoption("--server", choices=["auto", "system", "wheel", "all"], default="auto")


def pytest_configure(config):
    config.addinivalue_line("markers", "each_server: runs on every kind of PostgreSQL that this machine has")


def pytest_generate_tests(metafunc):
    if "server_kind" not in metafunc.fixturenames:
        return
    chosen = metafunc.config.getoption("--server")
    every = chosen == "all" or metafunc.definition.get_closest_marker("each_server")
    kinds = available() if every else [find(EmbeddedServer(chosen)).kind]
    metafunc.parametrize("server_kind", kinds, ids=str, scope="session", indirect=True)


def pytest_runtest_setup(item):
    kind = getattr(item, "callspec", None) and item.callspec.params.get("server_kind")
    if kind:
        item.user_properties.append(("server", str(kind)))


def available():
    """The kinds of PostgreSQL that this machine has."""
    kinds = []
    for kind in (EmbeddedServer.SYSTEM, EmbeddedServer.WHEEL):
        try:
            find(kind)
        except DatabaseError:
            continue
        kinds.append(kind)
    return kinds


def short_home(name):
    """A home that a server's user can reach, with a path short enough for a socket."""
    folder = Path(tempfile.gettempdir()) / f"daftari-test-{name}"
    return Home(folder=folder, user=unprivileged_user() if os.geteuid() == 0 else None)


@pytest.fixture(scope="session")
def server_kind(request):
    return request.param


@pytest.fixture(scope="session")
def server(request, server_kind):
    """A server of this process alone: roles belong to a server, and tests make and drop them."""
    given = getattr(request.config, "workerinput", {})
    run = given.get("testrunuid", uuid.uuid4().hex)[:8] + given.get("workerid", "")
    home = short_home(f"{run}-{server_kind}")
    embedded.start(home, server_kind, options=_FAST)
    _make_template(home)
    yield home
    embedded.stop(home, server_kind)
    shutil.rmtree(home.folder)


@pytest.fixture
def database_url(server):
    """The address of a fresh database with the platform's tables, dropped after the test."""
    with database(server, TEMPLATE) as url:
        yield url


@pytest.fixture
def db(database_url):
    """A connection to a fresh database. Each statement is its own transaction."""
    with _connection(database_url) as conn:
        yield conn


@pytest.fixture
def pgcrypto(server_kind):
    """Skip a test that needs pgcrypto on a server without it."""
    if not find(server_kind).has_pgcrypto:
        pytest.skip("this PostgreSQL has no pgcrypto: on Debian, install postgresql")


@pytest.fixture
def owner_of_empty(db, database_url):
    """A connection to an empty database of a user who may make schemas in it, and is nobody else."""
    name = db.execute("select current_database()").fetchone()[0]
    db.execute("drop schema daftari, ops, staging, marts, views cascade")
    role = f"plain_{uuid.uuid4().hex[:8]}"
    db.execute(f"create role {role} login")
    db.execute(f"grant create, temporary on database {name} to {role}")
    try:
        with psycopg.connect(database_url, user=role, autocommit=True) as conn:
            conn.execute("set timezone = 'UTC'")
            yield conn
    finally:
        db.execute(f"drop owned by {role} cascade; drop role {role}")


@pytest.fixture
def owned(owner_of_empty, db):
    """The same where an administrator has made that user an operator."""
    for role in ("daftari_owner", "daftari_operator"):
        db.execute(
            f"do $$ begin create role {role} nologin; "
            "exception when duplicate_object or unique_violation then null; end $$"
        )
    db.execute(f"grant daftari_owner, daftari_operator to {owner_of_empty.info.user}")
    return owner_of_empty


@pytest.fixture(scope="module")
def module_db(server):
    """A connection to a database that the tests of one module share; each must leave it as it was."""
    with database(server, TEMPLATE) as url, _connection(url) as conn:
        yield conn


@pytest.fixture(scope="session")
def scratch(server):
    """A connection to a database that tests share: they leave nothing behind but temporary tables."""
    with database(server, TEMPLATE) as url, _connection(url) as conn:
        yield conn


@pytest.fixture
def undone(scratch):
    """A connection to a database with the platform's tables; what a test does on it is rolled back."""
    with scratch.transaction(force_rollback=True):
        yield scratch


@pytest.fixture
def governed_url(server):
    """The address of a fresh database that has the reference contracts applied."""
    with _admin(server) as conn:
        if not _exists(conn, GOVERNED):
            _make_governed(server, conn)
    with database(server, GOVERNED) as url:
        yield url


@pytest.fixture
def governed(governed_url):
    """A connection to a fresh database that has the reference contracts applied."""
    with _connection(governed_url) as conn:
        yield conn


@pytest.fixture(scope="session")
def clinic_template(server, tmp_path_factory):
    """The workspace's folder, and the name of its database."""
    root = tmp_path_factory.mktemp("clinic")
    with database(server, TEMPLATE) as url:
        with psycopg.connect(url, autocommit=True) as conn:
            apply_workspace(conn, write_workspace(root))
            open_wards(conn)
            name = conn.info.dbname
        yield root, name


@pytest.fixture(scope="session")
def new_clinic(server, clinic_template, tmp_path_factory):
    """Open a clinic: a copy of the workspace, and of its database."""
    root, template = clinic_template

    @contextmanager
    def opened():
        folder = tmp_path_factory.mktemp("clinic") / "clinic"
        shutil.copytree(root, folder)
        with database(server, template) as url, psycopg.connect(url, autocommit=True) as conn:
            conn.execute("set timezone = 'UTC'")
            yield Clinic(workspace=read_workspace(folder), conn=conn, url=url)

    return opened


@pytest.fixture
def clinic(new_clinic):
    with new_clinic() as opened:
        yield opened


@pytest.fixture(scope="session")
def reference():
    """The reference workspace."""
    return read_workspace(REFERENCE)


@pytest.fixture
def settings(database_url, tmp_path, monkeypatch):
    """The settings of an empty workspace on a fresh database."""
    (tmp_path / "daftari.toml").write_text('[workspace]\nname = "Test"\n', "utf-8")
    monkeypatch.setenv("DAFTARI_DATABASE_URL", database_url)
    monkeypatch.delenv("DAFTARI_ENV", raising=False)
    return read_settings(tmp_path)


def _admin(home):
    return psycopg.connect(**embedded.parameters(home, "postgres"), autocommit=True)


def _exists(conn, name):
    return conn.execute("select from pg_database where datname = %s", [name]).fetchone() is not None


def _make_template(home):
    with _admin(home) as conn:
        if not _exists(conn, TEMPLATE):
            conn.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
            with psycopg.connect(**embedded.parameters(home, TEMPLATE)) as inside:
                migrate(inside)


def _make_governed(home, admin):
    unfinished = f"{GOVERNED}_unfinished"
    admin.execute(f"drop database if exists {unfinished}")
    admin.execute(f"create database {unfinished} template {TEMPLATE}")
    with (
        tempfile.TemporaryDirectory() as folder,
        psycopg.connect(**embedded.parameters(home, unfinished)) as conn,
    ):
        apply(conn, read_workspace(REFERENCE).contracts, migrations_dir=Path(folder), now=NOW)
        # The version files are gone: a test that applies again begins a line of its own.
        conn.execute("drop table daftari.alembic_version")
    admin.execute(f"alter database {unfinished} rename to {GOVERNED}")


@contextmanager
def database(home, template):
    name = f"test_{uuid.uuid4().hex[:12]}"
    names = [sql.Identifier(it) for it in (name, template)]
    with _admin(home) as conn:
        conn.execute(sql.SQL("create database {} template {}").format(*names))
    yield f"postgresql://{embedded.USER}@/{name}?host={home.sockets}&port={embedded.PORT}"
    with _admin(home) as conn:
        conn.execute(sql.SQL("drop database {} with (force)").format(names[0]))


@contextmanager
def _connection(url):
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("set timezone = 'UTC'")
        yield conn
