"""`daftari.approval`: the states of a request, and which role may take each step between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ApprovalStep:
    """One permitted transition from a state to another."""

    start: str
    to: str
    roles: tuple[str, ...]
    own: bool = False  #: whether only the row's person may take it, or everybody except that person
    by: str | None = None  #: the field that records who took the step
    at: str | None = None  #: the field that records when
    #: whether a person who took an earlier step of the row may take this one too
    same_person: bool = False


@dataclass(frozen=True, kw_only=True)
class WorkingDays:
    """The field that counts the working days of a request, and the fields of its first and last day."""

    field: str
    start: str
    end: str


@dataclass(frozen=True, kw_only=True)
class Approval:
    field: str  #: holds the state
    begins: str  #: the state of a new request, not yet decided
    steps: tuple[ApprovalStep, ...]
    #: roles that load decided rows from a system of record; the steps bind them only in rows about themselves
    recorded_by: tuple[str, ...] = ()
    asked_at: str | None = None  #: the field that records when the request was made
    #: the fields that a decision is about, so that they keep their value after it; None: all
    covers: tuple[str, ...] | None = None
    working_days: WorkingDays | None = None

    @property
    def recorded_fields(self) -> tuple[str, ...]:
        """The fields that record who took a step and when; only steps write them."""
        named = (name for step in self.steps for name in (step.by, step.at))
        return tuple(dict.fromkeys(name for name in named if name is not None))

    def steps_of(self, role: str) -> tuple[ApprovalStep, ...]:
        return tuple(it for it in self.steps if role in it.roles)

    def fields(self) -> Iterator[tuple[str, str]]:
        """Yield every field that the approval names, with the property that names it."""
        named = [("field", self.field), ("askedAt", self.asked_at)]
        if self.working_days:
            days = self.working_days
            named += [(f"workingDays.{it}", getattr(days, it)) for it in ("field", "start", "end")]
        named += [("covers", it) for it in self.covers or ()]
        for step in self.steps:
            named += [("steps.by", step.by), ("steps.at", step.at)]
        yield from ((place, name) for place, name in named if name is not None)
