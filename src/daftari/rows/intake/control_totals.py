"""Control totals: what a sender states about a file, what was found in it, and the differences."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from daftari.errors import MappingError
from daftari.rows.intake.remarks import Remark, RemarkKind, merged

Figure = TypeVar("Figure", Decimal, int)
#: A difference that rounding may explain.
_PENNIES = Decimal("0.05")
_MOST_NAMED = 5
#: No sum has more digits before or after its decimal point.
_MOST_DIGITS = 100
#: As many differences and remarks of one file are told one by one.
_MOST_TOLD = 20


@dataclass(frozen=True, kw_only=True)
class ControlTotals:
    rows: int | None = None
    sums: AbstractMapping[str, Decimal] = field(default_factory=dict)  #: by field, or by column of the file
    #: by field: how much a stated sum may differ, because its sender rounds
    rounding: AbstractMapping[str, Decimal] = field(default_factory=dict)


def shown_figure(figure: Decimal | int) -> str:
    """Return *figure* with thousands separators, without the zeros of a number that has no declared scale."""
    text = f"{Decimal(figure):,f}"
    whole, _, decimals = text.partition(".")
    kept = decimals if len(decimals) <= _FEW_DECIMALS else decimals.rstrip("0")
    return f"{whole}.{kept}" if kept else whole


#: Zeros of so few decimals are kept: 1,250.00.
_FEW_DECIMALS = 4


@dataclass(frozen=True, kw_only=True)
class TotalDifference:
    """One stated figure that differs from the file."""

    what: str  #: "rows", or a field or column
    stated: Decimal | int
    found: Decimal | int | None  #: None: no such sum

    @property
    def by(self) -> Decimal:
        return Decimal(0) if self.found is None else Decimal(self.found) - Decimal(self.stated)

    @property
    def is_small(self) -> bool:
        """Whether it may be rounding."""
        return self.what != "rows" and self.found is not None and abs(self.by) <= _PENNIES

    def __str__(self) -> str:
        if self.found is None:
            return f"sum of {self.what}: stated {shown_figure(self.stated)}, but the file has no such number column"
        what = "rows" if self.what == "rows" else f"sum of {self.what}"
        stated, found, by = (shown_figure(it) for it in (self.stated, self.found, self.found - self.stated))
        return f"{what}: stated {stated}, found {found} (difference {by})"


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A line with a figure that could not be read."""

    line: int
    field: str | None = None  #: None: none of its fields is known
    reason: str = ""

    def counts_for(self, stated: ControlTotals) -> bool:
        return self.field is None or self.field in stated.sums


class Comparison(StrEnum):
    """What the comparison of a total row with its rows shows."""

    AGREES = "agrees with the rows"
    DIFFERS = "differs from the rows"
    UNREAD = "could not be compared"  #: it counts lines that could not be read
    NO_NUMBER = "states no number that can be compared"


@dataclass(frozen=True, kw_only=True)
class Total:
    """A row that states the sum of all rows above it, or of those since an earlier total. Never data."""

    line: int
    stated: ControlTotals  #: by field
    found: ControlTotals
    unread: tuple[int, ...] = ()  #: lines that it counts and whose figures could not be read
    is_first: bool = False  #: it is above all rows, and counts those below

    @property
    def agrees(self) -> bool:
        return not reconcile(self.stated, self.found)

    @property
    def comparison(self) -> Comparison:
        if not self.stated.sums:
            return Comparison.NO_NUMBER
        if self.agrees:
            return Comparison.AGREES
        return Comparison.UNREAD if self.unread else Comparison.DIFFERS


@dataclass(frozen=True, kw_only=True)
class FurtherTotals:
    """Total rows beyond those that are kept one by one."""

    counts: AbstractMapping[Comparison, int] = field(default_factory=dict)
    #: by field, by how much the sums of those that differ do so at most
    by: AbstractMapping[str, Decimal] = field(default_factory=dict)

    def plus(self, total: Total) -> FurtherTotals:
        comparison, by = total.comparison, dict(self.by)
        for one in reconcile(total.stated, total.found) if comparison is Comparison.DIFFERS else ():
            by[one.what] = max(abs(one.by), by.get(one.what, Decimal(0)))
        return FurtherTotals(counts={**self.counts, comparison: self.counts.get(comparison, 0) + 1}, by=by)


@dataclass(frozen=True, kw_only=True)
class Read:
    """What was read of a file that its totals are compared with."""

    found: ControlTotals = ControlTotals()  #: compared with the sender's totals
    totals: tuple[Total, ...] = ()
    further: FurtherTotals = field(default_factory=FurtherTotals)
    unread: tuple[Unread, ...] = ()  #: the first lines with figures that could not be read


@dataclass(frozen=True, kw_only=True)
class Reckoning:
    """The comparison of a file with every total that is stated of it."""

    differences: tuple[str, ...]  #: nothing may be loaded
    hint: str
    remarks: tuple[Remark, ...]


