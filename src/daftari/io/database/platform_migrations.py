"""
The platform's own tables: numbered files, each run once, in order of their names.

A file that requires an extension waits until the server has it. `schema.sql` shows the result of all files, to read
and to compare with.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from typing import Any

from psycopg import Connection

from daftari.io.database import queries

_QUERIES = queries.load_queries("database/platform_migrations.sql")
_REQUIRES = re.compile(r"^-- requires: (\w+)$", re.MULTILINE)
_INCLUDED = re.compile(r"^\\ir (\S+)$", re.MULTILINE)
_FUNCTION = re.compile(r"create function daftari\.(\w+)\(.*?\$\$(.*?)\$\$", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Migration:
    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def requires(self) -> str | None:
        """Extension without which it cannot run."""
        return _required(self.text)


def shipped() -> list[Migration]:
    folder = resources.files("daftari.io.database") / "migrations"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda it: it.name)
    return [Migration(name=it.name.removesuffix(".sql"), text=it.read_text("utf-8")) for it in files]


def possible(conn: Connection[Any]) -> list[Migration]:
    """Return the migrations whose extensions the server has."""
    available = _available(conn)
    return [migration for migration in shipped() if migration.requires in {None, *available}]


def schema(conn: Connection[Any]) -> str:
    """Return the SQL of the current schema, without the parts whose extension the server lacks."""
    folder = resources.files("daftari.io.database")
    names = _INCLUDED.findall((folder / "schema.sql").read_text("utf-8"))
    texts = [(folder / name).read_text("utf-8") for name in names]
    available = _available(conn)
    return "\n".join(text for text in texts if _required(text) in {None, *available})


def migrate(conn: Connection[Any]) -> list[str]:
    """Run the pending migrations within the caller's transaction; return their names. May be repeated."""
    done = applied(conn)
    pending = [migration for migration in possible(conn) if migration.name not in done]
    for migration in pending:
        # The text ships inside our own package: as trustworthy as a literal in the code.
        conn.execute(migration.text)
        conn.execute(_QUERIES["record"], {"name": migration.name, "sha256": migration.sha256})
    return [migration.name for migration in pending]


def applied(conn: Connection[Any]) -> dict[str, str]:
    """Return the digests of the migrations that this database has run, by name."""
    there = conn.execute(_QUERIES["is_there"]).fetchone()
    if there is None or not there[0]:
        return {}
    return dict(conn.execute(_QUERIES["applied"]).fetchall())


def shipped_functions(conn: Connection[Any]) -> dict[str, str]:
    """Return the current bodies of the platform's functions, by name."""
    return dict(_FUNCTION.findall(schema(conn)))


def live_functions(conn: Connection[Any]) -> dict[str, str]:
    """Return the bodies of the functions in the platform's schema, except those of extensions."""
    return dict(conn.execute(_QUERIES["functions"]).fetchall())


def _available(conn: Connection[Any]) -> set[str]:
    return {name for (name,) in conn.execute(_QUERIES["available"]).fetchall()}


def _required(text: str) -> str | None:
    found = _REQUIRES.search(text)
    return found[1] if found else None
