"""
The model of a contract. Pure data: nothing here opens a file or a database.

The vocabulary is ODCS v3.1's; what ODCS lacks comes from `customProperties` named `daftari.*`.
One ODCS file is a `Contract`; each object of its `schema` is a `Dataset`; each property a `Field`.
A workspace's contract has one dataset; other contracts may have many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from daftari.contract.approval import Approval
from daftari.contract.durations import latency
from daftari.errors import ContractError, Fault, UnknownName

#: Override with `DAFTARI_TIME_ZONE`.
DEFAULT_TIME_ZONE = "Africa/Nairobi"


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


class DatasetKind(StrEnum):
    """`daftari.kind`: whether rows record events, or are reference data for them."""

    TRANSACTIONAL = "transactional"
    REFERENCE = "reference"


class Conflict(StrEnum):
    """`daftari.conflict`: what happens when a key arrives again with different content."""

    UPDATE = "update"  #: the later content replaces the earlier
    KEEP = "keep"  #: the first content stays; a later row with other content counts as superseded
    REJECT = "reject"  #: the later row goes to quarantine


class PartitionPeriod(StrEnum):
    MONTH = "month"
    QUARTER = "quarter"


class Mask(StrEnum):
    """`daftari.protection`: what a masked value still shows."""

    FULL = "full"  #: nothing
    LAST3 = "last3"  #: the last three characters of a longer text or number
    INITIAL = "initial"  #: the first letter of each word
    EMAIL = "email"  #: the first letter, and the domain
    YEAR = "year"  #: of a date or instant, the latter in UTC


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Classification(StrEnum):
    """Who may see a value, ordered from everybody to a few."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"

    @property
    def is_confidential(self) -> bool:
        """Whether a value may never be shown in a log, a preview or a check result."""
        match self:
            case Classification.PERSONAL | Classification.CONFIDENTIAL | Classification.RESTRICTED:
                return True
            case Classification.PUBLIC | Classification.INTERNAL:
                return False
            case _:
                assert_never(self)

    @property
    def is_restricted(self) -> bool:
        """Whether reading a value requires a stated purpose and is audited."""
        match self:
            case Classification.CONFIDENTIAL | Classification.RESTRICTED:
                return True
            case Classification.PUBLIC | Classification.INTERNAL | Classification.PERSONAL:
                return False
            case _:
                assert_never(self)


class Operation(StrEnum):
    """`daftari.access`: what a role may do with rows."""

    READ = "read"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class RowScope(StrEnum):
    """`daftari.access`: which rows a role may reach."""

    ALL = "all"
    OWN = "own"  #: rows about the caller
    DEPARTMENT = "department"  #: rows of the caller's department
    REPORTS = "reports"  #: rows about the people whom the caller manages
    NONE = "none"

    @property
    def needs_subject(self) -> bool:
        """Whether `daftari.subject` decides which rows these are. A department may also be a field of the row."""
        match self:
            case RowScope.OWN | RowScope.REPORTS:
                return True
            case RowScope.ALL | RowScope.DEPARTMENT | RowScope.NONE:
                return False
            case _:
                assert_never(self)


@dataclass(frozen=True)
class Condition:
    """The rows for which an expression over the fields is true; for scopes beyond `RowScope`."""

    text: str

    def __str__(self) -> str:
        return self.text


def row_scope(text: str) -> RowScope | Condition:
    """Parse `rows` of a line of access."""
    try:
        return RowScope(text)
    except ValueError:
        return Condition(text)


class RowOutcome(StrEnum):
    """The outcome of a received row. A run counts each outcome; their sum is the rows received."""

    INSERTED = "inserted"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


class QualityType(StrEnum):
    LIBRARY = "library"
    SQL = "sql"
    TEXT = "text"  #: information for people; asserts nothing
    CUSTOM = "custom"  #: for another engine; not run


class QualityMetric(StrEnum):
    """The metrics of ODCS's library."""

    NULL_VALUES = "nullValues"
    MISSING_VALUES = "missingValues"
    INVALID_VALUES = "invalidValues"
    DUPLICATE_VALUES = "duplicateValues"
    ROW_COUNT = "rowCount"


class QualityOperator(StrEnum):
    """How ODCS compares a check's number with the expected one."""

    BE = "mustBe"
    NOT_BE = "mustNotBe"
    BE_GREATER_THAN = "mustBeGreaterThan"
    BE_GREATER_OR_EQUAL_TO = "mustBeGreaterOrEqualTo"
    BE_LESS_THAN = "mustBeLessThan"
    BE_LESS_OR_EQUAL_TO = "mustBeLessOrEqualTo"
    BE_BETWEEN = "mustBeBetween"
    NOT_BE_BETWEEN = "mustNotBeBetween"


class QualityUnit(StrEnum):
    ROWS = "rows"
    PERCENT = "percent"


