"""
Lines of a file that are no rows: totals, which are compared with the rows and never loaded, and notes.

A line is a total if its label is a total word or what the mapping declares, and it lacks most of what the rows of the
file have; never if it has a key of its own. A line without a label is one if it lacks what a row needs, holds nothing
but numbers, and these are the sums of the rows above.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from functools import cached_property

import polars as pl

from daftari.contract.model import Dataset, LogicalType
from daftari.rows.formats.parse import ParsedRows, physical, read_cells
from daftari.rows.formats.texts import columns_of
from daftari.rows.intake.block import Block, Malformed
from daftari.rows.intake.line_labels import NOTE, PERHAPS_TOTAL, SUMMARY_LABEL, TOTAL_LABEL, bare_text
from daftari.rows.mapping.column_plan import ColumnPlan, FieldPlan
from daftari.rows.mapping.header_names import normal
from daftari.rows.mapping.mapping import TotalRow

#: A number in a column that no field takes: a total may state its sum too.
_NUMBER_LIKE = re.compile(r"^[-+(]?[^\w]{0,3}[0-9][0-9.,'\s]*[)%]?$")


#: A total in which the numbering of the rows goes on is at the end, and so are lines to sign on.
_LAST_LINES = 5
#: What is in every total word.
_WORDS = ["tot", "sum", "jumla", "majumuisho", "t o t", "som", "Σ"]


class Verdict(Enum):
    """What a line is, if it is not simply a row."""

    ROW = ""
    TOTAL = "total"
    NOTE = "note"
    LABEL_DOUBTED = "may be a total, by its label and its empty fields, but is not the sum of the rows above"
    SUMMARY_DOUBTED = "may be a balance, an average or a count of the rows, by its label and its empty fields"
    #: rows, of which their sender should know
    LABELLED_SUM = (
        "a row is labelled as a total and is the sum of the rows above: loaded, because it has what rows have;"
        " if it is a total, declare `total_row` with its label in the source mapping"
    )
    LABELLED_ROW = "a row is labelled as a total, but has what rows have: loaded as a row"
    SUM_DOUBTED = "may be a total: it is the sum of the rows above, and lacks what they have"


@dataclass(frozen=True, kw_only=True)
class FileShape:
    """What the columns of a file are to its totals."""

    plan: ColumnPlan
    dataset: Dataset
    summed: frozenset[str]  #: fields whose values are summed

    @cached_property
    def own(self) -> dict[str, FieldPlan]:
        """The fields that have the text of one column, by column."""
        return {
            one.columns[0]: one
            for one in self.plan.fields
            if len(one.columns) == 1 and one.source.digest is None and one.source.default is None
        }

    @cached_property
    def numbers(self) -> dict[str, FieldPlan]:
        """The fields of numbers in one column, by field; not those that identify or refer to rows."""
        keys = {it for it in self.dataset.key if self.dataset.field(it).logical_type is LogicalType.INTEGER}
        others = keys.union(*(one.fields for one in self.dataset.relationships))
        return {
            one.field.name: one
            for one in self.plan.fields
            if one.field.logical_type in (LogicalType.INTEGER, LogicalType.NUMBER)
            and len(one.columns) == 1
            and one.field.name not in others
        }

    @cached_property
    def figures(self) -> dict[str, FieldPlan]:
        """The numbers that a total is compared with: floating point is not exact."""
        return {name: _wide(one) for name, one in self.numbers.items() if name in self.summed}

    @cached_property
    def key_columns(self) -> tuple[str, ...]:
        """The columns of the key, if the file has all of it."""
        columns = {
            one.field.name: one.columns
            for one in self.plan.fields
            if one.columns and one.source.digest is None and one.source.default is None
        }
        key = self.dataset.key
        return tuple(it for name in key for it in columns[name]) if columns.keys() >= {*key} else ()

    @cached_property
    def needed(self) -> frozenset[str]:
        """The columns and figures that every row must have."""
        required = {one.columns[0] for one in self.own.values() if one.field.required}
        numbers = {one.columns[0] for one in self.numbers.values()}
        return frozenset({*required, *self.key_columns} - numbers)

    @cached_property
    def unmapped(self) -> frozenset[str]:
        """The columns whose text no field has as it is."""
        return frozenset(self.plan.header) - self.own.keys()

    @cached_property
    def label_column(self) -> str | None:
        """The column in which the mapping says that the label is; None: any."""
        rule = self.plan.mapping.total_row
        asked = rule.column if isinstance(rule, TotalRow) else None
        return next((name for name in self.plan.header if asked and normal(name) == normal(asked)), None)

    @cached_property
    def patterns(self) -> dict[str, re.Pattern[str]]:
        rule = self.plan.mapping.total_row
        patterns = {
            "total": TOTAL_LABEL,
            "perhaps": PERHAPS_TOTAL,
            "summary": SUMMARY_LABEL,
            "note": NOTE,
        }
        if isinstance(rule, TotalRow):
            patterns["declared"] = f"(?i)^(?:{rule.label})$" if rule.label else TOTAL_LABEL
        return {kind: re.compile(pattern) for kind, pattern in patterns.items()}

    @cached_property
    def any_label(self) -> str:
        return "|".join(f"(?:{one.pattern})" for one in self.patterns.values())

    def texts(self, rows: ParsedRows, block: Block) -> pl.DataFrame:
        """Return the columns of the file that hold no figures, as text; null: missing."""
        numbers = {column for one in self.numbers.values() for column in one.columns}
        return pl.DataFrame(
            [
                rows.text[self.own[name].field.name].alias(name) if name in self.own else block.cells[name]
                for name in block.cells.columns
                if name not in numbers
            ]
        )


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A line that may be no row."""

    place: int  #: in its block, from 0
    line: int
    figures: dict[str, Decimal]  #: by field
    has_unread_figure: bool  #: a number is not one
    cells: dict[str, str]  #: its other cells with text, by column; without invisible characters
    usual: frozenset[str]  #: the columns that the rows of this file fill, without figures
    shape: FileShape = field(repr=False)

    def verdict(self, *, agrees: bool, rows_above: int) -> Verdict:
        """Decide what it is; *agrees*: its figures are the sums of rows above it."""
        if self._is_note:
            return Verdict.NOTE
        if self._has_key:
            return self._of_keyed(agrees=agrees)
        if self._labels("summary") and self._is_nearly_empty:
            return Verdict.SUMMARY_DOUBTED
        if self._labels("declared") and (agrees or self._is_nearly_empty or self._says_nothing_else):
            return Verdict.TOTAL
        if self._labels("total") and self._is_nearly_empty:
            return Verdict.TOTAL
        if self._labels("total") or self._labels("perhaps"):
            return self._by_sum(agrees)
        return self._unlabelled(rows_above) if agrees and self._is_nearly_empty else Verdict.ROW

    def _unlabelled(self, rows_above: int) -> Verdict:
        if not self.cells and self._lacks_needed:
            return Verdict.TOTAL
        return Verdict.SUM_DOUBTED if rows_above > 1 else Verdict.ROW

    def _of_keyed(self, *, agrees: bool) -> Verdict:
        """A row with a key of its own is a total only if the mapping says so."""
        if agrees and self._labels("declared"):
            return Verdict.TOTAL
        return Verdict.LABELLED_SUM if agrees and self._labels("total") else Verdict.ROW

    def _by_sum(self, agrees: bool) -> Verdict:
        if not (self._is_nearly_empty or self._says_nothing_else):
            if not (self._labels("total") and self.figures):
                return Verdict.ROW
            return Verdict.LABELLED_SUM if agrees else Verdict.LABELLED_ROW
        if agrees:
            return Verdict.TOTAL
        is_doubtful = self._labels("total") or (
            self._missing and not self._labels("perhaps", self.shape.key_columns)
        )
        return Verdict.LABEL_DOUBTED if self.figures and is_doubtful else Verdict.ROW

    def _labels(self, kind: str, columns: Collection[str] | None = None) -> list[str]:
        """Return the columns whose text is a label of this *kind*."""
        pattern = self.shape.patterns.get(kind)
        asked = self.shape.label_column if kind == "declared" else None
        return [
            name
            for name, text in self.cells.items()
            if pattern is not None
            and pattern.search(text)
            and (columns is None or name in columns)
            and asked in (None, name)
        ]

    @cached_property
    def _label(self) -> list[str]:
        kinds = ("declared", "total", "perhaps", "summary")
        return next((found for kind in kinds if (found := self._labels(kind))), [])

    @cached_property
    def _has_key(self) -> bool:
        """Whether it has a key, which is not a label."""
        titles = {*self._labels("declared"), *self._labels("total"), *self._labels("perhaps")}
        key = self.shape.key_columns
        figures = {one.columns[0] for name, one in self.shape.figures.items() if name in self.figures}
        return (
            bool(key) and all(name in self.cells or name in figures for name in key) and not titles & {*key}
        )

    @cached_property
    def _missing(self) -> int:
        return len(self.usual - self.cells.keys())

    @cached_property
    def _present(self) -> int:
        """Cells with text in columns that rows fill, without the label and without sums that no field takes."""
        return sum(
            name in self.cells
            and name not in self._label
            and not (name in self.shape.unmapped and _NUMBER_LIKE.search(self.cells[name]))
            for name in self.usual
        )

    @property
    def _is_nearly_empty(self) -> bool:
        lacks = self._missing or set(self._labels("total") + self._labels("declared")) & {
            *self.shape.key_columns
        }
        return bool(lacks) and self._missing >= 2 * self._present

    @property
    def _says_nothing_else(self) -> bool:
        return not self._present and not self._missing

    @property
    def _lacks_needed(self) -> bool:
        return bool(self.shape.needed - self.cells.keys() - self.figures.keys())

    @property
    def _is_note(self) -> bool:
        texts = self.cells.values()
        return (
            bool(texts)
            and not (self.figures or self.has_unread_figure)
            and self._missing + bool(self.shape.figures) > 1
            and all(self.shape.patterns["note"].search(text) for text in texts)
        )


