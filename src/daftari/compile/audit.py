"""The triggers that write an audit entry for every change of a governed table or its partitions."""

from __future__ import annotations

from collections.abc import Iterator

from daftari.compile.names import Schemas, identifier, literal, qualified
from daftari.compile.tables.objects import Partition, Trigger
from daftari.contract.model import Dataset

#: Event, timing, function and its transition tables. The functions are in `io/database/schema/audit.sql`.
_EVENTS = (
    ("insert", "after insert", "audit_insert", ""),
    ("update", "after update", "audit_change", "referencing old table as removed new table as added "),
    ("delete", "after delete", "audit_change", "referencing old table as removed "),
    ("truncate", "before truncate", "audit_truncate", ""),
)


def triggers(dataset: Dataset, schemas: Schemas) -> list[Trigger]:
    """
    Return the triggers of a dataset's table.

    They always fire; a load that checks foreign keys itself skips other triggers. Of the partitions' triggers, a
    statement on the table fires only those for truncate, so a partitioned table itself has no truncate trigger.
    """
    found = _triggers(dataset, dataset.name, schemas)
    return [it for it in found if not (dataset.partitioning and it.name == "audit_truncate")]


def partition_triggers(dataset: Dataset, partition: Partition) -> list[Trigger]:
    """Return the triggers of a partition: a statement on the partition does not fire its table's triggers."""
    return list(_triggers(dataset, partition.name, Schemas(data=partition.schema)))


def _triggers(dataset: Dataset, table: str, schemas: Schemas) -> Iterator[Trigger]:
    arguments = ", ".join(literal(name) for name in (dataset.name, *dataset.key))
    for event, fires, function, seen in _EVENTS:
        name = f"audit_{event}"
        yield Trigger(
            schema=schemas.data,
            table=table,
            name=name,
            definition=(
                f"create trigger {identifier(name)} {fires} on {qualified(schemas.data, table)} "
                f"{seen}for each statement execute function daftari.{function}({arguments})"
            ),
            always=True,
        )
