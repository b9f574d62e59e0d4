"""Finds where a value of JSON ends without building it, and how much it holds."""

from __future__ import annotations

import re
from enum import Enum

from daftari.rows.json_rows.limits import MOST_VALUES

_SIGN, _BRACKET = re.compile(r'["\[\]{},]'), re.compile(r'["\[\]{}]')
#: The rest of a string, without recursion and without going back.
_REST = re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL)
_CLOSES = {"}": "{", "]": "["}


class Find(Enum):
    END = "the value ends here"
    MORE = "more text is needed"
    TOO_MUCH = "it holds more values than a row may"
    MISMATCH = "a bracket closes another kind of bracket"


class Extent:
    """The extent of one value, over a text that is fed piece by piece."""

    def __init__(self, most_values: int | None = MOST_VALUES, begun: str = "") -> None:
        """*begun* is the bracket before the text, if it was passed. Without *most_values* only depth is limited."""
        self._most_values = most_values
        self.values = 1
        self.deepest = 0
        self.breaks_line = False  #: whether a line ends inside a string: a quote is missing or too many
        self._open: list[str] = [*begun]
        self._in_string = False
        self._ended_before = False  #: whether the sign found follows the value

    def feed(self, text: str, at: int) -> tuple[Find, int]:
        """Go on at *at* in *text*; return what was found and where. After MORE, go on there in a longer text."""
        while True:
            if self._in_string:
                rest = _REST.match(text, at)
                assert rest is not None, "it matches the empty text too"
                self.breaks_line = self.breaks_line or "\n" in rest[0]
                at = rest.end()
                if at == len(text) or text[at] == "\\":
                    return Find.MORE, at
                self._in_string, at = False, at + 1
            is_counted = self._most_values is not None or not self._open
            sign = (_SIGN if is_counted else _BRACKET).search(text, at)
            if sign is None:
                return Find.MORE, len(text)
            found = self._sign(sign[0])
            if found is not None:
                is_inside = found is Find.END and sign[0] in _CLOSES and not self._ended_before
                return found, sign.end() if is_inside else sign.start()
            at = sign.end()

    def _sign(self, sign: str) -> Find | None:
        match sign:
            case '"':
                self._in_string = True
            case ",":
                if not self._open:
                    self._ended_before = True
                    return Find.END
                self.values += 1
            case "{" | "[":
                self._open.append(sign)
                self.values += 1
                self.deepest = max(self.deepest, len(self._open))
            case _:
                return self._close(sign)
        counted, most = self.values, self._most_values
        if most is None:
            counted, most = len(self._open), MOST_VALUES
        is_too_much = counted > most
        return Find.TOO_MUCH if is_too_much else None

    def _close(self, sign: str) -> Find | None:
        if not self._open:
            self._ended_before = True
            return Find.END
        if self._open.pop() != _CLOSES[sign]:
            return Find.MISMATCH
        return None if self._open else Find.END
