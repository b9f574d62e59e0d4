"""Which column of a file becomes which field, and the format of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from daftari.contract.model import Dataset, Field, LogicalType
from daftari.errors import MappingError
from daftari.rows.formats.dates import DateStyle
from daftari.rows.formats.numbers import NumberStyle
from daftari.rows.intake.remarks import Remark, RemarkKind
from daftari.rows.mapping.header_names import normal
from daftari.rows.mapping.mapping import FieldSource, Mapping, TotalRow
from daftari.rows.profile.header_doubt import looks_like_row

Style = DateStyle | NumberStyle
#: Of a file's columns, how many a message lists, and how much of each name.
_MOST_LISTED, _LONGEST_LISTED = 100, 80


@dataclass(frozen=True, kw_only=True)
class FieldPlan:
    file: str = "file"  #: file name, for messages
    field: Field
    source: FieldSource
    columns: tuple[str, ...] = ()  #: columns of the block; empty for a constant
    others: tuple[str, ...] = ()  #: further columns that match the field, and are not taken
    styles: tuple[Style, ...] = ()  #: tried in order; empty until known, and for text
    null_words: tuple[str, ...] = ()
    timezone: str = "UTC"  #: of timestamps without an offset
    is_identifying: bool = False  #: a key, a reference or unique: texts that look the same are the same
    is_cleared: bool = False  #: whether the lack of a source empties the field of existing rows
    evidence: str = ""  #: how the style was found, for people; empty while unknown
    #: what the values showed in the part of the file that the styles were inferred from; None: they need no more
    seen: frozenset[str] | None = None
    guess: str = ""  #: what was decided about its values without proof, for people
    takes_null_words: bool = False  #: words such as n/a are read as missing

    @property
    def where(self) -> str:
        """File, column and field, for messages."""
        columns = " and ".join(map(repr, self.columns))
        return f"{self.file}: column {columns} (field {self.field.name})" if columns else self.field.name

    @property
    def has_source(self) -> bool:
        source = self.source
        return (
            bool(self.columns or source.row_number)
            or source.constant is not None
            or source.default is not None
        )


@dataclass(frozen=True, kw_only=True)
class ColumnPlan:
    file: str  #: file name, for messages
    fields: tuple[FieldPlan, ...]  #: one for each field of the dataset, in its order
    header: tuple[str, ...]
    mapping: Mapping
    unmapped: tuple[str, ...] = ()  #: columns neither used by a field nor ignored by the mapping
    has_our_names: bool = False  #: whether columns are named as fields, and not as the mapping says

    @property
    def remarks(self) -> tuple[Remark, ...]:
        unused = [
            Remark(kind=RemarkKind.UNUSED_COLUMN, text=f"column {name!r} is not used")
            for name in self.unmapped
        ]
        without_column = [
            Remark(
                kind=RemarkKind.ABSENT_FIELD,
                text=f"not in the file, {what} in existing rows: {', '.join(names)}",
            )
            for what, names in (("left as they are", self.absent), ("cleared", self.cleared))
            if names
        ]
        several = [
            Remark(
                kind=RemarkKind.MATCHED_SEVERAL,
                text=f"field {one.field.name}: column {one.columns[0]!r} is taken; "
                f"{' and '.join(map(repr, one.others))} {'matches' if len(one.others) == 1 else 'match'} too",
            )
            for one in self.fields
            if one.others
        ]
        ours = Remark(
            kind=RemarkKind.OUR_NAMES,
            text=f"has none of the columns that {_where(self.mapping)} names; its columns are named as the fields",
        )
        return (*((ours,) if self.has_our_names else ()), *several, *unused, *without_column)

    @property
    def absent(self) -> tuple[str, ...]:
        """Fields that the file says nothing about: existing rows keep their value."""
        return tuple(plan.field.name for plan in self.fields if not (plan.has_source or plan.is_cleared))

    @property
    def cleared(self) -> tuple[str, ...]:
        """Fields without a source in this file, which the mapping declares empty."""
        return tuple(plan.field.name for plan in self.fields if plan.is_cleared and not plan.has_source)


def resolve_columns(
    mapping: Mapping | None, header: Sequence[str], dataset: Dataset, *, file: str = "file"
) -> ColumnPlan:
    """
    Match the *header* of *file* with the fields of *dataset*. Styles are inferred later, from the rows.

    Raises:
        MappingError: the mapping names an unknown column or field, or a required field has no source.
    """
    mapping = mapping or Mapping(dataset=dataset.name)
    if mapping.dataset != dataset.name:
        raise MappingError(f"{_where(mapping)}: maps dataset {mapping.dataset!r}; expected {dataset.name!r}")
    strange = sorted(set(mapping.fields) - {field.name for field in dataset.fields})
    if strange:
        raise MappingError(
            f"{_where(mapping)}: {dataset.name} has no field {strange[0]!r}",
            hint=f"Its fields are {', '.join(field.name for field in dataset.fields)}.",
        )
    header = tuple(header)
    has_our_names = _is_for_other_files(mapping, header)
    given = _without_names(mapping) if has_our_names else mapping
    identifying = {name for one in dataset.relationships for name in one.fields}
    identifying |= {field.name for field in dataset.fields if field.is_key or field.unique}
    plans = tuple(
        replace(
            _field_plan(field, given, header, file, dataset.time_zone),
            is_identifying=field.name in identifying,
        )
        for field in dataset.fields
    )
    used = {column for plan in plans for column in plan.columns}
    ignored = {normal(name) for name in mapping.ignore}
    unmapped = tuple(name for name in header if name not in used and normal(name) not in ignored)
    plan = ColumnPlan(
        file=file,
        fields=plans,
        header=header,
        mapping=mapping,
        unmapped=unmapped,
        has_our_names=has_our_names,
    )
    _require_fields(plan, dataset)
    _require_subject(plan, dataset)
    _require_label_column(plan)
    return plan


def _where(mapping: Mapping) -> str:
    return mapping.name or "mapping"


def _field_plan(
    field: Field, mapping: Mapping, header: tuple[str, ...], file: str, time_zone: str
) -> FieldPlan:
    source = mapping.fields.get(field.name, FieldSource())
    columns, others = _columns(field, source, header, f"{file}: {_where(mapping)}")
    if not columns and source.headers and not (source.absent or mapping.absent or source.default is not None):
        raise _no_column(field, source.headers, header, f"{file}: {_where(mapping)}")
    null_words = source.null_words if source.null_words is not None else mapping.null_words
    return FieldPlan(
        field=field,
        source=source,
        columns=columns,
        others=others,
        file=file,
        null_words=null_words,
        timezone=mapping.timezone or time_zone,
        is_cleared=(source.absent or mapping.absent) == "clear",
    )


def _is_for_other_files(mapping: Mapping, header: tuple[str, ...]) -> bool:
    """Whether the file has the names of our fields instead of the several names that *mapping* gives to columns."""
    named = {name: source.headers for name, source in mapping.fields.items() if source.headers}
    others = [name for field, names in named.items() for name in names if normal(name) != normal(field)]
    has_ours = len(named) > 1 and all(_alike(name, header) for name in named)
    return has_ours and bool(others) and not any(_alike(name, header) for name in others)


def _without_names(mapping: Mapping) -> Mapping:
    """The same *mapping*, of which each field is taken from the column with its own name."""
    fields = {
        name: source.model_copy(update={"headers": ()}) if source.headers else source
        for name, source in mapping.fields.items()
    }
    return mapping.model_copy(update={"fields": fields})


def _columns(
    field: Field, source: FieldSource, header: tuple[str, ...], where: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns that *field* is made of, and further ones that match it."""
    if source.parts:
        return tuple(_named(names, field, header, where) for names in source.parts), ()
    if source.constant is not None or source.row_number:
        return (), ()
    names = source.headers or (field.name, field.business_name or field.name)
    found = dict.fromkeys(column for name in names for column in _alike(name, header))
    return tuple(found)[:1], tuple(found)[1:]


