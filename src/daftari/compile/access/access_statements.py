"""The statements that create, alter or drop access objects: roles, owners, policies, grants, views."""

from __future__ import annotations

from daftari.compile.names import identifier, identifiers, qualified
from daftari.compile.tables.objects import Grant, Owner, Policy, Role, RowSecurity, View, ViewRights

AccessObject = Role | View | Owner | RowSecurity | ViewRights | Policy | Grant

_ATTRIBUTES = "nologin nosuperuser nobypassrls nocreaterole nocreatedb noreplication"


def create_access(item: AccessObject) -> list[str]:
    match item:
        case Role():
            # Another database of the server may create the same role concurrently.
            made = f"create role {identifier(item.name)} {_ATTRIBUTES}"
            unless = "exception when duplicate_object or unique_violation then null"
            return [f"do $$ begin {made}; {unless}; end $$"]
        case View():
            barrier = " with (security_barrier = true)" if item.is_barrier else ""
            return [f"create view {qualified(item.schema, item.name)}{barrier} as\n{item.definition}"]
        case Owner():
            kind = "view" if item.is_view else "table"
            return [f"alter {kind} {qualified(item.schema, item.table)} owner to {identifier(item.owner)}"]
        case RowSecurity():
            table = qualified(item.schema, item.table)
            forced = "force" if item.forced else "no force"
            return [f"alter table {table} enable row level security, {forced} row level security"]
        case ViewRights():
            view = qualified(item.schema, item.table)
            return [f"alter view {view} set (security_invoker = true)"]
        case Policy():
            return [_create_policy(item)]
        case Grant():
            return [f"grant {_granted(item, item.columns)} to {identifier(item.grantee)}"]


def drop_access(item: AccessObject) -> list[str]:
    """Return the statements that drop *item*. None for roles: another database may use them."""
    match item:
        case View():
            return [f"drop view {qualified(item.schema, item.name)}"]
        case Policy():
            return [f"drop policy {identifier(item.name)} on {qualified(item.schema, item.table)}"]
        case Grant():
            return [f"revoke {_granted(item, item.columns)} from {_grantee(item.grantee)} cascade"]
    return []


def alter_access(wanted: AccessObject, live: AccessObject) -> list[str]:
    """Return the statements that change *live* to *wanted*."""
    if isinstance(wanted, Role) and isinstance(live, Role):
        return [
            *([f"alter role {identifier(wanted.name)} {_ATTRIBUTES}"] if live.attributes else []),
            *(f"revoke {identifier(it)} from {identifier(wanted.name)}" for it in live.member_of),
        ]
    if isinstance(wanted, Policy | View):
        return [*drop_access(live), *create_access(wanted)]
    if isinstance(wanted, Grant) and isinstance(live, Grant):
        return _regranted(wanted, live)
    return create_access(wanted)


def _create_policy(policy: Policy) -> str:
    roles = ", ".join(_grantee(role) for role in policy.roles)
    kind = "" if policy.permissive else " as restrictive"
    using = f"\n    using ({policy.using})" if policy.using is not None else ""
    check = f"\n    with check ({policy.check})" if policy.check is not None else ""
    table = qualified(policy.schema, policy.table)
    return f"create policy {identifier(policy.name)} on {table}{kind} for {policy.command} to {roles}{using}{check}"


def _regranted(wanted: Grant, live: Grant) -> list[str]:
    surplus = tuple(it for it in live.columns if it not in wanted.columns)
    lacking = tuple(it for it in wanted.columns if it not in live.columns)
    if live.grantable:
        return [*drop_access(live), *create_access(wanted)]
    return [
        *([f"revoke {_granted(live, surplus)} from {_grantee(live.grantee)}"] if surplus else []),
        *([f"grant {_granted(wanted, lacking)} to {_grantee(wanted.grantee)}"] if lacking else []),
    ]


def _granted(grant: Grant, columns: tuple[str, ...]) -> str:
    privilege = f"{grant.privilege} ({identifiers(columns)})" if columns else grant.privilege
    if not grant.table:
        return f"{privilege} on schema {identifier(grant.schema)}"
    return f"{privilege} on {qualified(grant.schema, grant.table)}"


def _grantee(name: str) -> str:
    return name if name == "public" else identifier(name)
