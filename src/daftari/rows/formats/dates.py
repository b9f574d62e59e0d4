"""Date and time styles, in words (DD/MM/YYYY) and in strftime, and how to read each strictly from text."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import polars as pl

#: The exact form of each strftime directive; chrono alone would accept `+019` as a year and `60` as a second.
_SHAPES = {
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%m": r"\d{1,2}",
    "%d": r"\d{1,2}",
    "%b": r"[A-Za-zÀ-ÿ]{3,9}\.?",
    "%B": r"[A-Za-zÀ-ÿ]{3,9}\.?",
    "%a": r"[A-Za-z]{3,9}",
    "%A": r"[A-Za-z]{3,9}",
    "%H": r"\d{1,2}",
    "%I": r"\d{1,2}",
    "%M": r"[0-5]\d",
    "%S": r"[0-5]\d",
    "%.f": r"(?:\.\d{1,9})?",
    "%p": r"[AaPp][Mm]",
    "%#z": r"(?:Z|[+-]\d{2}(?::?\d{2})?|(?:GMT|UTC)(?:[+-]\d{1,2}(?::?\d{2})?)?|[ECW]AT)",
}
_DIRECTIVE = re.compile(r"%(\.f|#z|:z|[A-Za-z])")
_SAME = {"%z": "%#z", "%:z": "%#z", "%e": "%d", "%h": "%b"}
_TWO_DIGITS = {"%m": r"\d{2}", "%d": r"\d{2}"}
#: Beside the name of a month a day may be an ordinal: 14th September.
_ORDINAL = {"%d": r"\d{1,2}(?:st|nd|rd|th|er|ST|ND|RD|TH|ER)?"}

_WORDS = {
    "YYYY": "%Y",
    "YY": "%y",
    "MONTH": "%B",
    "MMMM": "%B",
    "MON": "%b",
    "MMM": "%b",
    "MM": "%m",
    "M": "%m",
    "WEEKDAY": "%A",
    "DDDD": "%A",
    "DDD": "%a",
    "DD": "%d",
    "D": "%d",
    "HH": "%H",
    "H": "%H",
    "SS": "%S",
    "AM": "%p",
    "Z": "%#z",
}
_WORD = re.compile("|".join(sorted(_WORDS, key=len, reverse=True)), re.IGNORECASE)

EXCEL = "excel"
#: Day 0 of Excel's calendar for serials from 61 (1900-03-01); lower ones include its false 29 February.
_EXCEL_DAY_0 = pl.date(1899, 12, 30)
_SERIALS = (61, 2_958_465)
_GUESSED_SERIALS = (25_569, 73_050)
_EXCEL_SERIAL = r"^\d{2,6}(\.\d+)?$"

#: Without a pivot, two-digit years up to the first are 20xx and from the second on 19xx; others may be either.
SURE_20XX, SURE_19XX = 29, 60


@dataclass(frozen=True)
class DateStyle:
    """One way to write a date, with or without a time of day."""

    chrono: str  #: strftime directives, or `excel` for a serial number
    words: str  #: for people
    #: the last two-digit year that is 20xx, -1 if none is; None: not known, see `SURE_20XX`
    pivot: int | None = None
    #: whether nobody declared it: of serial numbers only those of 1970 to 2099 are dates
    is_guessed: bool = False

    @cached_property
    def shape(self) -> str:
        """A regular expression for the whole text; year-first dates need two digits for month and day."""
        return _EXCEL_SERIAL if self.chrono == EXCEL else f"^{self._pattern_of(self.chrono)}$"

    def _pattern_of(self, chrono: str) -> str:
        strict = self.chrono.startswith(("%Y-", "%Y%m"))
        looks = {**_SHAPES, **(_TWO_DIGITS if strict else _ORDINAL if self.has_names else {})}
        pieces = re.split(r"(%(?:\.f|#z|[A-Za-z]))", chrono)
        return "".join(looks.get(piece) or re.escape(piece) for piece in pieces)

    @property
    def has_short_years(self) -> bool:
        return "%y" in self.chrono

    @property
    def expected(self) -> str:
        """In words what a value of this style looks like."""
        if not self.has_short_years or self.pivot is not None:
            return self.words
        return (
            f"{self.words} (years {SURE_20XX + 1} to {SURE_19XX - 1} may be of either century:"
            " declare `pivot` in the source mapping)"
        )

    @property
    def has_time(self) -> bool:
        return "%H" in self.chrono or "%I" in self.chrono or self.chrono == EXCEL

    @property
    def has_offset(self) -> bool:
        return "%#z" in self.chrono

    @property
    def day(self) -> str:
        """The part of the style that writes the day, without the time."""
        return re.split(r"[,T ]*%[HI]", self.chrono)[0]

    @property
    def _directives(self) -> str:
        """The style for chrono, whose `%B` reads short and long names and whose `%b` does not."""
        return self.chrono.replace("%b", "%B").replace("%y", "%Y")

    @property
    def has_names(self) -> bool:
        return "%b" in self.chrono.lower()

    def read(self, text: pl.Series) -> pl.Series:
        """
        Read *text* as Datetime[us]: UTC if the style has an offset, else without a zone.

        Null if it is not exactly in this style, or not a valid date.
        """
        if self.chrono != _ISO:
            return self._read(text)
        is_plain = text.str.contains(_PLAIN_ISO).fill_null(False)
        rest = text.filter(~is_plain)
        plain = pl.DataFrame({"t": text.set(~is_plain, None)}).select(_plain_iso(pl.col("t"))).to_series()
        return (
            plain.scatter((~is_plain).arg_true(), self._read(rest))
            if rest.null_count() < len(rest)
            else plain
        )

    def _read(self, text: pl.Series) -> pl.Series:
        frame = pl.DataFrame({"t": self._in_english(text)})
        if self.chrono == EXCEL:
            fits = pl.when(pl.col("t").str.contains(self.shape)).then(pl.col("t"))
            first, last = _GUESSED_SERIALS if self.is_guessed else _SERIALS
            return frame.select(_from_excel(fits, first, last)).to_series()
        plain = self._plain(pl.col("t"))
        if not self.has_time:
            return frame.select(
                plain.str.to_date(self._directives, strict=False).cast(pl.Datetime("us"))
            ).to_series()
        zone = "UTC" if self.has_offset else None
        return frame.select(
            plain.str.to_datetime(self._directives, strict=False, time_unit="us", time_zone=zone)
        ).to_series()

    def read_days(self, text: pl.Series) -> pl.Series:
        """Read *text* as Date; the style has no time of day."""
        frame = pl.DataFrame({"t": self._in_english(text)})
        plain = self._plain(pl.col("t"))
        return frame.select(plain.str.to_date(self._directives, strict=False)).to_series()

    def _in_english(self, text: pl.Series) -> pl.Series:
        """Write the months of other languages, and the names of zones, as chrono reads them."""
        if self.has_names and text.str.contains(_FOREIGN_MONTH).any():
            text = _replaced(text, _MONTHS)
        if self.has_offset and text.str.contains(_ZONE).any():
            text = _replaced(text, _OFFSETS)
        return text

    def _plain(self, text: pl.Expr) -> pl.Expr:
        """Write the texts of this style as chrono reads them, and the others as null."""
        fits = pl.when(text.str.contains(self.shape)).then(text)
        plain = _plain_names(fits) if self.has_names else fits
        return self._with_long_years(plain) if self.has_short_years else plain

    def _with_long_years(self, text: pl.Expr) -> pl.Expr:
        before, after = map(self._pattern_of, self.chrono.split("%y", 1))
        parts = f"^({before})([0-9]{{2}})({after})$"
        year = text.str.extract(parts, 2)
        number = year.cast(pl.Int32, strict=False)
        last, first = (SURE_20XX, SURE_19XX) if self.pivot is None else (self.pivot, self.pivot + 1)
        century = pl.when(number <= last).then(pl.lit("20")).when(number >= first).then(pl.lit("19"))
        return pl.concat_str(text.str.extract(parts, 1), century, year, text.str.extract(parts, 3))


#: The months in Swahili, French and Portuguese, where they are not those of English.
_MONTHS = {
    "Jan": r"janu?ari|janv(?:ier)?|janeiro",
    "Feb": r"februari|f[ée]vr?(?:ier)?|fevereiro",
    "Mar": r"machi|mars|mar[çc]o",
    "Apr": r"aprili|avr(?:il)?|abr(?:il)?",
    "May": r"mei|mai|maio",
    "Jun": r"juni|juin|junho",
    "Jul": r"julai|juil(?:let)?|julho",
    "Aug": r"agosti|ao[ûu]t|ago(?:sto)?",
    "Sep": r"septemba|septembre|set(?:embro)?",
    "Oct": r"oktoba|octobre|out(?:ubro)?",
    "Nov": r"novemba|novembre|novembro",
    "Dec": r"desemba|déc(?:embre)?|decembre|dez(?:embro)?",
}
_MONTHS = {rf"(?i)\b(?:{names})\b": month for month, names in _MONTHS.items()}
_FOREIGN_MONTH = "|".join(_MONTHS)
#: The zones that people write: East, Central and West Africa Time, and hours from Greenwich.
_OFFSETS = {
    r"\bEAT$": "+03:00",
    r"\bCAT$": "+02:00",
    r"\bWAT$": "+01:00",
    r"(?:GMT|UTC)([+-])(\d)$": "${1}0${2}:00",
    r"(?:GMT|UTC)([+-])(\d{2})$": "${1}${2}:00",
    r"(?:GMT|UTC)([+-])(\d):?(\d{2})$": "${1}0${2}:${3}",
    r"(?:GMT|UTC)([+-])(\d{2}):?(\d{2})$": "${1}${2}:${3}",
    r"(?:GMT|UTC)$": "+00:00",
}
_ZONE = r"[A-Z]{3}(?:[+-]\d[\d:]*)?$"


def _replaced(text: pl.Series, patterns: dict[str, str]) -> pl.Series:
    changed = pl.col("t")
    for pattern, plain in patterns.items():
        changed = changed.str.replace(pattern, plain)
    return pl.DataFrame({"t": text}).select(changed).to_series()


#: The commonest form of a moment: its fixed width is read in half the time.
_ISO = "%Y-%m-%dT%H:%M:%S%.f%#z"
_PLAIN_ISO = r"^\d{4}-\d{2}-\d{2}T\d{2}:[0-5]\d:[0-5]\d[+-]([01]\d|2[0-3]):[0-5]\d$"


def _plain_iso(text: pl.Expr) -> pl.Expr:
    local = text.str.slice(0, 19).str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us")
    sign = pl.when(text.str.slice(19, 1) == "-").then(-1).otherwise(1)
    hours, minutes = (text.str.slice(at, 2).cast(pl.Int32) for at in (20, 23))
    return (local - pl.duration(minutes=sign * (60 * hours + minutes))).dt.replace_time_zone("UTC")


def _plain_names(text: pl.Expr) -> pl.Expr:
    """Write months and days as chrono reads them: `Sept.` as `Sep`, `3rd` as `3`."""
    text = text.str.replace(r"(?i)\b(sep)t\b", "$1").str.replace(r"([A-Za-z]{3})\.", "$1")
    return text.str.replace(r"(?i)\b([0-9]{1,2})(?:st|nd|rd|th|er)\b", "$1")


def _from_excel(text: pl.Expr, first: int, last: int) -> pl.Expr:
    serial = text.cast(pl.Float64, strict=False)
    seconds = (serial * 86_400).round().cast(pl.Int64)
    moment = _EXCEL_DAY_0.cast(pl.Datetime("us")) + pl.duration(seconds=seconds)
    return pl.when((serial >= first) & (serial < last + 1)).then(moment)


def date_style(declared: str) -> DateStyle:
    """
    Return the style that *declared* names: words, strftime directives or `excel`.

    Raises:
        ValueError: it lacks a day, month or year, or has an unknown directive.
    """
    if declared.strip().lower() == EXCEL:
        return DateStyle(EXCEL, "an Excel serial number")
    chrono = _as_known(declared) if "%" in declared else _from_words(declared)
    unknown = [f"%{found}" for found in _DIRECTIVE.findall(chrono) if f"%{found}" not in _SHAPES]
    if unknown:
        raise ValueError(f"date format {declared!r}: {unknown[0]} is unknown")
    has = {part: any(one in chrono for one in ones) for part, ones in _NEEDED.items()}
    if not all(has.values()):
        lacking = " and ".join(part for part, found in has.items() if not found)
        raise ValueError(f"date format {declared!r} has no {lacking}")
    return DateStyle(chrono, declared)


_NEEDED = {"day": ("%d",), "month": ("%m", "%b", "%B"), "year": ("%Y", "%y")}


def _as_known(declared: str) -> str:
    return _DIRECTIVE.sub(lambda found: _SAME.get(found[0], found[0]), declared)


def _from_words(declared: str) -> str:
    chrono = _WORD.sub(lambda found: _WORDS[found[0].upper()], declared)
    # MM after the hour means minutes.
    chrono = re.sub(r"(%H[:.h]?)%m", r"\1%M", chrono)
    return chrono.replace("%H", "%I") if "%p" in chrono else chrono


ISO_DAY = date_style("YYYY-MM-DD")
GUESSED_EXCEL = replace(date_style(EXCEL), is_guessed=True)
_NUMERIC = [
    f"{first}{mark}{second}{mark}{third}"
    for mark, (first, second, third) in product(
        "/-. ",
        [
            ("DD", "MM", "YYYY"),
            ("MM", "DD", "YYYY"),
            ("YYYY", "MM", "DD"),
            ("DD", "MM", "YY"),
            ("MM", "DD", "YY"),
        ],
    )
]
_NAMED = [
    *(f"DD{mark}Mon{mark}{year}" for mark in "- /" for year in ("YYYY", "YY")),
    "DD Mon, YYYY",
    "DD of Month YYYY",
    "Month DD, YYYY",
    "Month DD YYYY",
    "Weekday, DD Month, YYYY",
    "Weekday, DD Month YYYY",
    "Weekday DD Month YYYY",
    "Weekday, Month DD, YYYY",
    "DDMonYYYY",
]
#: Every style that may be inferred for a day, the canonical one first.
DAY_STYLES = (
    *map(date_style, dict.fromkeys(["YYYY-MM-DD", *_NUMERIC, *_NAMED, "YYYYMMDD"])),
    DateStyle("%d de %B de %Y", "DD de Month de YYYY"),
)

_ISO_MOMENTS = [
    f"%Y-%m-%d{mark}{time}{offset}"
    for time, mark, offset in product(("%H:%M:%S%.f", "%H:%M"), "T ", ("%#z", " %#z", ""))
]
_ZONED_DAYS = ("YYYY/MM/DD", "DD/MM/YYYY", "MM/DD/YYYY")
_ZONED_TIMES = (" HH:MM:SS AM Z", " HH:MM AM Z", " HH:MM:SS Z", " HH:MM Z")
_TIMES = (" HH:MM", " HH:MM:SS", " HH:MM AM", " HH:MM:SS AM", ", HH:MM", "THH:MM:SS")


def _with_time(day: DateStyle, time: str) -> DateStyle:
    return DateStyle(
        day.chrono + date_style(ISO_DAY.words + time).chrono[len(ISO_DAY.chrono) :], day.words + time
    )


#: Every style that may be inferred for a moment, the canonical ones first; a date without time is its first instant.
MOMENT_STYLES = (
    *(DateStyle(chrono, "YYYY-MM-DDTHH:MM:SS (ISO 8601)") for chrono in _ISO_MOMENTS),
    *(_with_time(style, time) for style in DAY_STYLES if style != ISO_DAY for time in _TIMES),
    # as forms and their exports write them: 2026/03/14 9:05:33 PM GMT+3
    *(date_style(day + time) for day in _ZONED_DAYS for time in _ZONED_TIMES),
)
