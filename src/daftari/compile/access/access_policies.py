"""
Compile `daftari.access` to roles, owners, policies, grants and views.

PostgreSQL grants by column or by row, never by cell: a role that may read a column reads it in every row that
some policy shows. So a role reads from a table only the columns that it sees unmasked in *all* its rows;
everything else it reads through its own view (masked_views.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from daftari.compile.access import approval_triggers, masked_views
from daftari.compile.access.roles import Roles, wanted
from daftari.compile.access.scopes import condition, mart_condition
from daftari.compile.names import Schemas, derived
from daftari.compile.tables.columns import PLATFORM_COLUMNS
from daftari.compile.tables.objects import (
    DatabaseObject,
    Grant,
    Owner,
    Partition,
    Policy,
    RowSecurity,
    ViewRights,
)
from daftari.contract.access.mart_readers import Readers
from daftari.contract.access.role_permissions import RolePermission, permissions_of
from daftari.contract.model import Dataset, Operation

#: The operator's policy, on every governed table and partition.
OPERATOR_POLICY = "operator"
_COMMANDS = {
    Operation.READ: "select",
    Operation.INSERT: "insert",
    Operation.UPDATE: "update",
    Operation.DELETE: "delete",
}


@dataclass(frozen=True, kw_only=True)
class Present:
    """Existing relations that contracts do not name, and that must still be closed."""

    partitions: tuple[tuple[str, str], ...] = ()  #: each with its table
    kept: tuple[Partition, ...] = ()  #: those older than the partitions to create
    marts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  #: columns with their types, by name
    views: tuple[tuple[str, str], ...] = ()  #: schema and name of views that are not ours


@dataclass(frozen=True, kw_only=True)
class Rights:
    """The roles and mart readers of a database."""

    roles: Roles = Roles()
    readers: Readers = Readers()


def access_objects(
    datasets: Sequence[Dataset], present: Present, rights: Rights, schemas: Schemas | None = None
) -> Iterator[DatabaseObject]:
    """
    Yield the objects that decide who may do what in *datasets* and marts.

    Raises:
        ContractError: PostgreSQL cannot enforce a line of access.
    """
    schemas = schemas or Schemas()
    roles = rights.roles
    known = {dataset.name: dataset for dataset in datasets}
    yield from wanted(datasets, rights.readers.roles, roles)
    yield from _schemas(datasets, roles, schemas)
    for dataset in datasets:
        found = permissions_of(dataset)
        yield from _closed(dataset.name, roles, schemas)
        for table, partition in present.partitions:
            if table == dataset.name:
                yield from _closed(partition, roles, schemas)
        for share in found:
            yield from _policies(dataset, share, known, (roles, schemas))
            yield from _grants(dataset, share, (roles, schemas))
        yield from masked_views.views(dataset, known, (roles, schemas))
    yield from of_marts(present, rights, schemas)
    for schema, name in present.views:
        yield ViewRights(schema=schema, table=name)


def of_marts(present: Present, rights: Rights, schemas: Schemas) -> Iterator[DatabaseObject]:
    """
    Yield the objects that decide who reads the existing marts: a grant and a policy for each reader.

    Policies do not apply to the owner: publishing must reach every row, including old ones. A mart that still lacks
    the column for its readers' scopes is closed to those readers.
    """
    roles = rights.roles
    readers = {
        mart: rights.readers.of[mart].among(columns)
        for mart, columns in present.marts.items()
        if mart in rights.readers.of
    }
    every = {roles.of(role) for named in readers.values() for role in named.scopes}
    yield from _uses(schemas.marts, {*every, *roles.own}, creates=roles.owner)
    for mart in present.marts:
        yield Owner(schema=schemas.marts, table=mart, owner=roles.owner)
        yield RowSecurity(schema=schemas.marts, table=mart, forced=False)
    for mart, named in readers.items():
        for name, rows in named.scopes.items():
            role = roles.of(name)
            yield Grant(schema=schemas.marts, table=mart, grantee=role, privilege="select")
            yield Policy(
                schema=schemas.marts,
                table=mart,
                name=derived(name, "read"),
                command="select",
                roles=(role,),
                using=mart_condition(mart, named.subject, rows, role),
            )


def _closed(table: str, roles: Roles, schemas: Schemas) -> Iterator[DatabaseObject]:
    """Close a table to everyone except the operator: also to its owner, and through its partitions."""
    yield Owner(schema=schemas.data, table=table, owner=roles.owner)
    yield RowSecurity(schema=schemas.data, table=table)
    yield Policy(
        schema=schemas.data, table=table, name=OPERATOR_POLICY, command="all", roles=(roles.operator,),
        using="true",
    )  # fmt: skip
    for privilege in _COMMANDS.values():
        yield Grant(schema=schemas.data, table=table, grantee=roles.operator, privilege=privilege)


def _policies(
    dataset: Dataset, share: RolePermission, known: Mapping[str, Dataset], place: tuple[Roles, Schemas]
) -> Iterator[Policy]:
    roles, schemas = place
    role = roles.of(share.role)
    for at, rows in enumerate(share.scopes, 1):
        which = () if at == 1 else (str(at),)
        text = condition(dataset, rows, role, known)
        if share.operation == Operation.INSERT and (begins := approval_triggers.begins(dataset, share.role)):
            text = f"{text} and {begins}"
        yield Policy(
            schema=schemas.data,
            table=dataset.name,
            name=derived(share.role, share.operation, *which),
            command=_COMMANDS[share.operation],
            roles=(role,),
            using=None if share.operation == Operation.INSERT else text,
            check=text if share.operation == Operation.INSERT else None,
        )


def _grants(dataset: Dataset, share: RolePermission, place: tuple[Roles, Schemas]) -> Iterator[Grant]:
    roles, schemas = place
    privilege = _COMMANDS[share.operation]
    columns = () if share.operation == Operation.DELETE else _columns(dataset, share)
    if share.operation == Operation.DELETE or columns:
        yield Grant(
            schema=schemas.data,
            table=dataset.name,
            grantee=roles.of(share.role),
            privilege=privilege,
            columns=columns,
        )


def _columns(dataset: Dataset, share: RolePermission) -> tuple[str, ...]:
    own = share.everywhere
    if share.operation == Operation.READ:
        platform = [name for name, *_ in PLATFORM_COLUMNS] if share.sees_platform else []
    else:
        # Writing a sealed field includes its blind index. The platform's columns fill themselves, and a key is never
        # updated: whether that succeeds would tell which hidden rows refer to it.
        platform = [it.index_column for it in dataset.fields if it.name in own and it.index_column]
        if share.operation == Operation.UPDATE:
            own = tuple(name for name in own if name not in dataset.key)
    return tuple(sorted([*own, *platform]))


def _schemas(datasets: Sequence[Dataset], roles: Roles, schemas: Schemas) -> Iterator[Grant]:
    own = {roles.of(share.role) for dataset in datasets for share in permissions_of(dataset)}
    masked = {roles.of(role) for dataset in datasets for role in masked_views.readers(dataset)}
    yield from _uses(schemas.data, {*own, *roles.own}, creates=roles.owner)
    yield from _uses(schemas.views, {*masked, roles.operator}, creates=roles.operator)


def _uses(schema: str, grantees: set[str], *, creates: str) -> Iterator[Grant]:
    """Grant usage of a schema to roles that have something in it; an owner also needs create."""
    for grantee in sorted(grantees):
        yield Grant(schema=schema, table="", grantee=grantee, privilege="usage")
    yield Grant(schema=schema, table="", grantee=creates, privilege="create")
