"""The relation and columns from which a role reads a dataset: its table, or the role's own view."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from daftari.compile.access import masked_views
from daftari.compile.names import Schemas
from daftari.compile.tables.columns import PLATFORM_COLUMNS, column_type
from daftari.contract.access.role_permissions import Visibility, permission_of, sights
from daftari.contract.model import Dataset, Operation
from daftari.rows.url_query import VisibleColumn


@dataclass(frozen=True, kw_only=True)
class Relation:
    schema: str
    name: str
    #: columns that the role sees, except sealed fields shown unmasked, which only the application can open
    columns: tuple[VisibleColumn, ...]


@lru_cache(maxsize=1024)
def relation_of(dataset: Dataset, role: str) -> Relation | None:
    """Return what *role*, by its contract name, reads of *dataset*; None if nothing."""
    schemas = Schemas()
    share = permission_of(dataset, role, Operation.READ)
    if share is None:
        return None
    columns, seen = [], sights(dataset, role)
    for field in dataset.fields:
        is_masked = Visibility.MASKED in seen[field.name]
        if seen[field.name] == {Visibility.HIDDEN} or (share.is_plain and field.name not in share.everywhere):
            continue
        if field.protection.sealed and not is_masked:
            continue
        columns.append(
            VisibleColumn(
                name=field.name,
                type="text" if is_masked else column_type(dataset, field, schemas),
                field=field,
                is_masked=is_masked,
                required=(field.required or field.is_key) and len(seen[field.name]) == 1,
            )
        )
    if share.sees_platform:
        columns += [VisibleColumn(name=name, type=kind, required=True) for name, kind, *_ in PLATFORM_COLUMNS]
    if share.is_plain:
        return Relation(schema=schemas.data, name=dataset.name, columns=tuple(columns))
    name = masked_views.name(dataset, role)
    return Relation(schema=schemas.views, name=name, columns=tuple(columns))
