"""The expected load report of the demo files, computed from the planted faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from daftari.demo.files.lines import FileLine, Values


@dataclass(frozen=True, kw_only=True)
class ExpectedCounts:
    """Rows by outcome. Every row is counted once."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicate: int = 0
    superseded: int = 0
    quarantined: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))  #: by rule

    @property
    def received(self) -> int:
        rows = self.inserted + self.updated + self.unchanged + self.duplicate + self.superseded
        return rows + sum(self.quarantined.values())

    def __add__(self, other: ExpectedCounts) -> ExpectedCounts:
        return ExpectedCounts(
            inserted=self.inserted + other.inserted,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            duplicate=self.duplicate + other.duplicate,
            superseded=self.superseded + other.superseded,
            quarantined=dict(Counter(self.quarantined) + Counter(other.quarantined)),
        )


@dataclass(frozen=True, kw_only=True)
class ExpectedTotals:
    rows: int
    sums: Mapping[str, Decimal]  #: by field


@dataclass(frozen=True, kw_only=True)
class DemoFile:
    dataset: str
    name: str
    content: bytes = field(repr=False)
    lines: tuple[FileLine, ...] = field(repr=False)
    control_totals: ExpectedTotals | None = None  #: for the manifest


@dataclass(frozen=True, kw_only=True)
class Truth:
    by_file: Mapping[str, ExpectedCounts]  #: file names are unique across datasets
    by_dataset: Mapping[str, ExpectedCounts]


def truth_of(files: Iterable[DemoFile]) -> Truth:
    """
    Return the expected report of loading *files* in order, each once.

    If a file has a key twice, the later line counts; the earlier is a duplicate, or superseded if it differs.
    """
    stored: dict[str, dict[Hashable, Values]] = {}
    by_file: dict[str, ExpectedCounts] = {}
    by_dataset: dict[str, ExpectedCounts] = {}
    for file in files:
        counts = _load(stored.setdefault(file.dataset, {}), file.lines)
        by_file[file.name] = counts
        by_dataset[file.dataset] = by_dataset.get(file.dataset, ExpectedCounts()) + counts
    return Truth(by_file=by_file, by_dataset=by_dataset)


def _load(stored: dict[Hashable, Values], lines: Sequence[FileLine]) -> ExpectedCounts:
    right = [line for line in lines if line.rule is None]
    latest = {line.key: line.values for line in right}
    inserted = latest.keys() - stored.keys()
    unchanged = [key for key in latest.keys() & stored.keys() if stored[key] == latest[key]]
    superseded = sum(line.values != latest[line.key] for line in right)
    stored.update(latest)
    return ExpectedCounts(
        inserted=len(inserted),
        updated=len(latest) - len(inserted) - len(unchanged),
        unchanged=len(unchanged),
        duplicate=len(right) - len(latest) - superseded,
        superseded=superseded,
        quarantined=dict(Counter(line.rule for line in lines if line.rule is not None)),
    )
