import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from tests.conftest import short_home

from daftari.errors import DatabaseError
from daftari.io.database import connection
from daftari.io.embedded import server as embedded
from daftari.settings import read_settings

pytestmark = pytest.mark.each_server


@pytest.fixture
def home(server_kind):
    home = short_home(f"{uuid.uuid4().hex[:8]}")
    yield home
    server_kind.stop(home)
    shutil.rmtree(home.folder, ignore_errors=True)


def ask(home, query, database_name="daftari_dev"):
    with psycopg.connect(**embedded.server_parameters(home, database_name)) as conn:
        return conn.execute(query).fetchone()[0]


def test_it_starts_once_has_a_database_an_environment_and_stops(home, server_kind):
    server_kind.start(home)
    first = embedded.postgres_status(home)
    server_kind.start(home)

    assert first.running
    assert embedded.postgres_status(home) == first
    assert [ask(home, "select current_database()", name) for name in embedded.DATABASES] == [
        "daftari_dev",
        "daftari_staging",
        "daftari_prod",
    ]
    assert server_kind.stop(home) is True
    assert server_kind.stop(home) is False
    assert embedded.postgres_status(home).running is False


def test_it_is_private_durable_and_sorts_text_alike_everywhere(home, server_kind):
    server_kind.start(home)
    for setting, expected in {
        "listen_addresses": "",
        "data_checksums": "on",
        "fsync": "on",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
        "log_min_error_statement": "panic",  # a failed statement quotes values
    }.items():
        assert ask(home, f"select current_setting('{setting}')") == expected
    assert ask(home, "select 'B' < 'a'") is True
    assert home.sockets.stat().st_mode & 0o777 == 0o700
    assert len(os.fsencode(home.sockets)) < 90


def test_two_at_once_start_one_server(home, server_kind):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: server_kind.start(home), range(4)))
    assert embedded.postgres_status(home).running


def test_it_starts_again_after_being_killed_and_keeps_what_was_committed(home, server_kind):
    server_kind.start(home)
    with psycopg.connect(**embedded.server_parameters(home, "daftari_dev")) as conn:
        conn.execute("create table kept as select 42 as answer")
    os.kill(embedded.postgres_status(home).pid, signal.SIGKILL)

    server_kind.start(home)
    assert ask(home, "select answer from kept") == 42


def test_a_pid_file_whose_number_went_to_another_program_is_no_hindrance(home, server_kind):
    server_kind.start(home)
    pid_file = home.data / "postmaster.pid"
    text = pid_file.read_text().split("\n", 1)[1]
    server_kind.stop(home)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        pid_file.write_text(f"{stranger.pid}\n{text}")
        if home.user:
            shutil.chown(pid_file, home.user)
        server_kind.start(home)
        assert ask(home, "select 1") == 1
    finally:
        stranger.kill()
        stranger.wait()


def test_a_folder_of_someone_else_is_refused(home, server_kind):
    if os.geteuid() != 0:
        pytest.skip("only root can make a folder of someone else's")
    home.folder.mkdir()
    os.chown(home.folder, 12345, 12345)
    with pytest.raises(DatabaseError, match="is another user's"):
        server_kind.start(home)


def test_a_connection_starts_the_server_and_says_who_it_is(server_kind, tmp_path, monkeypatch):
    monkeypatch.delenv("DAFTARI_DATABASE_URL", raising=False)
    (tmp_path / "daftari.toml").write_text(f"[workspace]\nembedded_server = '{server_kind.choice}'\n")
    settings = read_settings(tmp_path, environment="staging")
    try:
        started = time.monotonic()
        with connection.connect(settings, application_name="load") as conn:
            row = conn.execute(
                "select current_database(), current_setting('application_name'), "
                "current_setting('lock_timeout'), current_setting('timezone')"
            ).fetchone()
        assert row == ("daftari_staging", "load 0.1.0", "10s", "UTC")
        assert time.monotonic() - started < 30
    finally:
        home = embedded.home_of(settings.data_dir)
        server_kind.stop(home)
        shutil.rmtree(home.folder)
