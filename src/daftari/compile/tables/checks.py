"""Compile a contract's rules about one row to check constraints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from daftari.compile.names import Schemas, derived, identifier, literal
from daftari.compile.quality.conditions import speaks_of_sealed
from daftari.compile.tables.columns import column_type, has_enum
from daftari.compile.tables.objects import Constraint, ConstraintKind
from daftari.contract.model import Dataset, Field, LogicalType
from daftari.rows.rules.expressions import parsed_rules

_NUMBERS = (LogicalType.INTEGER, LogicalType.NUMBER)
_MOMENTS = (LogicalType.DATE, LogicalType.TIME, LogicalType.TIMESTAMP)
#: `(?i)` and similar flags must be at the start of a pattern.
_FLAGS = re.compile(r"\(\?[a-z]+\)")


def checks(dataset: Dataset, schemas: Schemas) -> list[Constraint]:
    """
    Return the checks of a dataset: of its fields' options, then of its rules.

    A rule that depends on the current day has none, as its result changes with time. Neither has a rule about a
    sealed field, which the server cannot read.

    Raises:
        ContractError: a rule is not a condition over the dataset's fields.
    """
    found = [
        _check(dataset, schemas, derived(dataset.name, field.name, what), condition)
        for field in dataset.fields
        if not field.protection.sealed  # judged before sealing
        for what, condition in field_conditions(dataset, field)
    ]
    for rule, parsed in parsed_rules(dataset):
        if parsed.check is not None and not speaks_of_sealed(dataset, parsed.fields):
            found.append(_check(dataset, schemas, derived(dataset.name, rule.id), parsed.check))
    return found


def _check(dataset: Dataset, schemas: Schemas, name: str, condition: str) -> Constraint:
    return Constraint(
        schema=schemas.data,
        table=dataset.name,
        name=name,
        kind=ConstraintKind.CHECK,
        definition=f"check ({condition})",
    )


def field_conditions(dataset: Dataset, field: Field) -> Iterator[tuple[str, str]]:
    """Yield the name and the condition of each option of a field. Null satisfies the conditions."""
    column = identifier(field.name)
    if field.logical_type in (*_NUMBERS, *_MOMENTS):
        yield from _bounds(dataset, field, column)
    if field.logical_type in _NUMBERS and field.options.multiple_of:
        yield "multiple", f"{column}::numeric % {field.options.multiple_of:f} = 0"
    if field.logical_type is LogicalType.STRING and not has_enum(field):
        yield from _text(field, column)
    if field.allowed and not has_enum(field) and field.logical_type is not LogicalType.ARRAY:
        values = ", ".join(literal(value) for value in field.allowed)
        yield "allowed", f"{column}::text in ({values})"


def _bounds(dataset: Dataset, field: Field, column: str) -> Iterator[tuple[str, str]]:
    options = field.options
    for what, sign, bound in (
        ("minimum", ">=", options.minimum),
        ("maximum", "<=", options.maximum),
        ("exclusive_minimum", ">", options.exclusive_minimum),
        ("exclusive_maximum", "<", options.exclusive_maximum),
    ):
        if bound is not None:
            yield what, f"{column} {sign} {_bound(dataset, field, bound)}"


def _bound(dataset: Dataset, field: Field, bound: Decimal | str) -> str:
    if isinstance(bound, Decimal):
        return f"{bound:f}"
    return f"{literal(bound)}::{column_type(dataset, field)}"


def _text(field: Field, column: str) -> Iterator[tuple[str, str]]:
    options = field.options
    if options.min_length is not None or options.max_length is not None:
        limits = [
            f"char_length({column}) {sign} {limit}"
            for sign, limit in ((">=", options.min_length), ("<=", options.max_length))
            if limit is not None
        ]
        yield "length", " and ".join(limits)
    if options.pattern is not None:
        yield "pattern", f"{column} ~ {literal(anchored(options.pattern))}"
    if field.digits_only:
        yield "digits", f"{column} !~ '[^0123456789]'"
    if field.width:
        yield "width", f"char_length({column}) >= {field.width}"


def anchored(pattern: str) -> str:
    """Return *pattern* anchored, so that it matches only a whole text."""
    flags = _FLAGS.match(pattern)
    head = flags[0] if flags else ""
    return f"{head}^(?:{pattern[len(head) :]})$"
