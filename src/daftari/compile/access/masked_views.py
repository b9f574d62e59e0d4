"""
The views through which a role reads a dataset with masked values, or with fields shown only in some rows.

Each belongs to one role: `views.<dataset>_<role>`. It reads with the operator's rights, so only its own condition
filters rows; as a security barrier, it keeps hidden rows and values from the reader's functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from daftari.compile.access.roles import Roles
from daftari.compile.access.scopes import condition
from daftari.compile.names import Schemas, derived, identifier, qualified
from daftari.compile.tables.columns import PLATFORM_COLUMNS
from daftari.compile.tables.objects import DatabaseObject, Grant, Owner, View
from daftari.contract.access.role_permissions import RolePermission, Visibility, permissions_of
from daftari.contract.model import Condition, Dataset, Field, Operation, RowScope
from daftari.protect import mask


def name(dataset: Dataset, role: str) -> str:
    return derived(dataset.name, role)


def readers(dataset: Dataset) -> list[str]:
    """Return the roles that need a view of *dataset*."""
    return [share.role for share in _shares(dataset)]


def views(
    dataset: Dataset, known: Mapping[str, Dataset], place: tuple[Roles, Schemas]
) -> Iterator[DatabaseObject]:
    roles, schemas = place
    for share in _shares(dataset):
        view, role = name(dataset, share.role), roles.of(share.role)
        conditions = {rows: condition(dataset, rows, role, known) for rows in share.scopes}
        yield View(schema=schemas.views, name=view, definition=_query(dataset, share, conditions, schemas))
        yield Owner(schema=schemas.views, table=view, owner=roles.operator, is_view=True)
        yield Grant(schema=schemas.views, table=view, grantee=role, privilege="select")


def _shares(dataset: Dataset) -> list[RolePermission]:
    return [
        share for share in permissions_of(dataset) if share.operation == Operation.READ and not share.is_plain
    ]


def _query(
    dataset: Dataset, share: RolePermission, conditions: Mapping[RowScope | Condition, str], schemas: Schemas
) -> str:
    columns = [
        f"{_cell(field, share, conditions)} as {identifier(field.name)}"
        for field in dataset.fields
        if any(line.sight(field.name) is not Visibility.HIDDEN for line in share.lines)
    ]
    if share.sees_platform:
        columns += [identifier(name) for name, *_ in PLATFORM_COLUMNS]
    shown = ",\n    ".join(columns)
    where = " or ".join(f"({text})" for text in conditions.values())
    return f"select\n    {shown}\nfrom {qualified(schemas.data, dataset.name)}\nwhere {where}"


def _cell(field: Field, share: RolePermission, conditions: Mapping[RowScope | Condition, str]) -> str:
    """Return a cell as the most visible of its lines: clear before masked, masked before hidden."""
    sights = {line.rows: line.sight(field.name) for line in share.lines}
    is_masked = Visibility.MASKED in sights.values()
    column = identifier(field.name)
    forms = {
        Visibility.CLEAR: f"{column}::text" if is_masked else column,
        Visibility.MASKED: mask.sql(field, column),
    }
    if len(set(sights.values())) == 1:
        return forms[sights[share.scopes[0]]]
    branches = [
        f"when {' or '.join(f'({conditions[rows]})' for rows, sight in sights.items() if sight is shown)} "
        f"then {forms[shown]}"
        for shown in forms
        if shown in sights.values()
    ]
    return f"case {' '.join(branches)} end"
