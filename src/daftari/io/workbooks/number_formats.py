"""Number formats of cells: whether a number is shown as a date, with leading zeros or with a currency's sign."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from daftari.rows.formats.numbers import CURRENCIES


class ShownAs(Enum):
    """What a number is shown as."""

    NUMBER = "number"
    DATE = "date"
    TIME = "time"  #: the hours of a day
    DURATION = "duration"  #: hours beyond 24


@dataclass(frozen=True, kw_only=True)
class NumberFormat:
    shown: ShownAs = ShownAs.NUMBER
    #: a text and the number of digits after it, for each group of digits that is shown with leading zeros
    groups: tuple[tuple[str, int], ...] = ()
    sign: str = ""  #: of a currency that we know
    adds: str = ""  #: the format, if it shows other text beside the number


#: By their numbers in ECMA-376, 18.8.30; 27 to 36 and 50 to 58 are dates in East Asian versions.
_DATES = frozenset({14, 15, 16, 17, 22, *range(27, 37), *range(50, 59)})
_TIMES = frozenset({18, 19, 20, 21, 45, 47})
_DURATION = 46

_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.')
_BRACKET = re.compile(r"\[([^\]]*)\]")
_SECTION = re.compile(r'(?:"[^"]*"|\\.|\[[^\]]*\]|[^;])*')
_QUOTED = re.compile(r'"([^"]*)"|\\(.)')
_CURRENCY = re.compile(r"\[\$([^\]-]*)(?:-[^\]]*)?\]")
_PIECE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|.')
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
#: Literals that say nothing: signs, brackets, white space, the mark of text.
_PLAIN = " -+()/,.'%\u00a0\u202f"
_SIGNS = {sign.casefold(): sign for signs in CURRENCIES.values() for sign in signs}


def builtin_format(number: int) -> NumberFormat:
    """Return the format of *number*, if no format of the workbook has it."""
    if number in _DATES:
        return NumberFormat(shown=ShownAs.DATE)
    if number in _TIMES:
        return NumberFormat(shown=ShownAs.TIME)
    return NumberFormat(shown=ShownAs.DURATION if number == _DURATION else ShownAs.NUMBER)


@lru_cache(maxsize=4096)
def number_format(code: str) -> NumberFormat:
    """Return what *code*, such as `dd/mm/yyyy`, `00000` or `[$$-409]#,##0.00`, makes of a positive number."""
    found = _SECTION.match(code)
    section = found[0] if found else code
    if section.strip().casefold() in ("general", "@", ""):
        return NumberFormat()
    elapsed = _ELAPSED.search(section)
    bare = _BRACKET.sub("", _LITERAL.sub("", section)).casefold()
    bare = bare.replace("am/pm", "h").replace("a/p", "h").replace("general", "")
    if elapsed:
        return NumberFormat(shown=ShownAs.DURATION)
    if re.search("[ydg]|mmm", bare) or bare.strip(" ./-") in ("m", "mm"):
        return NumberFormat(shown=ShownAs.DATE)
    if re.search("[hs]", bare):
        return NumberFormat(shown=ShownAs.TIME)
    return _of_a_number(section, bare)


def _of_a_number(section: str, bare: str) -> NumberFormat:
    words = [*_CURRENCY.findall(section), *(one or other for one, other in _QUOTED.findall(section))]
    words += [one for one in "$€£¥₦₹" if one in bare]
    texts = [text for word in words if (text := word.strip(_PLAIN))]
    signs = [_SIGNS[text.casefold().rstrip(".")] for text in texts if text.casefold().rstrip(".") in _SIGNS]
    sign = signs[0] if len(set(signs)) == 1 and len(signs) == len(texts) else ""
    groups = () if sign else _groups(section)
    return NumberFormat(groups=groups, sign=sign, adds=section if texts and not sign and not groups else "")


def _groups(section: str) -> tuple[tuple[str, int], ...]:
    """Return the groups of a format of nothing but zeros and texts, such as `00000` or `"INV-"0000`."""
    groups: list[tuple[str, int]] = []
    text = ""
    for piece in _PIECE.findall(section):
        if piece == "0":
            if text or not groups:
                groups.append((text, 0))
            groups[-1], text = (groups[-1][0], groups[-1][1] + 1), ""
        elif piece[0] == '"' or piece[0] == "\\":
            text += piece.strip('"').removeprefix("\\")
        elif piece in "- /":
            text += piece
        elif piece[0] not in "[_*":
            return ()
    zeros = sum(digits for _, digits in groups)
    return tuple(groups) if zeros > 1 and not text else ()
