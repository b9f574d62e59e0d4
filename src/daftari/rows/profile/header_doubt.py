"""Whether the line that was taken for the header is a row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import polars as pl

from daftari.contract.model import LogicalType
from daftari.rows.profile.personal_values import holds_names

_DATE = re.compile(r"\d{1,4}([-/. ])\d{1,2}\1\d{1,4}([T ,].*)?|\d{1,2}[- /][A-Za-z]{3,9}[- /,]+\d{2,4}")
_NUMBER = re.compile(r"[-+(]?(?:[A-Z]{1,4} ?)?\d[\d,.' ]*\)?%?")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}|\+?\d[\d -]{8,}\d")
_DATED = (LogicalType.DATE, LogicalType.TIMESTAMP)
_COUNTED = (LogicalType.INTEGER, LogicalType.NUMBER)
#: A name that occurs so often among the values of its own column is one of them.
_FEWEST_REPEATS = 1


def header_doubt(header: Sequence[str], cells: pl.DataFrame, kinds: Mapping[str, LogicalType]) -> str:
    """
    Return why *header* looks like a row of *cells*, in words and without its values; empty: it does not.

    *header* has the names as found, in the order of the columns of *cells*; *kinds* their types.
    """
    found = list(zip(header, cells.iter_columns(), strict=False))
    dates = [name for name, column in found if _DATE.fullmatch(name) and kinds[column.name] in _DATED]
    if dates:
        return f"{_columns(len(dates))} a date as the values below"
    if any(_ADDRESS.fullmatch(name) and not _DATE.fullmatch(name) for name, _ in found):
        return "it holds an e-mail address or a phone number"
    numbers = [name for name, column in found if _NUMBER.fullmatch(name) and kinds[column.name] in _COUNTED]
    if numbers and not _are_labels([name for name, _ in found if _NUMBER.fullmatch(name)]):
        return f"{_columns(len(numbers))} a number as the values below"
    repeated = [name for name, column in found if _occurs(name, column)]
    if repeated and 2 * len(repeated) >= len([name for name in header if name]):
        return f"{_columns(len(repeated))} a value that occurs again below"
    texts = pl.Series([name for name, _ in found if name], dtype=pl.String)
    of_persons = [name for name, column in found if holds_names(column.drop_nulls().unique())]
    if of_persons and holds_names(pl.Series(of_persons)):
        return "it holds the name of a person, as the values below"
    if len(texts) > 1 and holds_names(texts):
        return "its cells are names of persons"
    return ""


def looks_like_row(header: Sequence[str]) -> bool:
    """Whether *header* by itself has what only a row has: a date, a number, an address, names of persons."""
    numbers = [name for name in header if _NUMBER.fullmatch(name)]
    return (
        any(_DATE.fullmatch(name.lstrip("[(")) or _ADDRESS.fullmatch(name) for name in header)
        or (bool(numbers) and not _are_labels(numbers))
        or holds_names(pl.Series([name for name in header if name], dtype=pl.String))
    )


def _columns(count: int) -> str:
    return "one column has" if count == 1 else f"{count} columns have"


def _are_labels(numbers: Sequence[str]) -> bool:
    """Whether *numbers* name columns: years, or 1, 2, 3 …"""
    if not all(number.isdigit() for number in numbers):
        return False
    if all(len(number) == 4 and 1900 <= int(number) <= 2100 for number in numbers):
        return True
    counts = [int(number) for number in numbers]
    return (
        len(counts) > 1 and counts == list(range(counts[0], counts[0] + len(counts))) and counts[0] in (0, 1)
    )


def _occurs(name: str, column: pl.Series) -> bool:
    return bool(name) and int((column == name).sum()) >= _FEWEST_REPEATS
