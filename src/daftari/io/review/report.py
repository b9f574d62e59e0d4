"""A review as one HTML file: no script, no external resources, readable on a phone and on paper."""

from __future__ import annotations

from datetime import datetime, tzinfo
from functools import partial
from importlib import resources
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined

from daftari.io.review.reviews import Review

_TITLES = {
    "membership": "Access of people and services through their roles",
    "grant": "Granted outside the contracts",
    "owner": "Owned by roles other than the platform's",
    "attribute": "Above every grant and policy",
    "default": "Default privileges of future tables",
    "function": "Functions that read with their owner's rights",
    "view": "Views and copies that show rows with their owner's rights",
}


def as_html(review: Review, *, is_as_attested: bool | None, now: datetime, time_zone: str) -> str:
    """
    Return *review* as a page, with times in *time_zone*.

    Names are escaped: the creator of a role may give it any name.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["moment"] = partial(_moment, zone=ZoneInfo(time_zone))
    text = (resources.files("daftari.io.review") / "review.html.jinja").read_text("utf-8")
    parts = [
        (title, [one for one in review.entries if one.access.kind == kind]) for kind, title in _TITLES.items()
    ]
    outcomes = [one.outcome for one in review.entries]
    counts = {name: outcomes.count(name) for name in ("kept", "revoked")}
    return environment.from_string(text).render(
        review=review, is_as_attested=is_as_attested, now=now, parts=parts, counts=counts
    )


def _moment(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
