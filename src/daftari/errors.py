"""
Every error we raise on purpose.

A message says *where*, *what was found*, *what was expected*; the hint says what to do next.
Messages name files, datasets, fields and rules, never a row's value: logs are read by people
who may not see the data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class DaftariError(Exception):
    """Shown to people without a traceback. Any other exception is our bug."""

    code = "error"  #: stable, documented, safe to match on
    exit_code = 1  #: for the command line
    status = 500  #: for the API

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    def __reduce__(self) -> tuple[Callable[..., DaftariError], tuple[object, ...]]:
        """What a copy in another process is made of: the sentence, which a subclass composed from its facts."""
        return _same_error, (type(self), str(self), vars(self))


def _same_error(kind: type[DaftariError], message: str, facts: dict[str, object]) -> DaftariError:
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    vars(error).update(facts)
    return error


class SettingError(DaftariError):
    """A setting is missing or wrong."""

    code, exit_code, status = "setting_invalid", 3, 500


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong with a file that people write: a contract, a mapping."""

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
    """The contract is wrong, whatever the data says."""

    code, exit_code, status = "contract_invalid", 10, 422

    def __init__(self, message: str, *, hint: str | None = None, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message, hint=hint)
        self.faults = tuple(faults)

    @classmethod
    def from_faults(cls, faults: Sequence[Fault]) -> ContractError:
        """All of *faults* in one error, each on a line of its own."""
        lines = "\n".join(str(fault) for fault in faults)
        message = lines if len(faults) == 1 else f"{len(faults)} faults\n{lines}"
        return cls(message, faults=faults)


class UnknownName(ContractError):
    """Something names a dataset, field or pipeline that does not exist."""

    code = "unknown_name"

    def __init__(self, where: str, kind: str, name: str, *, known: Iterable[str]) -> None:
        known = sorted(known)
        close = get_close_matches(name, known, n=1)
        super().__init__(
            f"{where}: no {kind} {name!r}; there is {', '.join(known) or 'none'}",
            hint=f"Did you mean {close[0]!r}?" if close else None,
        )


class SourceError(DaftariError):
    """A file cannot be read as rows. Nothing of it was loaded."""

    code, exit_code, status = "source_unreadable", 20, 422


class MappingError(DaftariError):
    """A source mapping does not fit the file or the contract."""

    code, exit_code, status = "mapping_invalid", 21, 422


class ReconciliationError(DaftariError):
    """A file does not add up to its control totals. Nothing of it was loaded."""

    code, exit_code, status = "not_reconciled", 22, 422


class RowRefused(DaftariError):
    """
    The database does not take a row. Why is not said: it may be for a row that the caller may not know of.
    """

    code, exit_code, status = "row_refused", 23, 409


class DatabaseError(DaftariError):
    """The database cannot be reached, or is not in the state that was expected."""

    code, exit_code, status = "database_unavailable", 30, 503


class BreakingChange(DaftariError):
    """A contract change would lose data or break readers, and nobody said to go on."""

    code, exit_code, status = "breaking_change", 31, 409


class Drift(DaftariError):
    """The live database is not what the contracts say."""

    code, exit_code, status = "drift", 32, 409


class TooManyRejected(DaftariError):
    """More rows were rejected than the contract tolerates; the pipeline stops here."""

    code, exit_code, status = "too_many_rejected", 40, 422


class ChecksFailed(DaftariError):
    """A data check failed. Published marts stay as they were."""

    code, exit_code, status = "checks_failed", 41, 422


class AuditBroken(DaftariError):
    """What was done to the audit shows: an entry, a link or an anchor is not as it was."""

    code, exit_code, status = "audit_broken", 60, 409


class AuditNotAnchored(DaftariError):
    """The audit may be whole, but nothing outside of the database vouches for it."""

    code, exit_code, status = "audit_not_anchored", 61, 409


class SigningKeyError(DaftariError):
    """The key that signs checkpoints of the audit is not there, or not kept as it should be."""

    code, exit_code, status = "signing_key", 62, 500


class UndoRefused(DaftariError):
    """A run cannot be undone: its rows were changed since, or it is no load."""

    code, exit_code, status = "undo_refused", 63, 409


class CannotOpen(DaftariError):
    """A sealed value cannot be opened. One error for every cause: it says nothing of the value."""

    code, exit_code, status = "cannot_open", 50, 500

    def __init__(self, field: str, *, hint: str | None = None) -> None:
        super().__init__(
            f"{field}: a sealed value cannot be opened; expected one that was sealed for this field, person and key",
            hint=hint or "`daftari keys status` tells which keys there are.",
        )


class KeyDestroyed(CannotOpen):
    """The key was destroyed, and with it the person's values."""

    code, exit_code, status = "key_destroyed", 51, 410


class KeysUnavailable(DaftariError):
    """The key store, or what its keys are wrapped by, cannot be used."""

    code, exit_code, status = "keys_unavailable", 52, 503


class AccessRefused(DaftariError):
    """Somebody asks for what the contract does not give them."""

    code, exit_code, status = "access_refused", 53, 403


class ReviewRefused(DaftariError):
    """An access review cannot be begun, decided on or closed as asked. Nothing of it was changed."""

    code, exit_code, status = "review_refused", 64, 409


class NotAuthenticated(DaftariError):
    """Who calls is not known. One message for every cause: it says nothing of tokens that there are."""

    code, exit_code, status = "not_authenticated", 54, 401

    def __init__(self) -> None:
        super().__init__(
            "Authorization: no caller is known by it; expected a bearer token that is valid now",
            hint="`daftari token create` makes one.",
        )


class TooManyRequests(DaftariError):
    """A caller asks more often than it may; *seconds* until it may again."""

    code, exit_code, status = "too_many_requests", 29, 429

    def __init__(self, seconds: float, *, what: str = "requests") -> None:
        super().__init__(
            f"too many {what} at once; expected fewer a second", hint=f"Ask again in {math.ceil(seconds)} s."
        )
        self.seconds = math.ceil(seconds)


class KeyReused(DaftariError):
    """An Idempotency-Key was used before for something else."""

    code, exit_code, status = "key_reused", 27, 422


class RequestUnderWay(DaftariError):
    """The same request is being answered at this moment."""

    code, exit_code, status = "request_under_way", 25, 409


class TokenRefused(DaftariError):
    """A token cannot be made or revoked as asked."""

    code, exit_code, status = "token_refused", 65, 409


class QueryRefused(DaftariError):
    """What is asked of a dataset is not understood, or is not for this role to ask."""

    code, exit_code, status = "query_refused", 26, 422


class QuarantineRefused(DaftariError):
    """Refused rows cannot be mended as asked."""

    code, exit_code, status = "quarantine_refused", 28, 409
