"""Control totals: what the sender of a file says it holds, against what was found in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class ControlTotals:
    """Of all records of a file, rejected ones included. None, or a field that is absent: not stated."""

    rows: int | None = None
    sums: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType({}))  #: by field

    def plus(self, *, rows: int, sums: Mapping[str, Decimal]) -> ControlTotals:
        total = {name: self.sums.get(name, Decimal(0)) + value for name, value in sums.items()}
        return ControlTotals(rows=(self.rows or 0) + rows, sums=total)


def reconcile(stated: ControlTotals, found: ControlTotals) -> list[str]:
    """Return each difference in words, with both figures; empty where the file is what it is said to be."""
    differences = []
    if stated.rows is not None and stated.rows != found.rows:
        differences.append(f"{stated.rows} rows stated, {found.rows or 0} found")
    for name, value in stated.sums.items():
        total = found.sums.get(name, Decimal(0))
        if total != value:
            differences.append(f"{name} sums to {value} as stated, to {total} as found")
    return differences
