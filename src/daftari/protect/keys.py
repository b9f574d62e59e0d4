"""Keys as values. None shows its secret when printed, logged or in a traceback."""

from __future__ import annotations

from dataclasses import dataclass, field

from daftari.contract.model import Dataset

SECRET_BYTES = 64
KEY_ID_BYTES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class DataKey:
    """The key of one person's values in one retention class. Destroying it erases them."""

    key_id: bytes
    version: int  #: the rotation that created it
    #: never encrypts directly: field keys are derived from it
    secret: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyOwner:
    """The owner of a key: a person for one retention class, a dataset, or a blind index."""

    scope: str
    subject: str = ""


def person_scope(dataset: Dataset) -> str:
    """
    Return the person namespace of the subject of *dataset*, and its retention class.

    A dataset whose subject refers to another dataset's key is about the same persons, and shares their keys.
    """
    assert dataset.subject is not None, "only for datasets with a subject"
    namespace = f"{dataset.name}.{dataset.subject}"
    for relation in dataset.relationships:
        if relation.fields == (dataset.subject,) and relation.target != dataset.name:
            namespace = f"{relation.target}.{relation.target_fields[0]}"
    kept = f"{dataset.retention.days}d" if dataset.retention else "unlimited"
    return f"{namespace}/{kept}"


def owner_of(dataset: Dataset, subject: str) -> KeyOwner:
    """Return the owner of the key for a row of *subject*; without a subject, the dataset's own key."""
    if subject and dataset.subject is not None:
        return KeyOwner(scope=person_scope(dataset), subject=subject)
    return KeyOwner(scope=f"dataset:{dataset.name}")


def index_owner(dataset: Dataset, name: str) -> KeyOwner:
    """Return the owner of the key of a field's blind index."""
    return KeyOwner(scope=f"index:{dataset.name}.{name}")
