"""The caller of a request and its purpose. `io/access/callers.py` sets both on a database session."""

from __future__ import annotations

from dataclasses import dataclass

from daftari.errors import AccessRefused

#: The audit keeps a purpose for ever. The database has the same limit.
MOST_PURPOSE = 1000


def require_short(place: str, purpose: str) -> None:
    """Raises AccessRefused where *purpose* is longer than the audit keeps."""
    if len(purpose) > MOST_PURPOSE:
        raise AccessRefused(
            f"{place}: found {len(purpose):,} characters; expected {MOST_PURPOSE:,} or fewer",
            hint="State the purpose in fewer words.",
        )


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

    def __post_init__(self) -> None:
        """Raises AccessRefused where the purpose is too long."""
        require_short("purpose", self.purpose or "")

    @property
    def has_purpose(self) -> bool:
        """Whether a purpose is stated: restricted values are shown only with one."""
        return bool((self.purpose or "").strip())
