"""Examine which features the PostgreSQL server has, and what each missing one disables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from daftari.io.database import queries
from daftari.io.embedded.binaries import VERSIONS

_QUERIES = queries.load_queries("embedded/server.sql")


@dataclass(frozen=True, kw_only=True)
class Ability:
    name: str
    present: bool
    detail: str
    without: str  #: what its absence disables
    essential: bool = False  #: nothing works without it


@dataclass(frozen=True, kw_only=True)
class Examined:
    version: str
    database: str
    user: str
    abilities: tuple[Ability, ...]

    @property
    def lacking(self) -> tuple[Ability, ...]:
        """The essential features that are missing."""
        return tuple(it for it in self.abilities if it.essential and not it.present)


def examine_server(conn: Connection[Any]) -> Examined:
    """Examine the server behind *conn*. Changes nothing."""
    facts = conn.cursor(row_factory=dict_row).execute(_QUERIES["facts"]).fetchone()
    assert facts is not None, "a select without from has one row"
    extensions: dict[str, str | None] = dict(conn.execute(_QUERIES["extensions"]).fetchall())
    return Examined(
        version=facts["version"],
        database=facts["database"],
        user=facts["user"],
        abilities=(*_essentials(facts, extensions), *_extras(facts, extensions)),
    )


def _essentials(facts: dict[str, Any], extensions: dict[str, str | None]) -> list[Ability]:
    found = [
        ("version 15 to 18", facts["major"] in VERSIONS, facts["version"], "untested versions are refused"),
        ("UTF-8", facts["encoding"] == "UTF8", facts["encoding"], "text of other scripts cannot be stored"),
        ("standard strings", facts["standard_strings"], "", "text with a backslash would be read wrongly"),
        ("may create schemas", facts["may_create"], facts["user"], "contracts cannot be applied"),
        ("btree_gist", "btree_gist" in extensions, _state(extensions, "btree_gist"),
         "noOverlap cannot be enforced"),
    ]  # fmt: skip
    return [
        Ability(name=name, present=present, detail=detail, without=without, essential=True)
        for name, present, detail, without in found
    ]


def _extras(facts: dict[str, Any], extensions: dict[str, str | None]) -> list[Ability]:
    preloaded = _preloaded(facts["preloaded"], extensions)
    found = [
        ("pgcrypto", "pgcrypto" in extensions, _state(extensions, "pgcrypto"),
         "SQL cannot seal or reveal; the application still can"),
        ("pgaudit", "pgaudit" in preloaded, _state(extensions, "pgaudit"),
         "reads by SQL are not in the server's log; Daftari's own audit works"),
        ("logs restricted reads", facts["logs_reads"], "pgaudit's role is set for this database",
         "reads of restricted tables leave no line in the server's log; a superuser's `daftari apply` sets it"),
        ("pg_stat_statements", "pg_stat_statements" in preloaded, _state(extensions, "pg_stat_statements"),
         "slow statements are not counted"),
        ("bulk key checks", facts["may_prove_keys"], "may set session_replication_role",
         "the server checks foreign keys row by row: loads take about three times as long"),
        ("audits schema changes", facts["is_superuser"], "may create event triggers",
         "drop, detach and alter leave no entry in the audit"),
        ("data checksums", facts["data_checksums"], "", "silent disk faults go unnoticed"),
        ("survives crashes", facts["survives_crashes"], "fsync and full_page_writes",
         "a crash of the machine may lose or corrupt data"),
    ]  # fmt: skip
    return [
        Ability(name=name, present=present, detail=detail, without=without)
        for name, present, detail, without in found
    ]


def _state(extensions: dict[str, str | None], name: str) -> str:
    if name not in extensions:
        return "not on the server"
    version = extensions[name]
    return f"installed, {version}" if version else "available"


def _preloaded(setting: str | None, extensions: dict[str, str | None]) -> set[str]:
    """Return the libraries that the server loads; where this user may not see them, the installed ones."""
    if setting is None:
        return {name for name, installed in extensions.items() if installed}
    return {name.strip() for name in setting.split(",")}
