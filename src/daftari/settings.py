"""
All settings as one frozen object. Only this module reads the environment.

A setting comes from the first of: the environment (`DAFTARI_…`), the workspace's `.env`,
`daftari.toml` (`[environments.<env>]`, then `[workspace]`), its default.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from daftari.errors import SettingError

CONFIG_FILE = "daftari.toml"
#: RFC 7518 and 8037, without HS… (verifier and signer share the key) and without `none`.
OIDC_ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
#: Set by the workspace's place and by --env, never from a file.
_GIVEN = ("root", "environment")
#: May hold a password, so not allowed in `daftari.toml`, which is versioned.
_SECRET = ("database_url", "keys_url", "vault_token", "vault_secret_id", "oidc_client_secret")
#: Each is a way to log in to Vault.
_VAULT_LOGINS = ("vault_token", "vault_role_id", "vault_kubernetes_role")
#: Variables that locate the workspace, and those that its profiles.yml reads (`daftari env` prints them).
_NO_SETTINGS = (
    "DAFTARI_ENV", "DAFTARI_WORKSPACE", "DAFTARI_DBT_SCHEMA", "DAFTARI_DBT_THREADS", "DAFTARI_DB_APPLICATION",
    "DAFTARI_DB_HOST", "DAFTARI_DB_NAME", "DAFTARI_DB_PASSWORD", "DAFTARI_DB_PORT", "DAFTARI_DB_SSLMODE",
    "DAFTARI_DB_USER",
)  # fmt: skip
#: Variables of our tests, ignored here: developers run tests and Daftari in one shell.
_OF_TESTS = (
    "DAFTARI_BYTES_EXAMPLES", "DAFTARI_DIRTY_EXAMPLES", "DAFTARI_JSON_EXAMPLES", "DAFTARI_KILL_SEED",
    "DAFTARI_REAL_DATA", "DAFTARI_SCHEMA_EXAMPLES", "DAFTARI_SCHEMA_SEED", "DAFTARI_WRITERS_SECONDS",
)  # fmt: skip
#: Kubernetes sets these in every container for a service whose name begins with daftari.
_SERVICE_LINK = re.compile(
    r"""DAFTARI(_[A-Z0-9_]+)?_(
        SERVICE_HOST=[0-9a-f.:]+
        | SERVICE_PORT(_[A-Z0-9_]+)?=[0-9]+
        | PORT(_[0-9]+_(TCP|UDP|SCTP))?=(tcp|udp|sctp)://[0-9a-f.:\[\]]+
        | PORT_[0-9]+_(TCP|UDP|SCTP)_(PROTO=(tcp|udp|sctp)|PORT=[0-9]+|ADDR=[0-9a-f.:]+)
    )""",
    re.VERBOSE,
)


class Environment(StrEnum):
    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


class EmbeddedServer(StrEnum):
    """Which PostgreSQL to run for the workspace when no `database_url` is set."""

    AUTO = "auto"  #: this machine's PostgreSQL if it has pgcrypto, else that of an installed wheel
    SYSTEM = "system"
    WHEEL = "wheel"
    OFF = "off"  #: none: `database_url` is required


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    AUTO = "auto"  #: pretty on a terminal, else JSON
    JSON = "json"
    PRETTY = "pretty"


class Settings(BaseSettings):
    """Created by `read_settings`. A field's description says what value is expected; error messages quote it."""

    model_config = SettingsConfigDict(
        env_prefix="DAFTARI_", env_ignore_empty=True, extra="ignore", frozen=True
    )

    root: Path = Field(description="the workspace's folder")
    environment: Environment = Field(description="dev, staging or prod")
    name: str = Field(default="workspace", min_length=1, description="the organisation's name")
    country: str = Field(
        default="KE",
        pattern="^[A-Z]{2}$",
        description="two letters of ISO 3166; its public holidays are not working days",
    )
    time_zone: str = Field(default="Africa/Nairobi", description="an IANA zone such as Africa/Nairobi")
    database_url: SecretStr | None = Field(default=None, description="postgresql://user@host:port/database")
    embedded_server: EmbeddedServer = Field(
        default=EmbeddedServer.AUTO, description="auto, system, wheel or off"
    )
    data_dir: Path = Field(
        default=Path(".daftari"), validate_default=True, description="a folder; relative to the workspace"
    )
    role_prefix: str | None = Field(
        default=None,
        pattern=r"^[a-z_][a-z0-9_]{0,30}$",
        description="at most 31 lower-case letters, digits and _, not beginning with a digit",
    )
    keys_url: SecretStr | None = Field(default=None, description="postgresql://user@host:port/database")
    kek_file: Path | None = Field(default=None, description="a file; relative to the workspace")
    vault_address: str | None = Field(
        default=None, description="an address such as https://vault.example.org:8200"
    )
    vault_token: SecretStr | None = Field(default=None, description="a Vault token")
    vault_role_id: str | None = Field(default=None, min_length=1, description="the id of an AppRole in Vault")
    vault_secret_id: SecretStr | None = Field(default=None, description="the secret id of that AppRole")
    vault_kubernetes_role: str | None = Field(
        default=None, min_length=1, description="a role of Vault's login for Kubernetes"
    )
    vault_kubernetes_token_file: Path = Field(
        default=Path("/var/run/secrets/kubernetes.io/serviceaccount/token"),
        description="a file with the token of a service account",
    )
    vault_auth_mount: str | None = Field(
        default=None, min_length=1, description="where the login is mounted in Vault"
    )
    vault_namespace: str | None = Field(default=None, description="a Vault namespace")
    vault_ca_file: Path | None = Field(default=None, description="a file of CA certificates")
    vault_key: str | None = Field(
        default=None, min_length=1, description="the name of a key in Vault's transit engine"
    )
    vault_transit_mount: str = Field(
        default="transit", min_length=1, description="where the transit engine is mounted"
    )
    vault_secrets: str | None = Field(default=None, min_length=1, description="a path in Vault's KV engine")
    vault_kv_mount: str = Field(default="secret", min_length=1, description="where the KV engine is mounted")
    log_level: LogLevel = Field(default=LogLevel.INFO, description="debug, info, warning or error")
    log_format: LogFormat = Field(default=LogFormat.AUTO, description="auto, json or pretty")
    audit_key: Path | None = Field(default=None, description="a file; relative to the workspace")
    audit_anchors: Path | None = Field(default=None, description="a folder; relative to the workspace")
    oidc_issuer: str | None = Field(
        default=None, description="the issuer of tokens, exactly as in its metadata"
    )
    oidc_audience: str | None = Field(default=None, description="the audience that tokens must name")
    oidc_jwks: str | None = Field(
        default=None, description="a file or an https address with the issuer's keys"
    )
    oidc_algorithms: str = Field(
        default="RS256,ES256,EdDSA", description="signature algorithms, separated by commas"
    )
    oidc_role_claim: str = Field(
        default="daftari_role", min_length=1, description="the claim that names the role"
    )
    oidc_user_claim: str = Field(default="sub", min_length=1, description="the claim that names the person")
    oidc_leeway_seconds: int = Field(default=30, ge=0, le=300, description="0 to 300 seconds")
    oidc_client_id: str | None = Field(
        default=None, min_length=1, description="the control room's client id at the issuer"
    )
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="the control room's client secret at the issuer"
    )
    oidc_session_minutes: int = Field(default=240, ge=5, le=720, description="5 to 720 minutes")
    public_url: str | None = Field(
        default=None,
        description="the control room's address in browsers, such as https://daftari.example.org",
    )
    trusted_proxies: str | None = Field(
        default=None, description="addresses or networks of proxies, separated by commas, such as 10.0.0.5"
    )
    rate_limit_per_second: float = Field(
        default=200, ge=0, description="requests per second of one caller; 0: no limit"
    )
    lock_timeout_seconds: float = Field(default=10, gt=0, description="a number of seconds above 0")
    connect_timeout_seconds: int = Field(default=10, ge=2, description="a whole number of seconds, 2 or more")

    @field_validator("data_dir")
    @classmethod
    def _inside_workspace(cls, value: Path, info: ValidationInfo) -> Path:
        root: Path = info.data["root"]
        return root / value.expanduser()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("no such time zone") from error
        return value

    @field_validator("database_url", "keys_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("not the URL of a PostgreSQL database")
        return value

    @model_validator(mode="after")
    def _has_a_database(self) -> Settings:
        may_be_in_vault = self.vault_secrets is not None
        if self.embedded_server is EmbeddedServer.OFF and self.database_url is None and not may_be_in_vault:
            raise SettingError(
                f"DAFTARI_DATABASE_URL: missing; looked in the environment and in {self.root / '.env'}; "
                f"expected {type(self).model_fields['database_url'].description}",
                hint="Set it, or let daftari run its own PostgreSQL with embedded_server = 'auto'.",
            )
        return self

    @model_validator(mode="after")
    def _can_ask_vault(self) -> Settings:
        if not (self.vault_key or self.vault_secrets):
            return self
        ways = [name for name in _VAULT_LOGINS if getattr(self, name)]
        if len(ways) > 1:
            found = " and ".join(f"DAFTARI_{name.upper()}" for name in ways)
            raise SettingError(f"{found}: expected one way to log in to Vault")
        for name, needed in (
            ("vault_address", True),
            ("vault_token", not ways),
            ("vault_secret_id", self.vault_role_id is not None),
        ):
            if needed and not getattr(self, name):
                raise SettingError(
                    f"DAFTARI_{name.upper()}: missing; required because keys or secrets are in Vault",
                    hint="Log in by a token, by an AppRole or by Kubernetes: docs/vault.md.",
                )
        return self

    @field_validator("oidc_algorithms")
    @classmethod
    def _asymmetric(cls, value: str) -> str:
        for name in value.split(","):
            if name not in OIDC_ALGORITHMS:
                raise ValueError("not an asymmetric signature algorithm")
        return value

    @model_validator(mode="after")
    def _knows_its_issuer(self) -> Settings:
        given = {name: getattr(self, f"oidc_{name}") for name in ("issuer", "audience", "jwks")}
        missing = [name for name, value in given.items() if not value]
        if missing and len(missing) < len(given):
            raise SettingError(
                f"DAFTARI_OIDC_{missing[0].upper()}: missing; expected issuer, audience and keys (JWKS) together"
            )
        if (self.oidc_jwks or "").startswith("http:") and not is_safe_address(self.oidc_jwks or ""):
            raise SettingError(
                "DAFTARI_OIDC_JWKS: found http; expected https, so that nobody can replace the keys in transit"
            )
        return self

    @model_validator(mode="after")
    def _signs_people_in(self) -> Settings:
        if self.oidc_client_id is None:
            return self
        for name in ("oidc_issuer", "public_url"):
            address = getattr(self, name)
            if not address:
                raise SettingError(f"DAFTARI_{name.upper()}: missing; required for sign-in through an issuer")
            if not is_safe_address(address):
                raise SettingError(
                    f"DAFTARI_{name.upper()}: expected an https address, which sign-in requires"
                )
        if self.oidc_client_id == self.oidc_audience:
            raise SettingError(
                "DAFTARI_OIDC_CLIENT_ID: equals the audience of the API's tokens; expected a different one",
                hint="Otherwise a stolen sign-in token could call the API.",
            )
        return self

    @property
    def signing_key(self) -> Path:
        """The private key that signs audit checkpoints."""
        return self.root / (self.audit_key or self.data_dir / "audit" / "signing-key.pem").expanduser()

    @property
    def anchors_dir(self) -> Path:
        return self.root / (self.audit_anchors or self.data_dir / "audit" / "anchors").expanduser()

    @property
    def migrations_dir(self) -> Path:
        return self.root / "migrations"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        given = init_settings()
        fixed = {name: given[name] for name in _GIVEN}
        from_file = {name: value for name, value in given.items() if name not in _GIVEN}
        return (
            InitSettingsSource(settings_cls, fixed),
            env_settings,
            dotenv_settings,
            InitSettingsSource(settings_cls, from_file),
        )


def find_root(start: Path) -> Path:
    """
    Return the nearest folder at or above *start* that holds `daftari.toml`.

    Raises:
        SettingError: no folder holds it.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / CONFIG_FILE).is_file():
            return folder
    raise SettingError(
        f"workspace: no {CONFIG_FILE} in {start.resolve()} or a folder above it; expected one",
        hint="Change to a workspace, name one with --workspace DIR, or create one with `daftari init DIR`.",
    )


def read_settings(workspace: Path | None = None, *, environment: str | None = None) -> Settings:
    """
    Return the settings of *workspace*, by default the one around the current folder.

    Raises:
        SettingError: there is no workspace, or a setting is missing or wrong.
    """
    root = find_root(Path.cwd()) if workspace is None else workspace.resolve()
    dotenv = dotenv_values(root / ".env")
    _refuse_unknown_variables(dotenv, where=str(root / ".env"))
    _refuse_unknown_variables(_from_people(os.environ), where="the environment")
    chosen = _environment(root, environment, dotenv)
    from_file = _read_toml(root, chosen)
    try:
        return Settings(
            _env_file=root / ".env",  # type: ignore[call-arg]  # an argument of pydantic-settings
            **{**from_file, "root": root, "environment": chosen},
        )
    except ValidationError as error:
        raise _explain(error, root=root, environment=chosen, dotenv=dotenv) from None


def _from_people(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out the variables that Kubernetes or our tests set."""
    return {
        name: value
        for name, value in environment.items()
        if name not in _OF_TESTS and not _SERVICE_LINK.fullmatch(f"{name}={value}")
    }


def _refuse_unknown_variables(variables: Mapping[str, str | None], *, where: str) -> None:
    settings = [f"DAFTARI_{name.upper()}" for name in Settings.model_fields if name not in _GIVEN]
    known = {name.removeprefix("DAFTARI_") for name in (*settings, *_NO_SETTINGS)}
    for name, value in variables.items():
        prefix, _, rest = name.upper().partition("_")
        # an empty variable counts as unset
        if prefix != "DAFTARI" or rest in known or not value:
            continue
        close = get_close_matches(rest, sorted(known), n=1)
        raise SettingError(
            f"{name}: found in {where}; expected the name of a setting",
            hint=f"Did you mean DAFTARI_{close[0]}?"
            if close
            else "docs/reference/settings.md lists them all.",
        )


def _environment(root: Path, wanted: str | None, dotenv: Mapping[str, str | None]) -> Environment:
    name = wanted or os.environ.get("DAFTARI_ENV") or dotenv.get("DAFTARI_ENV") or Environment.DEV
    try:
        return Environment(name)
    except ValueError:
        raise SettingError(
            f"DAFTARI_ENV: found {name!r} (--env, the environment or {root / '.env'}); "
            "expected dev, staging or prod"
        ) from None


def _read_toml(root: Path, environment: Environment) -> dict[str, Any]:
    """Return the settings of `daftari.toml`; those of *environment* override those of [workspace]."""
    path = root / CONFIG_FILE
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingError(
            f"workspace: no {CONFIG_FILE} in {root}; expected one", hint="Create one with `daftari init DIR`."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path}: not valid TOML: {error}") from None
    sections = {"workspace": document.get("workspace", {})}
    sections |= {f"environments.{name}": it for name, it in document.get("environments", {}).items()}
    for section, values in sections.items():
        _refuse_unknown(path, section, values)
    return {**sections["workspace"], **sections.get(f"environments.{environment}", {})}


def _refuse_unknown(path: Path, section: str, values: Any) -> None:
    where = f"{path} [{section}]"
    if not isinstance(values, dict):
        raise SettingError(f"{where}: found a {type(values).__name__}; expected a section")
    if section.startswith("environments.") and section.split(".", 1)[1] not in set(Environment):
        raise SettingError(f"{where}: no such environment; expected dev, staging or prod")
    known = sorted(set(Settings.model_fields) - {*_GIVEN, *_SECRET})
    for name in values:
        if name in _SECRET:
            raise SettingError(
                f"{where}: {name} may hold a password; expected it in the environment or in .env",
                hint=f"Set DAFTARI_{name.upper()} there.",
            )
        if name not in known:
            close = get_close_matches(name, known, n=1)
            raise SettingError(
                f"{where}: no setting {name!r}; known: {', '.join(known)}",
                hint=f"Did you mean {close[0]!r}?" if close else None,
            )


def _explain(
    error: ValidationError, *, root: Path, environment: Environment, dotenv: Mapping[str, str | None]
) -> SettingError:
    """Return the error for the first wrong setting: where it was found, what is expected. Never quotes a secret."""
    fault = error.errors()[0]
    name = str(fault["loc"][0])
    variable = f"DAFTARI_{name.upper()}"
    if os.environ.get(variable):
        where = "the environment"
    elif dotenv.get(variable):
        where = str(root / ".env")
    else:
        where = f"{root / CONFIG_FILE} [environments.{environment}] or [workspace]"
    found = "an unusable value" if name in _SECRET else repr(fault["input"])
    return SettingError(
        f"{variable}: found {found} in {where}; expected {Settings.model_fields[name].description}"
    )


def is_safe_address(address: str) -> bool:
    """Whether nobody can read or change traffic to *address*: https, or http to this machine itself."""
    parts = urlsplit(address)
    is_here = parts.hostname in ("127.0.0.1", "::1", "localhost")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_here))