def suspects(block: Block, texts: pl.DataFrame, shape: FileShape, usual: frozenset[str]) -> list[Suspect]:
    """
    Return the lines that may be no rows, in order. *usual* are the columns that the rows of this file fill.

    A file without such lines costs little more than a count of nulls.
    """
    if not texts.width:
        return []
    often = [name for name in texts.columns if name in usual]
    chosen = _looked_at(texts, shape, often)
    if not chosen.any():
        return []
    lines = block.lines.filter(chosen)
    cells = texts.filter(chosen).select(bare_text(pl.all()).replace("", None))
    few = Block(
        cells=block.cells.filter(chosen),
        lines=lines,
        typed={name: marks.filter(chosen) for name, marks in block.typed.items()},
    )
    figures = _figures(few, shape)
    labels = _labels_for_numbers(few, figures, shape)
    cells = cells.hstack(labels)
    empty = cells.select(_count_empty(often)).to_series()
    told = _any(cells, pl.all().str.contains(shape.any_label))
    told |= _any(figures, pl.all().is_not_null()) & (3 * empty >= 2 * len(often)) & (empty > 0)
    return [
        Suspect(
            place=place,
            line=line,
            figures={name: value for name, value in numbers.items() if value is not None},
            has_unread_figure=is_unread,
            cells={name: text for name, text in row.items() if text is not None},
            usual=frozenset(often),
            shape=shape,
        )
        for place, line, numbers, is_unread, row in zip(
            chosen.arg_true().filter(told),
            lines.filter(told),
            figures.filter(told).iter_rows(named=True),
            _has_unread(few, figures, labels, shape).filter(told),
            cells.filter(told).iter_rows(named=True),
            strict=True,
        )
    ]


