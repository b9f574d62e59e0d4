"""
State across the blocks of one file.

Running totals distinguish a total row from the data; counts of each content number the keys that are made of
content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from dataclasses import field as default
from decimal import Decimal

import polars as pl

from daftari.contract.model import Dataset, LogicalType
from daftari.rows.formats.late_evidence import StyleChanged
from daftari.rows.formats.parse import ParsedRows, physical, to_rows
from daftari.rows.intake.block import Block, Malformed
from daftari.rows.intake.control_totals import Comparison, ControlTotals, FurtherTotals, Read, Total, Unread
from daftari.rows.intake.remarks import LeftOut, Remark, RemarkKind, merged
from daftari.rows.intake.total_rows import FileShape, Suspect, Verdict, misfit_verdict, suspects
from daftari.rows.mapping.column_plan import ColumnPlan

_COUNTED = {LogicalType.INTEGER, LogicalType.NUMBER}
#: As many lines and totals are remembered, to explain a difference and to add up subtotals.
_MOST_REMEMBERED = 1000
#: With so many of the latest totals one is compared that agrees with none, to say by how much it differs.
_MOST_NEAR = 50


@dataclass(frozen=True, kw_only=True)
class Met(Read):
    """The facts about a file for the ledger."""

    left_out: LeftOut = LeftOut()
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FileReading:
    """The state after the blocks so far. Holds no row of the file."""

    shape: FileShape
    sums: dict[str, Decimal]  #: of every exact number field, over accepted and rejected rows
    seen: Counter[str]  #: contents so far, if a key counts their occurrences; grows with each block
    rows: int = 0  #: total rows, blank rows and malformed records are not counted
    malformed: int = 0
    filled: Counter[str] = default(
        default_factory=Counter
    )  #: rows that fill a column, except columns of figures
    unread: tuple[Unread, ...] = ()  #: the first lines with figures that could not be read
    marks: tuple[Reached, ...] = ()  #: at the start, and at the last totals
    left_out: LeftOut = LeftOut()
    totals: tuple[Total, ...] = ()  #: of each comparison, as many as are remembered
    compared: Counter[Comparison] = default(default_factory=Counter)  #: all of them
    further: FurtherTotals = default(default_factory=FurtherTotals)
    remarks: tuple[Remark, ...] = ()

    @property
    def plan(self) -> ColumnPlan:
        return self.shape.plan

    @property
    def met(self) -> Met:
        return Met(
            found=self.found,
            totals=tuple(self._compared_below(it) if it.is_first else it for it in self.totals),
            further=self.further,
            unread=self.unread,
            left_out=self.left_out,
            remarks=self.remarks,
        )

    @property
    def found(self) -> ControlTotals:
        """Sums by field, and by column if the column is summed unchanged."""
        plain = [one for one in self.plan.fields if one.field.name in self.sums and len(one.columns) == 1]
        as_sent = [one for one in plain if one.source.unit is None and one.source.sign == "keep"]
        by_column = {one.columns[0]: self.sums[one.field.name] for one in as_sent}
        return ControlTotals(rows=self.rows + self.malformed, sums={**by_column, **self.sums})

    def usual(self, rows: int) -> frozenset[str]:
        """Return the columns that at least a third of *rows* fill."""
        return frozenset(name for name, filled in self.filled.items() if 3 * filled >= rows)

    def with_total(self, total: Total) -> FileReading:
        """Return the state after a total row, which is remembered unless there are many like it."""
        comparison = total.comparison
        after = replace(
            self,
            compared=self.compared + Counter({comparison: 1}),
            left_out=self.left_out + LeftOut(totals=1),
        )
        if after.compared[comparison] > _MOST_REMEMBERED:
            return replace(after, further=self.further.plus(total))
        return replace(after, totals=(*self.totals, total))

    def _compared_below(self, total: Total) -> Total:
        unread = tuple(one.line for one in self.unread if one.counts_for(total.stated))
        return replace(total, found=ControlTotals(sums=self.sums), unread=unread)


@dataclass(frozen=True, kw_only=True)
class Reached:
    """What had been read at a line."""

    line: int
    rows: int
    sums: dict[str, Decimal]


def start_reading(plan: ColumnPlan, dataset: Dataset) -> FileReading:
    exact = [field.name for field in dataset.fields if not isinstance(physical(field), pl.Float64)]
    counted = [name for name in exact if dataset.field(name).logical_type in _COUNTED]
    nothing = dict.fromkeys(counted, Decimal(0))
    guesses = tuple(
        Remark(kind=RemarkKind.GUESS, text=f"{one.field.name}: {one.guess}")
        for one in plan.fields
        if one.guess
    )
    return FileReading(
        shape=FileShape(plan=plan, dataset=dataset, summed=frozenset(counted)),
        sums=nothing,
        seen=Counter(),
        marks=(Reached(line=0, rows=0, sums=nothing),),
        remarks=guesses,
    )


def take(reading: FileReading, block: Block) -> tuple[ParsedRows, FileReading]:
    """
    Read the next *block*, each once and in order: return its rows and malformed records, and the new state.

    Total rows and notes are left out. A row that may be a total becomes a malformed record.

    Raises:
        StyleChanged: the file must be read again, in styles that are inferred from all of it.
    """
    rows = to_rows(reading.plan, block, reading.shape.dataset, reading.seen)
    if rows.contradicted:
        raise StyleChanged(", ".join(rows.contradicted))
    after = replace(
        reading,
        left_out=reading.left_out + LeftOut(blank=block.blank, repeated=block.repeated),
        remarks=merged((*reading.remarks, *block.remarks, *rows.remarks)),
    )
    if reading.plan.mapping.total_row == "none":
        whole = replace(rows, malformed=block.malformed)
        return whole, _counted(replace(after, malformed=after.malformed + len(block.malformed)), rows.values)
    texts = reading.shape.texts(rows, block)
    after = replace(
        after, filled=after.filled + Counter({it.name: it.count() for it in texts.iter_columns()})
    )
    after, malformed = _misfits(after, block.malformed)
    after = replace(after, unread=_remembered(after.unread, rows, malformed))
    usual = after.usual(after.rows + block.cells.height)
    found = suspects(block, texts, reading.shape, usual)
    if not found:
        return replace(rows, malformed=malformed), _counted(after, rows.values)
    telling = _Telling(after, rows.values)
    for suspect in found:
        telling.tell(suspect)
    kept = rows.only(telling.kept) if telling.gone else rows
    doubted = sorted((*malformed, *telling.doubted), key=lambda one: one.line)
    return replace(kept, malformed=tuple(doubted)), telling.end()


class _Telling:
    """Tells which of the suspects of one block are no rows, in order, with the sums of the rows above each."""

    def __init__(self, reading: FileReading, values: pl.DataFrame) -> None:
        self._reading = reading
        self._values = values
        self._running = {name: _decimals(values[name]).fill_null(0).cum_sum() for name in reading.sums}
        self._removed = dict.fromkeys(reading.sums, Decimal(0))
        self._marks = _Marks(reading.marks)
        self.gone: list[int] = []  #: places of the lines that are no rows
        self.doubted: list[Malformed] = []

    @property
    def kept(self) -> pl.Series:
        return pl.Series([True]).new_from_index(0, self._values.height).scatter(self.gone, False)

    def tell(self, suspect: Suspect) -> None:
        here = self._mark(suspect.line, suspect.place)
        agreeing = self._marks.agreeing(suspect, here)
        above = here.rows - agreeing.rows if agreeing else 0
        verdict = suspect.verdict(agrees=agreeing is not None, rows_above=above)
        if verdict is Verdict.ROW:
            return
        if verdict in (Verdict.LABELLED_SUM, Verdict.LABELLED_ROW):
            self._reading = _remarked(self._reading, RemarkKind.TOTAL_ROW, verdict.value, suspect.line)
            return
        if verdict is Verdict.TOTAL:
            self._add_total(suspect, here, agreeing)
        elif verdict is Verdict.NOTE:
            self._reading = _noted(self._reading, suspect.line)
        else:
            self.doubted.append(
                Malformed(line=suspect.line, reason=verdict.value, preview="", rule="total_row")
            )
            unread = (*self._reading.unread, Unread(line=suspect.line))
            malformed = self._reading.malformed + 1
            self._reading = replace(self._reading, unread=unread[:_MOST_REMEMBERED], malformed=malformed)
        if verdict in (Verdict.TOTAL, Verdict.NOTE):
            unread = tuple(one for one in self._reading.unread if one.line != suspect.line)
            self._reading = replace(self._reading, unread=unread)
        self.gone.append(suspect.place)
        for name in self._removed:
            self._removed[name] += Decimal(self._values[name][suspect.place] or 0)

    def end(self) -> FileReading:
        """Return the state after the block."""
        last = self._mark(0, self._values.height)
        marks = self._marks.latest(_MOST_REMEMBERED)
        return replace(self._reading, rows=last.rows, sums=last.sums, marks=marks)

    def _mark(self, line: int, place: int) -> Reached:
        read = self._reading
        more = {name: Decimal(one[place - 1]) if place else Decimal(0) for name, one in self._running.items()}
        sums = {name: read.sums[name] + more[name] - self._removed[name] for name in read.sums}
        return Reached(line=line, rows=read.rows + place - len(self.gone), sums=sums)

    def _add_total(self, suspect: Suspect, here: Reached, agreeing: Reached | None) -> None:
        stated = ControlTotals(sums=suspect.figures)
        since = agreeing or self._marks.nearest(suspect, here)
        lines = [one for one in self._reading.unread if since.line < one.line < suspect.line]
        total = Total(
            line=suspect.line,
            stated=stated,
            found=ControlTotals(sums=_between(since, here)),
            unread=tuple(one.line for one in lines if one.counts_for(stated)),
            is_first=not here.rows and not lines,
        )
        self._reading = self._reading.with_total(total)
        self._marks.add(here)


class _Marks:
    """The start of a file and its totals so far, found by the sums that they have reached."""

    def __init__(self, marks: Iterable[Reached]) -> None:
        self._marks = list(marks)
        self._by_sums: dict[tuple[str, ...], dict[tuple[Decimal, ...], list[Reached]]] = {}

    def agreeing(self, suspect: Suspect, here: Reached) -> Reached | None:
        """Return the latest mark since which the rows add up to what *suspect* states."""
        if not suspect.figures:
            return None
        names = tuple(suspect.figures)
        if names not in self._by_sums:
            self._by_sums[names] = {}
            for mark in self._marks:
                self._index(names, mark)
        wanted = tuple(here.sums[name] - figure for name, figure in suspect.figures.items())
        found = reversed(self._by_sums[names].get(wanted, ()))
        return next((mark for mark in found if mark.rows < here.rows), None)

    def nearest(self, suspect: Suspect, here: Reached) -> Reached:
        """Return the mark since which the rows come nearest to what *suspect* states."""
        start, latest = self._marks[0], self._marks[1:][-_MOST_NEAR:]
        above = [mark for mark in (*reversed(latest), start) if mark.rows < here.rows]
        return min(above or [start], key=lambda mark: _distance(suspect, here, mark))

    def add(self, mark: Reached) -> None:
        """Add a mark below all others. With no row between, it takes the place of the last."""
        if len(self._marks) > 1 and self._marks[-1].rows == mark.rows:
            last = self._marks.pop()
            for names, marks in self._by_sums.items():
                marks[_sums_of(last, names)].pop()
        self._marks.append(mark)
        for names in self._by_sums:
            self._index(names, mark)

    def latest(self, most: int) -> tuple[Reached, ...]:
        """Return the start and the latest marks."""
        return (self._marks[0], *self._marks[1:][1 - most :])

    def _index(self, names: tuple[str, ...], mark: Reached) -> None:
        self._by_sums[names].setdefault(_sums_of(mark, names), []).append(mark)


def _sums_of(mark: Reached, names: tuple[str, ...]) -> tuple[Decimal, ...]:
    return tuple(mark.sums[name] for name in names)


def _between(since: Reached, here: Reached) -> dict[str, Decimal]:
    return {name: figure - since.sums[name] for name, figure in here.sums.items()}


def _distance(suspect: Suspect, here: Reached, since: Reached) -> Decimal:
    return sum(
        (abs(here.sums[name] - since.sums[name] - it) for name, it in suspect.figures.items()), Decimal(0)
    )


def _noted(reading: FileReading, line: int) -> FileReading:
    left_out = reading.left_out + LeftOut(notes=1)
    noted = _remarked(reading, RemarkKind.NOTE, "text that is no row: left out", line)
    return replace(noted, left_out=left_out)


def _remarked(reading: FileReading, kind: RemarkKind, text: str, line: int) -> FileReading:
    said = Remark(kind=kind, text=text, count=1, line=line)
    return replace(reading, remarks=merged((*reading.remarks, said)))


def _misfits(reading: FileReading, records: Iterable[Malformed]) -> tuple[FileReading, tuple[Malformed, ...]]:
    """Take the totals and notes out of malformed *records*."""
    malformed = []
    for record in records:
        match misfit_verdict(record, reading.shape):
            case Verdict.NOTE:
                reading = _noted(reading, record.line)
            case Verdict.TOTAL:
                total = Total(line=record.line, stated=ControlTotals(), found=ControlTotals())
                reading = reading.with_total(total)
            case _:
                malformed.append(record)
    return replace(reading, malformed=reading.malformed + len(malformed)), tuple(malformed)


def _remembered(
    unread: tuple[Unread, ...], rows: ParsedRows, malformed: Iterable[Malformed]
) -> tuple[Unread, ...]:
    """Add the lines of a block whose figures could not be read."""
    if len(unread) >= _MOST_REMEMBERED:
        return unread
    more = [Unread(line=one.line, reason=one.reason) for one in malformed]
    for name in rows.unreadable:
        lost = rows.values[name].is_null() & rows.text[name].is_not_null()
        more += [Unread(line=line, field=name) for line in rows.lines.filter(lost).head(_MOST_REMEMBERED)]
    return (*unread, *sorted(more, key=lambda one: one.line))[:_MOST_REMEMBERED] if more else unread


def _counted(reading: FileReading, values: pl.DataFrame) -> FileReading:
    if not values.height:
        return reading
    more = {name: Decimal(_decimals(values[name]).sum()) for name in reading.sums}
    return replace(
        reading,
        rows=reading.rows + values.height,
        sums={name: figure + more[name] for name, figure in reading.sums.items()},
    )


def _decimals(column: pl.Series) -> pl.Series:
    scale = column.dtype.scale if isinstance(column.dtype, pl.Decimal) else 0
    return column.cast(pl.Decimal(38, scale))
