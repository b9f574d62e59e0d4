"""The key store and the wrapping key that the settings name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import NullPool

from daftari.errors import SettingError
from daftari.io.keys.file_wrapping import FileWrapping
from daftari.io.keys.private_files import private_folder, require_private
from daftari.io.keys.store import KeyStore
from daftari.io.keys.wrapping import Wrapping
from daftari.settings import Settings


def key_store_of(settings: Settings) -> KeyStore:
    """
    Return the key store of an environment; nothing is opened yet.

    Raises:
        SettingError: it would be in the same database as the data.
    """
    url = settings.keys_url.get_secret_value() if settings.keys_url else None
    if url is None:
        path = store_file(settings)
        return KeyStore(lambda: sqlite(path), wrapping_of(settings))
    if settings.database_url and url == settings.database_url.get_secret_value():
        raise SettingError(
            "DAFTARI_KEYS_URL: is the address of the data; expected a separate database",
            hint="Otherwise a backup of the data also holds the keys, and erasing a person does not reach it.",
        )
    return KeyStore(lambda: postgres(url), wrapping_of(settings))


def store_file(settings: Settings) -> Path:
    return settings.data_dir / "keys" / f"{settings.environment}.sqlite"


def wrapping_of(settings: Settings) -> Wrapping:
    if settings.vault_key:
        # Importing Vault's client takes as long as a small load; few need it.
        from daftari.io.keys.vault import VaultWrapping
        from daftari.io.keys.vault_session import vault_access

        return VaultWrapping(
            vault_access(settings), key=settings.vault_key, mount=settings.vault_transit_mount
        )
    path = settings.kek_file or settings.data_dir / "kek" / f"{settings.environment}.json"
    return FileWrapping(settings.root / path)


def postgres(url: str) -> Engine:
    _, _, rest = url.partition("://")
    return create_engine(
        f"postgresql+psycopg://{rest}",
        poolclass=NullPool,
        hide_parameters=True,
        # Every query is by key. A newly filled table has no statistics to show that an index is best.
        connect_args={"options": "-c enable_seqscan=off"},
    )


def sqlite(path: Path) -> Engine:
    """
    Open the store in the file *path*, or make it.

    Raises:
        KeysUnavailable: other users can read it.
    """
    private_folder(path.parent)
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    require_private(path)
    engine = create_engine(
        f"sqlite:///{path}", poolclass=NullPool, hide_parameters=True, connect_args={"timeout": 60}
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        # A destroyed key is overwritten, not only unlinked; a committed one survives a power cut.
        for pragma in ("secure_delete = on", "synchronous = extra", "foreign_keys = on"):
            connection.execute(f"pragma {pragma}")

    return engine