def reconcile(stated: ControlTotals, found: ControlTotals) -> list[TotalDifference]:
    """Compare exactly; empty if everything stated was found."""
    differences = []
    if stated.rows is not None and stated.rows != found.rows:
        differences.append(TotalDifference(what="rows", stated=stated.rows, found=found.rows))
    for what, figure in stated.sums.items():
        actual = found.sums.get(what)
        if actual is None or actual != figure:
            differences.append(TotalDifference(what=what, stated=figure, found=actual))
    return differences


def reckon(totals: Sequence[ControlTotals], read: Read) -> Reckoning:
    """
    Compare what was *read* with the *totals* that were stated of it, and with its own total rows.

    A total row that counts lines which could not be read cannot be compared: that is a remark. A total that was
    stated apart from the file must be met.
    """
    rounding = {name: most for stated in totals for name, most in stated.rounding.items()}
    reckoned = _Reckoned(rounding)
    for stated in totals:
        reckoned.require_known(stated, read.found)
        for difference in reconcile(stated, read.found):
            lines = [it.line for it in read.unread if it.field in (None, difference.what)]
            reckoned.weigh(difference, "", lines)
    for total in read.totals:
        _weigh_row(total, reckoned)
    for comparison, count in read.further.counts.items():
        reckoned.remark(RemarkKind.TOTAL_ROW, _left_out(comparison), count=count)
    for name, by in read.further.by.items():
        reckoned.weigh_further(name, by)
    return Reckoning(differences=reckoned.told, hint=reckoned.hint, remarks=merged(reckoned.remarks))


def _weigh_row(total: Total, reckoned: _Reckoned) -> None:
    comparison = total.comparison
    for one in reconcile(total.stated, total.found):
        if comparison is Comparison.UNREAD:
            figures = f"stated {shown_figure(one.stated)}; read {_found(one)}"
            text = f"total row: sum of {one.what}: {figures}; {_named(total.unread)}"
            reckoned.tell(RemarkKind.TOTAL_ROW, f"{text} could not be read", total.line)
        else:
            reckoned.weigh(one, f"line {total.line}: ", ())
    reckoned.remark(RemarkKind.TOTAL_ROW, _left_out(comparison), total.line)


def _found(difference: TotalDifference) -> str:
    return "no such column" if difference.found is None else shown_figure(difference.found)


def _left_out(comparison: Comparison) -> str:
    return f"total row: left out; it {comparison}"


class _Reckoned:
    """What is found while the totals are compared."""

    def __init__(self, rounding: AbstractMapping[str, Decimal]) -> None:
        self._rounding = rounding
        self.remarks: list[Remark] = []
        self._differences: list[str] = []
        self._told: Counter[RemarkKind] = Counter()
        self._by: dict[str, Decimal] = {}  #: by field, the largest difference
        self._is_rounding = True  #: whether all differences may be
        self._is_explained = False
        self._known = ""  #: the names that are known, if another was stated

    def remark(self, kind: RemarkKind, text: str, line: int | None = None, *, count: int = 1) -> None:
        self.remarks.append(Remark(kind=kind, text=text, count=count, line=line))

    def tell(self, kind: RemarkKind, text: str, line: int | None = None) -> None:
        """Add a remark with figures; after many of its kind, without them."""
        self._told[kind] += 1
        self.remark(kind, text if self._told[kind] <= _MOST_TOLD else _WITHOUT_FIGURES[kind], line)

    def weigh(self, difference: TotalDifference, where: str, unread: Sequence[int]) -> None:
        """Accept *difference* as rounding, or count it; *unread* are the lines that may explain it."""
        most = self._rounding.get(difference.what)
        if most is not None and difference.found is not None and abs(difference.by) <= most:
            self.tell(RemarkKind.ROUNDING, f"{where}{difference}: accepted as rounding")
            return
        explained = f"; {_named(unread)} could not be read" if unread else ""
        self._differ(
            f"{where}{difference}{explained}", difference.what, abs(difference.by), difference.is_small
        )
        self._is_explained |= bool(unread)

    def weigh_further(self, name: str, by: Decimal) -> None:
        """Accept as rounding, or count, that the sums of further totals differ *by* so much at most."""
        what = f"sum of {name}: further total rows differ by {shown_figure(by)} at most"
        most = self._rounding.get(name)
        if most is not None and by <= most:
            self.remark(RemarkKind.ROUNDING, f"{what}: accepted as rounding")
        else:
            self._differ(what, name, by, by <= _PENNIES)

    def _differ(self, text: str, what: str, by: Decimal, is_small: bool) -> None:
        self._differences.append(text)
        self._is_rounding &= is_small
        self._by[what] = max(by, self._by.get(what, by))

    @property
    def told(self) -> tuple[str, ...]:
        """The differences in words: the first ones, and how many more there are."""
        more = len(self._differences) - _MOST_TOLD
        shown = tuple(self._differences[:_MOST_TOLD])
        return (*shown, f"and {more:,} more differences") if more > 0 else shown

    def require_known(self, stated: ControlTotals, found: ControlTotals) -> None:
        """Count a name that the file has no sum of; a rounding of it would never be used."""
        strange = [name for name in (*stated.sums, *stated.rounding) if name not in found.sums]
        for name in strange:
            if name not in stated.sums:
                self._differences.append(f"rounding of {name}: the file has no such number column")
        if strange:
            alike = get_close_matches(strange[0], found.sums, n=1)
            perhaps = f" Did you mean {alike[0]!r}?" if alike else ""
            self._known = f" Its number columns are {', '.join(found.sums) or 'none'}.{perhaps}"

    @property
    def hint(self) -> str:
        if self._known:
            return f"Nothing was loaded. Correct the name.{self._known}"
        if self._is_rounding:
            named = " ".join(f"--rounding {what}={by}" for what, by in self._by.items())
            return f"Nothing was loaded. If it is rounding, accept it by name: {named}"
        if self._is_explained:
            return "Nothing was loaded. Correct those lines, or load without stated totals and correct them later."
        return "Nothing was loaded. Ask the sender for the complete file, or correct the stated totals."