def misfit_verdict(record: Malformed, shape: FileShape) -> Verdict:
    """Decide what a record of another shape is: a note, a total word with nothing but numbers, or a row."""
    texts = [text for text in (_bare(one) for one in record.fields) if text]
    if not texts:
        return Verdict.ROW
    is_note = len(texts) == 1 or (":" in texts[0] and not any(map(_NUMBER_LIKE.search, texts[1:])))
    if is_note and shape.patterns["note"].search(texts[0]):
        return Verdict.NOTE
    is_total = any(
        one.search(texts[0]) for kind, one in shape.patterns.items() if kind in ("declared", "total")
    )
    is_total = is_total and all(_NUMBER_LIKE.search(text) for text in texts[1:])
    return Verdict.TOTAL if is_total else Verdict.ROW


def _bare(text: str) -> str:
    return " ".join("".join(c for c in text if unicodedata.category(c) != "Cf").split())


def _looked_at(texts: pl.DataFrame, shape: FileShape, usual: list[str]) -> pl.Series:
    """
    Mark the lines that lack most of what rows have, those whose key has a total word, and the last ones.

    Without a key in the file every line with a total word is looked at.
    """
    gaps = [name for name in usual if texts[name].null_count()]
    chosen = pl.Series([False]).new_from_index(0, texts.height)
    if 3 * len(gaps) + 2 >= 2 * len(usual):  # else no line lacks so much
        # A label fills one of the columns.
        chosen = texts.select(3 * _count_empty(gaps) + 2 >= 2 * len(usual)).to_series()
    titles = [name for name in shape.key_columns if name in texts.columns]
    if titles:
        chosen |= _any(texts.select(titles), pl.all().str.contains(shape.any_label))
    else:
        chosen |= _any(texts, pl.all().str.contains_any(_WORDS, ascii_case_insensitive=True))
    return chosen | (pl.int_range(texts.height, eager=True) >= texts.height - _LAST_LINES)


