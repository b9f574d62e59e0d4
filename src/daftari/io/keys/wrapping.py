"""What a key store asks of the key that wraps its keys (a key-encryption key), wherever that one lives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrapped:
    epoch: int  #: the version of the wrapping key
    content: bytes = field(repr=False)


class Wrapping(Protocol):
    """
    A wrapping key with numbered versions, the epochs.

    Once earlier epochs are forgotten, nobody can unwrap what they wrapped: a copy of the key store from before
    then is worth nothing.
    """

    @property
    def name(self) -> str:
        """What it is, for people and for the store, which refuses another than it began with."""

    def begin(self) -> int:
        """Make the first epoch where there is none; return the latest. Asked for a new key store alone."""

    def latest(self) -> int: ...

    def wrap(self, secrets: Sequence[bytes]) -> list[Wrapped]: ...

    def unwrap(self, wrapped: Sequence[Wrapped]) -> list[bytes]: ...

    def rewrap(self, wrapped: Sequence[Wrapped]) -> list[Wrapped]:
        """Wrap by the latest epoch what an earlier one wrapped."""

    def renew(self) -> int:
        """Begin the next epoch, and return its number. Earlier ones still unwrap."""

    def forget_before(self, epoch: int) -> None:
        """Destroy what unwraps earlier epochs. May be repeated."""
