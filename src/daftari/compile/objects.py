"""
The objects of a governed database, as values.

The same classes describe what contracts want and what a live database has, so that the difference of
two sets of them is both the plan of `apply` and the finding of `verify`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """In the order in which objects can be made."""

    EXTENSION = "extension"
    ENUM = "enum"
    TABLE = "table"
    COLUMN = "column"
    CONSTRAINT = "constraint"
    INDEX = "index"
    PARTITION = "partition"
    TRIGGER = "trigger"
    COMMENT = "comment"


class ConstraintKind(StrEnum):
    """Values are those of `pg_constraint.contype`."""

    PRIMARY = "p"
    UNIQUE = "u"
    CHECK = "c"
    EXCLUSION = "x"
    FOREIGN = "f"


class Identity(NamedTuple):
    kind: Kind
    schema: str
    table: str  #: empty where the object stands alone
    name: str

    def __str__(self) -> str:
        place = ".".join(part for part in (self.schema, self.table, self.name) if part)
        return f"{self.kind} {place}"


@dataclass(frozen=True, kw_only=True)
class Extension:
    name: str

    @property
    def identity(self) -> Identity:
        return Identity(Kind.EXTENSION, "", "", self.name)


@dataclass(frozen=True, kw_only=True)
class Enum:
    schema: str
    name: str
    values: tuple[str, ...]

    @property
    def identity(self) -> Identity:
        return Identity(Kind.ENUM, self.schema, "", self.name)


@dataclass(frozen=True, kw_only=True)
class Table:
    schema: str
    name: str
    partitioned_by: str = ""  #: `RANGE (field)`, as PostgreSQL prints it; empty: a plain table

    @property
    def identity(self) -> Identity:
        return Identity(Kind.TABLE, self.schema, "", self.name)


@dataclass(frozen=True, kw_only=True)
class Column:
    schema: str
    table: str
    name: str
    type: str
    required: bool
    default: str | None = None

    @property
    def identity(self) -> Identity:
        return Identity(Kind.COLUMN, self.schema, self.table, self.name)


@dataclass(frozen=True, kw_only=True)
class Constraint:
    schema: str
    table: str
    name: str
    kind: ConstraintKind
    definition: str  #: what stands after `add constraint name`

    @property
    def identity(self) -> Identity:
        return Identity(Kind.CONSTRAINT, self.schema, self.table, self.name)


@dataclass(frozen=True, kw_only=True)
class Index:
    schema: str
    table: str
    name: str
    definition: str  #: the whole statement

    @property
    def identity(self) -> Identity:
        return Identity(Kind.INDEX, self.schema, self.table, self.name)


@dataclass(frozen=True, kw_only=True)
class Trigger:
    schema: str
    table: str
    name: str
    definition: str  #: the whole statement
    always: bool = False  #: fires also where a load proves foreign keys itself

    @property
    def identity(self) -> Identity:
        return Identity(Kind.TRIGGER, self.schema, self.table, self.name)


@dataclass(frozen=True, kw_only=True)
class Partition:
    schema: str
    table: str  #: the partitioned one
    name: str
    bounds: str  #: as PostgreSQL prints them, in UTC

    @property
    def identity(self) -> Identity:
        return Identity(Kind.PARTITION, self.schema, self.table, self.name)


@dataclass(frozen=True, kw_only=True)
class Comment:
    schema: str
    table: str
    column: str  #: empty: on the table
    text: str

    @property
    def identity(self) -> Identity:
        return Identity(Kind.COMMENT, self.schema, self.table, self.column)


DatabaseObject = Extension | Enum | Table | Column | Constraint | Index | Trigger | Partition | Comment
