"""Lines of a table that are not rows, found without a contract: totals, and notes below the rows."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from daftari.rows.formats.number_evidence import weigh
from daftari.rows.formats.numbers import bare, to_decimal
from daftari.rows.mapping.mapping import TotalRow

#: Of the last lines only, and of a table wide enough that one value is clearly no row.
_MOST_NOTES = 10
_NARROWEST = 3
_SCALE = 10
_RULE = r"^[-=_+]{2,}$"
_LABEL = (
    rf"(?i)^(?:{TotalRow().label}|(?:sub|grand|net|overall|column|page|report)?[\s-]*totals?\s*[:.]?|"
    r"jumla(?: kuu| ndogo)?\s*:?|total g[eé]n[eé]ral\s*:?|sous-total\s*:?|total geral\s*:?|subtotal\s*:?)$"
)


@dataclass(frozen=True, kw_only=True)
class Sifted:
    """A table's rows, and the lines of what is not a row."""

    cells: pl.DataFrame
    totals: tuple[int, ...] = ()
    notes: tuple[int, ...] = ()
    rules: tuple[int, ...] = ()  #: lines of dashes, as database tools draw them below a header


def without_other_lines(cells: pl.DataFrame, lines: pl.Series) -> Sifted:
    """
    Return the rows of *cells*, which are trimmed and null where empty, without totals and notes.

    A total has a total's word as one of its values, and either fewer values than most rows or the sums of the numbers
    above. A line without a word is one if it holds nothing but those sums.
    """
    is_rule = cells.select(pl.all_horizontal(pl.all().str.contains(_RULE).fill_null(True))).to_series()
    rules = tuple(lines.filter(is_rule))
    if rules:
        cells, lines = cells.filter(~is_rule), lines.filter(~is_rule)
    if cells.height < 2 or not cells.width:
        return Sifted(cells=cells, rules=rules)
    filled = cells.select(pl.sum_horizontal(pl.all().is_not_null().cast(pl.Int32))).to_series()
    usual = filled.median() or 0
    assert isinstance(usual, float | int)
    labelled = _is_labelled(cells)
    few = filled < usual
    is_total = labelled & (filled <= usual / 2 + 1) & few
    perhaps = (few | labelled) & ~is_total
    places = [int(place) for place in perhaps.arg_true() if place > 0]
    numbers = _numbers(cells) if len(places) <= _MOST_SUSPECTS and places else {}
    bare_of_text = _only(cells, list(numbers))
    for place in places if numbers else ():
        if (labelled[place] or bare_of_text[place]) and _sums_those_above(numbers, is_total, place):
            is_total = is_total.scatter(place, True)
    notes = _notes(cells, filled, is_total, usual)
    return Sifted(
        cells=cells.filter(~(is_total | notes)),
        totals=tuple(lines.filter(is_total)),
        notes=tuple(lines.filter(notes)),
        rules=rules,
    )


#: More lines with few values than this: the table is sparse, and they are its rows.
_MOST_SUSPECTS = 100


def _is_labelled(cells: pl.DataFrame) -> pl.Series:
    return cells.select(pl.any_horizontal(pl.all().str.contains(_LABEL)).fill_null(False)).to_series()


def _numbers(cells: pl.DataFrame) -> dict[str, pl.Series]:
    """Return the columns that are mostly numbers, read as such."""
    found = {}
    for column in cells.iter_columns():
        some = column.drop_nulls().head(1000)
        if not len(some) or int(some.str.contains("[0-9]").sum()) * 2 < len(some):
            continue
        style = weigh(some).style(weigh(some).decided() or ".")
        digits = pl.DataFrame({"t": column}).select(bare(pl.col("t"), style)).to_series()
        read = pl.DataFrame({"t": digits}).select(to_decimal(pl.col("t"), _SCALE)).to_series()
        if read.count() * 2 >= column.count():
            found[column.name] = read
    return found


def _only(cells: pl.DataFrame, names: list[str]) -> pl.Series:
    """Mark the lines without a value outside the columns *names*."""
    others = [name for name in cells.columns if name not in names]
    if not others:
        return pl.repeat(False, cells.height, eager=True)
    return cells.select(pl.all_horizontal(pl.col(others).is_null())).to_series()


def _sums_those_above(numbers: dict[str, pl.Series], is_total: pl.Series, place: int) -> bool:
    """Whether each number at *place* is the sum of those above it, or of those since the last total."""
    totals = [int(at) for at in is_total.head(place).arg_true()]
    stated = {name: column[place] for name, column in numbers.items() if column[place] is not None}
    starts = {0, totals[-1] + 1 if totals else 0}
    rows = ~is_total.head(place)
    return bool(stated) and any(
        all(
            numbers[name].head(place).filter(rows).slice(_rows_before(rows, start)).sum() == figure
            for name, figure in stated.items()
        )
        for start in starts
    )


def _rows_before(rows: pl.Series, start: int) -> int:
    return int(rows.head(start).sum())


def _notes(cells: pl.DataFrame, filled: pl.Series, is_total: pl.Series, usual: float) -> pl.Series:
    """Mark the lines with one value at the end of a table whose rows have more."""
    notes = pl.repeat(False, cells.height, eager=True)
    if usual < _NARROWEST:
        return notes
    for place in range(cells.height - 1, max(0, cells.height - _MOST_NOTES), -1):
        if is_total[place]:
            continue
        if filled[place] != 1:
            break
        notes = notes.scatter(place, True)
    return notes
