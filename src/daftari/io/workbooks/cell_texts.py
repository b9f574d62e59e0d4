"""Cells as canonical text: numbers with their digits, dates in ISO 8601, times in hours. Vectorised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import isfinite

import polars as pl

from daftari.io.workbooks.number_formats import NumberFormat, ShownAs

#: Codes of cells that hold no number; TYPED: a day, moment or time in ISO 8601, or a number as it is to be written.
#: A number's code is the place of its style, from 0.
TEXT, TRUTH, ERROR, NO_VALUE, TYPED, SHARED = -1, -2, -3, -4, -5, -6

ERRORS = frozenset(
    ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA", "#SPILL!", "#CALC!")
)
#: In place of a value that a formula does not have, so that its cell is not an empty one.
NO_VALUE_TEXT = "#NO VALUE"

#: A number of at most 15 digits in its shortest form needs no rewriting.
_PLAIN = r"^0$|^-?[1-9]\d{0,14}$|^-?(?:0|[1-9]\d*)\.\d*[1-9]$"
_PLAIN_BYTES = 16
_DAY_MS = 86_400_000
#: 1900-03-01: Excel counts 29 February 1900, which was no day.
_FIRST_SURE_DAY = 61
_LAST_DAY = 2_958_465  #: 9999-12-31


@dataclass(frozen=True, kw_only=True)
class Texts:
    """The cells of a column, and what is to be said of some of them; most often of none, and then it is None."""

    text: pl.Series
    is_typed: pl.Series  #: whether the cell holds a number, a date or a truth value, not text
    fault: pl.Series | None = None  #: why the cell holds no value; null for the others
    loss: pl.Series | None = None  #: why its text is not certain to be what was typed; null for the others
    truth: pl.Series | None = None  #: why it is no key, of a truth value in a column with other cells


@dataclass(frozen=True, kw_only=True)
class CellStyles:
    """What a workbook says of its cells: the format of each style, the calendar, and the texts that cells share."""

    formats: Sequence[NumberFormat] = (NumberFormat(),)
    since_1904: bool = False  #: whether the calendar begins in 1904
    #: the shared texts up to the one with a number, or more; null for an empty one
    shared: Callable[[int], pl.Series] = lambda _: pl.Series([], dtype=pl.String)

    def of(self, code: int) -> NumberFormat:
        return self.formats[code] if 0 <= code < len(self.formats) else NumberFormat()


def texts_of(raw: Sequence[str], codes: Sequence[int], styles: CellStyles) -> Texts:
    """Return the cells of a column, given as the workbook stores them, each with its type or style."""
    text = pl.Series(raw, dtype=pl.String)
    kinds = set(codes)
    if len(kinds) == 1:
        return _of_one_kind(text, kinds.pop(), styles)
    coded = pl.Series(codes, dtype=pl.Int32)
    places = {kind: (coded == kind).arg_true() for kind in kinds}
    return _together(
        {kind: _of_one_kind(text.gather(at), kind, styles) for kind, at in places.items()}, places
    )


def _together(parts: dict[int, Texts], places: dict[int, pl.Series]) -> Texts:
    order = pl.concat(places.values()).arg_sort()

    def column(found: list[pl.Series | None]) -> pl.Series | None:
        if all(one is None for one in found):
            return None
        whole = [
            _none(len(at)) if one is None else one for one, at in zip(found, places.values(), strict=True)
        ]
        return pl.concat(whole, rechunk=True).gather(order)

    texts = [parts[kind] for kind in places]
    if (
        TRUTH in parts and sum(len(one.text) for one in texts if one is not parts[TRUTH]) > 1
    ):  # beside a header
        said = pl.Series(["is a truth value; a key must be a text or a number"])
        texts = [
            replace(one, truth=said.new_from_index(0, len(one.text))) if one is parts[TRUTH] else one
            for one in texts
        ]
    return Texts(
        text=pl.concat([one.text for one in texts], rechunk=True).gather(
            order
        ),  # in one piece, texts are not copied
        is_typed=pl.concat([one.is_typed for one in texts]).gather(order),
        fault=column([one.fault for one in texts]),
        loss=column([one.loss for one in texts]),
        truth=column([one.truth for one in texts]),
    )


def _of_one_kind(raw: pl.Series, code: int, styles: CellStyles) -> Texts:
    frame = raw.alias("t").to_frame()
    typed = pl.repeat(code != TEXT, len(raw), dtype=pl.Boolean, eager=True)
    if code == TEXT:
        return Texts(text=raw, is_typed=typed)
    if code == SHARED:
        return Texts(text=_shared(raw, styles.shared), is_typed=~typed)
    if code == TRUTH:
        is_true = pl.col("t").str.to_lowercase().is_in(["1", "true"])
        shown = frame.select(pl.when(is_true).then(pl.lit("true")).otherwise(pl.lit("false"))).to_series()
        return Texts(text=shown, is_typed=typed)
    if code == ERROR:
        known = pl.when(pl.col("t").is_in(ERRORS)).then(pl.col("t")).otherwise(pl.lit("#ERROR"))
        shown = frame.select(known).to_series()
        return Texts(text=shown, is_typed=typed, fault="holds the error " + shown)
    if code == NO_VALUE:
        said = pl.Series(
            ["is a formula without a stored value; open the workbook in a spreadsheet program and save it"]
        ).new_from_index(0, len(raw))
        return Texts(text=pl.Series([NO_VALUE_TEXT]).new_from_index(0, len(raw)), is_typed=typed, fault=said)
    if code == TYPED:
        return Texts(text=_iso(raw), is_typed=typed)
    return _of_numbers(raw, styles.of(code), since_1904=styles.since_1904)


def _shared(numbers: pl.Series, texts_up_to: Callable[[int], pl.Series]) -> pl.Series:
    """
    Return the texts with these *numbers*. They share the memory of *texts*, however often one occurs.

    Raises:
        ValueError: there is no text with one of them.
    """
    places = numbers.cast(pl.UInt32, strict=False)
    highest = places.max()
    texts = texts_up_to(highest) if isinstance(highest, int) else pl.Series([], dtype=pl.String)
    if places.null_count() or (places >= len(texts)).any():
        raise ValueError("refers to a text that is not there")
    return texts.gather(places)


def _of_numbers(raw: pl.Series, style: NumberFormat, *, since_1904: bool) -> Texts:
    digits = written_digits(raw)
    typed = pl.repeat(True, len(raw), dtype=pl.Boolean, eager=True)
    frame = digits.alias("t").to_frame()
    if style.shown is not ShownAs.NUMBER:
        return Texts(text=_when(digits, style.shown, since_1904=since_1904), is_typed=typed)
    loss = _lost(digits)
    if style.groups:
        has_texts = any(text for text, _ in style.groups)
        shown = frame.select(_grouped(pl.col("t"), style.groups)).to_series()
        return Texts(text=shown, is_typed=~typed if has_texts else typed, loss=loss)
    if style.sign:
        shown = frame.select(_signed(pl.col("t"), style.sign)).to_series()
        return Texts(text=shown, is_typed=~typed, loss=loss)
    return Texts(text=digits, is_typed=typed, loss=loss)


def _lost(digits: pl.Series) -> pl.Series | None:
    is_long = digits.str.contains(r"^-?\d{16,}$")
    if not is_long.any():
        return None
    said = "is a number of more than 15 digits, of which a spreadsheet keeps 15; it must be text"
    return is_long.alias("l").to_frame().select(pl.when("l").then(pl.lit(said))).to_series()


def written_digits(raw: pl.Series) -> pl.Series:
    """Write each number of *raw* with the digits that a spreadsheet shows at most, and without an exponent."""
    frame = raw.alias("t").to_frame()
    text = pl.col("t")
    is_plain = frame.select((text.str.len_bytes() <= _PLAIN_BYTES) & text.str.contains(_PLAIN)).to_series()
    if is_plain.all():
        return raw
    odd = raw.filter(~is_plain)
    distinct = odd.unique()
    rewritten = odd.replace_strict(distinct, [_digits(one) for one in distinct], return_dtype=pl.String)
    return raw.scatter((~is_plain).arg_true(), rewritten)


def _digits(text: str) -> str:
    try:
        number = float(text)
    except ValueError:
        return text
    if not isfinite(number):
        return text
    if number.is_integer():
        return f"{number:.0f}" if number else "0"
    return f"{Decimal(f'{number:.15g}'):f}"


def _grouped(digits: pl.Expr, groups: tuple[tuple[str, int], ...]) -> pl.Expr:
    """Write whole numbers in groups of digits, as `INV-0042`; others stay as they are."""
    width = sum(count for _, count in groups)
    whole = digits.str.zfill(width)
    first = whole.str.len_chars() - width
    parts: list[pl.Expr] = []
    for place, (text, count) in enumerate(groups):
        at = sum(size for _, size in groups[:place])
        some = whole.str.slice(0, first + count) if place == 0 else whole.str.slice(first + at, count)
        parts += [pl.lit(text), some]
    return pl.when(digits.str.contains(r"^\d+$")).then(pl.concat_str(parts)).otherwise(digits)


def _signed(digits: pl.Expr, sign: str) -> pl.Expr:
    """Write a currency's sign before the number, with a fraction that cannot be taken for a group of thousands."""
    number = digits.str.replace(r"(\.\d{3})$", "${1}0")
    return pl.lit(f"{sign} ") + number


