"""What follows from a dataset is the same each time it is asked for, and asked for with every request."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

from daftari.contract.model import Dataset

Found = TypeVar("Found")
#: More than a workspace has of datasets and roles together, in most.
_MOST = 1024


class _Itself:
    """A dataset, alike to itself alone: to compare two by what they say takes longer than most that is asked."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset  # kept, so that no other comes to stand at its address

    def __hash__(self) -> int:
        return id(self.dataset)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other.dataset is self.dataset


def remembered(find: Callable[[Dataset, str], Found]) -> Callable[[Dataset, str], Found]:
    """Have a pure function of a dataset and a role find the same once. Whoever asks must not change what it finds."""

    @lru_cache(_MOST)
    def once(itself: _Itself, role: str) -> Found:
        return find(itself.dataset, role)

    @wraps(find)
    def asked(dataset: Dataset, role: str) -> Found:
        return once(_Itself(dataset), role)

    return asked
