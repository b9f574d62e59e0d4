"""
Regular expressions that mean the same to PostgreSQL, to the Rust engine under polars, and to ODCS.

ODCS uses ECMA-262: a digit is 0 to 9 and a word character is ASCII; the other two use Unicode or the
server's locale. So shorthands are spelt out, and patterns that the engines read differently are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_DIGIT = "0-9"
_WORD = "A-Za-z0-9_"
_SPACE = r" \t\n\r\f\v"
_SHORTHANDS = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROLS = "tnrfv"
#: PostgreSQL's limit for a repetition.
_MOST_REPETITIONS = 255
#: Two in a row are a set operator in Rust.
_SET_OPERATORS = "&~-"


class UnportablePattern(ValueError):
    """The message names the part that is not portable; it follows the word "found"."""


def portable(pattern: str) -> str:
    """
    Return *pattern* with its shorthands spelt out. Idempotent.

    Raises:
        UnportablePattern: it is malformed, or the engines would read it differently.
    """
    return "".join(_Reader(pattern).parts())


@dataclass
class _Reader:
    text: str
    at: int = 0
    depth: int = 0
    #: whether the last part may be repeated
    is_repeatable: bool = False

    def parts(self) -> Iterator[str]:
        while self.at < len(self.text):
            yield self._part()
        if self.depth:
            raise UnportablePattern("a group that is not closed")

    def _take(self) -> str:
        if self.at >= len(self.text):
            raise UnportablePattern("an end in the middle of an expression")
        char = self.text[self.at]
        self.at += 1
        return char

    def _peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def _part(self) -> str:
        char = self._take()
        if char in "*+?{":
            return self._repetition(char)
        was_group = char == ")"
        self.is_repeatable = char not in "(|^$"
        if char == "(":
            return self._open_group()
        if was_group:
            return self._close_group()
        if char == "[":
            return self._set()
        if char == "\\":
            return self._escape()
        if char in "]}":
            raise UnportablePattern(f"{char} without a backslash before it")
        return r"[^\n\r]" if char == "." else char

    def _open_group(self) -> str:
        self.depth += 1
        if self._peek() != "?":
            return "("
        if self._peek(2) != "?:":
            raise UnportablePattern(f"({self._peek(3)}: a lookaround, a name or a flag")
        self.at += 2
        return "(?:"

    def _close_group(self) -> str:
        if not self.depth:
            raise UnportablePattern(") without an opening one")
        self.depth -= 1
        return ")"

    def _repetition(self, char: str) -> str:
        if not self.is_repeatable:
            raise UnportablePattern(f"{char} with nothing before it to repeat")
        self.is_repeatable = False
        text = f"{{{self._bounds()}}}" if char == "{" else char
        if self._peek() == "?":
            text += self._take()
        return text

    def _bounds(self) -> str:
        end = self.text.find("}", self.at)
        bounds = self.text[self.at : end] if end >= 0 else ""
        least, comma, most = bounds.partition(",")
        if not _is_number(least) or not (_is_number(most) or most == ""):
            raise UnportablePattern("{ that does not begin a number of repetitions")
        counts = [int(count) for count in (least, most) if count]
        if max(counts) > _MOST_REPETITIONS or counts != sorted(counts):
            raise UnportablePattern(f"{{{bounds}}}: more than {_MOST_REPETITIONS}, or the larger first")
        self.at = end + 1
        return f"{least}{comma}{most}"

    def _escape(self) -> str:
        char = self._take()
        if char in _SHORTHANDS:
            return f"[{_SHORTHANDS[char]}]"
        if char.lower() in _SHORTHANDS:
            return f"[^{_SHORTHANDS[char.lower()]}]"
        return self._single_escape(char)

    def _single_escape(self, char: str) -> str:
        if char in _CONTROLS:
            return f"\\{char}"
        if char == "u":
            digits = self._peek(4)
            if len(digits) < 4 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
                raise UnportablePattern(r"\u without four hexadecimal digits")
            self.at += 4
            return f"\\u{digits}"
        if char.isalnum() or char in "<>_" or not char.isascii():
            raise UnportablePattern(f"\\{char}")
        return f"\\{char}"

    def _set(self) -> str:
        text = "["
        if self._peek() == "^":
            text += self._take()
        if self._peek() == "]":
            raise UnportablePattern("an empty set []")
        while (char := self._take()) != "]":
            text += self._member(char)
        return text + "]"

    def _member(self, char: str) -> str:
        if char == "[":
            raise UnportablePattern("[ inside a set without a backslash before it")
        if char in _SET_OPERATORS and self._peek() == char:
            raise UnportablePattern(f"{char}{char} inside a set")
        if char != "\\":
            return char
        escaped = self._take()
        if escaped in _SHORTHANDS:
            return _SHORTHANDS[escaped]
        return self._single_escape(escaped)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3
