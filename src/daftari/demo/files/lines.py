"""Lines of a file before layout, and the faults planted in them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

#: Values by field. A text in place of a date, a timestamp or a number is written unchanged.
Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class FileLine:
    key: Hashable
    values: Values
    rule: str | None = None  #: the only rule that it breaks
    more_cells: int = 0  #: number of cells beyond the header's; negative: the line is cut off


@dataclass(frozen=True, kw_only=True)
class PlantedFault:
    """A fault to plant: breaks only *rule*, on any correct line."""

    rule: str
    spoil: Callable[[Values], Values] = lambda _: {}
    more_cells: int = 0


def lines_of(records: Sequence[Any], *key: str) -> list[FileLine]:
    """Return a line for each record (a dataclass with slots), identified by the fields *key*."""
    fields = type(records[0]).__slots__ if records else ()
    return [
        FileLine(
            key=tuple(getattr(record, name) for name in key),
            values={name: getattr(record, name) for name in fields},
        )
        for record in records
    ]


def spoil(line: FileLine, fault: PlantedFault) -> FileLine:
    return replace(
        line,
        values={**line.values, **fault.spoil(line.values)},
        rule=fault.rule,
        more_cells=fault.more_cells,
    )


def plant(
    random: Random, lines: Sequence[FileLine], faults: Sequence[PlantedFault], count: int
) -> list[FileLine]:
    """Return *lines* with *count* of them spoilt; each fault is used once before any is repeated."""
    spoilt = list(lines)
    order = random.sample(faults, len(faults))
    for turn, place in enumerate(random.sample(range(len(lines)), count)):
        spoilt[place] = spoil(spoilt[place], order[turn % len(order)])
    return spoilt


def repeat(random: Random, lines: Sequence[FileLine], count: int) -> list[FileLine]:
    """Return *lines* with *count* of the correct ones repeated further down."""
    repeated = list(lines)
    right = [place for place, line in enumerate(lines) if line.rule is None]
    for place in sorted(random.sample(right, min(count, len(right))), reverse=True):
        repeated.insert(min(place + random.randrange(1, 40), len(repeated)), lines[place])
    return repeated
