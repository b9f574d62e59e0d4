"""Give a session the keys with which SQL reveals and seals one field."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from daftari.contract.access.caller import require_short
from daftari.contract.model import Dataset
from daftari.contract.platform import OPS
from daftari.errors import AccessRefused
from daftari.io.keys import KeyStore, session_keys
from daftari.io.keys.session_keys import RevealRequest, SessionKey
from daftari.protect.keys import owner_of
from daftari.protect.seal import Algorithm, derive


def lend_keys(
    conn: Connection[Any], keys: KeyStore, dataset: Dataset, name: str, reading: RevealRequest
) -> int:
    """
    Give the session of *conn* the keys of the field *name* in the rows to read; return how many.

    Within the caller's transaction, in which the audit records the read with its purpose. Keys of erased persons are
    left out: reading their values fails. PostgreSQL decides whether the caller may see the field, by the role of the
    reading.

    Raises:
        AccessRefused: the contract does not let SQL reveal the field, or no purpose is given.
        KeysUnavailable: the key store cannot be used.
        DatabaseError: the server lacks pgcrypto.
    """
    field = dataset.field(name)
    place = f"{dataset.name}.{name}"
    if not field.protection.revealable:
        raise AccessRefused(
            f"{place}: SQL may not reveal it; expected a field that its contract marks as revealable",
            hint="Read it through the application.",
        )
    require_purpose(place, reading)
    used = session_keys.keys_used_in_table(conn, dataset, name, reading)
    values = sum(count for *_, count in used)
    session_keys.record_read(conn, (f"{OPS}.{dataset.name}", [name]), values, reading.purpose)
    current = keys.keys_for({owner_of(dataset, subject) for subject, *_ in used})
    known = keys.key_versions({(key_id, version) for _, key_id, version, _ in used}, of=place)
    lent: dict[tuple[bytes, int], SessionKey] = {}
    for subject, key_id, version, _ in used:
        sealing = current[owner_of(dataset, subject)]
        for key in (known.get((key_id, version)), sealing):
            if key is not None:
                lent[key.key_id, key.version] = SessionKey(
                    field=place,
                    subject=subject,
                    key_id=key.key_id,
                    version=key.version,
                    secret=derive(key, place, Algorithm.A256CBC_HS512),
                    seals=key == sealing,
                )
    session_keys.lend_keys_to_session(conn, lent.values())
    return len(lent)


def require_purpose(place: str, reading: RevealRequest) -> None:
    """Raises AccessRefused where *place* is to be read without a purpose, or for one that is too long."""
    require_short(f"{place}: purpose", reading.purpose)
    if not reading.purpose.strip():
        raise AccessRefused(
            f"{place}: no purpose was given for reading it; expected one", hint="State the purpose in words."
        )
