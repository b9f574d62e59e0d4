"""Why the server rejected a row, in the words of the contract: the same for files and for callers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from psycopg import Error
from psycopg.errors import NotNullViolation

from daftari.compile.access import approval_triggers
from daftari.compile.names import derived
from daftari.contract.model import Dataset, Field
from daftari.io.row_writing.repeats import unique_others
from daftari.rows.rules.expressions import parsed_rules
from daftari.rows.rules.references import reference_rule
from daftari.rows.rules.rejection import DECIDED, NAMES_NOTHING, NO_STEP, Refusal
from daftari.rows.rules.rules import field_rules
from daftari.rows.rules.sums import sums_at_writing


class Refusals:
    """Of one dataset: the rule behind each constraint of its table."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def of(self, error: Error) -> Refusal:
        """Return why the server rejected one row. A constraint that is in no contract keeps its name."""
        if isinstance(error, NotNullViolation) and error.diag.column_name:
            name = error.diag.column_name
            return Refusal(rule=f"{name}.required", fields=(name,), reason="is missing")
        constraint = error.diag.constraint_name or type(error).__name__
        if constraint == approval_triggers.COVERS:
            return replace(DECIDED, fields=(error.diag.column_name or "",))
        unknown = Refusal(rule=constraint, reason="is rejected by the database")
        return self.by_constraint.get(constraint, unknown)

    @cached_property
    def settled_later(self) -> frozenset[str]:
        """The rules whose verdict on a row depends on other rows that are written with it."""
        sums = {rule.id for rule, _ in sums_at_writing(self._dataset)}
        others = {f"{name}.unique" for name in unique_others(self._dataset)}
        return frozenset({"no_overlap"} | own_references(self._dataset) | others | sums)

    @cached_property
    def by_constraint(self) -> dict[str, Refusal]:
        """The reasons of each constraint that the contract makes."""
        table = self._dataset.name
        found = {
            approval_triggers.CONSTRAINT: NO_STEP,
            derived(table, "pkey"): _unique(self._dataset.key),
            derived(derived("key", table), "pkey"): _unique(self._dataset.key),
        }
        if overlap := self._dataset.no_overlap:
            fields = (*overlap.key, overlap.start, overlap.end)
            why = Refusal(rule="no_overlap", fields=fields, reason="overlaps another row of the same key")
            found |= {derived(table, name): why for name in ("no_overlap", "no_overlap_shared")}
        for relationship in self._dataset.relationships:
            found[derived(table, *relationship.fields, "fkey")] = Refusal(
                rule=reference_rule(relationship), fields=relationship.fields, reason=NAMES_NOTHING
            )
        for field in self._dataset.fields:
            if field.unique:
                found.setdefault(
                    derived(table, field.name, "key"),
                    _unique((field.name,), without_case=field.case_insensitive),
                )
        for name, rule in self._checks():
            # One check holds both limits of a length.
            reason = f"{found[name].reason} or {rule.reason}" if name in found else rule.reason
            found[name] = Refusal(rule=rule.rule, fields=rule.fields, reason=reason)
        return found

    def _checks(self) -> Iterator[tuple[str, Refusal]]:
        table = self._dataset.name
        for field in self._dataset.fields:
            for rule in field_rules(field):
                what = rule.id.removeprefix(f"{field.name}.")
                yield (
                    derived(table, field.name, what),
                    Refusal(rule=rule.id, fields=rule.fields, reason=rule.reason),
                )
            # Files and requests are brought to this form as they are read, before any rule.
            if field.digits_only:
                yield _of_field(table, field, "digits", "has other characters than digits")
            if field.width:
                yield _of_field(table, field, "width", f"is shorter than {field.width}")
        for said, condition in parsed_rules(self._dataset):
            yield (
                derived(table, said.id),
                Refusal(rule=said.id, fields=condition.fields, reason=said.message),
            )


def own_references(dataset: Dataset) -> set[str]:
    """Return the rules of references to rows of the dataset itself."""
    return {reference_rule(it) for it in dataset.relationships if it.target == dataset.name}


def _of_field(table: str, field: Field, what: str, reason: str) -> tuple[str, Refusal]:
    rule = f"{field.name}.{what}"
    return derived(table, field.name, what), Refusal(rule=rule, fields=(field.name,), reason=reason)


def _unique(fields: tuple[str, ...], *, without_case: bool = False) -> Refusal:
    reason = "repeats a value that must be unique" + (", whatever its capitals" if without_case else "")
    return Refusal(rule=f"{'_'.join(fields)}.unique", fields=fields, reason=reason)
