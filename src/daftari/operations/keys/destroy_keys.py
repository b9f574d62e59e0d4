"""Destroy the keys of a person: what was sealed under them is gone from tables, audit, quarantine and backups."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from daftari.io.keys import KeyStore
from daftari.protect.keys import KeyOwner


@dataclass(frozen=True, kw_only=True)
class Destroyed:
    keys: int


def destroy_keys(
    keys: KeyStore, subject: str, *, scopes: Collection[str], now: datetime, dry_run: bool = False
) -> Destroyed:
    """
    Destroy the keys that *subject* has in *scopes* (`protect.keys.person_scope`), one for each retention class.

    May be repeated. Copies of the key store keep the keys until the next epoch. Blind indexes of the person's
    rows stay: the caller takes the rows, or empties those columns.

    Raises:
        KeysUnavailable: the store cannot be used.
    """
    held = [scope for scope in keys.scopes_of(subject) if scope in scopes]
    if dry_run:
        return Destroyed(keys=len(held))
    owners = [KeyOwner(scope=scope, subject=subject) for scope in held]
    return Destroyed(keys=keys.destroy(owners, now=now))
