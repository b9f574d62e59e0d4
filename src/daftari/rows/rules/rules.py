"""
Judge rows: accepted, or rejected with every reason.

Blocks of a file and records of the API are judged by the same expressions over the same typed columns.
No reason contains a value of the row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as default
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType

import polars as pl

from daftari.contract.model import Dataset, Field, LogicalType, Relationship, RuleTime
from daftari.protect.mask import HIDDEN
from daftari.rows.formats.parse import FEW, ParsedRows, physical
from daftari.rows.intake.csv_copy import copy_text_of
from daftari.rows.mapping.clean_text import visible
from daftari.rows.rules.expressions import Referenced, parsed_rules
from daftari.rows.rules.references import (
    ExistingRows,
    broken_by_reference,
    looks_at,
    missing,
    named_as_own,
    reference_rule,
    referenced_rows,
    unless_standing,
)
from daftari.rows.rules.rejection import NAMES_NOTHING


@dataclass(frozen=True, kw_only=True)
class Rule:
    id: str  #: stable: `<field>.required`, `<field>.minimum`, or the id of a rule of the contract
    fields: tuple[str, ...]
    violated: pl.Expr  #: true if the rule is broken; null is not a violation
    reason: str  #: follows the field's name: "is before 2000-01-01"
    referenced: tuple[Referenced, ...] = ()  #: the fields of referenced rows that it looks at
    own: tuple[
        str, ...
    ] = ()  #: if it looks at referenced rows: the fields of the row itself that it compares
    is_checked: bool = False  #: whether the table has a check for it, over several fields


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """All rules of one dataset on one day, for any number of blocks."""

    dataset: Dataset
    rules: tuple[Rule, ...]
    #: by the rule's id: the existing keys, one column for each referring field
    known: Mapping[str, pl.DataFrame]
    #: the same for self-references, which are judged when the whole file is known
    own_keys: Mapping[str, pl.DataFrame]
    #: by the rule of each reference: the referenced rows that rules look at (see `referenced_rows`)
    referenced: Mapping[str, pl.DataFrame] = default(default_factory=dict)
    standing: Mapping[str, pl.DataFrame] = default(default_factory=dict)  #: as in `ExistingRows`


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    accepted: pl.DataFrame  #: the typed values
    accepted_lines: pl.Series
    rejected: pl.DataFrame  #: as in REJECTED
    rejected_values: pl.DataFrame  #: their typed values
    accepted_absent: pl.Series | None = None  #: as `absent_in_row` of the rows


#: A rejected row: its line, and as JSON every reason (a list of `reason_json`), its text and its key (see `preview`)
#: and its cells in plain text, to be sealed before they are stored (see `cells`).
REJECTED = pl.Schema(
    [
        ("line", pl.Int64()),
        ("reasons", pl.String()),
        ("preview", pl.String()),
        ("key", pl.String()),
        ("cells", pl.String()),
    ]
)


#: Replaces NUL, which jsonb cannot store.
_NUL = "\u2400"


@dataclass(frozen=True, kw_only=True)
class _Broken:
    """A rule that at least one row breaks."""

    rule: str
    fields: tuple[str, ...]
    reason: str
    rows: pl.Series  #: which rows break it
    by_row: pl.Series | None = None  #: the reason of each of these rows, if they differ


def rulebook(
    dataset: Dataset,
    *,
    today: date,
    known: Mapping[Relationship, pl.DataFrame] | None = None,
    standing: Mapping[str, pl.DataFrame] = MappingProxyType({}),
) -> Rulebook:
    """
    Return the rules of *dataset* as of *today*.

    *known* holds the existing keys of each relationship to judge; others are not judged. Self-references are
    left to the caller, which knows the rows still to come.

    Raises:
        ContractError: a rule of the contract is not a condition over its fields.
    """
    known = known or {}
    rules = [rule for field in dataset.fields for rule in field_rules(field)]
    rules += [
        Rule(
            id=rule.id,
            fields=condition.fields,
            violated=~condition.expression(today),
            reason=rule.message,
            referenced=condition.referenced,
            own=condition.own,
            is_checked=condition.check is not None
            and not any(dataset.field(name).protection.sealed for name in condition.fields),
        )
        for rule, condition in parsed_rules(dataset)
        if rule.when is not RuleTime.CHECKED and not condition.sums
    ]
    by_rule = {
        reference_rule(relationship): named_as_own(keys, relationship) for relationship, keys in known.items()
    }
    own = {reference_rule(r) for r in known if r.target == dataset.name}
    return Rulebook(
        dataset=dataset,
        rules=tuple(rules),
        known={rule: keys for rule, keys in by_rule.items() if rule not in own},
        own_keys={rule: keys for rule, keys in by_rule.items() if rule in own},
        referenced=referenced_rows(known),
        standing=standing,
    )


def with_existing(book: Rulebook, existing: ExistingRows) -> Rulebook:
    """Return *book*, of a dataset without self-references, with the existing rows."""
    known = {reference_rule(it): named_as_own(keys, it) for it, keys in existing.keys.items()}
    return replace(book, known=known, referenced=referenced_rows(existing.keys), standing=existing.standing)


def field_rules(field: Field) -> list[Rule]:
    """Return the rules that the options of *field* define."""
    value = pl.col(field.name)

    def rule(what: str, violated: pl.Expr, reason: str) -> Rule:
        return Rule(id=f"{field.name}.{what}", fields=(field.name,), violated=violated, reason=reason)

    rules = []
    if field.allowed:
        listed = ", ".join(field.allowed) if len(field.allowed) <= 12 else f"its {len(field.allowed)} values"
        rules.append(rule("allowed", ~value.is_in(list(field.allowed)), f"must be one of {listed}"))
    rules += [rule(what, violated, reason) for what, violated, reason in _bounds(field, value)]
    rules += [rule(what, violated, reason) for what, violated, reason in _lengths(field, value)]
    if field.options.multiple_of is not None:
        step = field.options.multiple_of
        # A float is a multiple of 0.1 if its shortest decimal form is.
        exact = (
            value.cast(pl.String).cast(pl.Decimal(38, 18), strict=False)
            if physical(field).is_float()
            else value
        )
        rules.append(rule("multiple", exact % pl.lit(step) != 0, f"is not a multiple of {step}"))
    return rules


def _bounds(field: Field, value: pl.Expr) -> list[tuple[str, pl.Expr, str]]:
    options = field.options
    before, after = ("before", "after") if field.logical_type in _TIMES else ("below", "above")
    found = []
    for what, bound, holds, words in (
        ("minimum", options.minimum, value.ge, f"is {before}"),
        ("maximum", options.maximum, value.le, f"is {after}"),
        ("exclusive_minimum", options.exclusive_minimum, value.gt, "is not " + after),
        ("exclusive_maximum", options.exclusive_maximum, value.lt, "is not " + before),
    ):
        if bound is not None:
            found.append((what, ~holds(pl.lit(_typed(field, bound))), f"{words} {bound}"))
    return found


_TIMES = {LogicalType.DATE, LogicalType.TIME, LogicalType.TIMESTAMP}


def _typed(field: Field, bound: Decimal | str) -> Decimal | date | datetime | time | int:
    match field.logical_type:
        case LogicalType.DATE:
            return date.fromisoformat(str(bound))
        case LogicalType.TIMESTAMP:
            return datetime.fromisoformat(str(bound))
        case LogicalType.TIME:
            return time.fromisoformat(str(bound))
    number = Decimal(bound)
    return int(number) if field.logical_type is LogicalType.INTEGER and number == int(number) else number


def _lengths(field: Field, value: pl.Expr) -> list[tuple[str, pl.Expr, str]]:
    options = field.options
    found = []
    if options.min_length is not None and options.min_length > 0:
        found.append(
            ("length", value.str.len_chars() < options.min_length, f"is shorter than {options.min_length}")
        )
    if options.max_length is not None:
        longer = _is_longer(value, options.max_length)
        found.append(("length", longer, f"is longer than {options.max_length}"))
    if options.pattern is not None:
        found.append(
            ("pattern", ~value.str.contains(f"^(?:{options.pattern})$"), f"does not match {options.pattern}")
        )
    return found


def _is_longer(value: pl.Expr, most: int) -> pl.Expr:
    """Count characters only if some text has more bytes than allowed characters: byte lengths are cheap."""

    def longer(texts: pl.Series) -> pl.Series:
        if len(texts) < FEW:
            return pl.Series([it is not None and len(it) > most for it in texts], dtype=pl.Boolean)
        if (texts.str.len_bytes().max() or 0) <= most:  # type: ignore[operator]  # of numbers, a number
            return pl.repeat(False, len(texts), eager=True)
        return texts.str.len_chars() > most

    return value.map_batches(longer, return_dtype=pl.Boolean, is_elementwise=True)


def judge_rows(rows: ParsedRows, book: Rulebook) -> Verdicts:
    """Return which of *rows* are accepted, and for each other row every rule it breaks."""
    broken = _broken(rows, book)
    if not broken:
        return Verdicts(
            accepted=rows.values,
            accepted_lines=rows.lines,
            rejected=pl.DataFrame(schema=REJECTED),
            rejected_values=rows.values.clear(),
            accepted_absent=rows.absent_in_row,
        )
    table = pl.DataFrame([one.rows.alias(str(at)) for at, one in enumerate(broken)])
    bad = table.select(pl.any_horizontal(pl.all())).to_series()
    reasons = pl.concat_str(
        (pl.when(pl.col(str(at))).then(_why(one, bad)) for at, one in enumerate(broken)),
        separator=",",
        ignore_nulls=True,
    )
    # filter first: only a few rows need reasons
    rejected = table.with_columns(line=rows.lines).filter(bad)
    rejected = rejected.select("line", reasons=pl.lit("[") + reasons + pl.lit("]"))
    wrong, right = rows.only(bad), rows.only(~bad)
    text = wrong.text.drop(rows.absent)
    kept = cells(wrong.values.drop(rows.absent), text, book.dataset)
    if wrong.absent_in_row is not None:
        kept = _without_absent(kept, wrong.absent_in_row)
    return Verdicts(
        accepted=right.values,
        accepted_lines=right.lines,
        rejected=rejected.with_columns(**preview(text, book.dataset), cells=kept).cast(REJECTED),
        rejected_values=wrong.values,
        accepted_absent=right.absent_in_row,
    )


def _without_absent(kept: pl.Series, absent_in_row: pl.Series) -> pl.Series:
    """Remove from each row's cells the fields that it lacks. Row by row: few rows are rejected."""
    found = [
        json.dumps({name: text for name, text in json.loads(one).items() if name not in absent.split(",")})
        for one, absent in zip(kept, absent_in_row, strict=True)
    ]
    return pl.Series(found, dtype=pl.String)


