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
    DROP = 2
    ENUMS = 3
    TABLES = 4
    TIDY = 5
    CONSTRAINTS = 6
    INDEXES = 7
    PARTITIONS = 8
    FOREIGN_KEYS = 9
    TRIGGERS = 10
    COMMENTS = 11
    ON_PARTITIONS = 12  #: objects of a partition, which like it are created over time
    ROLES = 13
    SCHEMAS = 14  #: grants on them
    CLOSE = 15  #: revoked access
    VIEWS = 16
    OWNERS = 17
    ROW_SECURITY = 18
    POLICIES = 19
    GRANTS = 20


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
