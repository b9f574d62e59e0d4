"""Build a check from an ODCS `quality` entry."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from daftari.contract.model import Quality, QualityMetric, QualityOperator, QualityType, QualityUnit, Severity

Word = TypeVar("Word", bound=StrEnum)

#: ODCS does not define severities. Any word not listed here counts as an error.
_MILD = {"warning", "warn", "info", "information", "low", "minor"}


def build_quality(entry: dict[str, Any], *, of: str = "") -> Quality:
    """Return the check that *entry* states. Without a name, it is named after *of* and what it checks."""
    comparison = next((name for name in QualityOperator if name in entry), None)
    metric = entry.get("metric") or entry.get("rule")  # called rule in ODCS 3.0
    kind = QualityType(entry.get("type") or QualityType.LIBRARY)
    return Quality(
        name=entry.get("name") or entry.get("id") or "_".join(part for part in (of, metric or kind) if part),
        description=entry.get("description") or "",
        type=kind,
        metric=_known(QualityMetric, metric) if metric and kind is QualityType.LIBRARY else None,
        query=entry.get("query"),
        arguments=MappingProxyType(dict(entry.get("arguments") or {})),
        comparison=comparison,
        expected=entry[comparison] if comparison else None,
        unit=_known(QualityUnit, entry.get("unit") or QualityUnit.ROWS),
        dimension=entry.get("dimension"),
        severity=Severity.WARNING if str(entry.get("severity")).lower() in _MILD else Severity.ERROR,
    )


def _known(words: type[Word], stated: str) -> Word | str:
    """Return *stated* as a member of *words*; unchanged if it is not one."""
    return next((word for word in words if word == stated), stated)


def closed_set(checks: tuple[Quality, ...]) -> tuple[str, ...]:
    """Return the only values that *checks* of a field allow; empty if they do not restrict it."""
    for check in checks:
        values = check.arguments.get("validValues")
        is_strict = (
            check.comparison is QualityOperator.BE
            and check.expected == 0
            and check.severity is Severity.ERROR
        )
        if check.metric == QualityMetric.INVALID_VALUES and is_strict and isinstance(values, list):
            return tuple(_text(value) for value in values if value is not None)
    return ()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(getattr(value, "exact", value))