def _why(broken: _Broken, bad: pl.Series) -> pl.Expr:
    """Return the reason of each *bad* row, as quarantine stores it."""
    if broken.by_row is None:
        return pl.lit(reason_json(broken.rule, broken.fields, broken.reason))
    said = broken.by_row.set(~broken.rows, None).filter(bad)
    found = [None if one is None else reason_json(broken.rule, broken.fields, one) for one in said]
    return pl.lit(pl.Series(found, dtype=pl.String))


def reason_json(rule: str, fields: Sequence[str], reason: str) -> str:
    """Return one reason as quarantine stores it."""
    return json.dumps({"rule": rule, "field": ", ".join(fields), "reason": reason}, ensure_ascii=False)


def _broken(rows: ParsedRows, book: Rulebook) -> list[_Broken]:
    plain = [rule for rule in book.rules if not rule.referenced]
    violated = [rule.violated.fill_null(False).alias(str(at)) for at, rule in enumerate(plain)]
    # For a few rows, sequential is faster than starting threads.
    masks = rows.values.select_seq(violated) if len(rows.lines) < FEW else rows.values.select(violated)
    found = [
        *_unreadable(rows, book.dataset),
        *(
            _Broken(
                rule=rule.id, fields=rule.fields, reason=rule.reason, rows=_judged(rule, masks[str(at)], rows)
            )
            for at, rule in enumerate(plain)
        ),
        *(_by_reference(rows, rule, book) for rule in book.rules if rule.referenced),
        *(
            _Broken(
                rule=rule_id,
                fields=tuple(keys.columns),
                reason=NAMES_NOTHING,
                rows=missing(rows.values, keys),
            )
            for rule_id, keys in book.known.items()
        ),
    ]
    return [one for one in found if one.rows.any()]


