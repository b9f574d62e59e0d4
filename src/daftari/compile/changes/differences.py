"""What contracts want against what a database has, object by object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from daftari.compile.tables.objects import (
    ACCESS,
    Comment,
    DatabaseObject,
    Extension,
    Identity,
    ObjectKind,
    Partition,
)

Objects = Mapping[Identity, DatabaseObject]


@dataclass(frozen=True, kw_only=True)
class ObjectDifference:
    """One object that is missing (no *live*), is in no contract (no *wanted*), or is another than wanted."""

    identity: Identity
    wanted: DatabaseObject | None
    live: DatabaseObject | None

    def __str__(self) -> str:
        found = "nothing" if self.live is None else _described(self.live, self.wanted)
        expected = (
            "nothing: it is in no contract" if self.wanted is None else _described(self.wanted, self.live)
        )
        return f"{self.identity}: found {found}; expected {expected}"


def differences(wanted: Objects, live: Objects) -> list[ObjectDifference]:
    """
    Return where *live* is not as *wanted*, both as the same server prints them.

    Of a table or partition that is missing or in no contract only itself is named. Any extension more is in
    order.
    """
    absent = {
        (it.schema, it.name)
        for it in wanted.values()
        if isinstance(it, Partition) and it.identity not in live
    }
    found = [
        ObjectDifference(identity=identity, wanted=item, live=live.get(identity))
        for identity, item in wanted.items()
        if live.get(identity) != item and (identity.schema, identity.table) not in absent
    ]
    found += [
        ObjectDifference(identity=identity, wanted=None, live=item)
        for identity, item in live.items()
        if identity not in wanted and not _is_in_order(item, wanted, live)
    ]
    return found


def _is_in_order(item: DatabaseObject, wanted: Objects, live: Objects) -> bool:
    if isinstance(item, Extension):
        return True
    identity = item.identity
    if identity.kind in ACCESS:
        # Any right more is one too many; the rest is looked at where it is wanted.
        return identity.kind not in (ObjectKind.GRANT, ObjectKind.POLICY, ObjectKind.VIEW)
    if identity.kind in (ObjectKind.TABLE, ObjectKind.ENUM):
        return False
    ours = set(_tables(wanted)) | {
        (it.schema, it.name) for it in live.values() if isinstance(it, Partition) and it.identity in wanted
    }
    if (identity.schema, identity.table) not in ours:
        return True
    if isinstance(item, Comment) and item.column:
        column = Identity(ObjectKind.COLUMN, item.schema, item.table, item.column)
        return column not in wanted
    return False


def _tables(objects: Objects) -> Iterator[tuple[str, str]]:
    return ((it.schema, it.name) for it in objects if it.kind is ObjectKind.TABLE)


def _described(item: DatabaseObject, other: DatabaseObject | None) -> str:
    """Say of *item* what differs from *other*; all that matters of it where there is no other."""
    names = [
        field.name
        for field in fields(item)
        if other is not None and getattr(item, field.name) != getattr(other, field.name)
    ]
    return (
        ", ".join(_part(name, getattr(item, name)) for name in names or _TOLD.get(item.identity.kind, ()))
        or "it"
    )


#: What is told of an object that is missing or one too many.
_TOLD = {
    ObjectKind.ENUM: ("values",),
    ObjectKind.COLUMN: ("type", "required"),
    ObjectKind.CONSTRAINT: ("definition",),
    ObjectKind.INDEX: ("definition",),
    ObjectKind.TRIGGER: ("definition",),
    ObjectKind.PARTITION: ("bounds",),
    ObjectKind.COMMENT: ("text",),
    ObjectKind.OWNER: ("owner",),
    ObjectKind.ROW_SECURITY: ("enabled", "forced"),
    ObjectKind.VIEW_RIGHTS: ("of_reader",),
    ObjectKind.POLICY: ("command", "roles", "using", "check"),
    ObjectKind.GRANT: ("columns",),
}
#: How the parts of an object that are no text are told.
_WORDS: dict[str, Callable[[Any], str]] = {
    "required": lambda value: "not null" if value else "null allowed",
    "always": lambda value: "enabled always" if value else "enabled",
    "values": lambda value: f"({', '.join(value)})",
    "default": lambda value: f"default {value}" if value else "no default",
    "partitioned_by": lambda value: f"partitioned by {value}" if value else "not partitioned",
    "text": repr,
    "columns": lambda value: f"({', '.join(value)})" if value else "it",
    "roles": lambda value: f"to {', '.join(value)}",
    "using": lambda value: f"using {value}" if value else "no using",
    "check": lambda value: f"with check {value}" if value else "no check",
    "command": lambda value: f"for {value}",
    "enabled": lambda value: "enabled" if value else "not enabled",
    "forced": lambda value: "forced" if value else "not forced",
    "permissive": lambda value: "permissive" if value else "restrictive",
    "grantable": lambda value: "to be handed on" if value else "not to be handed on",
    "of_reader": lambda value: "those of whoever reads" if value else "those of its owner",
    "is_barrier": lambda value: "a barrier with its owner's rights" if value else "no barrier",
    "attributes": lambda value: ", ".join(value) or "no attribute",
    "member_of": lambda value: f"member of {', '.join(value) or 'nothing'}",
}


def _part(name: str, value: object) -> str:
    return _WORDS.get(name, str)(value)