@dataclass(frozen=True, kw_only=True)
class Options:
    """ODCS `logicalTypeOptions`. Bounds are inclusive unless named exclusive; text as in the contract."""

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
    type: QualityType = QualityType.LIBRARY
    metric: QualityMetric | str | None = None  #: a word unknown to ODCS stays text; `governable` refuses it
    query: str | None = None  #: for type sql; `${object}` and `${property}` stand for table and column
    arguments: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    comparison: QualityOperator | None = None
    expected: Any = None
    unit: QualityUnit | str = QualityUnit.ROWS  #: as for `metric`
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
    #: an unknown word stays text; `governable` refuses it
    classification: Classification | str | None = None
    critical: bool = False
    options: Options = Options()
    #: closed set of values, in the contract's order; from the quality metric invalidValues
    allowed: tuple[str, ...] = ()
    quality: tuple[Quality, ...] = ()
    protection: Protection = Protection()
    case_insensitive: bool = False  #: `daftari.caseInsensitive`: unique without regard to case
    digits_only: bool = False  #: `daftari.digitsOnly`: other characters are removed as it is read
    width: int | None = None  #: `daftari.width`: shorter texts get zeros at the left as they are read
    renamed_from: str | None = None  #: `daftari.renamedFrom`: the name of its column until now
    examples: tuple[Any, ...] = ()
    line: int = 0  #: in the contract file

    @property
    def is_key(self) -> bool:
        return self.key_position is not None

    @property
    def index_column(self) -> str | None:
        """The column of its blind index; None if the contract requests none."""
        return f"{self.name}_index" if self.protection.sealed and self.protection.lookup else None

    @property
    def is_confidential(self) -> bool:
        """Whether its values may never be shown in a log, a preview or a check result."""
        return self.protection.sealed or (
            isinstance(self.classification, Classification) and self.classification.is_confidential
        )

    @property
    def is_restricted(self) -> bool:
        """Whether reading its values requires a stated purpose."""
        return isinstance(self.classification, Classification) and self.classification.is_restricted


@dataclass(frozen=True, kw_only=True)
class Relationship:
    """A foreign key."""

    fields: tuple[str, ...]
    target: str  #: dataset
    target_fields: tuple[str, ...]
    #: the fields of the target, for rules that look at them; empty: its contract has not been read
    known_fields: tuple[Field, ...] = field(default=(), compare=False, repr=False)


class RuleTime(StrEnum):
    """When a rule that looks beyond its row is judged: what it looks at may change after the row was written."""

    ALWAYS = "always"  #: when a row is written, and as a check of the table
    WRITTEN = "written"  #: only when a row is written
    CHECKED = "checked"  #: only as a check of the table


@dataclass(frozen=True, kw_only=True)
class RowRule:
    """`daftari.rules`: a condition over one row, in SQL. As in a check constraint, null is not a violation."""

    id: str
    expression: str
    message: str
    when: RuleTime = RuleTime.ALWAYS
    severity: Severity = Severity.ERROR  #: of the check of the table
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class Partitioning:
    """`daftari.partition`: range partitions by one field, created *ahead* periods in advance."""

    field: str
    every: PartitionPeriod
    ahead: int = 3
    start: str | None = None  #: first period to create, YYYY-MM


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """`daftari.noOverlap`: ranges [start, end] of one *key* may not overlap, except where *unless* is true."""

    key: tuple[str, ...]
    start: str
    end: str
    unless: str | None = None
    shared: str | None = None  #: rows that meet this condition may overlap one another, but no other row


@dataclass(frozen=True, kw_only=True)
class Access:
    """One line of `daftari.access`, compiled to grants and policies."""

    role: str
    operations: tuple[Operation, ...]
    rows: RowScope | Condition
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
    kind: DatasetKind = DatasetKind.TRANSACTIONAL
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
    #: The workspace's IANA zone, not part of the contract: when days begin, and the zone of timestamps without
    #: an offset.
    time_zone: str = DEFAULT_TIME_ZONE
    line: int = 0

    def today(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self.time_zone)).date()

    def __hash__(self) -> int:
        """Hash only the name: fast, and consistent with equality."""
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
    #: `slaProperties` by name: latency, retention, frequency …; value and unit as text; see also `latency`
    service_levels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    support: tuple[str, ...] = ()
    source: str = ""  #: the file it was read from
    #: sha256 of the normalised document: the same whatever the spacing, comments and order of keys
    hash: str = ""
    #: the normalised document, as JSON: reading it gives the same contract again
    document: str = field(default="", repr=False)
    #: what ODCS allows and this model cannot express; `governable` reports them
    reservations: tuple[Fault, ...] = ()

    @property
    def latency(self) -> timedelta | None:
        """How long after the last load the next one is late; None if the contract does not state it."""
        try:
            return latency(self.service_levels["latency"])
        except (KeyError, ValueError):  # the reservations report it
            return None

    @property
    def dataset(self) -> Dataset:
        """
        The single dataset of this contract.

        Raises:
            ContractError: it has none, or more than one.
        """
        if len(self.datasets) != 1:
            raise ContractError(
                f"{self.source or self.id}: {len(self.datasets)} objects in schema; expected 1",
                hint="Write one contract for each dataset.",
            )
        return self.datasets[0]
