"""Quote names and literals for SQL. Contract text is untrusted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from daftari.contract.platform import MARTS, OPS, PLATFORM, VIEWS
from daftari.errors import ContractError

#: PostgreSQL silently truncates longer names.
LONGEST_NAME_BYTES = 63


@dataclass(frozen=True, kw_only=True)
class Schemas:
    """The schemas of objects. With other names, objects are created beside the live ones to compare."""

    data: str = OPS
    platform: str = PLATFORM  #: for the key tables
    views: str = VIEWS  #: for masked views
    marts: str = MARTS


def identifier(name: str) -> str:
    """
    Return *name* as SQL.

    Raises:
        ContractError: PostgreSQL cannot have an object of that name.
    """
    if not name or "\0" in name or len(name.encode()) > LONGEST_NAME_BYTES:
        raise ContractError(
            f"name {name[:80]!r}: {len(name.encode())} bytes; expected 1 to {LONGEST_NAME_BYTES}, none zero"
        )
    return '"' + name.replace('"', '""') + '"'


def qualified(schema: str, name: str) -> str:
    return f"{identifier(schema)}.{identifier(name)}"


def identifiers(names: tuple[str, ...]) -> str:
    return ", ".join(identifier(name) for name in names)


def literal(text: str) -> str:
    """
    Return *text* as SQL. Relies on standard_conforming_strings, PostgreSQL's default.

    Raises:
        ContractError: it holds a zero byte, which PostgreSQL cannot store.
    """
    if "\0" in text:
        raise ContractError("contract: a text holds a zero byte; expected none")
    return "'" + text.replace("'", "''") + "'"


def derived(*parts: str) -> str:
    """Return a name made of *parts*, shortened with a digest if PostgreSQL would truncate it."""
    name = "_".join(parts)
    if len(name.encode()) <= LONGEST_NAME_BYTES:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    room = LONGEST_NAME_BYTES - len(digest) - 1
    return name.encode()[:room].decode("utf-8", "ignore") + "_" + digest