_WITHOUT_FIGURES = {
    RemarkKind.TOTAL_ROW: "total row: a sum differs, and lines that it counts could not be read",
    RemarkKind.ROUNDING: "a further total differs by no more than is accepted as rounding",
}


def _named(lines: Sequence[int]) -> str:
    if len(lines) == 1:
        return f"line {lines[0]}"
    first = ", ".join(map(str, lines[:_MOST_NAMED]))
    return f"{len(lines):,} lines ({first}{' …' if len(lines) > _MOST_NAMED else ''})"


def stated_figure(text: str) -> Decimal:
    """
    Return the number that a sender states: a sum, or what rounding may explain.

    Raises:
        ValueError: it is not a number, not finite, or of more digits than any sum has.
    """
    try:
        figure = Decimal(text)
    except InvalidOperation:
        raise ValueError("is not a number") from None
    if not figure.is_finite() or max(abs(figure.adjusted()), len(figure.as_tuple().digits)) > _MOST_DIGITS:
        raise ValueError("is not a number")
    return figure


def stated_rows(text: str) -> int:
    """
    Return the number of rows that a sender states.

    Raises:
        ValueError: it is not a whole number.
    """
    figure = stated_figure(text)
    if figure % 1:
        raise ValueError("is not a whole number")
    return int(figure)


def read_manifest(text: str, source: str) -> dict[str, ControlTotals]:
    """
    Read what a manifest states about each file, by file name.

    A CSV manifest has the columns `file` and `rows`, and one for each sum; a YAML one maps each file to
    `rows` and `sums`.

    Raises:
        MappingError: it is neither, or a figure is not a number.
    """
    if source.lower().endswith(".csv"):
        return _from_csv(text, source)
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise MappingError(f"{source}: not valid YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(document, dict) or not all(map(_is_statement, document.values())):
        raise MappingError(
            f"{source}: not a manifest; expected file names with `rows` and `sums`",
            hint="For one file write `march.csv: {rows: 120, sums: {amount: '1500.00'}}`.",
        )
    return {
        str(name): ControlTotals(
            rows=None
            if one.get("rows") is None
            else _figure(stated_rows, one["rows"], source, f"{name}: rows"),
            sums={
                str(what): _figure(stated_figure, figure, source, f"{name}: {what}")
                for what, figure in (one.get("sums") or {}).items()
            },
        )
        for name, one in document.items()
    }


def _is_statement(one: object) -> bool:
    return isinstance(one, dict) and isinstance(one.get("sums") or {}, dict)


def _from_csv(text: str, source: str) -> dict[str, ControlTotals]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    if "file" not in (reader.fieldnames or ()):
        raise MappingError(f"{source}:1: not a manifest; expected a column `file` in its header")
    found = {}
    for line, row in enumerate(reader, start=2):
        given = {name: value for name, value in row.items() if name and name != "file" and value}
        rows = given.pop("rows", None)
        found[row["file"]] = ControlTotals(
            rows=None if rows is None else _figure(stated_rows, rows, source, f"line {line}: rows"),
            sums={
                name: _figure(stated_figure, value, source, f"line {line}: {name}")
                for name, value in given.items()
            },
        )
    return found


def _figure(read: Callable[[str], Figure], value: object, source: str, where: str) -> Figure:
    try:
        return read(str(value).replace(",", "").strip())
    except ValueError as error:
        raise MappingError(f"{source}: {where} {error}") from None
