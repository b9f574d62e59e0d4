"""Numbers as people write them: marks, currencies, signs. Exact throughout: no float."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

#: Numbers that need no rewriting.
CANONICAL = r"^-?\d+(\.\d+)?$"

#: Marks that group digits and are never a decimal mark.
GROUPING = "' \u00a0\u2009\u202f\u2019"
_MINUS = "-\u2212\u2013"
#: The signs of each currency; `/=` and `/-` follow shillings.
CURRENCIES = {
    "KES": ("KES", "KSHS", "KSH", "/=", "/-"),
    "UGX": ("UGX", "USHS", "USH"),
    "TZS": ("TZS", "TSHS", "TSH"),
    "USD": ("US$", "USD", "$"),
    "EUR": ("EUR", "€"),
    "GBP": ("GBP", "£"),
    "ZAR": ("ZAR", "R"),
    "NGN": ("NGN", "₦"),
    "INR": ("INR", "₹"),
    "JPY": ("JPY", "¥"),
    "CHF": ("CHF",),
    "RWF": ("RWF", "FRW"),
    "BIF": ("BIF", "FBU"),
    "CDF": ("CDF",),
    "ETB": ("ETB",),
    "SSP": ("SSP",),
    "MZN": ("MZN",),
    "MWK": ("MWK",),
    "ZMW": ("ZMW",),
    "XOF": ("XOF", "FCFA", "CFA"),
    "XAF": ("XAF",),
}


@dataclass(frozen=True, kw_only=True)
class NumberStyle:
    """The number format of one column of one file."""

    decimal: str = "."
    thousands: str = ""  #: every mark that may group digits
    affixes: tuple[str, ...] = ()  #: signs and codes of the one currency allowed before or after a number
    percent: bool = False  #: a percent sign follows; the number is divided by 100

    @property
    def is_canonical(self) -> bool:
        return self == NumberStyle()

    @property
    def words(self) -> str:
        """An example number in this style."""
        sign = f"{self.affixes[0]} " if self.affixes else ""
        return f"{sign}1{self.thousands[:1]}234{self.decimal}56{' %' if self.percent else ''}"


def bare(text: pl.Expr, style: NumberStyle) -> pl.Expr:
    """
    Rewrite *text* in *style* as canonical digits (`-1234.5`); null if it is not a number of that style.

    Parentheses and a trailing minus mean negative. A percent sign is removed, not applied.
    """
    text = text.str.replace_all(rf"[{_MINUS}]", "-")
    if style.affixes:
        sign = f"(?:{'|'.join(map(re.escape, style.affixes))})"
        text = text.str.replace(rf"(?i)^([-(]?)\s*{sign}\.?\s*", "$1").str.replace(
            rf"(?i)\s*{sign}(\)?)$", "$1"
        )
    if style.percent:
        signed = text.str.contains(r"%\s*\)?$")
        text = pl.when(signed).then(text.str.replace(r"\s*%\s*(\)?)$", "$1"))
    text = text.str.replace(r"^\((.*)\)$", "-$1").str.replace(r"^([^-].*?)\s*-$", "-$1")
    text = text.str.replace(r"^-\s+", "-").str.replace(r"^\+", "")
    digits: pl.Expr = pl.when(text.str.contains(number_shape(style))).then(text)
    if style.thousands:
        digits = digits.str.replace_all(f"[{re.escape(style.thousands)}]", "")
    if style.decimal != ".":
        digits = digits.str.replace(style.decimal, ".", literal=True)
    return digits.str.replace(r"^(-?)\.", "${1}0.").str.replace(r"\.$", "")


def number_shape(style: NumberStyle) -> str:
    """A regular expression for a signed number in *style*: groups of three digits, or of two before three."""
    mark = re.escape(style.decimal)
    fraction = rf"(?:{mark}\d*)?"
    whole = r"\d+"
    if style.thousands:
        one = "|".join(
            rf"\d{{1,3}}(?:{re.escape(g)}\d{{2,3}})*{re.escape(g)}\d{{3}}" for g in style.thousands
        )
        whole = rf"(?:\d+|{one})"
    return rf"^-?(?:{whole}{fraction}|{mark}\d+)$"


def to_decimal(digits: pl.Expr, scale: int, precision: int = 38) -> pl.Expr:
    """
    Read canonical *digits* as Decimal(*precision*, *scale*).

    Null if there are digits other than 0 beyond *scale*, or the number is too large: nothing is rounded.
    """
    fraction = rf"(?:\.\d{{1,{scale}}}0*)?" if scale else r"(?:\.0*)?"
    exact = pl.when(digits.str.contains(rf"^-?\d+{fraction}$")).then(digits)
    return exact.cast(pl.Decimal(precision, scale), strict=False)


def to_integer(digits: pl.Expr) -> pl.Expr:
    """Read canonical *digits* as Int64; null if it has a fraction other than 0, or too many digits."""
    whole = pl.when(digits.str.contains(r"^-?\d+(\.0*)?$")).then(digits.str.replace(r"\.0*$", ""))
    return whole.cast(pl.Int64, strict=False)
