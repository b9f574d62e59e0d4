"""Lines of a table that are not rows, found without a contract: totals, and notes below the rows."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from daftari.rows.formats.number_evidence import weigh
from daftari.rows.formats.numbers import bare, to_decimal

#: Of the last lines only, and of a table wide enough that one value is clearly no row.
_MOST_NOTES = 10
_NARROWEST = 3
_SCALE = 10
_RULE = r"^[-=_+]{2,}$"
#: The whole cell is a word for a total: a supplier may be called Total or TotalEnergies, and a row of it has more.
_LABEL = (
    r"(?i)^(?:(?:sub|grand|net|overall|column|page|report)?[\s-]*totals?(?: (?:for|of) .*)?|"
    r"jumla(?: kuu| ndogo| ya .*)?|totaux|total g[eé]n[eé]ral|sous[\s-]total|total geral|soma)\s*[:.]?$"
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

    A total has a word for it and no other text, and fewer values than most rows; or a word and the sums of the numbers
    above. A line without a word is one if it holds nothing but those sums, or nothing but numbers at the end.
    """
    is_rule = cells.select(pl.all_horizontal(pl.all().str.contains(_RULE).fill_null(True))).to_series()
    rules = tuple(lines.filter(is_rule))
    if rules:
        cells, lines = cells.filter(~is_rule), lines.filter(~is_rule)
    if cells.height < 2 or not cells.width:
        return Sifted(cells=cells, rules=rules)
    filled = cells.select(pl.sum_horizontal(pl.all().is_not_null().cast(pl.Int32))).to_series()
    usual = int(filled.quantile(0.75, "nearest") or 0)
    labelled, few = _is_labelled(cells), filled < usual
    last = pl.int_range(cells.height, eager=True) >= cells.height - _MOST_LAST
    suspects = [int(place) for place in (few | labelled).arg_true() if place > 0]
    if len(suspects) > _MOST_SUSPECTS:
        suspects = [int(place) for place in (labelled | (few & last)).arg_true() if place > 0][
            -_MOST_SUSPECTS:
        ]
    is_total = pl.repeat(False, cells.height, eager=True)
    if suspects:
        numbers = _numbers(cells)
        texts = _texts_of(cells, list(numbers))
        is_total = labelled & few & (texts == 1)
        for place in suspects if numbers else ():
            is_bare = texts[place] == 0 and few[place]
            is_last = last[place] and 2 * filled[place] <= usual
            if (is_bare and is_last) or (
                (is_bare or labelled[place]) and _sums_those_above(numbers, is_total, place)
            ):
                is_total = is_total.scatter(place, True)
    notes = _notes(cells, filled, is_total, usual)
    return Sifted(
        cells=cells.filter(~(is_total | notes)),
        totals=tuple(lines.filter(is_total)),
        notes=tuple(lines.filter(notes)),
        rules=rules,
    )


#: A line of nothing but numbers counts as a total only among so many last lines.
_MOST_LAST = 2
#: More lines with few values than this: the table is sparse, and only those with a word and the last are examined.
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


def _texts_of(cells: pl.DataFrame, numbers: list[str]) -> pl.Series:
    """Count the values of each line outside the columns of *numbers*."""
    others = [pl.col(name).is_not_null().cast(pl.Int32) for name in cells.columns if name not in numbers]
    if not others:
        return pl.repeat(0, cells.height, eager=True)
    return cells.select(pl.sum_horizontal(others)).to_series()


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


def _notes(cells: pl.DataFrame, filled: pl.Series, is_total: pl.Series, usual: int) -> pl.Series:
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
