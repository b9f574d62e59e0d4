"""The type that most values of a column have, and how many do not fit it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import polars as pl

from daftari.contract.model import Field, LogicalType
from daftari.errors import MappingError
from daftari.rows.formats import booleans
from daftari.rows.formats.date_evidence import judge_dates
from daftari.rows.formats.dates import DAY_STYLES, MOMENT_STYLES, DateStyle
from daftari.rows.formats.inference import NULL_WORDS, infer_styles
from daftari.rows.formats.number_evidence import NumberEvidence, weigh
from daftari.rows.formats.parse import read_values
from daftari.rows.intake.block import Block
from daftari.rows.mapping.column_plan import ColumnPlan, FieldPlan
from daftari.rows.mapping.mapping import FieldSource, Mapping

#: A type is proposed if at least this share of the values fits it.
MAJORITY = 0.8
#: A few repeated words without digits, in less than this share of the rows, may stand for nothing.
_MOST_WORDS = 0.6
#: Words for nothing that a mapping must declare; NULL_WORDS are read as missing without it.
PLACEHOLDERS = frozenset(
    """
    unknown|not known|unspecified|n.a.|n.a|n/k|nk|not applicable|not available|not provided|not given|tbc|tba|tbd|
    to be confirmed|to be advised|pending|missing|no data|nodata|empty|blank|void|(blank)|(empty)|(none)|(null)|#ref!|
    #value!|#div/0!|#name?|#num!|#null!|#error|#error!|haijulikani|hakuna|inconnu|non disponible|desconhecido|
    x|xx|xxx|?|??|???|...|…|-|--|---|/|*
    """.replace("\n    ", "")
    .strip()
    .split("|")
)

#: 00123 and +254 are identifiers, not numbers.
_NO_COUNT = r"^(?:[+]|-?0[0-9])|^[0-9]{16,}$"
#: In R-1 a letter stands before a sign, in R12 before bare digits: it is no currency.
_REFERENCE = r"^[A-Za-z]{1,2}(?:-[0-9]|[0-9]+$)"
_WITH_DECIMALS = r"[.,][0-9]{1,2}\)?$"
_EXPONENT = r"^[-+]?\d+(?:\.\d+)?[eE][-+]?\d{1,3}$"
_LIKE_NUMBERS = r"^[-+(]?[0-9][0-9., ']*\)?$"
_LIKE_DATES = r"^[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}"

_DAY_AND_MONTH = (
    r"(?i)[0-9]{1,2}.*\b(?:jan|feb|mar|apr|may|mei|jun|jul|aug|ago|sep|oct|okt|nov|dec|des)[a-z]*\b"
    r".*(?:19|20)[0-9]{2}"
)

_COUNTED = (LogicalType.INTEGER, LogicalType.NUMBER)
_DATED = (LogicalType.DATE, LogicalType.TIMESTAMP, LogicalType.TIME)


@dataclass(frozen=True, kw_only=True)
class ColumnType:
    """The type of a column, and what a mapping must declare for it to be read."""

    kind: LogicalType
    fits: int = 0  #: rows whose value fits, words for nothing left out
    values: int = 0  #: rows with a value, words for nothing left out
    words: tuple[tuple[str, int], ...] = ()  #: words for nothing, and their rows
    exponents: int = 0  #: rows whose number is written with an exponent
    format: str = ""  #: of dates, if the values leave it open
    #: number evidence, to compare with the file's other columns
    evidence: NumberEvidence | None = None
    is_ambiguous: bool = False  #: between two styles
    looks_dated: bool = (
        False  #: of a column that stays text: most values have a day, a month's name and a year
    )
    tried: LogicalType | None = None  #: of a column that stays text: the type that many of its values have
    tried_fits: int = 0

    @property
    def outliers(self) -> int:
        return self.values - self.fits


@dataclass(frozen=True, kw_only=True)
class _Fit:
    kind: LogicalType
    rows: int
    format: str = ""
    is_ambiguous: bool = False
    others: pl.DataFrame


def type_of_column(text: pl.Series, *, is_identifier: bool = False) -> ColumnType:
    """
    Return the type of *text*, trimmed and null where empty: the narrowest that a majority of its values fits.

    An identifier is text unless every value fits: one that is not read would lose its row.
    """
    counted = text.drop_nulls().alias("value").value_counts()
    is_word = counted["value"].str.to_lowercase().is_in([*PLACEHOLDERS, *NULL_WORDS])
    words, rest = counted.filter(is_word).sort("value"), counted.filter(~is_word)
    rows = int(rest["count"].sum())
    named = tuple((str(word), int(count)) for word, count in words.iter_rows())
    if not rows:
        return ColumnType(kind=LogicalType.STRING, fits=text.count(), values=text.count())
    best = _best(_fits(rest))
    as_text = ColumnType(kind=LogicalType.STRING, fits=text.count(), values=text.count())
    if best is None:
        dated = int(rest.filter(rest["value"].str.contains(_DAY_AND_MONTH))["count"].sum())
        return replace(as_text, looks_dated=dated >= MAJORITY * rows)
    if not _is_majority(best, rows, is_identifier=is_identifier):
        is_near = best.rows * 2 > rows
        return replace(as_text, tried=best.kind, tried_fits=best.rows) if is_near else as_text
    kept = rest.join(best.others, on="value", how="anti")["value"]
    evidence = weigh(kept) if best.kind in _COUNTED else None
    return ColumnType(
        kind=best.kind,
        fits=best.rows,
        values=rows,
        words=named,
        exponents=int(rest.filter(rest["value"].str.contains(_EXPONENT))["count"].sum())
        if best.kind is LogicalType.NUMBER
        else 0,
        format=best.format,
        evidence=evidence,
        is_ambiguous=best.is_ambiguous or (evidence is not None and is_open(evidence)),
    )


def is_open(evidence: NumberEvidence) -> bool:
    """Whether a mark with three digits after it may be decimal or group thousands, and no number shows which."""
    return evidence.decided() is None and bool(evidence.either(".") or evidence.either(","))


def _is_majority(fit: _Fit, rows: int, *, is_identifier: bool) -> bool:
    others = fit.others
    if others.is_empty():
        return True
    if is_identifier:
        return False
    if fit.rows >= MAJORITY * rows:
        return True
    is_few_words = others.height <= 3 and not others["value"].str.contains("[0-9]").any()
    is_repeated = bool((others["count"] > 1).all())
    return is_few_words and is_repeated and fit.rows >= (1 - _MOST_WORDS) * rows


def _best(fits: Iterable[_Fit]) -> _Fit | None:
    """Return the fit of the most rows; the narrowest, which comes first, of equal ones."""
    best: _Fit | None = None
    for fit in fits:
        if best is None or fit.rows > best.rows:
            best = fit
        if best.others.is_empty():
            break
    return best if best is not None and best.rows else None


def _fits(counted: pl.DataFrame) -> Iterable[_Fit]:
    values = counted["value"]
    if not values.is_in(["0", "1"]).all():
        is_word = booleans.read_booleans(values).is_not_null()
        if is_word.all():
            yield _fit(LogicalType.BOOLEAN, counted, is_word)
    if int(counted.filter(values.str.contains("[0-9]"))["count"].sum()) * 3 < int(counted["count"].sum()):
        return  # mostly text: trying to read it as numbers would only take time
    if not values.str.contains(_NO_COUNT).any():
        yield from _number_fits(counted)
    yield from _date_fits(counted)


def _number_fits(counted: pl.DataFrame) -> Iterable[_Fit]:
    values = counted["value"].set(counted["value"].str.contains(_REFERENCE), None)
    read = _read(LogicalType.NUMBER, values)
    is_number = read if read is not None else values.str.contains(_LIKE_NUMBERS)
    is_number = (is_number | values.str.contains(_EXPONENT)).fill_null(False)
    numbers = values.filter(is_number)
    if not len(numbers):
        return
    is_whole = not numbers.str.contains(_WITH_DECIMALS).any()
    if is_whole and not numbers.str.contains(r"[.,]").any():
        is_whole = _all(_read(LogicalType.INTEGER, numbers))
    elif is_whole:
        is_whole = _are_whole(numbers)
    yield _fit(LogicalType.INTEGER if is_whole else LogicalType.NUMBER, counted, is_number)


def _are_whole(numbers: pl.Series) -> bool:
    """Whether *numbers*, which have marks, are whole however those are read, or grouped beyond doubt."""
    evidence = weigh(numbers)
    if evidence.decided() is None:
        marked = numbers.filter(numbers.str.contains(r"[.,]"))
        return bool(evidence.either(",")) or bool(marked.str.contains(r"[.,]0{3}\)?$").all())
    return _all(_read(LogicalType.INTEGER, numbers))


def _all(read: pl.Series | None) -> bool:
    return read is None or bool(read.all())


def _date_fits(counted: pl.DataFrame) -> Iterable[_Fit]:
    values = counted["value"]
    # A bare number might be an Excel date, but nothing declares it.
    if int(counted.filter(values.str.contains("[^0-9.]"))["count"].sum()) * 2 < int(counted["count"].sum()):
        return
    for kind in _DATED:
        read = _read(kind, values)
        if read is not None:
            yield _fit(kind, counted, read)
            continue
        like = values.str.contains(_LIKE_DATES)
        has_time = values.filter(like).str.contains(r"\d:\d\d").any()
        if like.any() and has_time == (kind is LogicalType.TIMESTAMP):
            styles = judge_dates(values, DAY_STYLES if not has_time else MOMENT_STYLES).styles
            style = styles[0].words if styles else ""
            yield replace(_fit(kind, counted, like), is_ambiguous=True, format=style)
            return


def _fit(kind: LogicalType, counted: pl.DataFrame, is_fit: pl.Series) -> _Fit:
    is_fit = is_fit.fill_null(False)
    return _Fit(
        kind=kind,
        rows=int(counted.filter(is_fit)["count"].sum()),
        others=counted.filter(~is_fit),
    )


def _read(kind: LogicalType, values: pl.Series) -> pl.Series | None:
    """Return which of *values* can be read as *kind*; None if they are ambiguous or contradict each other."""
    field = Field(name="c", logical_type=kind)
    one = FieldPlan(field=field, source=FieldSource(), columns=("c",))
    plan = ColumnPlan(file="", fields=(one,), header=("c",), mapping=Mapping(dataset="c"))
    lines = pl.Series("line", range(1, len(values) + 1), dtype=pl.Int64)
    block = Block(cells=values.alias("c").to_frame(), lines=lines)
    try:
        settled = infer_styles(plan, [block])
    except MappingError:
        return None
    one = settled.fields[0]
    if kind is LogicalType.DATE and any(isinstance(it, DateStyle) and it.has_offset for it in one.styles):
        return pl.repeat(False, len(values), eager=True)  # a load can take its day, but it is a moment
    return read_values(values, one).is_not_null()
