"""A source mapping: how a file's columns become the fields of one dataset. Pure data."""

from __future__ import annotations

import re
from collections.abc import Mapping as AbstractMapping
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from daftari.rows.intake.control_totals import stated_figure


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _as_text(value: Any) -> Any:
    """Turn values that YAML read as a number, a date or a boolean back into text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None or isinstance(value, str | list | dict) else str(value)


Text = Annotated[str, BeforeValidator(_as_text)]
#: What the lack of a column means for existing rows: they keep their value, or it is cleared.
Absent = Literal["keep", "clear"]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_listed)]
#: Columns, each under the names that it may have.
Columns = Annotated[tuple[Texts, ...], BeforeValidator(_listed)]


def _regex(pattern: str) -> str:
    _groups(pattern)
    return pattern


def _with_a_group(pattern: str) -> str:
    if not _groups(pattern):
        raise ValueError("has no group; put the part to keep in parentheses")
    return pattern


def _groups(pattern: str) -> int:
    """Count the groups of a pattern that polars can apply: it has no look-around and no back-references."""
    try:
        re.compile(pattern)
        found = pl.Series([""]).str.extract_groups(pattern)
    except re.error as error:
        raise ValueError(f"is not a regular expression ({error})") from None
    except pl.exceptions.PolarsError as error:
        reasons = [line.rpartition("error: ")[2] for line in str(error).splitlines() if "error: " in line]
        raise ValueError(f"is not a regular expression ({reasons[-1].rstrip('.')})") from None
    return len(found.struct.fields) if isinstance(found.dtype, pl.Struct) else 0


def _of_some_text(replaced: AbstractMapping[str, str]) -> AbstractMapping[str, str]:
    if "" in replaced:
        raise ValueError("has an empty text, which is everywhere; name the text to replace")
    return replaced


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not an IANA time zone such as Africa/Nairobi") from None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Join(_Part):
    """Several columns joined to one text. Null if one of them is empty."""

    columns: Columns
    separator: str = "-"


class Digest(_Part):
    """A key made from the content of columns, for files without a key."""

    of: Columns
    #: number rows with the same content within a file, so that true duplicates stay distinct
    occurrence: bool = False


def _digest(value: Any) -> Any:
    return value if isinstance(value, dict | Digest) else {"of": value}


class FieldSource(_Part):
    """The source of one field. By default, the column with the field's own name."""

    headers: Texts = Field(default=(), alias="from")
    constant: Text | None = None
    join: Join | None = None
    digest: Annotated[Digest | None, BeforeValidator(lambda v: v if v is None else _digest(v))] = None
    row_number: bool = False

    #: date styles: DD/MM/YYYY, %d/%m/%Y or `excel`; of two that read a value differently, one is chosen per file
    format: Texts = ()
    #: the last two-digit year that is 20xx: of 29, 30 is 1930
    pivot: Annotated[int, Field(ge=0, le=99)] | None = None
    decimal: Literal[".", ","] | None = None
    thousands: Annotated[str, Field(max_length=1)] | None = None
    currency: str | None = None  #: the sign or code allowed before or after a number
    unit: Decimal | None = None  #: the number is multiplied by it
    sign: Literal["keep", "negate"] = "keep"
    null_words: Texts | None = None  #: overrides the file's

    #: found anywhere in the text; its first group is the value
    part: Annotated[str, AfterValidator(_with_a_group)] | None = None
    #: changes to the text, in this order
    strip: str = ""  #: characters to remove at both ends
    #: text to text, wherever it stands
    replace: Annotated[AbstractMapping[Text, Text], AfterValidator(_of_some_text)] | None = None
    keep: Literal["digits"] | None = None
    phone: Literal["KE", "UG", "TZ", "RW"] | None = (
        None  #: to E.164, of this country if the number names none
    )
    pad: Annotated[int, Field(ge=1, le=64)] | None = None  #: with zeros at the left, to this width

    lookup: AbstractMapping[Text, Text | None] | None = None
    #: for a value outside the lookup: reject, keep, null, or this value
    otherwise: str = "reject"
    prefix: str = ""
    default: Text | None = None  #: if the file has no value
    absent: Absent | None = None  #: overrides the file's

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if isinstance(value, str | list):
            return {"from": value}
        if isinstance(value, dict) and isinstance(value.get("lookup"), dict):
            lookup = dict(value["lookup"])
            if "else" in lookup:
                return {**value, "otherwise": _as_text(lookup.pop("else")) or "null", "lookup": lookup}
        return value

    @model_validator(mode="after")
    def _one_source(self) -> FieldSource:
        given = [
            name
            for name, value in (
                ("from", self.headers),
                ("constant", self.constant),
                ("join", self.join),
                ("digest", self.digest),
                ("row_number", self.row_number),
            )
            if value or value == ""
        ]
        if len(given) > 1:
            raise ValueError(f"expected one source; found {' and '.join(given)}")
        return self

    @property
    def is_by_name(self) -> bool:
        """Whether the source is the column with the field's own name."""
        return not self.columns and self.constant is None and not self.row_number

    @property
    def columns(self) -> tuple[str, ...]:
        """Every header that this source names."""
        return (*self.headers, *(name for names in self.parts for name in names))

    @property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """The columns of a join or digest, each under the names that it may have."""
        return self.join.columns if self.join else self.digest.of if self.digest else ()


class TotalRow(_Part):
    """How to recognise a row that totals the column above it."""

    #: a regular expression for the whole cell, in any case; None: the words of totals
    label: Annotated[str, AfterValidator(_regex)] | None = None
    column: str | None = None  #: the label's column; None: any


#: Numbers in plain digits; YAML may have read them as such.
StatedFigure = Annotated[Decimal, BeforeValidator(lambda value: stated_figure(str(value)))]


class ControlTotalsGiven(_Part):
    """Control totals stated for a whole file."""

    rows: int | None = None
    sums: AbstractMapping[str, StatedFigure] = {}
    rounding: AbstractMapping[str, StatedFigure] = {}  #: how much a sum may differ because its sender rounds


class Mapping(_Part):
    dataset: str
    source: str = ""  #: the publisher, for people
    match: Texts = ()  #: globs of the file names that it applies to
    encoding: str | None = None
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    sheet: int | str | None = None  #: of a workbook, by name, or by number from 1
    merged: Literal["empty", "fill"] = "empty"  #: what the cells of a merged area hold beside its first one
    member: str | None = None  #: of a zip archive
    rows: str | None = None  #: of JSON: the list of objects inside one object, e.g. `data.items`
    header_row: Annotated[int, Field(ge=0)] | None = None  #: from 1; 0 when the file has no header
    columns: Texts = ()  #: column names, if the file has no header
    #: of timestamps without an offset; None: the workspace's
    timezone: Annotated[str, AfterValidator(_known_zone)] | None = None
    null_words: Texts = ()
    fields: AbstractMapping[str, FieldSource] = {}
    total_row: Literal["auto", "none"] | TotalRow = "auto"
    control_totals: ControlTotalsGiven | None = None
    ignore: Texts = ()
    absent: Absent | None = None  #: of every field without a source in the file; None: keep
    name: str = Field(default="", exclude=True)  #: the mapping's file name, for messages

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header that the mapping names, including ignored ones."""
        named = [header for field in self.fields.values() for header in field.columns]
        own = [name for name, field in self.fields.items() if field.is_by_name]
        return (*named, *own, *self.columns, *self.ignore)
