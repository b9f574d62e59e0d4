"""
Row scopes as SQL conditions.

Functions about the caller are in a subselect, so that PostgreSQL evaluates them once per statement, not per
row, and can use an index on the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from daftari.compile.names import identifier, literal
from daftari.compile.tables.columns import column_type
from daftari.contract.access.mart_readers import MART_SCOPES
from daftari.contract.model import Condition, Dataset, RowScope
from daftari.errors import ContractError
from daftari.rows.rules.expressions import parse

#: The dataset of people, and the fields that the scopes `department` and `reports` need.
PEOPLE, PERSON, MANAGER, DEPARTMENT = "users", "user_id", "manager_id", "department_code"
DEPARTMENTS = "departments"


def mart_condition(mart: str, subject: str | None, rows: RowScope, role: str) -> str:
    """
    Return the SQL condition: a row of *mart* is within the scope *rows* of a caller that acts as *role*.

    *subject* is the column that names the person a row is about.

    Raises:
        ContractError: the scope is unknown for marts, or needs a subject.
    """
    acts = _acts_as(role)
    if rows == RowScope.ALL:
        return acts
    if rows not in MART_SCOPES or subject is None:
        raise ContractError(
            f"{mart}: rows {rows} for {role}; expected one of {', '.join(MART_SCOPES)}, with a subject"
        )
    person = f"{identifier(subject)}::text"
    if rows == RowScope.OWN:
        return f"{acts} and {person} = (select daftari.user_id())"
    people = "reports" if rows == RowScope.REPORTS else "colleagues"
    return f"{acts} and {person} = any ((select daftari.{people}())::text[])"


def condition(dataset: Dataset, rows: RowScope | Condition, role: str, known: Mapping[str, Dataset]) -> str:
    """
    Return the SQL condition: a row is within the scope *rows* of a caller that acts as *role*.

    Raises:
        ContractError: fields that the scope needs are missing in the dataset, or in the dataset of people.
    """
    acts = _acts_as(role)
    match rows:
        case RowScope.ALL:
            return acts
        case RowScope.NONE:
            return "false"
        case RowScope.OWN:
            field = _subject(dataset)
            return f"{acts} and {identifier(field)} = (select daftari.user_id()){_cast(dataset, field)}"
        case RowScope.REPORTS:
            _require(known, MANAGER, f"{dataset.name}: rows reports")
            field = _subject(dataset)
            return (
                f"{acts} and {identifier(field)} = any ((select daftari.reports())::text[]"
                f"{_cast(dataset, field, '[]')})"
            )
        case RowScope.DEPARTMENT:
            return f"{acts} and {_in_department(dataset, known)}"
        case Condition(text):
            parsed = parse(text, dataset, where=f"{dataset.name}: access of {role}")
            return f"{acts} and ({parsed.sql})"
        case _:
            assert_never(rows)


def _acts_as(role: str) -> str:
    return f"(select daftari.acts_as({literal(role)}))"


def _in_department(dataset: Dataset, known: Mapping[str, Dataset]) -> str:
    own = [r.fields[0] for r in dataset.relationships if r.target == DEPARTMENTS and len(r.fields) == 1]
    if own:
        (field, *_) = own
        return f"{identifier(field)} = (select daftari.department()){_cast(dataset, field)}"
    _require(known, DEPARTMENT, f"{dataset.name}: rows department")
    field = _subject(dataset)
    return f"{identifier(field)} = any ((select daftari.colleagues())::text[]{_cast(dataset, field, '[]')})"


def _subject(dataset: Dataset) -> str:
    if dataset.subject is None:
        raise ContractError(f"{dataset.name}: no daftari.subject; expected one, which a scope of rows needs")
    return dataset.subject


def _require(known: Mapping[str, Dataset], field: str, where: str) -> None:
    people = known.get(PEOPLE)
    if people is None or not {PERSON, field} <= {it.name for it in people.fields}:
        raise ContractError(
            f"{where}: expected a dataset {PEOPLE} with the fields {PERSON} and {field}, which this scope needs"
        )


def _cast(dataset: Dataset, field: str, many: str = "") -> str:
    """Cast the caller's id, which is text, to the field's type, so that an index on the field is used."""
    wanted = column_type(dataset, dataset.field(field))
    return "" if wanted == "text" else f"::{wanted}{many}"
