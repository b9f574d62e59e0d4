"""
Renames: a column keeps its values under the name that a contract gives it by `daftari.renamedFrom`.

PostgreSQL renames a column in everything that depends on it. The names of constraints and indexes are made of names of
fields, so those that differ only by name are renamed too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from daftari.compile.names import Schemas, derived, identifier, qualified
from daftari.compile.schema_changes.differences import ObjectDifference, Objects
from daftari.compile.schema_changes.steps import Phase, SchemaChange, SchemaStep
from daftari.compile.tables.objects import Constraint, DatabaseObject, Identity, Index, ObjectKind
from daftari.contract.compatibility.changes import ChangeKind
from daftari.contract.model import Dataset, Field


def column_renames(datasets: Sequence[Dataset], live: Objects) -> list[SchemaChange]:
    """Return the renames that *datasets* declare and the database has not made."""
    return [
        change
        for dataset in datasets
        for field in dataset.fields
        if field.renamed_from and (change := _renamed_column(dataset, field, field.renamed_from, live))
    ]


def _renamed_column(dataset: Dataset, field: Field, old: str, live: Objects) -> SchemaChange | None:
    schemas = Schemas()
    steps = [
        f"alter table {qualified(schema, table)} rename column {identifier(old)} to {identifier(field.name)}"
        for schema, table in ((schemas.data, dataset.name), (schemas.platform, derived("key", dataset.name)))
        if Identity(ObjectKind.COLUMN, schema, table, old) in live
        and Identity(ObjectKind.COLUMN, schema, table, field.name) not in live
    ]
    column = Identity(ObjectKind.COLUMN, schemas.data, dataset.name, old)
    if not steps or column not in live:
        return None
    before, after = derived(dataset.name, old), derived(dataset.name, field.name)
    if _enum(schemas.data, before) in live and _enum(schemas.data, after) not in live:
        steps.append(f"alter type {qualified(schemas.data, before)} rename to {identifier(after)}")
    return SchemaChange(
        what=f"rename {column} to {field.name}",
        kind=ChangeKind.BREAKING,
        reason="its values stay; a query by the old name fails",
        steps=tuple(SchemaStep(Phase.RENAMES, it) for it in steps),
        identity=Identity(ObjectKind.COLUMN, schemas.data, dataset.name, field.name),
    )


def _enum(schema: str, name: str) -> Identity:
    return Identity(ObjectKind.ENUM, schema, "", name)


def renamed_objects(found: Sequence[ObjectDifference]) -> Iterator[tuple[SchemaChange, set[Identity]]]:
    """Yield each constraint or index that only has another name, with the differences that this explains."""
    gone = [it.live for it in found if it.wanted is None and isinstance(it.live, Constraint | Index)]
    for wanted in (it.wanted for it in found if it.live is None):
        if not isinstance(wanted, Constraint | Index):
            continue
        old = next((it for it in gone if it is not None and _is_same(it, wanted)), None)
        if old is not None:
            gone.remove(old)
            yield _renamed(old, wanted), {old.identity, wanted.identity}


def _is_same(old: DatabaseObject, wanted: DatabaseObject) -> bool:
    if isinstance(old, Constraint) and isinstance(wanted, Constraint):
        return _constraint(old) == _constraint(wanted)
    if isinstance(old, Index) and isinstance(wanted, Index):
        return (old.schema, old.table) == (wanted.schema, wanted.table) and _index(old) == _index(wanted)
    return False


def _constraint(item: Constraint) -> tuple[str, ...]:
    return item.schema, item.table, item.kind, item.definition


def _index(item: Index) -> str:
    """Return what PostgreSQL prints of the index after its name."""
    return item.definition.partition(" ON ")[2] + str(item.definition.startswith("CREATE UNIQUE"))


def _renamed(old: Constraint | Index, wanted: Constraint | Index) -> SchemaChange:
    to = identifier(wanted.name)
    if isinstance(old, Constraint):
        table = qualified(old.schema, old.table)
        step = SchemaStep(
            Phase.RENAMES, f"alter table {table} rename constraint {identifier(old.name)} to {to}"
        )
    else:
        step = SchemaStep(Phase.RENAMES, f"alter index {qualified(old.schema, old.name)} rename to {to}")
    return SchemaChange(
        what=f"rename {old.identity} to {wanted.name}",
        kind=ChangeKind.ADDITIVE,
        reason="only has another name",
        steps=(step,),
        identity=wanted.identity,
    )