def _count_empty(columns: list[str]) -> pl.Expr:
    return pl.sum_horizontal(pl.repeat(0, pl.len()), pl.col(columns).is_null().cast(pl.Int32))


def _any(frame: pl.DataFrame, condition: pl.Expr) -> pl.Series:
    """Mark the rows for which *condition* is true in one of the columns."""
    return frame.select(pl.any_horizontal(condition.fill_null(False))).to_series()


def _figures(block: Block, shape: FileShape) -> pl.DataFrame:
    """Read the numbers of *block* with as many digits as a sum may have; without any, one column of nulls."""
    plan = replace(shape.plan, fields=tuple(shape.figures.values()))
    read = [
        read_cells(one, column, block)[0].alias(one.field.name)
        for one, column in zip(plan.fields, columns_of(plan, block), strict=True)
    ]
    return pl.DataFrame(read or pl.Series([None], dtype=pl.Int64).new_from_index(0, len(block.lines)))


def _labels_for_numbers(block: Block, figures: pl.DataFrame, shape: FileShape) -> pl.DataFrame:
    """Return the columns of numbers that hold a label instead: it is in the first column, whatever that is."""
    found = {}
    for name, one in shape.numbers.items():
        text = _unread(block, name, figures, shape)
        if text.null_count() == len(text):
            continue
        label = pl.DataFrame({"t": text}).select(bare_text(pl.col("t"))).to_series()
        is_label = label.str.contains(shape.any_label).fill_null(False)
        if is_label.any():
            found[one.columns[0]] = label.set(~is_label, None)
    return pl.DataFrame(found)


def _has_unread(block: Block, figures: pl.DataFrame, labels: pl.DataFrame, shape: FileShape) -> pl.Series:
    """Mark the rows with text for a figure that is neither among *figures* nor one of the *labels*."""
    found = pl.Series([False]).new_from_index(0, figures.height)
    for name, one in shape.numbers.items():
        is_unread = _unread(block, name, figures, shape).is_not_null()
        column = one.columns[0]
        found |= is_unread & labels[column].is_null() if column in labels.columns else is_unread
    return found


def _unread(block: Block, name: str, figures: pl.DataFrame, shape: FileShape) -> pl.Series:
    """Return the text of each cell of a number that is not among *figures*; else null."""
    text = block.cells[shape.numbers[name].columns[0]].str.strip_chars().replace("", None)
    return text.set(figures[name].is_not_null(), None) if name in shape.figures else text


def _wide(plan: FieldPlan) -> FieldPlan:
    """Return *plan* with all the digits that a sum of its values may have."""
    kind = physical(plan.field)
    scale = kind.scale if isinstance(kind, pl.Decimal) else 0
    wide = replace(plan.field, logical_type=LogicalType.NUMBER, physical_type=f"numeric(38,{scale})")
    return replace(plan, field=wide, source=plan.source.model_copy(update={"default": None}))
