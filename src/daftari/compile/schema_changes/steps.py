"""Changes of a database: statements, in executable order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from daftari.compile.tables.objects import Identity
from daftari.contract.compatibility.changes import ChangeKind


class Phase(IntEnum):
    """The order of statements: drops first, then objects that others depend on."""

    VALUES = 0  #: new enum values; usable only after their transaction
    EXTENSIONS = 1
    RENAMES = 2
    DROP = 3
    ENUMS = 4
    TABLES = 5
    TIDY = 6
    CONSTRAINTS = 7
    INDEXES = 8
    PARTITIONS = 9
    FOREIGN_KEYS = 10
    TRIGGERS = 11
    COMMENTS = 12
    ON_PARTITIONS = 13  #: objects of a partition, which like it are created over time
    ROLES = 14
    SCHEMAS = 15  #: grants on them
    CLOSE = 16  #: revoked access
    VIEWS = 17
    OWNERS = 18
    ROW_SECURITY = 19
    POLICIES = 20
    GRANTS = 21


#: The phases of access objects.
ACCESS_PHASES = frozenset(phase for phase in Phase if phase >= Phase.ROLES)


class SchemaStep(NamedTuple):
    phase: Phase
    statement: str


@dataclass(frozen=True, kw_only=True)
class SchemaChange:
    what: str
    kind: ChangeKind
    reason: str
    steps: tuple[SchemaStep, ...] = ()
    identity: Identity | None = None  #: of the object, if it is a change of one
    in_place: bool = True  #: whether PostgreSQL can make it without a new table

    @property
    def statements(self) -> tuple[str, ...]:
        return tuple(step.statement for step in sorted(self.steps, key=lambda it: it.phase))