def _when(digits: pl.Series, shown: ShownAs, *, since_1904: bool) -> pl.Series:
    """Write serial numbers as a day, a moment, a time of day, or as hours beyond 24."""
    serial = pl.col("t").cast(pl.Float64, strict=False)
    total = (serial * _DAY_MS).round().cast(pl.Int64, strict=False)
    zero = pl.lit(date(1904, 1, 1) if since_1904 else date(1899, 12, 30)).cast(pl.Datetime("ms"))
    early = pl.lit(date(1899, 12, 31)).cast(pl.Datetime("ms"))
    first = 0 if since_1904 else 1
    start = zero if since_1904 else pl.when(serial < _FIRST_SURE_DAY - 1).then(early).otherwise(zero)
    is_day = serial.is_between(first, _LAST_DAY, closed="left")
    if not since_1904:
        is_day = is_day & ~serial.is_between(_FIRST_SURE_DAY - 1, _FIRST_SURE_DAY, closed="left")
    moment = iso_text(start + pl.duration(milliseconds=pl.when(is_day).then(total), time_unit="ms"))
    is_time = (serial >= 0) & (
        pl.lit(True)
        if shown is ShownAs.DURATION
        else serial < (_FIRST_SURE_DAY if shown is ShownAs.TIME else first)
    )
    text = pl.when(is_time).then(hours_text(total)).when(is_day).then(moment).otherwise(pl.col("t"))
    return digits.alias("t").to_frame().select(text).to_series()


