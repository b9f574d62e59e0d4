"""What a key store needs from the key that wraps its keys (a key-encryption key), wherever that is stored."""

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

    After earlier epochs are destroyed, nobody can unwrap what they wrapped: older copies of the key store are useless.
    """

    @property
    def name(self) -> str:
        """Its name, for people and for the store, which rejects a wrapping key with another name."""

    def begin(self) -> int:
        """Create the first epoch where there is none; return the latest. Only for a new key store."""

    def latest(self) -> int: ...

    def wrap(self, secrets: Sequence[bytes]) -> list[Wrapped]: ...

    def unwrap(self, wrapped: Sequence[Wrapped]) -> list[bytes]: ...

    def rewrap(self, wrapped: Sequence[Wrapped]) -> list[Wrapped]:
        """Wrap by the latest epoch what an earlier one wrapped."""

    def renew(self) -> int:
        """Begin the next epoch, and return its number. Earlier ones still unwrap."""

    def forget_before(self, epoch: int) -> None:
        """Destroy the keys that unwrap earlier epochs. May be repeated."""
