"""Who can reach governed rows in a live database, and how: one `Access` for each right that can be revoked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any

import psycopg
from psycopg import Connection, sql

from daftari.compile.access.roles import Watched
from daftari.compile.review import EVERY_SCHEMA, HeldAccess, Reach
from daftari.io.catalogue import live_access
from daftari.io.database import queries

_QUERIES = queries.load_queries("review/reviews.sql")


@dataclass(frozen=True, kw_only=True)
class Surveyor:
    """Surveys a database through *conn*, in its transaction."""

    conn: Connection[Any]
    watched: Watched
    count_seconds: float  #: for the rows of one relation
    _reached: dict[str, list[Reach]] = field(default_factory=dict)

    def everything(self) -> Iterator[HeldAccess]:
        """Yield each access, as soon as its rows are counted."""
        uses = self._last_uses()
        for access in self.uncounted():
            counted = tuple(self._counted(access, one) for one in access.reach)
            yield replace(access, reach=counted, last_use=_last(access, uses))

    def uncounted(self) -> Iterator[HeldAccess]:
        for find in _FINDERS:
            yield from find(self)

    def rows(self, query: str, **parameters: object) -> list[Any]:
        return self.conn.execute(_QUERIES[query], parameters).fetchall()

    def _last_uses(self) -> dict[tuple[str, str], datetime]:
        return {(login, role): at for login, role, at in self.rows("last_uses")}

    def reached_by(self, role: str) -> list[Reach]:
        if role not in self._reached:
            self._reached[role] = [
                Reach(relation=place, privileges=tuple(privileges), columns=tuple(columns), role=role)
                for place, privileges, columns, _ in self.rows("reached", role=role)
            ]
        return self._reached[role]

    def memberships(self) -> Iterator[HeldAccess]:
        found = self.rows("memberships", watched=list(self.watched.all))
        for (login, first), rows in groupby(found, key=lambda row: row[:2]):
            ways = list(rows)
            reach: dict[str, Reach] = {}
            for *_, role, _path, _inherits, _grantors in ways:
                for one in self.reached_by(role):
                    reach.setdefault(one.relation, one)
            through = tuple(
                f"{' > '.join(path)}{'' if inherits else ' (by set role)'}" for *_, path, inherits, _ in ways
            )
            yield HeldAccess(
                kind="membership",
                grantee=login,
                object=first,
                means=tuple(ways[0][-1]),
                through=through,
                reach=tuple(reach[name] for name in sorted(reach)),
            )

    # --- existing rows

    def _counted(self, access: HeldAccess, one: Reach) -> Reach:
        """Count the rows of *one* in the grantee's role, within the time limit."""
        if "select" not in one.privileges:
            return one
        if not self._may_be_others():
            return replace(one, not_counted="only a superuser can act as another role")
        try:
            with self.conn.transaction(force_rollback=True):
                self._become(access, one)
                row = self.conn.execute(
                    sql.SQL("select count(*) from {}").format(sql.Identifier(*_parts(one.relation)))
                ).fetchone()
        except psycopg.errors.QueryCanceled:
            return replace(one, not_counted=f"takes longer than {self.count_seconds:g} s")
        except psycopg.Error as error:
            return replace(one, not_counted=f"refused ({error.sqlstate})")
        return replace(one, rows=int(row[0]) if row else None)

    def _may_be_others(self) -> bool:
        return bool(self.rows("is_superuser")[0][0])

    def _become(self, access: HeldAccess, one: Reach) -> None:
        self.conn.execute(
            "select set_config('statement_timeout', %s, true)", [f"{int(self.count_seconds * 1000)}ms"]
        )
        if access.grantee != "public":
            who = sql.Identifier(access.grantee)
            self.conn.execute(sql.SQL("set local session authorization {}").format(who))
        if one.role is not None:
            self.conn.execute(sql.SQL("set local role {}").format(sql.Identifier(one.role)))


def _parts(relation: str) -> list[str]:
    """Schema and name of a relation as PostgreSQL's format() quotes them."""
    parts = psycopg.sql.SQL(relation).as_string().split(".", 1)
    return [part[1:-1].replace('""', '"') if part.startswith('"') else part for part in parts]


def _last(access: HeldAccess, uses: dict[tuple[str, str], datetime]) -> datetime | None:
    roles = {access.grantee, access.object, *(one.role for one in access.reach if one.role)}
    if access.kind != "membership":
        return max((at for (login, _), at in uses.items() if login == access.grantee), default=None)
    return max(
        (at for (login, role), at in uses.items() if login == access.grantee and role in roles), default=None
    )


def _grants(look: Surveyor) -> Iterator[HeldAccess]:
    for grantee, place, privileges in look.rows("grants", watched=list(look.watched.all)):
        reach = Reach(relation=place, privileges=tuple(dict.fromkeys(privileges)))
        yield HeldAccess(kind="grant", grantee=grantee, object=place, means=reach.privileges, reach=(reach,))


def _owners(look: Surveyor) -> Iterator[HeldAccess]:
    for owner, place in look.rows("owners", own=list(look.watched.own)):
        reach = Reach(relation=place, privileges=("select", "insert", "update", "delete", "truncate"))
        yield HeldAccess(kind="owner", grantee=owner, object=place, reach=(reach,))


def _attributes(look: Surveyor) -> Iterator[HeldAccess]:
    for role, attribute in look.rows("attributes"):
        reach = (
            ()
            if attribute in ("createrole", "replication")
            else tuple(replace(one, role=None) for one in look.reached_by(role))
        )
        yield HeldAccess(
            kind="attribute", grantee=role, object=attribute, through=(_MEANING[attribute],), reach=reach
        )


_MEANING = {
    "superuser": "no grant and no policy holds it",
    "bypassrls": "no policy holds it",
    "createrole": "may make itself a member of other roles",
    "replication": "may copy the whole server",
}


def _defaults(look: Surveyor) -> Iterator[HeldAccess]:
    for schema, maker, grantee, privilege in live_access.given_ahead(look.conn):
        yield HeldAccess(
            kind="default",
            grantee=grantee,
            object=schema or EVERY_SCHEMA,
            means=(maker, privilege),
            through=(f"{privilege} on every table that {maker} will make there",),
        )


def _functions(look: Surveyor) -> Iterator[HeldAccess]:
    for grantee, function, owner in look.rows("functions"):
        yield HeldAccess(kind="function", grantee=grantee, object=function, means=("execute",),
                     through=(f"runs as {owner}",))  # fmt: skip


def _views(look: Surveyor) -> Iterator[HeldAccess]:
    found = look.rows("views")
    for (grantee, place), rows in groupby(found, key=lambda row: row[:2]):
        ways = list(rows)
        through = tuple(" > ".join(path) for *_, path in ways)
        reach = Reach(relation=place, privileges=("select",))
        means = ("copy" if ways[0][2] else "select",)
        yield HeldAccess(
            kind="view", grantee=grantee, object=place, means=means, through=through, reach=(reach,)
        )


_FINDERS: tuple[Callable[[Surveyor], Iterator[HeldAccess]], ...] = (
    Surveyor.memberships, _grants, _owners, _attributes, _defaults, _functions, _views,
)  # fmt: skip
