"""
The steps to the wanted access.

A change by which a role gains access is an exposure. One by which it loses access that a contract in force gives is
breaking; if no contract gives it, the change is a restriction.
"""

from __future__ import annotations

from typing import cast

from daftari.compile.access import access_statements
from daftari.compile.access.access_statements import AccessObject
from daftari.compile.schema_changes.differences import ObjectDifference
from daftari.compile.schema_changes.situation import Situation
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
_LOST = "what its role does today may fail"


def access_change(
    wanted: DatabaseObject | None, difference: ObjectDifference, situation: Situation
) -> SchemaChange | None:
    """Return the change that removes a *difference* in access."""
    if wanted is None:
        assert difference.live is not None, "one of the two exists"
        return _removal(cast(AccessObject, difference.live), situation)
    item = cast(AccessObject, wanted)
    if difference.live is None:
        kind, reason = _class_of_addition(item, situation)
        return _change(item, kind, reason, access_statements.create_access(item))
    found = cast(AccessObject, difference.live)
    kind, reason = _class_of_alteration(item, found, situation)
    return _change(item, kind, reason, access_statements.alter_access(item, found))


def _removal(item: AccessObject, situation: Situation) -> SchemaChange | None:
    if isinstance(item, Grant) and _goes_with_its_view(item, situation):
        return None
    kind, reason = _class_of_loss(item, situation)
    if isinstance(item, Policy) and not item.permissive:
        kind, reason = ChangeKind.EXPOSURE, "it kept rows back, and is in no contract"
    return SchemaChange(
        what=f"drop {item.identity}",
        kind=kind,
        reason=reason,
        steps=tuple(SchemaStep(Phase.CLOSE, it) for it in access_statements.drop_access(item)),
        identity=item.identity,
    )


def _goes_with_its_view(grant: Grant, situation: Situation) -> bool:
    """Whether the relation of *grant* is a view of ours that is dropped: its grants are dropped with it."""
    view = Identity(ObjectKind.VIEW, grant.schema, "", grant.table)
    return view in situation.live and view not in situation.wanted


def _class_of_loss(item: AccessObject, situation: Situation) -> tuple[ChangeKind, str]:
    if item.identity in situation.given:
        return ChangeKind.BREAKING, _LOST
    return ChangeKind.RESTRICTION, "in no contract"


def _class_of_addition(item: AccessObject, situation: Situation) -> tuple[ChangeKind, str]:
    table = item.identity.table if not isinstance(item, View) else ""
    exists = Identity(ObjectKind.OWNER, item.identity.schema, table, "") in situation.live
    if isinstance(item, Grant | Policy) and exists:
        return ChangeKind.EXPOSURE, "was not permitted before"
    return ChangeKind.ADDITIVE, "new"


def _class_of_alteration(
    wanted: AccessObject, live: AccessObject, situation: Situation
) -> tuple[ChangeKind, str]:
    if isinstance(wanted, Policy | View):
        return ChangeKind.EXPOSURE, "changed"
    if not isinstance(wanted, Grant) or not isinstance(live, Grant):
        return ChangeKind.RESTRICTION, "changed"
    if any(_exists(wanted, it, situation) for it in set(wanted.columns) - set(live.columns)):
        return ChangeKind.EXPOSURE, "changed"
    if set(live.columns) - set(wanted.columns) or live.grantable:
        kind, reason = _class_of_loss(live, situation)
        # an option to grant is in no contract
        return (ChangeKind.RESTRICTION, reason) if live.columns == wanted.columns else (kind, reason)
    return ChangeKind.ADDITIVE, "shows a new column"


def _exists(grant: Grant, column: str, situation: Situation) -> bool:
    return Identity(ObjectKind.COLUMN, grant.schema, grant.table, column) in situation.live


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
        identity=item.identity,
    )
