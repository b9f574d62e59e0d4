"""Secret settings, from Vault where the environment and `.env` do not set them."""

from __future__ import annotations

from pydantic import SecretStr

from daftari.errors import SettingError
from daftari.io.keys.vault import read_secrets
from daftari.io.keys.vault_session import vault_access
from daftari.settings import EmbeddedServer, Settings

#: Fields of the secret, and the settings that they set.
NAMES = ("database_url", "keys_url", "oidc_client_secret")


def with_secrets(settings: Settings) -> Settings:
    """
    Return *settings* with the secrets at `vault_secrets`; the environment and `.env` take precedence.

    Raises:
        KeysUnavailable: Vault cannot be reached.
        SettingError: it holds no address of a PostgreSQL database, where one is needed.
    """
    if settings.vault_secrets is None:
        return settings
    path = settings.vault_secrets
    found = read_secrets(vault_access(settings), path, mount=settings.vault_kv_mount)
    given = {name: found[name] for name in NAMES if name in found and getattr(settings, name) is None}
    for name, value in given.items():
        if name.endswith("_url") and not value.startswith(("postgresql://", "postgres://")):
            raise SettingError(
                f"{name}: found an unusable value in Vault at {path}; "
                f"expected {Settings.model_fields[name].description}"
            )
    filled = settings.model_copy(update={name: SecretStr(value) for name, value in given.items()})
    if filled.database_url is None and filled.embedded_server is EmbeddedServer.OFF:
        raise SettingError(
            f"database_url: missing; looked in the environment, in .env and in Vault at {path}",
            hint="Add it to the secret under the name database_url.",
        )
    return filled
