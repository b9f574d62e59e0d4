"""
Every error that Daftari raises on purpose.

A message says *where*, *what was found*, *what was expected*; the hint says what to do next.
Messages name files, datasets, fields and rules, never a row's value: logs are read by people
who may not see the data.
"""

from __future__ import annotations

import errno
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


def counted(count: int, noun: str) -> str:
    """Return *count* and *noun*, with an s unless there is one."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


class DaftariError(Exception):
    """Shown to people without a traceback. Any other exception is our bug."""

    code = "error"  #: stable, documented, safe to match on
    exit_code = 1  #: for the command line
    status = 500  #: for the API

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(printable(message))
        self.hint = None if hint is None else printable(hint)

    def __reduce__(self) -> tuple[Callable[..., DaftariError], tuple[object, ...]]:
        """Pickle the finished message and the attributes: subclasses build the message in `__init__`."""
        return _rebuild_error, (type(self), str(self), vars(self))


def printable(text: str) -> str:
    """Return *text* with escapes for what would change a terminal or show nothing: a file may bring it."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _KEPT else c.encode("unicode_escape").decode() for c in text)


#: White space that messages have.
_KEPT = "\n\t\u00a0\u202f"


def _rebuild_error(kind: type[DaftariError], message: str, attributes: dict[str, object]) -> DaftariError:
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    vars(error).update(attributes)
    return error


class SettingError(DaftariError):
    """A setting is missing or wrong."""

    code, exit_code, status = "setting_invalid", 3, 500


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault in a file that people write: a contract, a mapping."""

    source: str
    line: int  #: from 1; 0: the file as a whole
    place: str  #: path inside the file, e.g. schema.expenses.properties.amount
    found: str
    expected: str

    def __str__(self) -> str:
        where = f"{self.source}:{self.line}" if self.line else self.source
        place = f"{self.place}: " if self.place else ""
        return f"{where}: {place}found {self.found}; expected {self.expected}"


class ContractError(DaftariError):
    """The contract is wrong, whatever the data."""

    code, exit_code, status = "contract_invalid", 10, 422

    def __init__(self, message: str, *, hint: str | None = None, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message, hint=hint)
        self.faults = tuple(faults)

    @classmethod
    def from_faults(cls, faults: Sequence[Fault]) -> ContractError:
        """Return one error for all *faults*, one line each."""
        lines = "\n".join(str(fault) for fault in faults)
        message = lines if len(faults) == 1 else f"{len(faults)} faults\n{lines}"
        return cls(message, faults=faults)


class UnknownName(ContractError):
    """Something names a dataset, field or pipeline that does not exist."""

    code = "unknown_name"

    def __init__(
        self, where: str, kind: str, name: str, *, known: Iterable[str], hint: str | None = None
    ) -> None:
        known = sorted(known)
        close = get_close_matches(name, known, n=1)
        listed = "" if hint else f"; known: {', '.join(known) or 'none'}"
        super().__init__(
            f"{where}: no {kind} {name!r}{listed}", hint=f"Did you mean {close[0]!r}?" if close else hint
        )


class SourceError(DaftariError):
    """A file cannot be read as rows. Nothing was loaded."""

    code, exit_code, status = "source_unreadable", 20, 422


class MappingError(DaftariError):
    """A source mapping does not fit the file or the contract."""

    code, exit_code, status = "mapping_invalid", 21, 422


class ReconciliationError(DaftariError):
    """A file does not match its control totals. Nothing was loaded."""

    code, exit_code, status = "not_reconciled", 22, 422


class RowsRepeated(DaftariError):
    """Most rows of a file are in a table without a key already; loading them would double them. Nothing was loaded."""

    code, exit_code, status = "rows_repeated", 33, 409


class RowRefused(DaftariError):
    """
    The database rejects a row. The message gives no cause: it may concern a row that the caller may not see.
    """

    code, exit_code, status = "row_refused", 23, 409


class DatabaseError(DaftariError):
    """The database cannot be reached, or is not in the expected state."""

    code, exit_code, status = "database_unavailable", 30, 503


class BreakingChange(DaftariError):
    """A contract change would lose data or break readers, and was not confirmed."""

    code, exit_code, status = "breaking_change", 31, 409


class Drift(DaftariError):
    """The live database differs from the contracts."""

    code, exit_code, status = "drift", 32, 409


class TooManyRejected(DaftariError):
    """More rows were rejected than the contract tolerates; the pipeline stops."""

    code, exit_code, status = "too_many_rejected", 40, 422


class ChecksFailed(DaftariError):
    """A data check failed. Published marts stay as they were."""

    code, exit_code, status = "checks_failed", 41, 422


class AuditBroken(DaftariError):
    """The audit was changed: an entry, a link or an anchor is not as it was written."""

    code, exit_code, status = "audit_broken", 60, 409


class AuditNotAnchored(DaftariError):
    """The audit may be whole, but no anchor outside the database attests it."""

    code, exit_code, status = "audit_not_anchored", 61, 409


class SigningKeyError(DaftariError):
    """The key that signs audit checkpoints is missing, or not stored safely."""

    code, exit_code, status = "signing_key", 62, 500


class UndoRefused(DaftariError):
    """A run cannot be undone: its rows were changed since, or it is not a load."""

    code, exit_code, status = "undo_refused", 63, 409


class CannotOpen(DaftariError):
    """A sealed value cannot be opened. One message for every cause, so that it reveals nothing about the value."""

    code, exit_code, status = "cannot_open", 50, 500

    def __init__(self, field: str, *, hint: str | None = None) -> None:
        super().__init__(
            f"{field}: a sealed value cannot be opened; expected one that was sealed for this field, person and key",
            hint=hint or "`daftari keys status` lists the keys.",
        )


class KeyDestroyed(CannotOpen):
    """The key was destroyed, so the person's values cannot be read again."""

    code, exit_code, status = "key_destroyed", 51, 410


