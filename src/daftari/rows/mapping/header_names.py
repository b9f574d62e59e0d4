"""Compare a file's headers with field names."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from daftari.contract.model import Dataset
from daftari.rows.mapping.mapping import Mapping


def normal(name: str) -> str:
    """Return *name* in the form used for comparison: only letters, digits and `#`, in lower case."""
    letters = "".join(c for c in name.casefold() if c.isalnum() or c == "#" or unicodedata.combining(c))
    return "".join(c for c in unicodedata.normalize("NFC", letters) if c.isalnum() or c == "#")


def known_names(mapping: Mapping | None, dataset: Dataset | None) -> frozenset[str]:
    """Collect every normalised header that a file of *dataset* may have."""
    names: list[str] = []
    if mapping is not None:
        names += mapping.headers
    if dataset is not None:
        names += [name for field in dataset.fields for name in (field.name, field.business_name or "")]
    return frozenset(filter(None, map(normal, names)))


def hits(fields: Iterable[str], known: frozenset[str]) -> int:
    """Count the *known* names among *fields*."""
    return len({normal(field) for field in fields} & known)
