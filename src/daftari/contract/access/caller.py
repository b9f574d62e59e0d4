"""Who asks, and what for. How a database session speaks for a caller is in `io/access/callers.py`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Caller:
    name: str  #: the actor in the audit
    role: str  #: as contracts call it
    user_id: str | None = None  #: None: nobody in particular, such as another system
    datasets: tuple[str, ...] = ()  #: that the token is for; empty: all
    writes: bool = True  #: whether the token is for writing

    def may_name(self, dataset: str) -> bool:
        return not self.datasets or dataset in self.datasets


@dataclass(frozen=True, kw_only=True)
class RequestContext:
    """For whom something is done, and what for."""

    caller: Caller
    request_id: str
    purpose: str | None = None

    @property
    def has_purpose(self) -> bool:
        """Whether it says what for: without that, nothing restricted is read."""
        return bool((self.purpose or "").strip())