class KeysUnavailable(DaftariError):
    """The key store, or the key that wraps its keys, cannot be used."""

    code, exit_code, status = "keys_unavailable", 52, 503


class AccessRefused(DaftariError):
    """The contract does not permit the request."""

    code, exit_code, status = "access_refused", 53, 403


class ReviewRefused(DaftariError):
    """An access review cannot be started, decided or closed as requested. Nothing was changed."""

    code, exit_code, status = "review_refused", 64, 409


class NotAuthenticated(DaftariError):
    """The caller is unknown. One message for every cause, so that it reveals nothing about existing tokens."""

    code, exit_code, status = "not_authenticated", 54, 401

    def __init__(self) -> None:
        super().__init__(
            "Authorization: unknown caller; expected a bearer token that is valid now",
            hint="Create one with `daftari token create`.",
        )


class TooManyRequests(DaftariError):
    """A caller exceeds its rate limit; it may try again after *seconds*."""

    code, exit_code, status = "too_many_requests", 29, 429

    def __init__(self, seconds: float, *, what: str = "requests") -> None:
        super().__init__(
            f"too many {what} at once; expected fewer per second",
            hint=f"Try again in {math.ceil(seconds)} s.",
        )
        self.seconds = math.ceil(seconds)


class KeyReused(DaftariError):
    """An Idempotency-Key was used before for a different request."""

    code, exit_code, status = "key_reused", 27, 422


class RequestUnderWay(DaftariError):
    """The same request is being processed now."""

    code, exit_code, status = "request_under_way", 25, 409


class RowChanged(DaftariError):
    """A row is no longer the version that a change was made for."""

    code, exit_code, status = "row_changed", 68, 412


class TokenRefused(DaftariError):
    """A token cannot be created or revoked as requested."""

    code, exit_code, status = "token_refused", 65, 409


class QueryRefused(DaftariError):
    """A query of a dataset is not understood, or not permitted for this role."""

    code, exit_code, status = "query_refused", 26, 422


class QuarantineRefused(DaftariError):
    """Rejected rows cannot be corrected as requested."""

    code, exit_code, status = "quarantine_refused", 28, 409


class DiskFull(DaftariError):
    """A disk has no space left. What was being written is as it was before."""

    code, exit_code, status = "disk_full", 34, 507


#: `disk_full` of PostgreSQL.
_SERVER_DISK_FULL = "53100"


def disk_full(error: BaseException | None) -> DiskFull | None:
    """Return what to tell people if *error*, or what caused it, is a full disk."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            place = f" for {error.filename}" if error.filename else ""
            return DiskFull(f"no space left on the disk{place}; expected some", hint=_FREE_SPACE)
        if getattr(error, "sqlstate", None) == _SERVER_DISK_FULL:
            return DiskFull("no space left on the disk of the database; expected some", hint=_FREE_SPACE)
        error = error.__cause__ or error.__context__
    return None


_FREE_SPACE = "Free some space, then do the same again: nothing is half done."
