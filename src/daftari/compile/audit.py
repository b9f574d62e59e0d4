"""The triggers by which every change of a governed table leaves an entry, also one made to a partition."""

from __future__ import annotations

from collections.abc import Iterator

from daftari.compile.names import Schemas, identifier, literal, qualified
from daftari.compile.tables.objects import Partition, Trigger
from daftari.contract.model import Dataset

#: Event, function and what it asks to see of the rows. The function has its own promises: migration 0007.
_EVENTS = (
    ("insert", "after insert", "audit_insert", ""),
    ("update", "after update", "audit_change", "referencing old table as removed new table as added "),
    ("delete", "after delete", "audit_change", "referencing old table as removed "),
    ("truncate", "before truncate", "audit_truncate", ""),
)


def triggers(dataset: Dataset, schemas: Schemas) -> list[Trigger]:
    """
    Return the triggers of a dataset's table.

    They fire always: a load that proves foreign keys itself skips the others. A statement on the table fires
    those of its partitions for truncate alone, so a partitioned table itself has none for that.
    """
    found = _triggers(dataset, dataset.name, schemas)
    return [it for it in found if not (dataset.partitioning and it.name == "audit_truncate")]


def partition_triggers(dataset: Dataset, partition: Partition) -> list[Trigger]:
    """Return the triggers of a partition: statements that name it pass by those of its table."""
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
