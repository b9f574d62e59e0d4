"""
The changes from the live database to the wanted one: each with its class and statements.

A change is *additive* if today's readers and writers still work. It is *breaking* if data would be lost, a
reader would miss something, or rows accepted until now would be rejected.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from daftari.compile.access import access_steps
from daftari.compile.names import identifier
from daftari.compile.schema_changes import statements
from daftari.compile.schema_changes.differences import ObjectDifference, Objects
from daftari.compile.schema_changes.renames import renamed_objects
from daftari.compile.schema_changes.situation import Situation
from daftari.compile.schema_changes.steps import Phase, SchemaChange, SchemaStep
from daftari.compile.schema_changes.wider_types import is_looser, is_wider
from daftari.compile.tables.columns import SEALED_TYPE
from daftari.compile.tables.objects import (
    ACCESS,
    Column,
    Comment,
    Constraint,
    ConstraintKind,
    DatabaseObject,
    Enum,
    Identity,
    ObjectKind,
    Partition,
    Table,
)
from daftari.contract.compatibility.changes import ChangeKind

_PHASES = {
    ObjectKind.EXTENSION: Phase.EXTENSIONS,
    ObjectKind.ENUM: Phase.ENUMS,
    ObjectKind.TABLE: Phase.TABLES,
    ObjectKind.COLUMN: Phase.TABLES,
    ObjectKind.INDEX: Phase.INDEXES,
    ObjectKind.PARTITION: Phase.PARTITIONS,
    ObjectKind.TRIGGER: Phase.TRIGGERS,
    ObjectKind.COMMENT: Phase.COMMENTS,
}


def changes(found: Sequence[ObjectDifference], situation: Situation) -> list[SchemaChange]:
    """Return the change for each difference, base objects first."""
    renamed = list(renamed_objects(found))
    explained = {identity for _, identities in renamed for identity in identities}
    others = (_change(it, situation) for it in found if it.identity not in explained)
    return [*(change for change, _ in renamed), *(change for change in others if change is not None)]


def statements_of(planned: Sequence[SchemaChange], phases: Set[Phase]) -> list[str]:
    """Return the statements of *phases*, in executable order."""
    steps = [step for change in planned for step in change.steps if step.phase in phases]
    return [step.statement for step in sorted(steps, key=lambda step: step.phase)]


def _change(difference: ObjectDifference, situation: Situation) -> SchemaChange | None:
    if difference.identity.kind in ACCESS:
        return access_steps.access_change(situation.wanted.get(difference.identity), difference, situation)
    if difference.live is None:
        return _addition(situation.wanted[difference.identity], situation)
    if difference.wanted is None:
        return _removal(difference.live, situation)
    return _alteration(situation.wanted[difference.identity], difference, situation)


# --- missing objects


def _addition(item: DatabaseObject, situation: Situation) -> SchemaChange | None:
    if isinstance(item, Table):
        text = statements.create_table(item, situation.wanted.values())
        return _made(item, ChangeKind.ADDITIVE, "new", [SchemaStep(Phase.TABLES, it) for it in text])
    partition = _partition_under(item, situation)
    if partition is not None:
        if partition.identity not in situation.live:
            return None  # created with its partition
        again = [SchemaStep(Phase.ON_PARTITIONS, it) for it in statements.create_object(item)]
        return _made(item, ChangeKind.ADDITIVE, "new", again)
    if _is_of_new_table(item, situation):
        if statements.is_part_of_table(item):
            return None
        return _made(item, ChangeKind.ADDITIVE, "new", _creation(item))
    if isinstance(item, Column) and item.required and item.default is None:
        return _made(item, ChangeKind.BREAKING, "existing rows have no value for it", _creation(item))
    if isinstance(item, Constraint) and not _is_of_new_columns(item, situation):
        return _made(item, ChangeKind.BREAKING, "rows accepted until now may be rejected", _creation(item))
    return _made(item, ChangeKind.ADDITIVE, "new", _creation(item))


def _is_of_new_table(item: DatabaseObject, situation: Situation) -> bool:
    _, schema, table, _ = item.identity
    return bool(table) and Identity(ObjectKind.TABLE, schema, "", table) not in situation.live


def _partition_under(item: DatabaseObject, situation: Situation) -> Partition | None:
    """Return the partition that *item* belongs to, if any."""
    _, schema, table, _ = item.identity
    found = (it for it in situation.wanted.values() if isinstance(it, Partition))
    return next((it for it in found if (it.schema, it.name) == (schema, table)), None)


def _is_of_new_columns(constraint: Constraint, situation: Situation) -> bool:
    """Whether *constraint* uses only new columns, so that no row can break it."""
    own = [
        item
        for item in situation.wanted.values()
        if isinstance(item, Column)
        and (item.schema, item.table) == (constraint.schema, constraint.table)
        and identifier(item.name) in constraint.definition
    ]
    return bool(own) and all(item.identity not in situation.live for item in own)


def _creation(item: DatabaseObject) -> list[SchemaStep]:
    return [SchemaStep(_phase(item), it) for it in statements.create_object(item)]


def _phase(item: DatabaseObject) -> Phase:
    if isinstance(item, Constraint):
        return Phase.FOREIGN_KEYS if item.kind is ConstraintKind.FOREIGN else Phase.CONSTRAINTS
    return _PHASES[item.identity.kind]


# --- surplus objects


def _removal(item: DatabaseObject, situation: Situation) -> SchemaChange | None:
    if isinstance(item, Table):
        return None  # removing a contract does not delete its data; `verify` reports the table
    if isinstance(item, Column):
        steps = [
            *_without_views(item.identity, situation),
            SchemaStep(Phase.TABLES, statements.drop_object(item)[0]),
        ]
        return _made(item, ChangeKind.BREAKING, "its values would be lost", steps, gone=True)
    if isinstance(item, Enum):
        if any(_is_of_unknown_table(user, situation) for user in _users(item, situation.live)):
            return None
        steps = [SchemaStep(Phase.TIDY, it) for it in statements.drop_object(item)]
        return _made(item, ChangeKind.ADDITIVE, "no longer used", steps, gone=True)
    if isinstance(item, Partition):
        return SchemaChange(
            what=f"{item.identity}: {item.bounds}",
            kind=ChangeKind.BREAKING,
            reason="not a period of its dataset; move its rows and detach it by hand",
            identity=item.identity,
            in_place=False,
        )
    if _partition_under(item, situation) is not None:
        gone = [SchemaStep(Phase.ON_PARTITIONS, it) for it in statements.drop_object(item)]
        return _made(item, ChangeKind.ADDITIVE, "in no contract", gone, gone=True)
    is_key = isinstance(item, Constraint) and item.kind is ConstraintKind.PRIMARY
    kind = ChangeKind.BREAKING if is_key else ChangeKind.ADDITIVE
    phase = Phase.COMMENTS if isinstance(item, Comment) else Phase.DROP
    return _made(
        item,
        kind,
        "in no contract",
        [SchemaStep(phase, it) for it in statements.drop_object(item)],
        gone=True,
    )


# --- different objects


def _alteration(wanted: DatabaseObject, difference: ObjectDifference, situation: Situation) -> SchemaChange:
    live, printed = difference.live, difference.wanted
    if isinstance(wanted, Column) and isinstance(live, Column) and isinstance(printed, Column):
        return _altered_column(wanted, printed, live, situation)
    if isinstance(wanted, Enum) and isinstance(live, Enum):
        return _altered_enum(wanted, live, situation)
    assert live is not None, "both exist"
    if isinstance(wanted, Table | Partition):
        return SchemaChange(
            what=str(difference),
            kind=ChangeKind.BREAKING,
            reason="cannot be changed in place",
            identity=wanted.identity,
            in_place=False,
        )
    again = [*(SchemaStep(Phase.DROP, it) for it in statements.drop_object(live)), *_creation(wanted)]
    if _partition_under(wanted, situation) is not None:
        again = [SchemaStep(Phase.ON_PARTITIONS, step.statement) for step in again]
    if isinstance(wanted, Comment):
        again = _creation(wanted)
    tightens = (
        isinstance(live, Constraint) and isinstance(printed, Constraint) and not is_looser(printed, live)
    )
    if tightens:
        return _made(wanted, ChangeKind.BREAKING, "rows accepted until now may be rejected", again)
    return _made(wanted, ChangeKind.ADDITIVE, "changed", again)


def _altered_column(wanted: Column, printed: Column, live: Column, situation: Situation) -> SchemaChange:
    # Compare types as the server prints them; write them as the contract defines them.
    same_type = printed.type == live.type
    target = Column(
        schema=wanted.schema, table=wanted.table, name=wanted.name, required=wanted.required,
        type=live.type if same_type else wanted.type,
        default=live.default if printed.default == live.default else wanted.default,
    )  # fmt: skip
    if not same_type and SEALED_TYPE in (printed.type, live.type):
        # Converted to bytes, existing plain text would look sealed but stay readable.
        return SchemaChange(
            what=str(wanted.identity),
            kind=ChangeKind.BREAKING,
            reason="a column cannot be sealed or unsealed in place",
            identity=wanted.identity,
            in_place=False,
        )
    steps = [SchemaStep(Phase.TABLES, it) for it in statements.alter_column(target, live)]
    if not same_type:
        blocking = _without_views(wanted.identity, situation)
        if blocking:
            reason = "views that show it are dropped until the next transform"
            return _made(wanted, ChangeKind.BREAKING, reason, [*blocking, *steps])
        if not is_wider(printed.type, live.type) and not _is_enum_to_text(printed, live, situation):
            return _made(wanted, ChangeKind.BREAKING, f"{live.type} becomes {printed.type}", steps)
    if wanted.required and not live.required:
        return _made(wanted, ChangeKind.BREAKING, "rows without a value may exist", steps)
    if live.required and not wanted.required:
        return _made(wanted, ChangeKind.BREAKING, "readers may get null", steps)
    return _made(wanted, ChangeKind.ADDITIVE, "allows more", steps)


def _is_enum_to_text(printed: Column, live: Column, situation: Situation) -> bool:
    enums = [it for it in situation.live.values() if isinstance(it, Enum)]
    return printed.type.startswith("text") and any(live in _users(it, situation.live) for it in enums)


def _altered_enum(wanted: Enum, live: Enum, situation: Situation) -> SchemaChange:
    if tuple(value for value in wanted.values if value in live.values) == live.values:
        steps = [SchemaStep(Phase.VALUES, it) for it in statements.add_values(wanted, live)]
        return _made(wanted, ChangeKind.ADDITIVE, "has new values", steps)
    users = [user for user in _users(live, situation.live) if user.identity in situation.wanted]
    views = [step for user in users for step in _without_views(user.identity, situation)]
    checks = _checks_on(users, situation)
    steps = [
        *dict.fromkeys(views),
        *(SchemaStep(Phase.DROP, statements.drop_object(check)[0]) for check in checks),
        *(SchemaStep(Phase.ENUMS, it) for it in statements.replace_enum(wanted, users)),
        *(step for check in checks for step in _creation(check)),
    ]
    gone = [value for value in live.values if value not in wanted.values]
    if gone:
        return _made(wanted, ChangeKind.BREAKING, f"rows may hold {', '.join(gone)}", steps)
    if views:
        reason = "views that show it are dropped until the next transform"
        return _made(wanted, ChangeKind.BREAKING, reason, steps)
    return _made(wanted, ChangeKind.ADDITIVE, "the order of its values differs", steps)


def _users(enum: Enum, live: Objects) -> list[Column]:
    names = {f"{enum.schema}.{enum.name}", f"{enum.schema}.{identifier(enum.name)}"}
    return [it for it in live.values() if isinstance(it, Column) and it.type in names]


def _is_of_unknown_table(column: Column, situation: Situation) -> bool:
    return Identity(ObjectKind.TABLE, column.schema, "", column.table) not in situation.wanted


def _checks_on(users: Sequence[Column], situation: Situation) -> list[Constraint]:
    """Return the conditions over columns of an enum: they name the replaced type."""
    return [
        item
        for item in situation.wanted.values()
        if isinstance(item, Constraint)
        and item.kind in (ConstraintKind.CHECK, ConstraintKind.EXCLUSION)
        and item.identity in situation.live
        and any(
            (user.schema, user.table) == (item.schema, item.table)
            and identifier(user.name) in item.definition
            for user in users
        )
    ]


def _without_views(column: Identity, situation: Situation) -> list[SchemaStep]:
    return [SchemaStep(Phase.DROP, f"drop {view} cascade") for view in situation.views.get(column, ())]


def _made(
    item: DatabaseObject, kind: ChangeKind, reason: str, steps: Sequence[SchemaStep], *, gone: bool = False
) -> SchemaChange:
    verb = "drop " if gone else ""
    return SchemaChange(
        what=f"{verb}{item.identity}", kind=kind, reason=reason, steps=tuple(steps), identity=item.identity
    )
