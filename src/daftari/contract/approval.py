"""`daftari.approval`: how a request goes from being asked to being done, and who takes each step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ApprovalStep:
    """One way from a state to another."""

    start: str
    to: str
    roles: tuple[str, ...]
    own: bool = False  #: taken by the person whom the row is about, and by nobody else; otherwise never by that person
    by: str | None = None  #: the field that then names who took it
    at: str | None = None  #: the field that then tells when


@dataclass(frozen=True, kw_only=True)
class WorkingDays:
    """The field that counts the working days of a request, and the first and last of its days."""

    field: str
    start: str
    end: str


@dataclass(frozen=True, kw_only=True)
class Approval:
    field: str  #: holds the state
    begins: str  #: the state of what is asked for and not decided
    steps: tuple[ApprovalStep, ...]
    #: roles that bring decided rows from a system of record; not bound to the steps, save in rows about themselves
    recorded_by: tuple[str, ...] = ()
    asked_at: str | None = None  #: the field that tells when it was asked
    working_days: WorkingDays | None = None

    def steps_of(self, role: str) -> tuple[ApprovalStep, ...]:
        return tuple(it for it in self.steps if role in it.roles)

    def fields(self) -> Iterator[tuple[str, str]]:
        """Every field that is named, with what names it."""
        named = [("field", self.field), ("askedAt", self.asked_at)]
        if self.working_days:
            days = self.working_days
            named += [(f"workingDays.{it}", getattr(days, it)) for it in ("field", "start", "end")]
        for step in self.steps:
            named += [("steps.by", step.by), ("steps.at", step.at)]
        yield from ((place, name) for place, name in named if name is not None)
