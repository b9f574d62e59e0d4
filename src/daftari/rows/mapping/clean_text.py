"""
Text as people see it: one Unicode form, without invisible characters.

In a text that identifies something (a key, a reference, a unique field) and in numbers and dates every invisible
character is removed. Other text keeps those that join letters or turn their direction.
"""

from __future__ import annotations

import re

import polars as pl

from daftari.rows.intake.remarks import Remark, RemarkKind

#: Characters that show nothing: controls, zero-width ones, marks of direction, variation selectors, tags.
_INVISIBLE = (
    "\u0001-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
INVISIBLE = re.compile(f"[{_INVISIBLE}]")
#: Of these, the ones that have no use inside a text.
_USELESS = "\u200b\u2060\ufeff"
_SPACES = " \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
#: Other characters that look like one in a text that identifies something: ends of lines, an empty Braille cell.
_BLANKS = f"{_SPACES}\u0085\u2028\u2029\u2800"
#: A text that may need a change: other characters than printable ASCII, two spaces, or a formula for a text.
_ODD = r'[^\t\n\r -~]|  |^="'
#: Beside these, in what identifies something.
_ODD_KEY = r"^'\d"
#: How spreadsheets keep digits as text in CSV: `="00123"`, and the mark before them: `'00123`.
_FORMULA_TEXT = r'^="([^"]*)"$'
_MARKED_TEXT = r"^'(\d)"

#: A byte that is not UTF-8, 0x80 to 0xff, is kept as a character of a private area.
ESCAPED_BYTE = 0x10FE00
_ESCAPED = "\U0010fe80-\U0010feff"


def is_odd(texts: pl.Series, *, is_identifying: bool) -> pl.Series:
    """Return which *texts* may need to be cleaned."""
    return texts.str.contains(f"{_ODD}|{_ODD_KEY}" if is_identifying else _ODD).fill_null(False)


def clean(texts: pl.Series, *, is_identifying: bool) -> pl.Series:
    """Return *texts* in the form NFC, trimmed, with single spaces and without invisible characters."""
    text = pl.col("t")
    if is_identifying:
        text = text.str.replace_all(f"[{_INVISIBLE}]", "").str.replace_all(f"[{_BLANKS}]+", " ")
    else:
        text = text.str.replace_all(f"[{_USELESS}]", "").str.replace_all(f"[{_SPACES}]{{2,}}", " ")
        text = text.str.replace_all(rf"^[{_INVISIBLE}\s]+|[{_INVISIBLE}\s]+$", "")
    text = text.str.strip_chars().str.replace(_FORMULA_TEXT, "${1}").str.strip_chars()
    if is_identifying:
        text = text.str.replace(_MARKED_TEXT, "${1}")
    # last: an accent joins its letter once nothing is between them
    text = text.str.normalize("NFC")
    return pl.DataFrame({"t": texts}).select(pl.when(text.str.len_bytes() > 0).then(text)).to_series()


def marked_texts(texts: pl.Series) -> pl.Series:
    """Return *texts* that have a spreadsheet's mark of a text; null: one without."""
    marked = texts.str.strip_chars().str.contains(f"{_FORMULA_TEXT}|{_MARKED_TEXT}")
    return texts.set(~marked.fill_null(False), None)


def remarks_on(field: str, before: pl.Series, after: pl.Series, lines: pl.Series) -> tuple[Remark, ...]:
    """Say what was changed in the texts of *field*; white space around a text is not worth saying."""
    changed = (before != after.fill_null("")).fill_null(False)
    if not changed.any():
        return ()
    before, after, lines = before.filter(changed), after.filter(changed), lines.filter(changed)
    found = []
    for character in sorted(set("".join(before)) - set("".join(after.drop_nulls()))):
        holds = before.str.contains(character, literal=True)
        if INVISIBLE.match(character):
            found.append(_remark(f"{field}: U+{ord(character):04X} removed", lines.filter(holds)))
    composed = before.str.normalize("NFC")
    if (composed != before).any():
        found.append(_remark(f"{field}: brought to Unicode form NFC", lines.filter(composed != before)))
    for pattern, said in _NOT_TYPED.items():
        # The mark is removed only from what identifies something.
        written = before.str.contains(pattern) & ~after.fill_null("").str.contains(pattern)
        if written.any():
            found.append(_remark(f"{field}: {said}", lines.filter(written)))
    repeated = before.str.strip_chars().str.contains(f"[{_SPACES}]{{2,}}")
    if repeated.any():
        found.append(_remark(f"{field}: repeated spaces written as one", lines.filter(repeated)))
    return tuple(found)


_NOT_TYPED = {
    _FORMULA_TEXT: 'the formula ="…", with which spreadsheets keep digits, is read as its text',
    _MARKED_TEXT: "the apostrophe before a number, with which spreadsheets mark a text, removed",
}


def _remark(text: str, lines: pl.Series) -> Remark:
    first = lines.min()
    assert first is None or isinstance(first, int), "lines are numbers"
    return Remark(kind=RemarkKind.CLEANED, text=text, count=len(lines), line=first)


def visible(texts: pl.Expr) -> pl.Expr:
    """Name invisible characters by U+200B, and bytes that are not UTF-8 by 0xF1, in pointed brackets."""
    return texts.map_batches(_visible, return_dtype=pl.String)


def _visible(texts: pl.Series) -> pl.Series:
    odd = texts.str.contains(f"[{_INVISIBLE}{_ESCAPED}]").fill_null(False)
    if not odd.any():
        return texts
    shown = [_SHOWN.sub(_named, text) for text in texts.filter(odd)]
    return texts.scatter(odd.arg_true(), pl.Series(shown, dtype=pl.String))


_SHOWN = re.compile(f"[{_INVISIBLE}{_ESCAPED}]")


def _named(found: re.Match[str]) -> str:
    code = ord(found[0])
    name = f"0x{code - ESCAPED_BYTE:02X}" if code >= ESCAPED_BYTE else f"U+{code:04X}"
    return f"\u2039{name}\u203a"
