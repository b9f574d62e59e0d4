"""Reveal fields of rows for a stated purpose to users who may see them: such as the month's file for the bank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection

from daftari.contract.model import Dataset
from daftari.contract.platform import OPS
from daftari.errors import AccessRefused, KeyDestroyed
from daftari.io.keys import KeyStore, session_keys
from daftari.io.keys.session_keys import RevealRequest as RevealRequest
from daftari.operations.keys.lend_keys import lend_keys, require_purpose


@dataclass(frozen=True, kw_only=True)
class Revealed:
    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    keys: int  #: keys that were given to the session, and returned


def reveal_fields(
    conn: Connection[Any], keys: KeyStore, dataset: Dataset, names: tuple[str, ...], reading: RevealRequest
) -> Revealed:
    """
    Return *names* of the rows to read, in order of their key; the server opens sealed fields.

    One transaction: the audit records the read, the session gets keys, rows are read as the role with every policy in
    force, the keys are removed. No key and no value is in the text of a statement.

    Raises:
        UnknownName: the dataset has no such field.
        AccessRefused: that role does not see them, the contract does not let SQL reveal one, or no purpose is given.
        KeyDestroyed: a value belongs to an erased person.
        KeysUnavailable, DatabaseError: as `lend_keys`.
    """
    sealed = [name for name in names if dataset.field(name).protection.sealed]
    confidential = [it for it in names if dataset.field(it).is_confidential and it not in sealed]
    require_purpose(dataset.name, reading)
    for name, _ in reading.equal:
        _require_comparable(dataset, name)
    try:
        with conn.transaction():
            lent = sum(lend_keys(conn, keys, dataset, name, reading) for name in sealed)
            rows = session_keys.revealed(conn, dataset, names, reading)
            if confidential:
                session_keys.record_read(
                    conn, (f"{OPS}.{dataset.name}", confidential), len(rows), reading.purpose
                )
            if sealed:
                session_keys.return_keys(conn)
    except psycopg.errors.InsufficientPrivilege as error:
        raise _refused(dataset, reading, error) from None
    except psycopg.errors.DataError:
        raise AccessRefused(
            f"{dataset.name}: a value to choose rows by is not valid for its field; expected one as the database "
            "writes it",
            hint="A month is its first day: month=2026-03-01.",
        ) from None
    return Revealed(names=names, rows=tuple(rows), keys=lent)


def _require_comparable(dataset: Dataset, name: str) -> None:
    if dataset.field(name).protection.sealed:
        raise AccessRefused(
            f"{dataset.name}.{name}: is sealed; expected an unsealed field to choose rows by",
            hint="Choose them by their key or by their person.",
        )


def _refused(dataset: Dataset, reading: RevealRequest, error: psycopg.Error) -> Exception:
    if "no key for this value" in (error.diag.message_primary or ""):
        return KeyDestroyed(
            f"{dataset.name}: a value belongs to an erased person; expected none among the rows to read",
            hint="Leave that person's rows out.",
        )
    role = f"role {reading.role}" if reading.role else "this user"
    return AccessRefused(
        f"{dataset.name}: {role} may not see every requested field; expected fields that the contract shows to it",
        hint="`daftari contract show` shows who sees what. This user must be able to take on that role.",
    )
