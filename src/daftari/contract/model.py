"""
What a dataset promises. Pure data: nothing here opens a file or a database.

The vocabulary is ODCS v3.1's; what ODCS lacks comes from `customProperties` named `daftari.*`.
One ODCS file is a `Contract`; each object of its `schema` is a `Dataset`; each property a `Field`.
A workspace keeps one dataset in a contract; contracts by others may hold many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from daftari.contract.approval import Approval
from daftari.errors import ContractError, Fault, UnknownName


class LogicalType(StrEnum):
    """ODCS `logicalType`."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    OBJECT = "object"
    ARRAY = "array"


class Kind(StrEnum):
    """`daftari.kind`: whether rows record what happened, or are looked up by those that do."""

    TRANSACTIONAL = "transactional"
    REFERENCE = "reference"


class Conflict(StrEnum):
    """`daftari.conflict`: what happens when a key arrives again with other content."""

    UPDATE = "update"  #: the later content replaces the earlier
    KEEP = "keep"  #: the first content stays; the later row counts as a duplicate
    REJECT = "reject"  #: the later row goes to quarantine


class Period(StrEnum):
    MONTH = "month"
    QUARTER = "quarter"


class Mask(StrEnum):
    """`daftari.protection`: what is left of a value for those who may not see it whole."""

    FULL = "full"  #: nothing
    LAST3 = "last3"  #: the last three characters of a longer text or number
    INITIAL = "initial"  #: the first letter of each word
    EMAIL = "email"  #: the first letter, and the domain
    YEAR = "year"  #: of a date or instant, the latter in UTC


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True)
class Options:
    """ODCS `logicalTypeOptions`. Bounds are inclusive unless named exclusive; text as the contract has it."""

    minimum: Decimal | str | None = None
    maximum: Decimal | str | None = None
    exclusive_minimum: Decimal | str | None = None
    exclusive_maximum: Decimal | str | None = None
    multiple_of: Decimal | None = None
    min_length: int | None = None
    max_length: int | None = None
    #: anchored at both ends when judged; shorthands such as backslash-d are spelt out
    pattern: str | None = None
    format: str | None = None  #: ODCS format: a date pattern, or email, uuid, uri …


@dataclass(frozen=True, kw_only=True)
class Quality:
    """One ODCS `quality` entry."""

    name: str
    description: str = ""
    type: str = "library"  #: library, sql, text or custom
    metric: str | None = None  #: nullValues, missingValues, invalidValues, duplicateValues, rowCount
    query: str | None = None  #: of type sql; `${object}` and `${property}` stand for table and column
    arguments: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    comparison: str | None = None  #: mustBe, mustBeLessThan, mustBeBetween …
    expected: Any = None
    unit: str = "rows"  #: rows or percent
    dimension: str | None = None
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, kw_only=True)
class Protection:
    """`daftari.protection`: sealing and masking of a field. Enforced by the protection layer."""

    sealed: bool = False
    revealable: bool = False  #: SQL may open it (A256CBC-HS512)
    lookup: bool = False  #: keeps a blind index for equality and uniqueness
    mask: Mask | None = None  #: None: full


@dataclass(frozen=True, kw_only=True)
class Field:
    name: str
    logical_type: LogicalType
    physical_type: str | None = None  #: a PostgreSQL type; None leaves it to the logical type
    business_name: str | None = None
    description: str = ""
    required: bool = False
    unique: bool = False
    key_position: int | None = None  #: place in the primary key, from 1
    classification: str | None = None  #: public, internal, personal, restricted
    critical: bool = False
    options: Options = Options()
    #: closed set of values, in the contract's order; from the quality metric invalidValues
    allowed: tuple[str, ...] = ()
    quality: tuple[Quality, ...] = ()
    protection: Protection = Protection()
    examples: tuple[Any, ...] = ()
    line: int = 0  #: in the contract's file

    @property
    def is_key(self) -> bool:
        return self.key_position is not None

    @property
    def index_column(self) -> str | None:
        """The column of its blind index, where the contract asks for one."""
        return f"{self.name}_index" if self.protection.sealed and self.protection.lookup else None

    @property
    def is_confidential(self) -> bool:
        """Whether a value of it may never be shown in a log, a preview or a check result."""
        return self.protection.sealed or self.classification in {"personal", "restricted", "confidential"}


