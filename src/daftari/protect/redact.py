"""Log lines without values that somebody may not see: by the name of the field that they stand under."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any

from daftari.contract.model import Dataset
from daftari.protect.mask import HIDDEN

#: As structlog has it: logger, method, what is logged; returns what is written.
Redactor = Callable[[Any, str, MutableMapping[str, Any]], MutableMapping[str, Any]]


def protected_fields(datasets: Iterable[Dataset]) -> frozenset[str]:
    """Return the names of fields whose values some role sees masked, or that are confidential."""
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
    Return a processor that hides what stands under the name of a protected field, however deep, and all of it.

    Who reads a log is not known, so no part of a value is left. Values in running text are not found: messages
    hold none by themselves.
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
