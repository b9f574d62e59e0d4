"""The caller of a request and its purpose. `io/access/callers.py` sets both on a database session."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Caller:
    name: str  #: the actor in the audit
    role: str  #: the name in contracts
    user_id: str | None = None  #: None: not a person, such as another system
    datasets: tuple[str, ...] = ()  #: datasets that the token is limited to; empty: all
    writes: bool = True  #: whether the token permits writing

    def may_name(self, dataset: str) -> bool:
        return not self.datasets or dataset in self.datasets


@dataclass(frozen=True, kw_only=True)
class RequestContext:
    """The caller of one request, and the purpose that the caller states."""

    caller: Caller
    request_id: str
    purpose: str | None = None

    @property
    def has_purpose(self) -> bool:
        """Whether a purpose is stated: restricted values are shown only with one."""
        return bool((self.purpose or "").strip())
