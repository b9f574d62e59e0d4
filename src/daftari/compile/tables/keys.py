"""Keys: primary, unique and foreign; uniqueness across partitions; overlaps; indexes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from daftari.compile.names import Schemas, derived, identifier, identifiers, literal, qualified
from daftari.compile.quality.conditions import speaks_of_sealed
from daftari.compile.tables.columns import stored_type
from daftari.compile.tables.objects import Column, Constraint, ConstraintKind, Index, Table, Trigger
from daftari.contract.model import Dataset, Field, LogicalType, Overlap, Relationship
from daftari.errors import ContractError, UnknownName
from daftari.rows.rules import expressions
from daftari.rows.rules.sums import sums_at_writing

_RANGES = {
    LogicalType.DATE: "daterange",
    LogicalType.TIMESTAMP: "tstzrange",
    LogicalType.INTEGER: "int8range",
    LogicalType.NUMBER: "numrange",
}


def key_constraints(dataset: Dataset, schemas: Schemas, *, targets: Collection[str] = ()) -> list[Constraint]:
    """
    Return the primary key and the unique constraints.

    Unique values are checked at the end of a statement, so that two rows may exchange theirs: deferrable. A foreign key
    can only refer to a field that is not; *targets* are those fields.

    A partitioned table's key must include the partition field; `key_table` keeps the contract's own key
    unique.

    Raises:
        ContractError: a field outside the key must be unique across partitions.
    """
    found = []
    key = dataset.key
    if key:
        columns = tuple(dict.fromkeys((*key, *_partition_fields(dataset))))
        found.append(
            _constraint(
                dataset,
                schemas,
                derived(dataset.name, "pkey"),
                ConstraintKind.PRIMARY,
                f"primary key ({identifiers(columns)})",
            )
        )
    for field in dataset.fields:
        if not field.unique or key == (field.name,):
            continue
        if dataset.partitioning:
            raise ContractError(
                f"{dataset.name}.{field.name}: unique in a partitioned dataset; expected only its key to be unique",
                hint="PostgreSQL cannot enforce it across partitions.",
            )
        found.append(_unique(dataset, schemas, field, is_target=field.name in targets))
    return found


def _unique(dataset: Dataset, schemas: Schemas, field: Field, *, is_target: bool) -> Constraint:
    name = derived(dataset.name, field.name, "key")
    later = "" if is_target else " deferrable"
    if field.case_insensitive:
        # a unique constraint takes no expression
        definition = f"exclude using btree (lower({identifier(field.name)}) with =){later}"
        return _constraint(dataset, schemas, name, ConstraintKind.EXCLUSION, definition)
    # sealed bytes differ in each row, even for equal values
    definition = f"unique ({identifier(field.index_column or field.name)}){later}"
    return _constraint(dataset, schemas, name, ConstraintKind.UNIQUE, definition)


def key_table(dataset: Dataset, schemas: Schemas) -> list[Table | Column | Constraint | Trigger]:
    """Return the un-partitioned table that keeps a partitioned dataset's key unique, and its triggers."""
    if dataset.partitioning is None or not dataset.key:
        return []
    name = derived("key", dataset.name)
    columns = tuple(dict.fromkeys((*dataset.key, dataset.partitioning.field)))
    table: list[Table | Column | Constraint | Trigger] = [Table(schema=schemas.platform, name=name)]
    table += [
        Column(
            schema=schemas.platform,
            table=name,
            name=field,
            type=stored_type(dataset, dataset.field(field), schemas),
            required=True,
        )
        for field in columns
    ]
    table.append(
        Constraint(
            schema=schemas.platform,
            table=name,
            name=derived(name, "pkey"),
            kind=ConstraintKind.PRIMARY,
            definition=f"primary key ({identifiers(dataset.key)})",
        )
    )
    arguments = ", ".join(literal(it) for it in (name, dataset.partitioning.field, *dataset.key))
    events = {
        "insert": "new table as added",
        "update": "old table as removed new table as added",
        "delete": "old table as removed",
        "truncate": "",
    }
    return [*table, *(_keeper(dataset, schemas, event, events[event], arguments) for event in events)]


def _keeper(dataset: Dataset, schemas: Schemas, event: str, transition: str, arguments: str) -> Trigger:
    name = f"keep_keys_{event}"
    referencing = f" referencing {transition}" if transition else ""
    return Trigger(
        schema=schemas.data,
        table=dataset.name,
        name=name,
        definition=(
            f"create trigger {identifier(name)} after {event} on {qualified(schemas.data, dataset.name)}"
            f"{referencing} for each statement execute function daftari.keep_keys({arguments})"
        ),
        always=True,
    )


def foreign_keys(dataset: Dataset, known: Mapping[str, Dataset], schemas: Schemas) -> list[Constraint]:
    """
    Return the foreign keys.

    Raises:
        UnknownName: no contract defines a target.
        ContractError: the target's fields are not its key.
    """
    found = []
    for relationship in dataset.relationships:
        for field in relationship.fields:
            dataset.field(field)
        name = derived(dataset.name, *relationship.fields, "fkey")
        definition = (
            f"foreign key ({identifiers(relationship.fields)}) "
            f"references {_target(dataset, relationship, known, schemas)} "
            f"({identifiers(relationship.target_fields)})"
        )
        found.append(_constraint(dataset, schemas, name, ConstraintKind.FOREIGN, definition))
    return found


