"""The way to the wanted rights: what somebody gains by a change is an exposure, and is called one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from daftari.compile import access_statements
from daftari.compile.access_statements import AccessObject
from daftari.compile.differences import Difference
from daftari.compile.objects import DatabaseObject, Grant, Identity, Kind, Policy, Role, View
from daftari.compile.steps import Change, Phase, Step
from daftari.contract.changes import ChangeKind

_PHASES = {
    Kind.ROLE: Phase.ROLES,
    Kind.VIEW: Phase.VIEWS,
    Kind.OWNER: Phase.OWNERS,
    Kind.ROW_SECURITY: Phase.ROW_SECURITY,
    Kind.VIEW_RIGHTS: Phase.ROW_SECURITY,
    Kind.POLICY: Phase.POLICIES,
    Kind.GRANT: Phase.GRANTS,
}


def change(
    wanted: DatabaseObject | None, difference: Difference, live: Mapping[Identity, DatabaseObject]
) -> Change | None:
    """Return what to do about a *difference* in who may see or do what. *live* is all that there is."""
    if wanted is None:
        assert difference.live is not None, "one of the two is there"
        return _removal(cast(AccessObject, difference.live))
    item = cast(AccessObject, wanted)
    if difference.live is None:
        kind, reason = _class_of_addition(item, live)
        return _change(item, kind, reason, access_statements.create(item))
    found = cast(AccessObject, difference.live)
    kind = ChangeKind.EXPOSURE if _may_expose(item, found) else ChangeKind.ADDITIVE
    return _change(item, kind, "changed", access_statements.alter(item, found))


def _removal(item: AccessObject) -> Change:
    steps = tuple(Step(Phase.CLOSE, it) for it in access_statements.drop(item))
    return Change(
        what=f"drop {item.identity}", kind=ChangeKind.ADDITIVE, reason="in no contract", steps=steps
    )


def _class_of_addition(item: AccessObject, live: Mapping[Identity, DatabaseObject]) -> tuple[ChangeKind, str]:
    table = item.identity.table if not isinstance(item, View) else ""
    is_there = Identity(Kind.OWNER, item.identity.schema, table, "") in live
    if isinstance(item, Grant | Policy) and is_there:
        return ChangeKind.EXPOSURE, "could not before"
    return ChangeKind.ADDITIVE, "new"


def _may_expose(wanted: AccessObject, live: AccessObject) -> bool:
    if isinstance(wanted, Grant) and isinstance(live, Grant):
        return bool(set(wanted.columns) - set(live.columns))
    return isinstance(wanted, Policy | View)


def _change(item: AccessObject, kind: ChangeKind, reason: str, statements: list[str]) -> Change:
    phase = _PHASES[item.identity.kind]
    if isinstance(item, Grant) and not item.table:
        phase = Phase.SCHEMAS
    if isinstance(item, Role):
        phase = Phase.ROLES
    return Change(
        what=str(item.identity), kind=kind, reason=reason, steps=tuple(Step(phase, it) for it in statements)
    )
