"""Names and literals in SQL. What a contract says is untrusted, so everything is quoted here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from daftari.contract.platform import MARTS, OPS, PLATFORM, VIEWS
from daftari.errors import ContractError

#: PostgreSQL cuts longer names without a word.
LONGEST_NAME_BYTES = 63


@dataclass(frozen=True, kw_only=True)
class Schemas:
    """Where objects go. With other names they are made beside the live ones, to compare."""

    data: str = OPS
    platform: str = PLATFORM  #: of the key tables
    views: str = VIEWS  #: of what roles see masked
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
    """Return a name made of *parts*, shortened with a digest where PostgreSQL would cut it."""
    name = "_".join(parts)
    if len(name.encode()) <= LONGEST_NAME_BYTES:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    room = LONGEST_NAME_BYTES - len(digest) - 1
    return name.encode()[:room].decode("utf-8", "ignore") + "_" + digest
