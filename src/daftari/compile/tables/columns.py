"""Compile a field to a column: its type, and the enum of its closed set."""

from __future__ import annotations

import re

from daftari.compile.names import LONGEST_NAME_BYTES, Schemas, derived, qualified
from daftari.compile.tables.objects import Column, Enum
from daftari.contract.model import Dataset, Field, LogicalType
from daftari.contract.platform import CREATED_AT, RUN_ID, UPDATED_AT
from daftari.errors import ContractError

_TYPES = {
    LogicalType.STRING: "text",
    LogicalType.INTEGER: "bigint",
    LogicalType.NUMBER: "numeric",
    LogicalType.BOOLEAN: "boolean",
    LogicalType.DATE: "date",
    LogicalType.TIME: "time",
    LogicalType.TIMESTAMP: "timestamptz",
    LogicalType.OBJECT: "jsonb",
    LogicalType.ARRAY: "jsonb",
}
_PHYSICAL = re.compile(
    r"text|uuid|smallint|integer|bigint|double precision|real|boolean|date|time|timestamptz|jsonb"
    r"|varchar\(\d{1,8}\)|numeric(\(\d{1,4}(, ?\d{1,4})?\))?"
)
#: Always with a zone: a timestamp without one would mean a different moment in each session.
_ALIASES = {"timestamp": "timestamptz"}

#: Sealed values and blind indexes are bytes to the server.
SEALED_TYPE = "bytea"

#: Columns that every governed table has, after the contract's own.
PLATFORM_COLUMNS = (
    (CREATED_AT, "timestamptz", "now()", "When the row first came."),
    (UPDATED_AT, "timestamptz", "now()", "When the row was last changed."),
    # No caller writes it: an insert is of the run that the session is in; 0: of none. As the server prints it.
    (
        RUN_ID,
        "bigint",
        "COALESCE(daftari.current_run(), (0)::bigint)",
        "The run that last wrote the row; see daftari.run.",
    ),
)


def columns(dataset: Dataset, schemas: Schemas) -> list[Column]:
    """
    Return the columns of a dataset's table, in order.

    Raises:
        ContractError: a field has the name of a platform column, or a type that PostgreSQL lacks.
    """
    taken = {name for name, *_ in PLATFORM_COLUMNS} & {f.name for f in dataset.fields}
    if taken:
        raise ContractError(
            f"{dataset.name}.{min(taken)}: this name belongs to the platform; expected another",
            hint="Daftari adds created_at, updated_at and _run_id to every governed table.",
        )
    own = [
        Column(
            schema=schemas.data,
            table=dataset.name,
            name=field.name,
            type=stored_type(dataset, field, schemas),
            required=field.required or field.is_key or _partitions_by(dataset, field),
        )
        for field in dataset.fields
    ]
    own += [
        Column(
            schema=schemas.data,
            table=dataset.name,
            name=field.index_column,
            type=SEALED_TYPE,
            required=field.required,
        )
        for field in dataset.fields
        if field.index_column
    ]
    platform = [
        Column(schema=schemas.data, table=dataset.name, name=name, type=type_, required=True, default=default)
        for name, type_, default, _ in PLATFORM_COLUMNS
    ]
    return own + platform


def column_type(dataset: Dataset, field: Field, schemas: Schemas | None = None) -> str:
    """
    Return the type of a field's column, as SQL.

    Raises:
        ContractError: its `physicalType` is not supported.
    """
    if field.protection.sealed:
        return SEALED_TYPE
    if has_enum(field):
        return qualified((schemas or Schemas()).data, enum_name(dataset, field))
    if field.physical_type is None:
        return _TYPES[field.logical_type]
    wanted = " ".join(field.physical_type.lower().split())
    wanted = _ALIASES.get(wanted, wanted)
    if not _PHYSICAL.fullmatch(wanted):
        raise ContractError(
            f"{dataset.name}.{field.name}: physicalType {field.physical_type!r}; expected a PostgreSQL type "
            "such as text, varchar(40), bigint, numeric(14,2), boolean, date, timestamptz, uuid, jsonb"
        )
    return wanted


def stored_type(dataset: Dataset, field: Field, schemas: Schemas) -> str:
    """
    Return the type of a field's column with its collation.

    Keys and references to them are compared byte by byte: they are codes, not words; their indexes build in half the
    time, and their order is the same on every server.

    Raises:
        ContractError: as `column_type`.
    """
    wanted = column_type(dataset, field, schemas)
    is_text = field.logical_type is LogicalType.STRING and wanted not in ("uuid", SEALED_TYPE)
    is_text = is_text and not has_enum(field)
    refers = any(field.name in relationship.fields for relationship in dataset.relationships)
    return f'{wanted} collate "C"' if is_text and (field.is_key or refers) else wanted


def enums(dataset: Dataset, schemas: Schemas) -> list[Enum]:
    return [
        Enum(schema=schemas.data, name=enum_name(dataset, field), values=field.allowed)
        for field in dataset.fields
        if has_enum(field)
    ]


def has_enum(field: Field) -> bool:
    """Whether the closed set of *field* can be an enum: text values within PostgreSQL's limit."""
    return (
        bool(field.allowed)
        and not field.protection.sealed
        and field.logical_type is LogicalType.STRING
        and field.physical_type in (None, "text")
        and all(value and len(value.encode()) <= LONGEST_NAME_BYTES for value in field.allowed)
    )


def enum_name(dataset: Dataset, field: Field) -> str:
    return derived(dataset.name, field.name)


def _partitions_by(dataset: Dataset, field: Field) -> bool:
    return dataset.partitioning is not None and dataset.partitioning.field == field.name