def _target(
    dataset: Dataset, relationship: Relationship, known: Mapping[str, Dataset], schemas: Schemas
) -> str:
    """Return the table to reference: for a partitioned dataset its key table."""
    target = known.get(relationship.target)
    where = f"{dataset.name}: relationship of {', '.join(relationship.fields)}"
    if target is None:
        raise UnknownName(where, "dataset", relationship.target, known=known)
    is_key = set(relationship.target_fields) == set(target.key)
    is_unique = len(relationship.target_fields) == 1 and target.field(relationship.target_fields[0]).unique
    if not (is_key or is_unique):
        raise ContractError(
            f"{where}: {', '.join(relationship.target_fields)} is not a key of {target.name}; "
            f"expected {', '.join(target.key) or 'a dataset with a primary key'}"
        )
    if target.partitioning:
        return qualified(schemas.platform, derived("key", target.name))
    return qualified(schemas.data, target.name)


def no_overlap(dataset: Dataset, schemas: Schemas) -> list[Constraint]:
    """
    Return the exclusion constraints that prevent ranges of one key from overlapping.

    With `shared` there are two: one among the rows that do not meet it, and one between these and those that do.

    Raises:
        ContractError: start and end are not a range, the dataset is partitioned, or a condition cannot be checked.
    """
    overlap = dataset.no_overlap
    if overlap is None:
        return []
    if dataset.partitioning:
        raise ContractError(f"{dataset.name}: noOverlap in a partitioned dataset; expected one or the other")
    keys = [f"{identifier(dataset.field(name).name)} with =" for name in overlap.key]
    parts = [*keys, f"{_range(dataset, overlap)} with &&"]
    # if a condition is null, ranges may not overlap either
    unless, shared = (
        None if text is None else f"({_checked(dataset, name, text)}) is not true"
        for name, text in (("unless", overlap.unless), ("shared", overlap.shared))
    )
    found = [("no_overlap", parts, " and ".join(filter(None, (unless, shared))))]
    if shared:
        found.append(("no_overlap_shared", [*parts, f"(cast(({shared}) as integer)) with <>"], unless or ""))
    return [
        _constraint(
            dataset,
            schemas,
            derived(dataset.name, name),
            ConstraintKind.EXCLUSION,
            f"exclude using gist ({', '.join(of)})" + (f" where ({where})" if where else ""),
        )
        for name, of, where in found
    ]


def _checked(dataset: Dataset, name: str, text: str) -> str:
    """Return a condition of noOverlap as SQL."""
    where = f"{dataset.name}: noOverlap {name}"
    parsed = expressions.parse(text, dataset, where=where)
    if speaks_of_sealed(dataset, parsed.fields):
        raise ContractError(f"{where} uses a sealed field; expected other fields")
    if parsed.check is None:
        raise ContractError(f"{where} depends on the current day or on other rows; expected only fields")
    return parsed.check


def _range(dataset: Dataset, overlap: Overlap) -> str:
    types = {dataset.field(name).logical_type for name in (overlap.start, overlap.end)}
    function = _RANGES.get(min(types)) if len(types) == 1 else None
    if function is None:
        raise ContractError(
            f"{dataset.name}: noOverlap from {overlap.start} to {overlap.end}; "
            "expected two fields of one type: date, timestamp, integer or number"
        )
    return f"{function}({identifier(overlap.start)}, {identifier(overlap.end)}, '[]')"


def indexes(dataset: Dataset, schemas: Schemas) -> list[Index]:
    """
    Return the declared indexes, and one for each foreign key and blind index not covered by a key.

    The rows of a sum that is judged at writing are found by an index too, if a field of its group is required.
    """
    for name in (name for fields in dataset.indexes for name in fields):
        dataset.field(name)
    wanted = [*dataset.indexes, *(relationship.fields for relationship in dataset.relationships)]
    wanted += [(f.index_column,) for f in dataset.fields if f.index_column]
    served = [dataset.key, *((f.index_column or f.name,) for f in dataset.fields if f.unique)]
    groups = [
        (name,)
        for _, condition in sums_at_writing(dataset)
        for it in condition.sums
        for name in it.fields[:1]
        if dataset.field(name).required
    ]
    served_first = {it[0] for it in (*served, *wanted) if it}
    wanted += [it for it in groups if it[0] not in served_first]
    found: dict[str, Index] = {}
    for fields in wanted:
        if any(key[: len(fields)] == fields for key in served):
            continue
        served.append(fields)
        name = derived(dataset.name, *fields, "idx")
        found[name] = Index(
            schema=schemas.data,
            table=dataset.name,
            name=name,
            definition=(
                f"create index {identifier(name)} on {qualified(schemas.data, dataset.name)} "
                f"({identifiers(fields)})"
            ),
        )
    return list(found.values())


def _constraint(
    dataset: Dataset, schemas: Schemas, name: str, kind: ConstraintKind, definition: str
) -> Constraint:
    return Constraint(schema=schemas.data, table=dataset.name, name=name, kind=kind, definition=definition)


def _partition_fields(dataset: Dataset) -> tuple[str, ...]:
    return (dataset.partitioning.field,) if dataset.partitioning else ()
