"""Keys as values. None of them shows its secret when it is printed, logged or part of a traceback's locals."""

from __future__ import annotations

from dataclasses import dataclass, field

from daftari.contract.model import Dataset

SECRET_BYTES = 64
KEY_ID_BYTES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class DataKey:
    """What one person's values are sealed under, of one retention class. Destroying it erases them."""

    key_id: bytes
    version: int  #: the rotation that made it
    #: nothing is encrypted under it: the keys of fields are derived from it
    secret: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyOwner:
    """Whose key it is: a person's for one retention class, a dataset's, or a blind index's."""

    scope: str
    subject: str = ""


def person_scope(dataset: Dataset) -> str:
    """
    Return whose identifiers the subject of *dataset* is one of, and how long they are kept.

    A dataset whose subject refers to another's key speaks of the same persons, and shares their keys.
    """
    assert dataset.subject is not None, "asked of datasets with a subject"
    namespace = f"{dataset.name}.{dataset.subject}"
    for relation in dataset.relationships:
        if relation.fields == (dataset.subject,) and relation.target != dataset.name:
            namespace = f"{relation.target}.{relation.target_fields[0]}"
    kept = f"{dataset.retention.days}d" if dataset.retention else "unlimited"
    return f"{namespace}/{kept}"


def owner_of(dataset: Dataset, subject: str) -> KeyOwner:
    """Return the owner of the key for a row of *subject*; one without a subject falls under the dataset's own."""
    if subject and dataset.subject is not None:
        return KeyOwner(scope=person_scope(dataset), subject=subject)
    return KeyOwner(scope=f"dataset:{dataset.name}")


def index_owner(dataset: Dataset, name: str) -> KeyOwner:
    """Return the owner of the key of a field's blind index."""
    return KeyOwner(scope=f"index:{dataset.name}.{name}")
