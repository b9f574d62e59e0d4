"""
Finds where the records of delimited text begin, in the bytes with numpy.

Quoting is *plain* when every quote opens or closes a whole field or is doubled inside one. Only then does a line end
outside quotes always end a record; other text is left to the exact reader.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_QUOTE, _NEWLINE, _RETURN = ord('"'), ord("\n"), ord("\r")
_APOSTROPHE, _ZERO, _NINE = ord("'"), ord("0"), ord("9")
_SPACE, _TAB, _PLUS, _EXPONENT = ord(" "), ord("\t"), ord("+"), ord("E")

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Scan:
    """Records of a text that ends in a line end, as byte positions."""

    starts: Positions
    stops: Positions  #: after each record's line end
    separators: Positions  #: separators in each record, outside quotes

    @property
    def records(self) -> int:
        return len(self.starts)


def is_plain(data: bytes) -> bool:
    """Whether *data* is printable ASCII without two spaces, `#`, `="`, `'0` or `E+`: as `Block.is_plain`."""
    if not data.isascii() or any(one in data for one in (b"#", b"\x7f", b'="')):
        return False
    text = np.frombuffer(data, np.uint8)
    ends = np.count_nonzero(text == _NEWLINE) + np.count_nonzero(text == _RETURN)
    if np.count_nonzero(text < _SPACE) != ends + np.count_nonzero(text == _TAB):
        return False
    spaces = text == _SPACE
    if (spaces[1:] & spaces[:-1]).any():
        return False
    if b"'" in data:
        marks = np.flatnonzero(text[:-1] == _APOSTROPHE)
        if ((text[marks + 1] >= _ZERO) & (text[marks + 1] <= _NINE)).any():
            return False
    plus = np.flatnonzero(text == _PLUS)
    return not (text[plus[plus > 0] - 1] == _EXPONENT).any()


def has_lone_return(data: bytes) -> bool:
    """Whether a carriage return has no newline after it: an old line end, or a part of a value."""
    return b"\r" in data and data.count(b"\r") != data.count(b"\r\n")


def plain_quotes(data: bytes, separator: str) -> Positions | None:
    """
    Return where the quotes of *data* are, or None where quoting is not plain.

    *data* begins at a record's start. It may end inside a quoted field: the count is odd then.
    """
    text = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(text == _QUOTE)
    padded = np.empty(len(text) + 2, np.uint8)
    padded[0] = padded[-1] = _NEWLINE
    padded[1:-1] = text
    before, after = padded[quotes[::2]], padded[quotes[1::2] + 2]
    separators = ord(separator), _NEWLINE
    opens = (before == separators[0]) | (before == separators[1])
    closes = (after == separators[0]) | (after == separators[1]) | (after == _RETURN)
    # A closing quote directly before an opening one is a doubled quote inside a field.
    doubled = quotes[2::2] == quotes[1::2][: len(quotes[2::2])] + 1
    opens[1:] |= doubled
    closes[: len(doubled)] |= doubled
    return quotes if bool(opens.all() and closes.all()) else None


def line_ends(data: bytes) -> Positions:
    return np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE)


def outside(positions: Positions, quotes: Positions) -> Positions:
    """Keep the *positions* with an even number of *quotes* before them."""
    if not len(quotes):
        return positions
    kept: Positions = positions[np.searchsorted(quotes, positions) % 2 == 0]
    return kept


def scan(data: bytes, separator: str, quotes: Positions) -> Scan:
    """Find the records of *data*, which ends at a record's end."""
    text = np.frombuffer(data, np.uint8)
    stops = outside(line_ends(data), quotes) + 1
    starts = np.concatenate([np.zeros(1, np.int64), stops[:-1]])
    marks = outside(np.flatnonzero(text == ord(separator)), quotes)
    counted = np.searchsorted(marks, stops)
    return Scan(starts=starts, stops=stops, separators=np.diff(counted, prepend=0))
