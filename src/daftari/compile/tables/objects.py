"""
The objects of a governed database, as values.

The same classes describe the wanted and the live objects: the difference of two sets is both the plan of
`apply` and the finding of `verify`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class ObjectKind(StrEnum):
    """In order of creation."""

    EXTENSION = "extension"
    ENUM = "enum"
    TABLE = "table"
    COLUMN = "column"
    CONSTRAINT = "constraint"
    INDEX = "index"
    PARTITION = "partition"
    TRIGGER = "trigger"
    COMMENT = "comment"
    ROLE = "role"
    VIEW = "view"
    OWNER = "owner"
    ROW_SECURITY = "row security"
    VIEW_RIGHTS = "view rights"
    POLICY = "policy"
    GRANT = "grant"


#: Access objects. `apply` compares them on every database; no version file contains them.
ACCESS = frozenset(
    {
        ObjectKind.ROLE,
        ObjectKind.VIEW,
        ObjectKind.OWNER,
        ObjectKind.ROW_SECURITY,
        ObjectKind.VIEW_RIGHTS,
        ObjectKind.POLICY,
        ObjectKind.GRANT,
    }
)


class ConstraintKind(StrEnum):
    """Values are those of `pg_constraint.contype`."""

    PRIMARY = "p"
    UNIQUE = "u"
    CHECK = "c"
    EXCLUSION = "x"
    FOREIGN = "f"


class Identity(NamedTuple):
    kind: ObjectKind
    schema: str
    table: str  #: empty for an object without a table
    name: str

    def __str__(self) -> str:
        place = ".".join(part for part in (self.schema, self.table, self.name) if part)
        return f"{self.kind} {place}"


@dataclass(frozen=True, kw_only=True)
class Extension:
    name: str

    @property
    def identity(self) -> Identity:
        return Identity(ObjectKind.EXTENSION, "", "", self.name)


@dataclass(frozen=True, kw_only=True)
class Enum:
    schema: str
    name: str
    values: tuple[str, ...]

    @property
    def identity(self) -> Identity:
        return Identity(ObjectKind.ENUM, self.schema, "", self.name)


@dataclass(frozen=True, kw_only=True)
class Table:
    schema: str
    name: str
    partitioned_by: str = ""  #: `RANGE (field)`, as PostgreSQL prints it; empty: a plain table

    @property
    def identity(self) -> Identity:
        return Identity(ObjectKind.TABLE, self.schema, "", self.name)


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
        return Identity(ObjectKind.COLUMN, self.schema, self.table, self.name)


@dataclass(frozen=True, kw_only=True)
class Constraint:
    schema: str
    table: str
    name: str
    kind: ConstraintKind
    definition: str  #: the text after `add constraint name`

    @property
    def identity(self) -> Identity:
        return Identity(ObjectKind.CONSTRAINT, self.schema, self.table, self.name)


@dataclass(frozen=True, kw_only=True)
class Index:
    schema: str
    table: str
    name: str
    definition: str  #: the whole statement

    @property
    def identity(self) -> Identity:
        return Identity(ObjectKind.INDEX, self.schema, self.table, self.name)


@dataclass(frozen=True, kw_only=True)
class Trigger:
    schema: str
    table: str
    name: str
    definition: str  #: the whole statement
    always: bool = False  #: also fires in a load that checks foreign keys itself

    @property
    def identity(self) -> Identity:
        return Identity(ObjectKind.TRIGGER, self.schema, self.table, self.name)


@dataclass(frozen=True, kw_only=True)
class Partition:
    schema: str
    table: str  #: the partitioned one
    name: str
    bounds: str  #: as PostgreSQL prints them, in UTC

    @property
    def identity(self) -> Identity:
        return Identity(ObjectKind.PARTITION, self.schema, self.table, self.name)


@dataclass(frozen=True, kw_only=True)
class Comment:
    schema: str
    table: str
    column: str  #: empty: on the table
    text: str

    @property
    def identity(self) -> Identity:
        return Identity(ObjectKind.COMMENT, self.schema, self.table, self.column)


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role without login, whose members are people. Shared by every database of the server."""

    name: str
    #: additional attributes: login, superuser, bypassrls … Always empty if wanted
    attributes: tuple[str, ...] = ()
    member_of: tuple[str, ...] = ()  #: roles whose rights it would inherit. Always empty if wanted

    @property
    def identity(self) -> Identity:
        return Identity(ObjectKind.ROLE, "", "", self.name)


@dataclass(frozen=True, kw_only=True)
class View:
    """A masked view: what a role sees of a dataset with some values masked."""

    schema: str
    name: str
    definition: str  #: the query
    is_barrier: bool = True  #: a reader's functions get only the rows and values that the view shows

    @property
    def identity(self) -> Identity:
        return Identity(ObjectKind.VIEW, self.schema, "", self.name)


@dataclass(frozen=True, kw_only=True)
class Owner:
    schema: str
    table: str  #: a table, partition or view
    owner: str
    is_view: bool = False

    @property
    def identity(self) -> Identity:
        return Identity(ObjectKind.OWNER, self.schema, self.table, "")


@dataclass(frozen=True, kw_only=True)
class RowSecurity:
    schema: str
    table: str
    enabled: bool = True
    forced: bool = True  #: applies to the owner too

    @property
    def identity(self) -> Identity:
        return Identity(ObjectKind.ROW_SECURITY, self.schema, self.table, "")


@dataclass(frozen=True, kw_only=True)
class ViewRights:
    """With whose rights a view that is not ours reads, such as dbt's staging views."""

    schema: str
    table: str
    of_reader: bool = True

    @property
    def identity(self) -> Identity:
        return Identity(ObjectKind.VIEW_RIGHTS, self.schema, self.table, "")


@dataclass(frozen=True, kw_only=True)
class Policy:
    schema: str
    table: str
    name: str
    command: str  #: select, insert, update, delete or all
    roles: tuple[str, ...]
    using: str | None = None  #: for existing rows
    check: str | None = None  #: for new row versions; None: as `using`
    permissive: bool = True

    @property
    def identity(self) -> Identity:
        return Identity(ObjectKind.POLICY, self.schema, self.table, self.name)


@dataclass(frozen=True, kw_only=True)
class Grant:
    schema: str
    table: str  #: empty: on the schema
    grantee: str
    privilege: str  #: select, insert, update, delete, usage, create …
    columns: tuple[str, ...] = ()  #: in alphabetical order; empty: the whole object
    grantable: bool = False  #: with grant option

    @property
    def identity(self) -> Identity:
        columns = " of columns" if self.columns else ""
        return Identity(
            ObjectKind.GRANT, self.schema, self.table, f"{self.privilege}{columns} to {self.grantee}"
        )


DatabaseObject = (
    Extension
    | Enum
    | Table
    | Column
    | Constraint
    | Index
    | Trigger
    | Partition
    | Comment
    | Role
    | View
    | Owner
    | RowSecurity
    | ViewRights
    | Policy
    | Grant
)
