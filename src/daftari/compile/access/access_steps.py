"""The steps to the wanted access. A change by which a role gains access is classed as exposure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from daftari.compile.access import access_statements
from daftari.compile.access.access_statements import AccessObject
from daftari.compile.schema_changes.differences import ObjectDifference
from daftari.compile.schema_changes.steps import Phase, SchemaChange, SchemaStep
from daftari.compile.tables.objects import DatabaseObject, Grant, Identity, ObjectKind, Policy, Role, View
from daftari.contract.compatibility.changes import ChangeKind

_PHASES = {
    ObjectKind.ROLE: Phase.ROLES,
    ObjectKind.VIEW: Phase.VIEWS,
    ObjectKind.OWNER: Phase.OWNERS,
    ObjectKind.ROW_SECURITY: Phase.ROW_SECURITY,
    ObjectKind.VIEW_RIGHTS: Phase.ROW_SECURITY,
    ObjectKind.POLICY: Phase.POLICIES,
    ObjectKind.GRANT: Phase.GRANTS,
}


def access_change(
    wanted: DatabaseObject | None, difference: ObjectDifference, live: Mapping[Identity, DatabaseObject]
) -> SchemaChange | None:
    """Return the change that removes a *difference* in access. *live* has all existing objects."""
    if wanted is None:
        assert difference.live is not None, "one of the two exists"
        return _removal(cast(AccessObject, difference.live))
    item = cast(AccessObject, wanted)
    if difference.live is None:
        kind, reason = _class_of_addition(item, live)
        return _change(item, kind, reason, access_statements.create_access(item))
    found = cast(AccessObject, difference.live)
    kind = ChangeKind.EXPOSURE if _may_expose(item, found) else ChangeKind.ADDITIVE
    return _change(item, kind, "changed", access_statements.alter_access(item, found))


def _removal(item: AccessObject) -> SchemaChange:
    steps = tuple(SchemaStep(Phase.CLOSE, it) for it in access_statements.drop_access(item))
    return SchemaChange(
        what=f"drop {item.identity}", kind=ChangeKind.ADDITIVE, reason="in no contract", steps=steps
    )


def _class_of_addition(item: AccessObject, live: Mapping[Identity, DatabaseObject]) -> tuple[ChangeKind, str]:
    table = item.identity.table if not isinstance(item, View) else ""
    exists = Identity(ObjectKind.OWNER, item.identity.schema, table, "") in live
    if isinstance(item, Grant | Policy) and exists:
        return ChangeKind.EXPOSURE, "was not permitted before"
    return ChangeKind.ADDITIVE, "new"


def _may_expose(wanted: AccessObject, live: AccessObject) -> bool:
    if isinstance(wanted, Grant) and isinstance(live, Grant):
        return bool(set(wanted.columns) - set(live.columns))
    return isinstance(wanted, Policy | View)


def _change(item: AccessObject, kind: ChangeKind, reason: str, statements: list[str]) -> SchemaChange:
    phase = _PHASES[item.identity.kind]
    if isinstance(item, Grant) and not item.table:
        phase = Phase.SCHEMAS
    if isinstance(item, Role):
        phase = Phase.ROLES
    return SchemaChange(
        what=str(item.identity),
        kind=kind,
        reason=reason,
        steps=tuple(SchemaStep(phase, it) for it in statements),
    )
