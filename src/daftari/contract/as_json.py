"""A contract, or a part of it, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any


def as_plain(value: Any) -> Any:
    """Return *value* of the model as dict, list, str, number, bool and None. Durations are whole days."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: as_plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [as_plain(item) for item in value]
    if isinstance(value, timedelta):
        return value.days
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Decimal) else value
