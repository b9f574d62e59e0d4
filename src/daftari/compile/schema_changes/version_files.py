"""
The class of each statement of a version file, judged by what it would do to this database.

A statement on a table or column that an earlier pending statement creates loses nothing. A statement that is not known
here counts as breaking.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import TokenType, tokenize
from sqlglot.errors import SqlglotError

from daftari.compile.schema_changes.differences import Objects
from daftari.compile.schema_changes.steps import Phase, SchemaChange, SchemaStep
from daftari.compile.schema_changes.wider_types import is_wider
from daftari.compile.tables.objects import Column, Constraint, ConstraintKind, Enum, Identity, ObjectKind
from daftari.contract.compatibility.changes import ChangeKind

_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)'
_TABLE = rf"(?P<table>{_NAME}\.{_NAME})"
_OF_TABLE = rf"alter table (?:only )?{_TABLE} "

Class = tuple[ChangeKind, str]
_ADDITIVE = (ChangeKind.ADDITIVE, "new, or only information")
_UNKNOWN = (ChangeKind.BREAKING, "Daftari does not know what it does")
_REJECTS = (ChangeKind.BREAKING, "rows accepted until now may be rejected")


@dataclass
class _Database:
    """What the statements so far have made of the live objects."""

    live: Objects
    tables: set[tuple[str, str]] = field(default_factory=set)  #: new ones
    columns: set[tuple[str, str, str]] = field(default_factory=set)  #: new ones of old tables
    enums: dict[str, tuple[str, ...]] = field(default_factory=dict)  #: values of enums that are replaced

    def has(self, kind: ObjectKind, place: tuple[str, str], name: str = "") -> bool:
        """Whether the object exists now and is not of a new table."""
        identity = (kind, place[0], place[1], name) if name else (kind, place[0], "", place[1])
        return place not in self.tables and Identity(*identity) in self.live

    def column(self, place: tuple[str, str], name: str) -> Column | None:
        found = self.live.get(Identity(ObjectKind.COLUMN, *place, name))
        is_new = place in self.tables or (*place, name) in self.columns
        return found if isinstance(found, Column) and not is_new else None


def changes_of_files(files: Mapping[str, Sequence[str] | None], live: Objects) -> list[SchemaChange]:
    """
    Return what each statement of *files* would change, oldest file first.

    *files* are revisions with their statements; None: they cannot be read. *live* are the objects of the database.
    """
    database, found = _Database(live), []
    for revision, statements in files.items():
        if statements is None:
            what = f"version file {revision}: statements that only run when it is applied"
            found.append(SchemaChange(what=what, kind=_UNKNOWN[0], reason=_UNKNOWN[1]))
        for statement in statements or ():
            kind, reason = _class(statement, database)
            step = SchemaStep(Phase.TABLES, statement)
            what = f"version file {revision}: {_shown(statement)}"
            found.append(SchemaChange(what=what, kind=kind, reason=reason, steps=(step,)))
    return found


def adds_values(statements: Iterable[str]) -> bool:
    """Whether *statements* add values to an enum, which can be used only after their transaction."""
    return any(re.search(r"\badd value\b", it, re.IGNORECASE) for it in statements)


_OPENS = (TokenType.L_PAREN, TokenType.L_BRACKET)
_CLOSES = (TokenType.R_PAREN, TokenType.R_BRACKET)
#: A command is text that the tokenizer does not look into.
_ENDS = (TokenType.SEMICOLON, TokenType.COMMAND)
_Judge = Callable[[re.Match[str], _Database], Class]


def _shown(statement: str) -> str:
    line = " ".join(statement.split())
    return line if len(line) <= 100 else f"{line[:99]}…"


def _class(statement: str, database: _Database) -> Class:
    if not _is_single(statement):
        return _UNKNOWN
    text = statement.strip()
    for pattern, judge in _STATEMENTS:
        if match := pattern.fullmatch(text):
            return judge(match, database)
    return _UNKNOWN


def _is_single(statement: str) -> bool:
    """Whether *statement* is one statement, and alters one thing."""
    is_alteration = statement.lstrip().lower().startswith("alter")
    try:
        tokens = tokenize(statement, read="postgres")
    except SqlglotError:
        return False
    depth = 0
    for kind in (token.token_type for token in tokens):
        depth += (kind in _OPENS) - (kind in _CLOSES)
        if kind in _ENDS or (is_alteration and kind is TokenType.COMMA and not depth):
            return False
    return True


def _place(match: re.Match[str], group: str = "table") -> tuple[str, str]:
    schema, name = re.findall(_NAME, match[group])
    return _name(schema), _name(name)


def _name(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()


def _nothing(_match: re.Match[str], _database: _Database) -> Class:
    return _ADDITIVE


def _new_table(match: re.Match[str], database: _Database) -> Class:
    database.tables.add(_place(match))
    return _ADDITIVE


def _new_enum(match: re.Match[str], database: _Database) -> Class:
    schema, name = _place(match)
    values = tuple(it.replace("''", "'") for it in re.findall(r"'((?:[^']|'')*)'", match["values"]))
    database.enums[f"{schema}.{name}"] = values
    return _ADDITIVE


def _new_column(match: re.Match[str], database: _Database) -> Class:
    place = _place(match)
    is_old = place not in database.tables
    database.columns.add((*place, _name(match["name"])))
    needs_value = re.search(r"\bnot null\b", match["rest"], re.IGNORECASE)
    has_default = re.search(r"\bdefault\b", match["rest"], re.IGNORECASE)
    if is_old and needs_value and not has_default:
        return ChangeKind.BREAKING, "existing rows have no value for it"
    return _ADDITIVE


def _dropped_column(match: re.Match[str], database: _Database) -> Class:
    if database.column(_place(match), _name(match["name"])) is None:
        return ChangeKind.ADDITIVE, "this database has no values in it"
    return ChangeKind.BREAKING, "its values would be lost"


def _renamed_column(match: re.Match[str], database: _Database) -> Class:
    if database.column(_place(match), _name(match["name"])) is None:
        return ChangeKind.ADDITIVE, "this database has no values in it"
    return ChangeKind.BREAKING, "its values stay; a query by the old name fails"


def _new_condition(match: re.Match[str], database: _Database) -> Class:
    place, names = _place(match), [_name(it) for it in re.findall(_NAME, match["rest"])]
    used = {
        it.name for it in database.live.values() if isinstance(it, Column) and (it.schema, it.table) == place
    }
    old = [it for it in names if it in used and (*place, it) not in database.columns]
    is_new = any((*place, it) in database.columns for it in names)
    if place in database.tables or (is_new and not old):
        return _ADDITIVE
    return _REJECTS


def _dropped_condition(match: re.Match[str], database: _Database) -> Class:
    found = database.live.get(Identity(ObjectKind.CONSTRAINT, *_place(match), _name(match["name"])))
    if isinstance(found, Constraint) and found.kind is ConstraintKind.PRIMARY:
        return ChangeKind.BREAKING, "it is the key of the rows"
    return ChangeKind.ADDITIVE, "rows accepted until now are still accepted"


def _retyped(match: re.Match[str], database: _Database) -> Class:
    column = database.column(_place(match), _name(match["name"]))
    if column is None:
        return _ADDITIVE
    wanted = _printed(match["type"])
    if wanted in database.enums:
        old = database.live.get(_enum_identity(column.type))
        if isinstance(old, Enum):
            gone = [it for it in old.values if it not in database.enums[wanted]]
            reason = f"rows may hold {', '.join(gone)}" if gone else "the order of its values differs"
            return (ChangeKind.BREAKING if gone else ChangeKind.ADDITIVE), reason
    if is_wider(wanted, column.type):
        return ChangeKind.ADDITIVE, "allows more"
    return ChangeKind.BREAKING, f"{column.type} becomes {wanted}"


def _printed(text: str) -> str:
    """Return a type as PostgreSQL prints it."""
    wanted = re.sub(r"\bvarchar\b", "character varying", text.strip())
    return ".".join(_name(it) for it in re.findall(_NAME, wanted)) if '"."' in wanted else wanted


def _enum_identity(type_: str) -> Identity:
    schema, _, name = type_.partition(".")
    return Identity(ObjectKind.ENUM, _name(schema), "", _name(name))


def _nullable(match: re.Match[str], database: _Database) -> Class:
    if database.column(_place(match), _name(match["name"])) is None:
        return _ADDITIVE
    if match["verb"].lower() == "set":
        return ChangeKind.BREAKING, "rows without a value may exist"
    return ChangeKind.BREAKING, "readers may get null"


def _new_index(match: re.Match[str], database: _Database) -> Class:
    return _REJECTS if match["unique"] and _place(match) not in database.tables else _ADDITIVE


def _dropped_view(_match: re.Match[str], _database: _Database) -> Class:
    return ChangeKind.BREAKING, "views that show it are dropped until the next transform"


def _dropped_table(match: re.Match[str], database: _Database) -> Class:
    if not database.has(ObjectKind.TABLE, _place(match)):
        return ChangeKind.ADDITIVE, "this database has no rows in it"
    return ChangeKind.BREAKING, "its rows would be lost"


def _new_trigger(match: re.Match[str], database: _Database) -> Class:
    name = _name(match["name"])
    is_ours = name == "set_updated_at" or name.startswith("audit_")
    return _ADDITIVE if is_ours or _place(match) in database.tables else _REJECTS


def _dropped_trigger(_match: re.Match[str], _database: _Database) -> Class:
    return ChangeKind.EXPOSURE, "what it records or refuses, it no longer does"


def _of(pattern: str, judge: _Judge) -> tuple[re.Pattern[str], _Judge]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL), judge


#: The statements that version files have, and what judges them.
_COLUMN = rf"(?P<name>{_NAME})"
_STATEMENTS = (
    _of(rf"create table (?:if not exists )?{_TABLE} .*", _new_table),
    _of(rf"drop table (?:if exists )?{_TABLE}(?: cascade)?", _dropped_table),
    _of(rf"create type {_TABLE} as enum \((?P<values>.*)\)", _new_enum),
    _of(rf"drop type {_TABLE}", _nothing),  # fails where a column has it
    _of(rf"alter type {_TABLE} (?:rename to {_NAME}|add value .*)", _nothing),
    _of(r"create extension if not exists .*", _nothing),
    _of(rf"comment on (?:table|column) {_NAME}\..*", _nothing),
    _of(rf"create (?P<unique>unique )?index (?:{_NAME} )?on {_TABLE} .*", _new_index),
    _of(rf"drop index {_NAME}\.{_NAME}", _nothing),
    _of(rf"create trigger (?P<name>{_NAME}) .*? on {_TABLE} .*", _new_trigger),
    _of(rf"drop trigger {_NAME} on {_TABLE}", _dropped_trigger),
    _of(rf"drop (?:materialized )?view {_NAME}\.{_NAME}(?: cascade)?", _dropped_view),
    _of(rf"{_OF_TABLE}enable always trigger {_NAME}", _nothing),
    _of(rf"{_OF_TABLE}rename constraint {_NAME} to {_NAME}", _nothing),
    _of(rf"alter index {_NAME}\.{_NAME} rename to {_NAME}", _nothing),
    _of(rf"{_OF_TABLE}rename column {_COLUMN} to {_NAME}", _renamed_column),
    _of(rf"{_OF_TABLE}add column {_COLUMN} (?P<rest>.*)", _new_column),
    _of(rf"{_OF_TABLE}drop column {_COLUMN}", _dropped_column),
    _of(rf"{_OF_TABLE}add constraint {_NAME} (?P<rest>.*)", _new_condition),
    _of(rf"{_OF_TABLE}drop constraint {_COLUMN}", _dropped_condition),
    _of(rf"{_OF_TABLE}alter column {_COLUMN} type (?P<type>.*?) using .*", _retyped),
    _of(rf"{_OF_TABLE}alter column {_COLUMN} (?:set default .*|drop default)", _nothing),
    _of(rf"{_OF_TABLE}alter column {_COLUMN} (?P<verb>set|drop) not null", _nullable),
)
