"""A change between two contracts: its class, its place and the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ChangeKind(StrEnum):
    """Worst last: the class of several changes is the worst of them."""

    ADDITIVE = "additive"  #: everything that worked still works
    RESTRICTION = "restriction"  #: a right that no contract gives is taken away
    EXPOSURE = "exposure"  #: someone can see or do more than before
    #: data is lost, rows or files accepted so far may be rejected, or a query may fail or get values new to it
    BREAKING = "breaking"


@dataclass(frozen=True, kw_only=True)
class ContractChange:
    kind: ChangeKind
    place: str  #: dataset, dataset.field, or empty for the contract itself
    what: str  #: "required: true → false"
    reason: str  #: why it is of this kind, as part of a sentence

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.place + ': ' if self.place else ''}{self.what}; {self.reason}"


#: Takes an old and a new object and their place; yields the changes between them.
Comparison = Callable[[Any, Any, str], Iterator[ContractChange]]


def moved(name: str, old: Any, new: Any) -> str:
    return f"{name}: {change_in_words(old)} → {change_in_words(new)}"


def change_in_words(value: Any) -> str:
    if value is None or value == () or value == "":
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(change_in_words(item) for item in value)
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:60]}…"


def always(attribute: str, kind: ChangeKind, reason: str) -> Comparison:
    """Return a comparison of one attribute: any change is of *kind*."""

    def compare(old: Any, new: Any, place: str) -> Iterator[ContractChange]:
        before, after = getattr(old, attribute), getattr(new, attribute)
        if before != after:
            yield ContractChange(kind=kind, place=place, what=moved(attribute, before, after), reason=reason)

    return compare


def describes_only(attribute: str) -> Comparison:
    """Return a comparison of an attribute that is only information for people. Long texts are not shown."""

    def compare(old: Any, new: Any, place: str) -> Iterator[ContractChange]:
        if getattr(old, attribute) != getattr(new, attribute):
            reason = "information for people; enforces nothing"
            yield ContractChange(
                kind=ChangeKind.ADDITIVE, place=place, what=f"{attribute} changed", reason=reason
            )

    return compare


def nothing(_old: Any, _new: Any, _place: str) -> Iterator[ContractChange]:
    """Compare nothing: for attributes that do not affect data, such as a line number."""
    return iter(())


def either(
    attribute: str, is_looser: Callable[[Any, Any], bool], *, stricter: str, looser: str
) -> Comparison:
    """Return a comparison of a limit: looser is additive, stricter is breaking, each with its reason."""

    def compare(old: Any, new: Any, place: str) -> Iterator[ContractChange]:
        before, after = getattr(old, attribute), getattr(new, attribute)
        if before == after:
            return
        loose = after is None or (before is not None and is_looser(before, after))
        kind = ChangeKind.ADDITIVE if loose else ChangeKind.BREAKING
        what = moved(attribute, before, after)
        yield ContractChange(kind=kind, place=place, what=what, reason=looser if loose else stricter)

    return compare
