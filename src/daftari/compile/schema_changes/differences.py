"""Compare the objects that contracts define with those of a database."""

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
    """One object that is missing (no *live*), in no contract (no *wanted*), or different."""

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
    Return the differences between *live* and *wanted*, both as the same server prints them.

    A missing table or partition, or one in no contract, is reported without its parts. Additional extensions are
    allowed.
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
        if identity not in wanted and not _is_permitted(item, wanted, live)
    ]
    return found


def _is_permitted(item: DatabaseObject, wanted: Objects, live: Objects) -> bool:
    if isinstance(item, Extension):
        return True
    identity = item.identity
    if identity.kind in ACCESS:
        # No additional access is permitted; the other kinds are compared where they are wanted.
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
    """Describe how *item* differs from *other*; without *other*, describe its main parts."""
    names = [
        field.name
        for field in fields(item)
        if other is not None and getattr(item, field.name) != getattr(other, field.name)
    ]
    return (
        ", ".join(
            _part(name, getattr(item, name)) for name in names or _MAIN_PARTS.get(item.identity.kind, ())
        )
        or "it"
    )


#: The parts shown of a missing or surplus object.
_MAIN_PARTS = {
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
#: How to describe parts that are not text.
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
    "grantable": lambda value: "with grant option" if value else "without grant option",
    "of_reader": lambda value: "those of the reader" if value else "those of its owner",
    "is_barrier": lambda value: "a barrier with its owner's rights" if value else "no barrier",
    "attributes": lambda value: ", ".join(value) or "no attribute",
    "member_of": lambda value: f"member of {', '.join(value) or 'nothing'}",
}


def _part(name: str, value: object) -> str:
    return _WORDS.get(name, str)(value)
