"""How each column of one file is written, from as many of its rows as it takes to be sure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from daftari.contract.model import LogicalType
from daftari.rows.block import Block
from daftari.rows.dates import ISO_DAY, MOMENT_STYLES
from daftari.rows.plan import ColumnPlan, FieldPlan


def settle(plan: ColumnPlan, blocks: Iterable[Block]) -> ColumnPlan:
    """
    Settle the styles of *plan*'s columns; only as many of *blocks* are read as needed.

    Raises:
        MappingError: the rows leave open how a column is to be read.
    """
    return replace(plan, fields=tuple(map(_canonical, plan.fields)))


def canonical(plan: ColumnPlan) -> ColumnPlan:
    """Settle *plan* on the canonical styles: what an API, which is told its formats, accepts."""
    return replace(plan, fields=tuple(map(_canonical, plan.fields)))


def _canonical(plan: FieldPlan) -> FieldPlan:
    match plan.field.logical_type:
        case LogicalType.DATE:
            return replace(plan, styles=(ISO_DAY,))
        case LogicalType.TIMESTAMP:
            return replace(plan, styles=MOMENT_STYLES[:6])
        case _:
            return plan
