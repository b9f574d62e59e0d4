"""Compile contracts to the objects that their database must have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from daftari.compile import audit, partitions
from daftari.compile.access import approval_triggers
from daftari.compile.names import Schemas, identifier, qualified
from daftari.compile.tables import checks, columns, keys, sum_triggers
from daftari.compile.tables.objects import (
    Comment,
    DatabaseObject,
    Extension,
    Identity,
    Partition,
    Table,
    Trigger,
)
from daftari.contract.model import Dataset, LogicalType
from daftari.errors import ContractError


def table_objects(
    datasets: Sequence[Dataset],
    *,
    now: datetime,
    kept: Sequence[Partition] = (),
    schemas: Schemas | None = None,
) -> dict[Identity, DatabaseObject]:
    """
    Return all objects of *datasets*, by identity, in order of creation.

    *now* decides which partitions are created ahead; *kept* are those of other periods, which stay.

    Raises:
        ContractError: a contract needs what PostgreSQL cannot do, or two define the same object.
    """
    schemas = schemas or Schemas()
    found: dict[Identity, DatabaseObject] = {}
    for item in _all(datasets, now, kept, schemas):
        if item.identity in found and not isinstance(item, Extension):
            raise ContractError(f"{item.identity}: defined twice; expected once", hint="Rename one of them.")
        found[item.identity] = item
    return found


def _all(
    datasets: Sequence[Dataset], now: datetime, kept: Sequence[Partition], schemas: Schemas
) -> Iterator[DatabaseObject]:
    known = {dataset.name: dataset for dataset in datasets}
    targets: dict[str, set[str]] = defaultdict(set)
    for relationship in (it for dataset in datasets for it in dataset.relationships):
        targets[relationship.target].update(relationship.target_fields)
    for dataset in datasets:
        if dataset.no_overlap:
            yield Extension(name="btree_gist")
        yield from columns.enums(dataset, schemas)
    for dataset in datasets:
        periods = partitions.partitions(dataset, today=partitions.day_of(dataset, now), schemas=schemas)
        periods += [replace(it, schema=schemas.data) for it in kept if it.table == dataset.name]
        yield from _table(dataset, periods, schemas, targets[dataset.name])
    for dataset in datasets:
        yield from keys.foreign_keys(dataset, known, schemas)


def _table(
    dataset: Dataset, periods: Sequence[Partition], schemas: Schemas, targets: Collection[str]
) -> Iterator[DatabaseObject]:
    yield Table(schema=schemas.data, name=dataset.name, partitioned_by=_partitioned_by(dataset))
    yield from columns.columns(dataset, schemas)
    yield from keys.key_constraints(dataset, schemas, targets=targets)
    yield from checks.checks(dataset, schemas)
    yield from keys.no_overlap(dataset, schemas)
    yield from keys.indexes(dataset, schemas)
    for partition in periods:
        yield partition
        yield from audit.partition_triggers(dataset, partition)
    yield from keys.key_table(dataset, schemas)
    yield from audit.triggers(dataset, schemas)
    yield _set_updated_at(dataset, schemas)
    yield from sum_triggers.sum_triggers(dataset, schemas)
    yield from approval_triggers.step_triggers(dataset, schemas)
    yield from _comments(dataset, schemas)


def _partitioned_by(dataset: Dataset) -> str:
    if dataset.partitioning is None:
        return ""
    field = dataset.field(dataset.partitioning.field)
    if field.logical_type not in (LogicalType.DATE, LogicalType.TIMESTAMP):
        raise ContractError(
            f"{dataset.name}.{field.name}: partitioned by {field.logical_type}; expected date or timestamp"
        )
    return f"RANGE ({identifier(field.name)})"


def _set_updated_at(dataset: Dataset, schemas: Schemas) -> Trigger:
    return Trigger(
        schema=schemas.data,
        table=dataset.name,
        name="set_updated_at",
        definition=(
            f"create trigger set_updated_at before update on {qualified(schemas.data, dataset.name)} "
            "for each row execute function daftari.set_updated_at()"
        ),
    )


def _comments(dataset: Dataset, schemas: Schemas) -> Iterator[Comment]:
    described = [("", dataset.description), *((f.name, f.description) for f in dataset.fields)]
    described += [(f.index_column, f"Blind index of {f.name}.") for f in dataset.fields if f.index_column]
    described += [(name, text) for name, _, _, text in columns.PLATFORM_COLUMNS]
    for name, text in described:
        if text.strip():
            yield Comment(schema=schemas.data, table=dataset.name, column=name, text=text.strip())