@dataclass(frozen=True, kw_only=True)
class Relationship:
    """A foreign key."""

    fields: tuple[str, ...]
    target: str  #: dataset
    target_fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RowRule:
    """`daftari.rules`: a condition over one row, in SQL. As in a check constraint, null is no violation."""

    id: str
    expression: str
    message: str
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class Partitioning:
    """`daftari.partition`: range partitions by one field, made *ahead* periods beyond the newest."""

    field: str
    every: Period
    ahead: int = 3
    start: str | None = None  #: first period to make, YYYY-MM


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """`daftari.noOverlap`: the ranges [start, end] of one *key* may not overlap, save *unless*."""

    key: tuple[str, ...]
    start: str
    end: str
    unless: str | None = None


@dataclass(frozen=True, kw_only=True)
class Access:
    """One line of `daftari.access`. Compiled to grants and policies."""

    role: str
    operations: tuple[str, ...]
    rows: str  #: all, own, department, reports, none, or an expression
    fields: tuple[str, ...] = ()  #: empty: all
    masked: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Dataset:
    name: str
    description: str = ""
    business_name: str | None = None
    fields: tuple[Field, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    quality: tuple[Quality, ...] = ()
    kind: Kind = Kind.TRANSACTIONAL
    subject: str | None = None  #: the field that names the person a row is about
    conflict: Conflict = Conflict.UPDATE
    indexes: tuple[tuple[str, ...], ...] = ()
    partitioning: Partitioning | None = None
    no_overlap: Overlap | None = None
    rules: tuple[RowRule, ...] = ()
    access: tuple[Access, ...] = ()
    approval: Approval | None = None
    purpose: str | None = None
    lawful_basis: str | None = None  #: Kenya Data Protection Act 2019, s. 30(1)
    retention: timedelta | None = None
    #: share of a load's rows that may be rejected before a pipeline stops, 0 to 1
    max_rejected_ratio: float = 0.05
    line: int = 0

    def __hash__(self) -> int:
        """By the name alone: quick, and the same for datasets that are equal."""
        return hash(self.name)

    def field(self, name: str) -> Field:
        """
        Return the field called *name*.

        Raises:
            UnknownName: the dataset has no such field.
        """
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise UnknownName(self.name, "field", name, known=[f.name for f in self.fields])

    @property
    def key(self) -> tuple[str, ...]:
        """The primary key's fields, in order. Empty when the contract declares none."""
        keyed = [(f.key_position, f.name) for f in self.fields if f.key_position is not None]
        return tuple(name for _, name in sorted(keyed))


@dataclass(frozen=True, kw_only=True)
class Contract:
    id: str
    version: str
    status: str
    api_version: str  #: of ODCS, e.g. v3.1.0
    name: str | None = None
    domain: str | None = None
    tenant: str | None = None
    description: str = ""
    datasets: tuple[Dataset, ...] = ()
    owner: str | None = None  #: from `team`: the member whose role is owner, else the first
    #: `slaProperties` by name: latency, retention, frequency …; value and unit as text
    service_levels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    support: tuple[str, ...] = ()
    source: str = ""  #: the file it was read from
    #: sha256 of the normalised document: the same whatever the spacing, comments and order of keys
    hash: str = ""
    #: the normalised document, as JSON: reading it gives the same contract again
    document: str = field(default="", repr=False)
    #: what ODCS allows and the reader could not express in this model; `governable` reports them
    reservations: tuple[Fault, ...] = ()

    @property
    def dataset(self) -> Dataset:
        """
        The only dataset of this contract.

        Raises:
            ContractError: there is none, or more than one.
        """
        if len(self.datasets) != 1:
            raise ContractError(
                f"{self.source or self.id}: {len(self.datasets)} objects in schema; expected 1",
                hint="Give each dataset a contract of its own.",
            )
        return self.datasets[0]
