"""Changes to the text of a field that a mapping or a contract declares. Each distinct text is changed once."""

from __future__ import annotations

import re

import polars as pl

from daftari.contract.model import Field
from daftari.rows.mapping.mapping import FieldSource

#: Calling codes of the countries whose national numbers have nine digits after a 0.
CALLING_CODES = {"KE": "254", "UG": "256", "TZ": "255", "RW": "250"}
_BESIDE_DIGITS = re.compile(r"[\s().\u2010-\u2015/-]")
_FLOAT = re.compile(r"(\d+)\.0+")
_EXPONENT = re.compile(r"(\d)\.(\d+)[eE]\+(\d{2})")
_NATIONAL = re.compile(r"[1-9]\d{8}")
_ABROAD = re.compile(r"[1-9]\d{7,14}")


def changed(content: pl.Series, source: FieldSource, field: Field) -> pl.Series:
    """Return the texts of a field after its steps; null where a text cannot be changed so."""
    text = pl.col("t")
    if source.strip:
        text = text.str.strip_chars(source.strip)
    for old, new in (source.replace or {}).items():
        text = text.str.replace_all(old, new, literal=True)
    if source.keep == "digits" or field.digits_only:
        text = text.str.replace_all("[^0-9]", "")
    if source.phone:
        code = CALLING_CODES[source.phone]
        text = text.map_batches(lambda texts: _phones(texts, code), return_dtype=pl.String)
    text = pl.when(text.str.len_bytes() > 0).then(text)  # nothing to pad
    for width in (source.pad, field.width):
        if width is not None:
            text = text.str.zfill(width)
    return pl.DataFrame({"t": content}).select(text).to_series().alias(content.name)


def has_steps(source: FieldSource, field: Field) -> bool:
    declared = source.strip or source.replace or source.keep or source.phone or source.pad
    return bool(declared or field.digits_only or field.width)


def _phones(texts: pl.Series, code: str) -> pl.Series:
    distinct = texts.drop_nulls().unique()
    numbers = {text: e164(text, code) for text in distinct}
    return texts.replace_strict(numbers, default=None, return_dtype=pl.String) if numbers else texts


def e164(text: str, code: str) -> str | None:
    """
    Return a phone number as E.164 (+254712345678); *code* is its country's if the number names none.

    None if it is not one, or a spreadsheet shortened it: 2.54712E+11 has lost its last digits.
    """
    text = _FLOAT.sub(r"\1", text.strip()) if _FLOAT.fullmatch(text.strip()) else text.strip()
    if found := _EXPONENT.fullmatch(text):
        text = found[1] + found[2] if len(found[2]) == int(found[3]) else ""
    bare = _BESIDE_DIGITS.sub("", text)
    names_country = bare.startswith(("+", "00"))
    digits = bare.removeprefix("+") if bare.startswith("+") else bare.removeprefix("00")
    rest = digits.removeprefix(code)
    if rest != digits and _NATIONAL.fullmatch(rest.removeprefix("0")):
        return f"+{code}{rest.removeprefix('0')}"
    if names_country:
        is_other = not digits.startswith(code) and _ABROAD.fullmatch(digits)
        return f"+{digits}" if is_other else None
    national = digits.removeprefix("0")
    return f"+{code}{national}" if _NATIONAL.fullmatch(national) else None
