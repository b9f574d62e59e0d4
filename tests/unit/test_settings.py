import re
from pathlib import Path

import pytest

from daftari.errors import SettingError
from daftari.settings import Environment, LogLevel, read_settings


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """Write a workspace's files and return its settings."""
    for name in ("DAFTARI_ENV", "DAFTARI_DATABASE_URL", "DAFTARI_LOG_LEVEL", "DAFTARI_NAME"):
        monkeypatch.delenv(name, raising=False)

    def read(toml="", dotenv="", environment=None):
        (tmp_path / "daftari.toml").write_text(toml, "utf-8")
        (tmp_path / ".env").write_text(dotenv, "utf-8")
        return read_settings(tmp_path, environment=environment)

    return read


LEVELS = """
[workspace]
name = "Tumaini"
log_level = "warning"
[environments.staging]
log_level = "error"
"""


def test_an_environment_wins_over_the_workspace_and_the_workspace_over_the_default(workspace):
    assert workspace().log_level is LogLevel.INFO
    assert workspace(LEVELS).log_level is LogLevel.WARNING
    assert workspace(LEVELS, environment="staging").log_level is LogLevel.ERROR
    assert workspace(LEVELS, environment="staging").name == "Tumaini"


def test_dotenv_wins_over_the_file_and_the_environment_over_dotenv(workspace, monkeypatch):
    assert workspace(LEVELS, "DAFTARI_LOG_LEVEL=debug").log_level is LogLevel.DEBUG
    monkeypatch.setenv("DAFTARI_LOG_LEVEL", "error")
    assert workspace(LEVELS, "DAFTARI_LOG_LEVEL=debug").log_level is LogLevel.ERROR


def test_the_environment_is_chosen_by_option_then_variable_then_dotenv_and_is_dev_otherwise(
    workspace, monkeypatch
):
    assert workspace().environment is Environment.DEV
    assert workspace(dotenv="DAFTARI_ENV=staging").environment is Environment.STAGING
    monkeypatch.setenv("DAFTARI_ENV", "prod")
    assert workspace(dotenv="DAFTARI_ENV=staging").environment is Environment.PROD
    assert workspace(environment="dev").environment is Environment.DEV


def test_an_empty_variable_is_an_unset_one(workspace):
    assert workspace(dotenv="DAFTARI_DATABASE_URL=").database_url is None


def test_a_password_is_not_shown(workspace):
    settings = workspace(dotenv="DAFTARI_DATABASE_URL=postgresql://me:hunter2@db/x")
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings)


def test_settings_cannot_be_changed(workspace):
    with pytest.raises(ValueError, match="frozen"):
        workspace().name = "other"


@pytest.mark.parametrize(
    ("toml", "dotenv", "message"),
    [
        (
            "",
            "DAFTARI_LOG_LEVEL=loud",
            "DAFTARI_LOG_LEVEL: found 'loud' in {root}/.env; expected debug, info, warning or error",
        ),
        (
            "[workspace]\nlock_timeout_seconds = -1",
            "",
            (
                "DAFTARI_LOCK_TIMEOUT_SECONDS: found -1 in {root}/daftari.toml "
                "[environments.dev] or [workspace]; "
                "expected a number of seconds above 0"
            ),
        ),
        (
            "",
            "DAFTARI_DATABASE_URL=mysql://me:hunter2@db/x",
            (
                "DAFTARI_DATABASE_URL: found an unusable value in {root}/.env; "
                "expected postgresql://user@host:port/database"
            ),
        ),
        (
            "[workspace]\nembedded_server = 'off'",
            "",
            (
                "DAFTARI_DATABASE_URL: missing; looked in the environment and in {root}/.env; "
                "expected postgresql://user@host:port/database"
            ),
        ),
        (
            "[environments.dev]\ndatabase_url = 'postgresql://me:hunter2@db/x'",
            "",
            (
                "{root}/daftari.toml [environments.dev]: database_url may hold a password; "
                "expected it in the environment or in .env"
            ),
        ),
        (
            "[environments.test]\nlog_level = 'info'",
            "",
            "{root}/daftari.toml [environments.test]: no such environment; expected dev, staging or prod",
        ),
        (
            "",
            "DAFTARI_ENV=live",
            (
                "DAFTARI_ENV: found 'live' (--env, the environment or {root}/.env); "
                "expected dev, staging or prod"
            ),
        ),
        (
            "[workspace]\ntime_zone = 'Africa/Nowhere'",
            "",
            (
                "DAFTARI_TIME_ZONE: found 'Africa/Nowhere' in {root}/daftari.toml "
                "[environments.dev] or [workspace]; "
                "expected an IANA zone such as Africa/Nairobi"
            ),
        ),
    ],
)
def test_a_wrong_setting_is_one_clear_line(workspace, tmp_path, toml, dotenv, message):
    with pytest.raises(SettingError) as raised:
        workspace(toml, dotenv)
    assert str(raised.value) == message.format(root=tmp_path)