def iso_text(moment: pl.Expr) -> pl.Expr:
    """Write a moment as a day where it is a midnight, and with a fraction of a second only where it has one."""
    whole = moment.dt.strftime("%Y-%m-%d %H:%M:%S%.3f")
    return whole.str.replace(r"\.000$", "").str.replace(" 00:00:00$", "")


def hours_text(total: pl.Expr) -> pl.Expr:
    """Write milliseconds as HH:MM:SS, with as many hours as there are."""

    def two(number: pl.Expr) -> pl.Expr:
        return number.cast(pl.String).str.zfill(2)

    fraction = (
        pl.when(total % 1000 == 0)
        .then(pl.lit(""))
        .otherwise(pl.lit(".") + (total % 1000).cast(pl.String).str.zfill(3))
    )
    seconds = total // 1000
    hours, minutes = two(seconds // 3600), two(seconds // 60 % 60)
    return pl.concat_str(hours, pl.lit(":"), minutes, pl.lit(":"), two(seconds % 60), fraction)


def _iso(raw: pl.Series) -> pl.Series:
    """Write days and moments of ISO 8601 as the others are written."""
    bare = pl.col("t").str.replace("^(.{10})T", "${1} ").str.replace(r"Z$|\.0+Z?$", "")
    return raw.alias("t").to_frame().select(bare.str.replace(" 00:00:00$", "")).to_series()


def _none(height: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, height)
