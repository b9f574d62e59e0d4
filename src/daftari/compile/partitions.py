"""Range partitions by month or quarter: their names, bounds, and which ones should exist."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from daftari.compile.names import Schemas, derived
from daftari.compile.tables.objects import DatabaseObject, Partition
from daftari.contract.model import Dataset, LogicalType, Partitioning, PartitionPeriod
from daftari.errors import ContractError

_START = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_MONTHS = {PartitionPeriod.MONTH: 1, PartitionPeriod.QUARTER: 3}


@dataclass(frozen=True, kw_only=True, order=True)
class _Span:
    """A period of time by its first month, counted from the year 0."""

    month: int
    months: int

    @property
    def first(self) -> date:
        return date(self.month // 12, self.month % 12 + 1, 1)

    @property
    def next(self) -> _Span:
        return _Span(month=self.month + self.months, months=self.months)

    @property
    def suffix(self) -> str:
        """`2026q1` for a quarter, `2026_03` for a month."""
        if self.months == 3:
            return f"{self.first.year:04}q{(self.first.month + 2) // 3}"
        return f"{self.first.year:04}_{self.first.month:02}"


def partitions(dataset: Dataset, *, today: date, schemas: Schemas) -> list[Partition]:
    """
    Return the partitions that should exist on *today*: from the start to some periods ahead, and the
    default one, which takes rows of all other times.
    """
    partitioning = dataset.partitioning
    if partitioning is None:
        return []
    found = [_partition(dataset, span, schemas) for span in _spans(dataset, partitioning, today)]
    default = Partition(
        schema=schemas.data, table=dataset.name, name=derived(dataset.name, "default"), bounds="DEFAULT"
    )
    return [*found, default]


def day_of(dataset: Dataset, now: datetime) -> date:
    """
    Return the day for which *dataset* needs a partition at *now*: the workspace's.

    Partitions by a timestamp are bounded at midnight UTC whatever the zone. If UTC is a day ahead of the workspace,
    events of now belong to UTC's day.
    """
    today = dataset.today(now)
    return max(today, now.astimezone(UTC).date()) if _is_by_instant(dataset) else today


def kept(datasets: Sequence[Dataset], live: Iterable[DatabaseObject], *, now: datetime) -> list[Partition]:
    """Return the live partitions of periods not wanted at *now*: older ones stay."""
    known = {dataset.name: dataset for dataset in datasets if dataset.partitioning}
    found = [it for it in live if isinstance(it, Partition) and it.table in known]
    wanted = {
        it
        for dataset in known.values()
        for it in partitions(dataset, today=day_of(dataset, now), schemas=Schemas())
    }
    return [it for it in found if it not in wanted and _is_period(known[it.table], it)]


def _is_period(dataset: Dataset, partition: Partition) -> bool:
    assert dataset.partitioning is not None, "only for partitioned datasets"
    found = re.search(r"'(\d{4})-(\d{2})-01", partition.bounds)
    if found is None:
        return False
    day = date(int(found[1]), int(found[2]), 1)
    span = _span(day, dataset.partitioning)
    return partition == _partition(dataset, span, Schemas(data=partition.schema))


def _spans(dataset: Dataset, partitioning: Partitioning, today: date) -> Iterator[_Span]:
    current = _span(today, partitioning)
    span = current
    if partitioning.start:
        given = _START.fullmatch(partitioning.start)
        if given is None:
            raise ContractError(
                f"{dataset.name}: partition start {partitioning.start!r}; expected a month as YYYY-MM"
            )
        span = _span(date(int(given[1]), int(given[2]), 1), partitioning)
    until = current.month + partitioning.ahead * current.months
    while span.month <= until:
        yield span
        span = span.next


def _span(day: date, partitioning: Partitioning) -> _Span:
    months = _MONTHS[partitioning.every]
    month = day.year * 12 + day.month - 1
    return _Span(month=month - month % months, months=months)


def _partition(dataset: Dataset, span: _Span, schemas: Schemas) -> Partition:
    time = " 00:00:00+00" if _is_by_instant(dataset) else ""
    return Partition(
        schema=schemas.data,
        table=dataset.name,
        name=derived(dataset.name, span.suffix),
        bounds=f"FOR VALUES FROM ('{span.first}{time}') TO ('{span.next.first}{time}')",
    )


def _is_by_instant(dataset: Dataset) -> bool:
    partitioning = dataset.partitioning
    return (
        partitioning is not None and dataset.field(partitioning.field).logical_type is LogicalType.TIMESTAMP
    )