def _alike(name: str, header: tuple[str, ...]) -> list[str]:
    """Return the columns that *name* may mean; only the exact match, if there is one."""
    return [name] if name in header else [column for column in header if normal(column) == normal(name)]


def _named(names: tuple[str, ...], field: Field, header: tuple[str, ...], where: str) -> str:
    for column in (it for name in names for it in _alike(name, header)):
        return column
    raise _no_column(field, names, header, where, may_lack=False)


def _no_column(
    field: Field, names: tuple[str, ...], header: tuple[str, ...], where: str, *, may_lack: bool = True
) -> MappingError:
    named = f"column {names[0]!r}" if len(names) == 1 else f"one of the columns {', '.join(map(repr, names))}"
    others = " For files without it, declare `absent: keep` or `absent: clear`." if may_lack else ""
    return MappingError(
        f"{where}: field {field.name!r} needs {named}, which the file does not have",
        hint=f"{_listed('Its columns are', header)}{others}",
    )


def _require_fields(plan: ColumnPlan, dataset: Dataset) -> None:
    lacking = [one.field.name for one in plan.fields if one.field.required and not one.has_source]
    if not lacking:
        return
    spare = f"{_listed('Unused columns:', plan.unmapped)} " if plan.unmapped else ""
    advice = ""
    if len(plan.header) == 1:
        advice += " The file was read as one column: declare its `separator` if it has several."
    if plan.unmapped == plan.header and not looks_like_row(plan.header):
        advice += " If these are not its header, declare `header_row` (0: none) and `columns`."
    raise MappingError(
        f"{plan.file}: no column for {', '.join(lacking)}, which {dataset.name} requires",
        hint=f"{spare}Declare the source of each under `fields` in a source mapping (`from`, `constant` …)."
        + advice,
    )


def _require_subject(plan: ColumnPlan, dataset: Dataset) -> None:
    """A value is sealed for the person of its row, who must be known where the existing row keeps its person."""
    sealed = [it.field.name for it in plan.fields if it.field.protection.sealed and it.has_source]
    if sealed and dataset.subject in plan.absent:
        raise MappingError(
            f"{plan.file}: no column for {dataset.subject}; {', '.join(sealed)} of the file cannot be sealed "
            "without it",
            hint=f"Add the column {dataset.subject}, or remove {', '.join(sealed)} from the file.",
        )


def _require_label_column(plan: ColumnPlan) -> None:
    rule = plan.mapping.total_row
    column = rule.column if isinstance(rule, TotalRow) else None
    if column is not None and not _alike(column, plan.header):
        raise MappingError(
            f"{plan.file}: {_where(plan.mapping)}: total_row names column {column!r}, which the file does not have",
            hint=_listed("Its columns are", plan.header),
        )


def _listed(words: str, names: Sequence[str]) -> str:
    """Return a sentence that lists columns, unless their names are what a row of a file without a header holds."""
    if looks_like_row(names):
        return (
            "Its header looks like a row: of a file without a header, declare `header_row: 0` and `columns`."
        )
    cut = [
        name if len(name) <= _LONGEST_LISTED else f"{name[:_LONGEST_LISTED]}…"
        for name in names[:_MOST_LISTED]
    ]
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return f"{words} {', '.join(cut)}{more}."


def is_text_field(field: Field) -> bool:
    return field.logical_type in {LogicalType.STRING, LogicalType.OBJECT, LogicalType.ARRAY}
