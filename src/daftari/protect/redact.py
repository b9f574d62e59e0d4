"""Remove protected values from log lines, by the names of their fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any

from daftari.contract.model import Dataset
from daftari.protect.mask import HIDDEN

#: A structlog processor: logger, method, event; returns the event to write.
Redactor = Callable[[Any, str, MutableMapping[str, Any]], MutableMapping[str, Any]]


def protected_fields(datasets: Iterable[Dataset]) -> frozenset[str]:
    """Return the names of fields that are masked for some role, or confidential."""
    return frozenset(
        name
        for dataset in datasets
        for name in (
            *(field.name for field in dataset.fields if field.is_confidential),
            *(masked for entry in dataset.access for masked in entry.masked),
        )
    )


def redacting(datasets: Iterable[Dataset]) -> Redactor:
    """
    Return a processor that replaces every value under the name of a protected field, at any depth.

    Readers of a log are unknown, so no part of a value is left. Values inside text are not found: our messages
    contain none.
    """
    names = protected_fields(datasets)

    def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {name: _redacted(name, value, names) for name, value in event.items()}

    return redact


def _redacted(name: object, value: Any, names: frozenset[str]) -> Any:
    if name in names and value is not None:
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: _redacted(key, inner, names) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(None, inner, names) for inner in value]
    return value
