"""How pages format values: each kind of value in one way everywhere."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from daftari.rows.intake.control_totals import shown_figure


def environment(zone: tzinfo, **shared: Any) -> Environment:
    """Return the environment of the templates, which show instants in *zone*."""
    made = Environment(
        loader=PackageLoader("daftari.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"count": count, "day": day, "ago": ago, "words": label_words}
    made.filters |= {"moment": partial(moment, zone=zone), "value": partial(value, zone=zone)}
    made.globals |= shared
    return made


def moment(at: datetime | None, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%-d %b %Y, %H:%M}" if at else "never"


def day(at: date) -> str:
    return f"{at:%-d %b %Y}"


def count(number: Any) -> str:
    """Format with thousands separators; a fraction keeps its digits, but not the zeros after them if they are many."""
    if isinstance(number, float):
        number = Decimal(str(number))
    return shown_figure(number) if isinstance(number, Decimal) else f"{number:,}"


def ago(between: timedelta) -> str:
    """Format a duration in the largest unit that fits, such as `3 h` or `2 d`."""
    seconds = max(0, int(between.total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return "a moment"


def value(one: Any, zone: tzinfo) -> str:
    """Format a cell. A missing value is a dash, never the word None."""
    match one:
        case None | "":
            return "\u2013"
        case bool():
            return "yes" if one else "no"
        case datetime():
            return moment(one, zone)
        case date():
            return one.isoformat()
        case int() | float() | Decimal():
            return count(one)
        case _:
            return str(one)


def label_words(name: str) -> str:
    """Return the name of a field or a status as words."""
    return name.replace("_", " ")