def _by_reference(rows: ParsedRows, rule: Rule, book: Rulebook) -> _Broken:
    """A rule that looks at referenced rows. Where these are not known, or the row lacks a field, it is not judged."""
    referenced = looks_at(rule.referenced, book.referenced)
    broken = pl.repeat(False, len(rows.lines), eager=True)
    if len(referenced) == len(rule.referenced):
        found = broken_by_reference(rows.values, rule.violated, rule.own, referenced)
        broken = unless_standing(rows.values, found, book.standing.get(rule.id))
    if broken.any():
        broken &= ~rows.lacks(rule.fields)
    return _Broken(rule=rule.id, fields=rule.fields, reason=rule.reason, rows=broken)


def _judged(rule: Rule, broken: pl.Series, rows: ParsedRows) -> pl.Series:
    """Leave to the table's check the rows that lack a field of *rule*: they may keep another value."""
    if not rule.is_checked or not broken.any():
        return broken
    return broken & ~rows.lacks(rule.fields)


def _unreadable(rows: ParsedRows, dataset: Dataset) -> Iterator[_Broken]:
    """Yield required values that are missing, and values that cannot be read as their type."""
    for field in dataset.fields:
        values, text = rows.values[field.name], rows.text[field.name]
        if values.null_count() == 0:
            continue
        if field.required:
            yield from _of_cells(
                _Broken(
                    rule=f"{field.name}.required",
                    fields=(field.name,),
                    reason="is missing",
                    rows=text.is_null(),
                ),
                rows,
            )
        if text.null_count() < values.null_count():
            expected = rows.unreadable.get(field.name, f"a {field.logical_type}")
            yield from _of_cells(
                _Broken(
                    rule=f"{field.name}.type",
                    fields=(field.name,),
                    reason=f"cannot be read as {expected}",
                    rows=values.is_null() & text.is_not_null(),
                ),
                rows,
            )


