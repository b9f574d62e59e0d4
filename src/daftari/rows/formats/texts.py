"""A block's cells as the text of each field: trimmed, joined, looked up. Not yet typed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import polars as pl

from daftari.contract.model import LogicalType
from daftari.rows.intake.block import Block
from daftari.rows.intake.remarks import Remark
from daftari.rows.mapping.clean_text import clean, is_odd, marked_texts, remarks_on
from daftari.rows.mapping.column_plan import ColumnPlan, FieldPlan
from daftari.rows.mapping.steps import changed, has_steps


@dataclass(frozen=True, kw_only=True)
class TextColumn:
    found: pl.Series  #: trimmed, as in the file; null: missing
    content: pl.Series  #: after part, lookup and prefix: the text to parse
    remarks: tuple[Remark, ...] = ()
    marked: pl.Series | None = (
        None  #: with a spreadsheet's mark of a text, which `found` lacks; null: without one
    )


def columns_of(plan: ColumnPlan, block: Block, seen: Counter[str] | None = None) -> Iterator[TextColumn]:
    """
    Yield the text of each of the plan's fields, in order.

    *seen* counts the digests so far in the file, for keys that number their occurrences; it is updated.
    """
    seen = Counter() if seen is None else seen
    cells = _trimmed_cells(plan, block)
    for place, one in enumerate(plan.fields):
        parts = [cells[f"{place} {part}"] for part in range(len(one.columns))]
        remarks: tuple[Remark, ...] = ()
        if not block.is_plain and _is_cleaned(one):
            parts, remarks = _cleaned(one, parts, block.lines)
        column = replace(_column(one, _found(one, parts, block, seen)), remarks=remarks)
        yield (
            replace(column, marked=marked_texts(cells[f"{place} 0"]))
            if remarks and len(parts) == 1
            else column
        )


def _is_cleaned(plan: FieldPlan) -> bool:
    """Documents keep their text, and so do digests, which must stay the same for the same file."""
    structured = plan.field.logical_type in (LogicalType.OBJECT, LogicalType.ARRAY)
    return plan.source.digest is None and not structured


def _identifies(plan: FieldPlan) -> bool:
    return plan.is_identifying or plan.field.logical_type is not LogicalType.STRING


def _cleaned(
    plan: FieldPlan, parts: list[pl.Series], lines: pl.Series
) -> tuple[list[pl.Series], tuple[Remark, ...]]:
    is_identifying = _identifies(plan)
    found: list[pl.Series] = []
    remarks: list[Remark] = []
    for part in parts:
        odd = is_odd(part, is_identifying=is_identifying)
        if odd.any():
            before = part.filter(odd)
            after = clean(before, is_identifying=is_identifying)
            remarks += remarks_on(plan.field.name, before, after, lines.filter(odd))
            part = part.scatter(odd.arg_true(), after)
        found.append(part)
    return found, tuple(remarks)


def cleaned_by_line(plan: ColumnPlan, block: Block) -> dict[int, tuple[str, ...]]:
    """Return by line what is changed in the texts of *block*, of which each field takes one column."""
    found: dict[int, tuple[str, ...]] = {}
    for one in plan.fields:
        texts = block.cells[one.columns[0]]
        odd = is_odd(texts, is_identifying=_identifies(one))
        if not odd.any() or not _is_cleaned(one):
            continue
        for line, text in zip(block.lines.filter(odd), texts.filter(odd), strict=True):
            _, remarks = _cleaned(one, [pl.Series([text])], pl.Series([line]))
            if remarks:
                found[line] = (*found.get(line, ()), *(it.text for it in remarks))
    return found


def _trimmed_cells(plan: ColumnPlan, block: Block) -> pl.DataFrame:
    """
    Trim every column that a field uses; the names are the positions of field and part.

    Null if empty or a null word. Null words take a second pass, over the columns that have one: a condition
    on the trimmed text would trim twice.
    """
    parts = [
        (f"{place} {part}", name, one.null_words)
        for place, one in enumerate(plan.fields)
        for part, name in enumerate(one.columns)
    ]
    if block.is_trimmed:
        trimmed = pl.DataFrame([block.cells[name].alias(part) for part, name, _ in parts])
        empty: tuple[bool, ...] = (False,) * len(parts)
    else:
        trimmed = block.cells.select(pl.col(name).str.strip_chars().alias(part) for part, name, _ in parts)
        empty = trimmed.select((pl.all().str.len_bytes() == 0).any()).row(0) if parts else ()
    emptied = [
        _or_null(pl.col(part), null_words)
        for (part, _, null_words), is_empty in zip(parts, empty, strict=True)
        if is_empty or null_words
    ]
    return trimmed.with_columns(emptied) if emptied else trimmed


def _or_null(text: pl.Expr, null_words: tuple[str, ...]) -> pl.Expr:
    is_missing = text.is_in(["", *null_words]) if null_words else text == ""
    return pl.when(~is_missing).then(text)


def _column(plan: FieldPlan, found: pl.Series) -> TextColumn:
    source, content = plan.source, found
    if source.part is not None:
        content = content.str.extract(source.part, 1)
    if has_steps(source, plan.field):
        content = changed(content, source, plan.field)
    if source.lookup is not None:
        outcomes = _outcomes(content, plan)
        dropped = [word for word, outcome in outcomes.items() if outcome is None]
        content = content.replace_strict(outcomes, default=None, return_dtype=pl.String)
        found = found.set(found.is_in(dropped).fill_null(False), None) if dropped else found
    if source.prefix:
        content = pl.DataFrame({"t": content}).select(pl.lit(source.prefix) + pl.col("t")).to_series()
    if source.default is not None:
        content = content.zip_with(found.is_not_null(), pl.Series([source.default]))
        found = found.fill_null(source.default)
    return TextColumn(found=found, content=content)


def _found(plan: FieldPlan, parts: list[pl.Series], block: Block, seen: Counter[str]) -> pl.Series:
    """Return the trimmed text of the field's column or columns; null if missing."""
    source, height = plan.source, block.cells.height
    if source.row_number:
        return block.lines.cast(pl.String)
    if not plan.columns:
        return pl.Series([source.constant], dtype=pl.String).new_from_index(0, height)
    if source.join is not None:
        joined = pl.concat_str(pl.all(), separator=source.join.separator)
        return pl.DataFrame(parts).select(joined).to_series()
    if source.digest is not None:
        keys = map(_digest, zip(*parts, strict=True))
        return pl.Series(_numbered(keys, seen) if source.digest.occurrence else list(keys), dtype=pl.String)
    return parts[0]


def _digest(row: tuple[str | None, ...]) -> str:
    """Hash a row's cells with their lengths, so that different contents never give the same text."""
    content = "".join("-;" if cell is None else f"{len(cell)}:{cell};" for cell in row)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _numbered(keys: Iterable[str], seen: Counter[str]) -> list[str]:
    """Append to each key the number of its occurrence in the file, from 1."""
    numbered = []
    for key in keys:
        seen[key] += 1
        numbered.append(f"{key}-{seen[key]}")
    return numbered


def _outcomes(content: pl.Series, plan: FieldPlan) -> dict[str, str | None]:
    """Return the value for each word of *content*; None: missing. Rejected words are left out."""
    lookup = {key.strip().casefold(): value for key, value in (plan.source.lookup or {}).items()}
    outcomes: dict[str, str | None] = {}
    for word in content.drop_nulls().unique():
        if word.casefold() in lookup:
            outcomes[word] = lookup[word.casefold()]
        elif plan.source.otherwise != "reject":
            outcomes[word] = {"keep": word, "null": None}.get(plan.source.otherwise, plan.source.otherwise)
    return outcomes