def test_a_misspelt_setting_is_named_with_the_nearest_one(workspace):
    with pytest.raises(SettingError, match="no setting 'log_levle'") as raised:
        workspace("[workspace]\nlog_levle = 'info'")
    assert raised.value.hint == "Did you mean 'log_level'?"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("DAFTARI_LOG_LEVL", "Did you mean DAFTARI_LOG_LEVEL?"),
        ("DAFTARI_DATABSE_URL", "Did you mean DAFTARI_DATABASE_URL?"),
        ("DAFTARI_WORKSPACES", "Did you mean DAFTARI_WORKSPACE?"),
        ("daftari_log_levl", "Did you mean DAFTARI_LOG_LEVEL?"),
        ("DAFTARI_ROOT", "docs/reference/settings.md lists them all."),
        ("DAFTARI_ZZZ", "docs/reference/settings.md lists them all."),
    ],
)
def test_a_misspelt_variable_is_named_with_the_nearest_one_and_without_its_value(
    workspace, tmp_path, monkeypatch, name, hint
):
    with pytest.raises(SettingError) as raised:
        workspace(dotenv=f"{name}=s3cret")
    assert str(raised.value) == f"{name}: found in {tmp_path}/.env; expected the name of a setting"
    assert raised.value.hint == hint
    monkeypatch.setenv(name, "s3cret")
    with pytest.raises(SettingError) as raised:
        workspace()
    assert str(raised.value) == f"{name}: found in the environment; expected the name of a setting"
    assert raised.value.hint == hint


@pytest.mark.parametrize(
    "variable",
    [
        # a service called daftari
        "DAFTARI_SERVICE_HOST=10.96.0.17",
        "DAFTARI_SERVICE_PORT=8080",
        "DAFTARI_SERVICE_PORT_HTTP=8080",
        "DAFTARI_PORT=tcp://10.96.0.17:8080",
        "DAFTARI_PORT_8080_TCP=tcp://10.96.0.17:8080",
        "DAFTARI_PORT_8080_TCP_PROTO=tcp",
        "DAFTARI_PORT_8080_TCP_PORT=8080",
        "DAFTARI_PORT_8080_TCP_ADDR=10.96.0.17",
        # one called daftari-control-room, and one with an address of IPv6
        "DAFTARI_CONTROL_ROOM_PORT=udp://10.96.0.17:8080",
        "DAFTARI_CONTROL_ROOM_SERVICE_HOST=10.96.0.17",
        "DAFTARI_PORT=tcp://[fd00::17]:8080",
        "DAFTARI_SERVICE_HOST=fd00::17",
    ],
)
def test_what_kubernetes_sets_for_a_service_of_our_name_stops_nothing(workspace, monkeypatch, variable):
    name, _, value = variable.partition("=")
    monkeypatch.setenv(name, value)
    assert workspace().log_level is LogLevel.INFO


@pytest.mark.parametrize(
    "variable",
    [
        "DAFTARI_PORT=8080",
        "DAFTARI_SERVICE_HOST=daftari.example.org",
        "DAFTARI_SERVICE_PORT=eighty",
        "DAFTARI_PORT_8080_TCP_NAME=x",
        "DAFTARI_HOST=10.96.0.17",
    ],
)
def test_what_only_looks_like_a_variable_of_kubernetes_is_refused(workspace, monkeypatch, variable):
    name, _, value = variable.partition("=")
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=f"{name}: found in the environment"):
        workspace()


def test_what_kubernetes_or_our_tests_set_is_refused_in_the_file_of_a_workspace(workspace):
    for line in ("DAFTARI_SERVICE_PORT=8080", "DAFTARI_REAL_DATA=data"):
        with pytest.raises(SettingError, match="expected the name of a setting"):
            workspace(dotenv=line)


