"""Recognise a column about persons by its values. The values themselves are never repeated."""

from __future__ import annotations

import re

import polars as pl

from daftari.contract.personal_fields import is_personal_name
from daftari.rows.profile.given_names import GIVEN_NAMES

_EMAIL = r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"
_EMAIL_WITHIN = r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"
#: International form, and Kenya's national one; grouped by spaces, hyphens or dots.
_PHONE = r"^(?:\+[1-9]\d{8,14}|00[1-9]\d{9,13}|0[17]\d{8}|254[17]\d{8}|2\.547\d*[eE]\+?11)$"
_TAX_PIN = r"^[AaPp]\d{9}[A-Za-z]$"
_IBAN = r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$"
_NATIONAL_ID = r"^[1-9]\d{6,7}$"
_WORD = r"\p{L}[\p{L}'\x{2019}.-]*"
_A_NAME = rf"^(?:(?:Mr|Mrs|Ms|Miss|Dr|Prof|Eng|Hon|Bw|Bi)\.? )?{_WORD}(?:,? {_WORD}){{0,4}}$"
_TITLED = r"^(?:Mr|Mrs|Ms|Miss|Dr|Prof|Hon|Bw|Bi)\.? \p{Lu}"
_NOT_A_NAME = (
    r"(?i)\b(?:ltd|limited|llp|plc|inc|company|co|council|bank|hospital|school|university|department|services|"
    r"enterprises|stores|supplies|hotel|sacco|group|trust|foundation)\b"
)
#: Fields that name things, whose words are names of persons by chance: Rose water.
_OF_THINGS = re.compile(
    r"(^|_)(product|item|goods|article|material|brand|style|department|dept|division|project|file|sheet|country|county|"
    r"town|city|ward|measure|category|type|title|description|bidhaa|idara)(_names?)?$"
)
_MOST = 5_000
_HALF, _SOME, _FEW = 0.5, 0.2, 0.02


def personal_values(name: str, values: pl.Series) -> str:
    """
    Return what the column called *name* holds of persons, in words; empty: nothing was recognised.

    *values* are its distinct values.
    """
    few = values.head(_MOST)
    if not len(few):
        return "by its name" if is_personal_name(name) else ""
    bare = few.str.replace_all(r"[\s().-]", "")
    found = [
        ("e-mail addresses", _share(few, _EMAIL) >= _HALF or _share(few, _EMAIL_WITHIN) >= _FEW),
        ("phone numbers", _share(bare.zip_with(few.str.contains(r"^\d[.]\d"), bare), _PHONE) >= _HALF),
        ("tax PINs", _share(few, _TAX_PIN) >= _HALF),
        ("bank accounts (IBAN)", _share(few.str.replace_all(" ", ""), _IBAN) >= _HALF),
        ("names of persons", _OF_THINGS.search(name) is None and holds_names(few)),
    ]
    recognised = [what for what, is_so in found if is_so]
    if recognised:
        return f"its values look like {recognised[0]}"
    return "by its name" if is_personal_name(name) and not _is_something_else(name, few) else ""


def holds_names(values: pl.Series) -> bool:
    """Whether at least a part of *values* are names of persons: a few common ones in texts of the right form."""
    shaped = values.filter(values.str.contains(_A_NAME) & ~values.str.contains(_NOT_A_NAME))
    if len(shaped) < _HALF * len(values):
        return False
    first = shaped.str.to_lowercase().str.replace(r"^(?:mr|mrs|ms|miss|dr|prof|eng|hon|bw|bi)\.? ", "")
    words = first.str.replace_all(",", " ").str.split(" ")
    known = words.list.eval(pl.element().is_in(list(GIVEN_NAMES))).list.any()
    named = known | shaped.str.contains(_TITLED)
    return int(named.sum()) >= _SOME * len(values)


def might_be_national_ids(values: pl.Series) -> bool:
    """Whether *values* have the form of Kenyan identity numbers, which are not distinguishable from other counts."""
    return len(values) > 0 and _share(values.head(_MOST), _NATIONAL_ID) > 1 - _FEW


def _is_something_else(name: str, values: pl.Series) -> bool:
    """Whether a column called just `name` or `names` holds companies or codes."""
    is_plain = name in ("name", "names")
    return is_plain and _share(values, r"\d|" + _NOT_A_NAME.replace("(?i)", "(?i:") + ")") >= _HALF


def _share(values: pl.Series, pattern: str) -> float:
    return int(values.str.contains(pattern).sum()) / len(values) if len(values) else 0.0
