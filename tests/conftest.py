"""
A real PostgreSQL for the tests: one server for each process, a fresh database for each test.

`--server` chooses the programs: a version such as 17, or auto, system, wheel, all (default: as the product chooses).
What needs a server asks for `db` (an open connection), `database_url` or `settings`: the platform's tables are there.
`governed` is a connection to a database that has the reference workspace's contracts applied too; `clinic` is
a small workspace with its database, to load files into. What several tests begin with is made once in a process,
by `filled`, and each test gets a copy. A test
marked `each_server` runs on every kind of server that this machine has.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql
from tests.clinic import Clinic, open_clinic
from tests.closing_lines import pytest_terminal_summary  # noqa: F401 -- pytest looks for it here
from tests.servers import CHOICES, available, chosen
from xdist.scheduler import LoadFileScheduling

from daftari.io.database.platform_migrations import migrate
from daftari.io.embedded import server as embedded
from daftari.io.embedded.home import Home, unprivileged_user
from daftari.io.workspace.files import read_workspace
from daftari.operations.schema.apply_contracts import apply_contracts
from daftari.settings import read_settings

TEMPLATE = "daftari_template"
REFERENCE = Path(__file__).parents[1] / "workspace"
#: Folders by how long one of their files takes.
_LONGEST = ("system", "docs", "spec", "generative", "real", "db")
#: When the contracts of `governed` were applied: decides which partitions there are.
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
#: No test of this server is about power cuts, and none waits for a vacuum that comes by itself.
_FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "autovacuum": "off",
}
#: A file system in memory, and what the servers of a run may take of it. On a disk, most of the time of making a
#: database goes into its thousand files.
_MEMORY, _ROOM = Path("/dev/shm"), 4 * 2**30

#: How long an example takes says something of the machine, not of the code.
hypothesis.settings.register_profile(
    "daftari", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("daftari")


def pytest_addoption(parser):
    parser.addoption("--server", choices=CHOICES, default="auto")


def pytest_configure(config):
    config.addinivalue_line("markers", "each_server: runs on every kind of PostgreSQL that this machine has")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep the tests of a file in one process: what they share is made once."""
    if config.getoption("dist") != "load":
        return None  # another way was asked for
    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Where several processes share the tests, begin with the long ones, so that all end at about the same time."""
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)


def _turn(item):
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return _LONGEST.index(folder) if folder in _LONGEST else len(_LONGEST)


def pytest_generate_tests(metafunc):
    if "server_kind" not in metafunc.fixturenames:
        return
    every = metafunc.definition.get_closest_marker("each_server")
    kinds = available() if every else chosen(metafunc.config.getoption("--server"))
    metafunc.parametrize("server_kind", kinds, ids=str, scope="session", indirect=True)


def pytest_runtest_setup(item):
    kind = getattr(item, "callspec", None) and item.callspec.params.get("server_kind")
    if kind:
        item.user_properties.append(("server", str(kind)))


def short_home(name):
    """A home that a server's user can reach, with a path short enough for a socket."""
    has_room = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    folder = (_MEMORY if has_room else Path(tempfile.gettempdir())) / f"daftari-test-{name}"
    return Home(folder=folder, user=unprivileged_user() if os.geteuid() == 0 else None)


@pytest.fixture(scope="session")
def server_kind(request):
    return request.param


@pytest.fixture(scope="session")
def servers(request):
    """
    The servers of this process alone, by kind: roles belong to a server, and tests make and drop them.

    Each starts when it is first asked for, and runs to the end, however tests of several kinds follow each other.
    """
    given = getattr(request.config, "workerinput", {})
    run = given.get("testrunuid", uuid.uuid4().hex)[:8] + given.get("workerid", "")
    started = {}

    def of(kind):
        if kind not in started:
            home = started[kind] = short_home(f"{run}-{kind}")
            kind.start(home, _FAST)
            _make_template(home)
        return started[kind]

    yield of
    for kind, home in started.items():
        kind.stop(home)
        shutil.rmtree(home.folder)


@pytest.fixture(scope="session")
def server(servers, server_kind):
    return servers(server_kind)


@pytest.fixture(scope="session")
def templates():
    """Databases that were filled once, and the folders beside them, by server and by what filled them."""
    return {}


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
    if not server_kind.binaries.has_pgcrypto:
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


@pytest.fixture(scope="session")
def filled(server, templates, tmp_path_factory):
    """
    Open a copy of a database, and of a folder, that a function has filled: a connection, and its address.

    `filled(fill, folder, **said)` calls `fill(conn, folder, **said)` for the first test that asks for it. The
    roles that it makes belong to the server: tests that share it leave them as they are.
    """

    @contextmanager
    def opened(fill, folder, **said):
        key = (server.folder, fill, repr(sorted(said.items())))
        if key not in templates:
            files = tmp_path_factory.mktemp("filled")
            templates[key] = (_fill(server, partial(fill, **said), files), files)
        template, files = templates[key]
        shutil.copytree(files, folder, dirs_exist_ok=True)
        with database(server, template) as url, _connection(url) as conn:
            yield conn, url

    return opened


@pytest.fixture
def governed(filled, tmp_path_factory):
    """A connection to a fresh database that has the reference contracts applied."""
    with filled(_apply_reference, tmp_path_factory.mktemp("governed")) as (conn, _):
        yield conn


@pytest.fixture(scope="session")
def new_clinic(filled, tmp_path_factory):
    """Open a clinic: a copy of the workspace, and of its database. *said* goes to `open_clinic`."""

    @contextmanager
    def opened(**said):
        folder = tmp_path_factory.mktemp("clinic") / "clinic"
        with filled(open_clinic, folder, **said) as (conn, url):
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
    return psycopg.connect(**embedded.server_parameters(home, "postgres"), autocommit=True)


def _exists(conn, name):
    return conn.execute("select from pg_database where datname = %s", [name]).fetchone() is not None


def _make_template(home):
    with _admin(home) as conn:
        if not _exists(conn, TEMPLATE):
            conn.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
            with psycopg.connect(**embedded.server_parameters(home, TEMPLATE)) as inside:
                migrate(inside)


def _apply_reference(conn, folder):
    apply_contracts(conn, read_workspace(REFERENCE).contracts, migrations_dir=folder, now=NOW)
    # No test has the version files: one that applies again begins a line of its own.
    conn.execute("drop table daftari.alembic_version")


def _fill(home, fill, folder):
    """The name of a new database that *fill* has filled."""
    with _admin(home) as conn:
        name = _copy(conn, TEMPLATE)
    with _connection(_url(home, name)) as conn:
        fill(conn, folder)
    return name


def _copy(admin, template):
    name = f"test_{uuid.uuid4().hex[:12]}"
    names = [sql.Identifier(it) for it in (name, template)]
    admin.execute(sql.SQL("create database {} template {} strategy file_copy").format(*names))
    return name


def _url(home, name):
    return f"postgresql://{embedded.USER}@/{name}?host={home.sockets}&port={embedded.PORT}"


@contextmanager
def database(home, template):
    with _admin(home) as conn:
        name = _copy(conn, template)
    yield _url(home, name)
    with _admin(home) as conn:
        conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@contextmanager
def _connection(url):
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("set timezone = 'UTC'")
        yield conn