def _of_cells(broken: _Broken, rows: ParsedRows) -> Iterator[_Broken]:
    """Yield *broken*, with the reason of its cell for each row that has one."""
    reasons = rows.faults.get(broken.fields[0])
    if reasons is None:
        yield broken
        return
    has_reason = reasons.is_not_null()
    yield replace(broken, rows=broken.rows & ~has_reason)
    yield replace(broken, rows=broken.rows & has_reason, by_row=reasons)


def preview(text: pl.DataFrame, dataset: Dataset) -> dict[str, pl.Series]:
    """
    Return `preview` and `key` of rejected rows, as JSON of their *text*.

    Invisible characters are named by their codes. Every value that may not be shown is `***`; a key is null if it is
    incomplete or may not be shown. A field that the rows lack has no column in *text*.
    """
    text = text.with_columns(pl.col(pl.String).str.replace_all("\0", _NUL, literal=True))
    shown = [
        pl.when(pl.col(f.name).is_not_null()).then(pl.lit(HIDDEN)).alias(f.name)
        if f.is_confidential
        else visible(pl.col(f.name))
        for f in dataset.fields
        if f.name in text.columns
    ]
    key = pl.lit(None, pl.String)
    if dataset.key and not any(dataset.field(name).is_confidential for name in dataset.key):
        whole = pl.all_horizontal(pl.col(name).is_not_null() for name in dataset.key)
        key = pl.when(whole).then(pl.struct(dataset.key).struct.json_encode())
    made = text.select(preview=pl.struct(shown).struct.json_encode(), key=key)
    return {name: made[name] for name in ("preview", "key")}


def cells(values: pl.DataFrame, text: pl.DataFrame, dataset: Dataset) -> pl.Series:
    """
    Return rows as JSON, one text per field: readable values in canonical form, the rest as received.

    So a corrected row is read like a record of the API, whatever the date format of its file. A field that the
    rows lack has no column in *values*.
    """
    columns = [
        pl.coalesce(_canonical(values[field.name]), text[field.name]).alias(field.name)
        for field in dataset.fields
        if field.name in values.columns
    ]
    return pl.select(columns).select(pl.struct(pl.all()).struct.json_encode()).to_series()


def _canonical(values: pl.Series) -> pl.Series:
    if values.dtype == pl.Binary:  # already sealed, and not opened here
        return pl.Series([None] * len(values), dtype=pl.String)
    return copy_text_of(values)