def test_a_variable_that_is_empty_or_of_another_program_is_passed_over(workspace, monkeypatch):
    monkeypatch.setenv("DAFTARI_LOG_LEVL", "")
    monkeypatch.setenv("DAFTARIS_LOG_LEVL", "debug")
    assert workspace(dotenv="OTHER_LOG_LEVL=debug").log_level is LogLevel.INFO


@pytest.mark.parametrize("folder", ["src", "workspace", "benchmarks", "tests", ".ci", ".github"])
def test_every_variable_that_this_repository_reads_or_sets_is_let_through(workspace, monkeypatch, folder):
    here = Path(__file__)
    inside = (here.parents[2] / folder).rglob("*")
    files = [it for it in inside if it.is_file() and it != here and "__pycache__" not in it.parts]
    named = {
        name
        for it in files
        for name in re.findall(r"\bDAFTARI_[A-Z_]*[A-Z]\b", it.read_text("utf-8", "ignore"))
    }
    for name in sorted(named):
        with monkeypatch.context() as patch:
            patch.setenv(name, "x")
            try:
                workspace()
            except SettingError as error:
                # known, and wrong as it should be
                assert "expected the name of a setting" not in str(error), name


def test_a_folder_without_a_workspace_is_named(tmp_path):
    with pytest.raises(SettingError, match=r"no daftari\.toml in .*; expected one"):
        read_settings(tmp_path)


ISSUER = """
[workspace]
oidc_issuer = "https://login.example.org/"
oidc_audience = "daftari"
oidc_jwks = "https://login.example.org/keys"
"""


def test_an_issuer_is_set_whole(workspace):
    assert workspace(ISSUER).oidc_algorithms == "RS256,ES256,EdDSA"


@pytest.mark.parametrize("name", ["issuer", "audience", "jwks"])
def test_an_issuer_that_is_set_by_half_is_refused(workspace, name):
    half = "\n".join(line for line in ISSUER.splitlines() if not line.startswith(f"oidc_{name}"))
    with pytest.raises(SettingError, match=f"DAFTARI_OIDC_{name.upper()}: missing"):
        workspace(half)


@pytest.mark.parametrize("algorithms", ["none", "HS256", "RS256,HS512", "", "RS256,"])
def test_an_algorithm_with_a_shared_key_or_none_is_refused(workspace, algorithms):
    with pytest.raises(SettingError, match=r"oidc_algorithms|OIDC_ALGORITHMS"):
        workspace(f'{ISSUER}oidc_algorithms = "{algorithms}"\n')


def test_keys_come_from_elsewhere_by_https_alone(workspace):
    with pytest.raises(SettingError, match="expected https"):
        workspace(ISSUER.replace("https://login.example.org/keys", "http://login.example.org/keys"))
    workspace(ISSUER.replace("https://login.example.org/keys", "http://127.0.0.1:9/keys"))


SIGN_IN = f"""{ISSUER}
oidc_client_id = "control-room"
public_url = "https://daftari.example.org"
"""


def test_people_sign_in_by_an_issuer_that_is_set_whole(workspace):
    assert workspace(SIGN_IN).oidc_session_minutes == 240


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ("public_url", "", "DAFTARI_PUBLIC_URL: missing"),
        (
            "public_url",
            'public_url = "http://daftari.example.org"',
            "DAFTARI_PUBLIC_URL: expected an https address",
        ),
        ("public_url", 'public_url = "daftari.example.org"', "DAFTARI_PUBLIC_URL: expected an https address"),
        (
            "oidc_issuer",
            'oidc_issuer = "http://login.example.org/"',
            "DAFTARI_OIDC_ISSUER: expected an https address",
        ),
        ("oidc_client_id", 'oidc_client_id = "daftari"', "DAFTARI_OIDC_CLIENT_ID: equals the audience"),
    ],
)
def test_a_sign_in_that_is_not_safe_or_not_whole_is_refused(workspace, line, instead, said):
    lines = [instead if it.startswith(line) else it for it in SIGN_IN.splitlines()]
    with pytest.raises(SettingError, match=said):
        workspace("\n".join(lines))


def test_a_sign_in_without_an_issuer_is_refused(workspace):
    with pytest.raises(SettingError, match="DAFTARI_OIDC_ISSUER: missing"):
        workspace('[workspace]\noidc_client_id = "a"\npublic_url = "https://a.example.org"\n')


def test_the_secret_of_the_sign_in_is_not_taken_from_the_versioned_file(workspace):
    with pytest.raises(SettingError, match="oidc_client_secret"):
        workspace(f'{SIGN_IN}oidc_client_secret = "x"\n')
