"""The statements that create, drop or alter objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from daftari.compile.access import access_statements
from daftari.compile.names import identifier, literal, qualified
from daftari.compile.schema_changes.wider_types import is_wider
from daftari.compile.tables.objects import (
    Column,
    Comment,
    Constraint,
    ConstraintKind,
    DatabaseObject,
    Enum,
    Extension,
    Identity,
    Index,
    Partition,
    Table,
    Trigger,
)

#: Constraints in `create table`; foreign keys wait until every table exists.
_INLINE = (ConstraintKind.PRIMARY, ConstraintKind.UNIQUE, ConstraintKind.CHECK, ConstraintKind.EXCLUSION)


#: When a value would not be the same in a type, by the type's first word.
_LOSSES: dict[str, Callable[[str, str], str]] = {
    "numeric": lambda text, wanted: f"{text}::numeric is distinct from {text}::{wanted}",
    "date": lambda text, _: f"{text}::timestamp is distinct from {text}::date",
    "real": lambda text, _: f"{text}::real::text::numeric is distinct from {text}::numeric",
    "double": lambda text, _: f"{text}::double precision::text::numeric is distinct from {text}::numeric",
}


def create_all(objects: Mapping[Identity, DatabaseObject]) -> list[str]:
    """Return the statements that create *objects* in an empty database, each table with its columns."""
    statements = []
    for item in objects.values():
        if isinstance(item, Table):
            statements += create_table(item, objects.values())
        elif not is_part_of_table(item):
            statements += create_object(item)
    return statements


def is_part_of_table(item: DatabaseObject) -> bool:
    """Whether `create_table` creates *item* along with its table."""
    return isinstance(item, Column) or (isinstance(item, Constraint) and item.kind in _INLINE)


def create_table(table: Table, objects: Iterable[DatabaseObject]) -> list[str]:
    lines = [
        _column(item) if isinstance(item, Column) else f"constraint {identifier(item.name)} {item.definition}"
        for item in objects
        if isinstance(item, Column | Constraint)
        and is_part_of_table(item)
        and (item.schema, item.table) == (table.schema, table.name)
    ]
    body = ",\n    ".join(lines)
    partitioned = f" partition by {table.partitioned_by}" if table.partitioned_by else ""
    return [f"create table {qualified(table.schema, table.name)} (\n    {body}\n){partitioned}"]


def create_object(item: DatabaseObject) -> list[str]:  # noqa: C901 -- one branch a kind
    """Return the statements that add *item* to a database that has what it depends on."""
    match item:
        case Extension():
            return [f"create extension if not exists {identifier(item.name)} with schema daftari"]
        case Enum():
            values = ", ".join(literal(value) for value in item.values)
            return [f"create type {qualified(item.schema, item.name)} as enum ({values})"]
        case Table():
            return create_table(item, ())
        case Column():
            return [f"alter table {qualified(item.schema, item.table)} add column {_column(item)}"]
        case Constraint():
            table = qualified(item.schema, item.table)
            return [f"alter table {table} add constraint {identifier(item.name)} {item.definition}"]
        case Index():
            return [item.definition]
        case Trigger():
            return _create_trigger(item)
        case Partition():
            table, name = qualified(item.schema, item.table), qualified(item.schema, item.name)
            return [f"create table {name} partition of {table} {item.bounds}"]
        case Comment():
            return [f"comment on {_commented(item)} is {literal(item.text)}"]
    return access_statements.create_access(item)


def drop_object(item: DatabaseObject) -> list[str]:  # noqa: C901 -- one branch a kind
    """Return the statements that drop *item*. Dropping a column, table or enum loses data."""
    match item:
        case Extension():
            return [f"drop extension {identifier(item.name)}"]
        case Enum():
            return [f"drop type {qualified(item.schema, item.name)}"]
        case Table():
            return [f"drop table {qualified(item.schema, item.name)}"]
        case Column():
            return [f"alter table {qualified(item.schema, item.table)} drop column {identifier(item.name)}"]
        case Constraint():
            return [
                f"alter table {qualified(item.schema, item.table)} drop constraint {identifier(item.name)}"
            ]
        case Index():
            return [f"drop index {qualified(item.schema, item.name)}"]
        case Trigger():
            return [f"drop trigger {identifier(item.name)} on {qualified(item.schema, item.table)}"]
        case Partition():
            table, name = qualified(item.schema, item.table), qualified(item.schema, item.name)
            return [f"alter table {table} detach partition {name}"]
        case Comment():
            return [f"comment on {_commented(item)} is null"]
    return access_statements.drop_access(item)


def alter_column(wanted: Column, live: Column) -> list[str]:
    """Return the statements that give the live column the wanted type, default and nullability."""
    table, name = qualified(wanted.schema, wanted.table), identifier(wanted.name)
    statements = []
    if wanted.type != live.type:
        using = _converted(wanted, live)
        statements.append(f"alter table {table} alter column {name} type {wanted.type} using {using}")
    if wanted.default != live.default:
        change = f"set default {wanted.default}" if wanted.default else "drop default"
        statements.append(f"alter table {table} alter column {name} {change}")
    if wanted.required != live.required:
        change = "set not null" if wanted.required else "drop not null"
        statements.append(f"alter table {table} alter column {name} {change}")
    return statements


def _converted(wanted: Column, live: Column) -> str:
    """
    Return the value of *live* in the type of *wanted*, as SQL that fails if the value would lose something.

    A cast alone rounds a number, cuts a text and takes the date out of a moment without an error.
    """
    name = identifier(wanted.name)
    kind = wanted.type.split("(")[0].split(" ")[0]
    if kind == "varchar":
        return f"{name}::text"  # assigned, not cast: a longer text is an error
    if kind not in _LOSSES or is_wider(wanted.type, live.type):
        return f"{name}::text::{wanted.type}"
    lost = _LOSSES[kind](f"{name}::text", wanted.type)
    return f"(case when {lost} then {name}::text || ' loses' else {name}::text end)::{wanted.type}"


def add_values(wanted: Enum, live: Enum) -> list[str]:
    """Return the statements that add the additional values of *wanted*, each in its place."""
    statements = []
    for at, value in enumerate(wanted.values):
        if value not in live.values:
            place = f" after {literal(wanted.values[at - 1])}" if at else f" before {literal(live.values[0])}"
            statements.append(
                f"alter type {qualified(wanted.schema, wanted.name)} add value {literal(value)}{place}"
            )
    return statements


def replace_enum(wanted: Enum, users: Iterable[Column]) -> list[str]:
    """Return the statements that replace an enum by *wanted*, with other values or another order."""
    name, old = qualified(wanted.schema, wanted.name), f"{wanted.name[:54]}_replaced"
    statements = [f"alter type {name} rename to {identifier(old)}", *create_object(wanted)]
    statements += [
        f"alter table {qualified(user.schema, user.table)} alter column {identifier(user.name)} "
        f"type {name} using {identifier(user.name)}::text::{name}"
        for user in users
    ]
    return [*statements, f"drop type {qualified(wanted.schema, old)}"]


def _column(column: Column) -> str:
    default = f" default {column.default}" if column.default else ""
    required = " not null" if column.required else ""
    return f"{identifier(column.name)} {column.type}{required}{default}"


def _create_trigger(trigger: Trigger) -> list[str]:
    statements = [trigger.definition]
    if trigger.always:
        statements.append(
            f"alter table {qualified(trigger.schema, trigger.table)} "
            f"enable always trigger {identifier(trigger.name)}"
        )
    return statements


def _commented(comment: Comment) -> str:
    table = qualified(comment.schema, comment.table)
    return f"column {table}.{identifier(comment.column)}" if comment.column else f"table {table}"
