"""Recognise a file whose content was loaded before. Light to import: a known file costs little more than its hash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import Connection

from daftari.io.load.file_digest import sheet_digest
from daftari.io.runs import ledger
from daftari.io.runs.ledger import Loaded
from daftari.rows.intake.remarks import Remark, RemarkKind

if TYPE_CHECKING:
    from daftari.io.files import Source


@dataclass(frozen=True, kw_only=True)
class GivenFile:
    """A file that may be known."""

    dataset: str
    name: str
    sha256: str
    #: of what decides how its columns map: with another one, or another contract, the file is judged again; None: never
    mapping_sha256: str | None = None


def recognise_file(conn: Connection[Any], given: GivenFile) -> Loaded | None:
    """
    Return the result of the earlier load of this content; None where it is new, or is to be judged again.

    A file is never judged again by itself where later runs changed its rows: that would undo them.
    """
    known = ledger.known_file(conn, given.dataset, given.sha256)
    if known is None:
        return None
    changed = ledger.changed_since(conn, given.dataset, given.sha256, known)
    if changed is None and _is_judged_otherwise(known, given):
        return None
    remarks = []
    if changed is not None:
        rows, run_id = changed
        remarks.append(
            Remark(
                kind=RemarkKind.CHANGED_SINCE,
                text=f"{rows:,} of its rows {'was' if rows == 1 else 'were'} changed since"
                f"{f', last by run {run_id}' if run_id else ''}; to load this content over them, add --again",
            )
        )
    if known.waiting:
        rows = known.waiting
        remarks.append(
            Remark(
                kind=RemarkKind.STILL_REJECTED,
                text=f"{rows:,} of its rows {'waits' if rows == 1 else 'wait'} in quarantine",
            )
        )
    return Loaded(
        dataset=given.dataset, source=given.name, run_id=known.run_id, known=True, remarks=tuple(remarks)
    )


def content_digest(conn: Connection[Any], dataset: str, source: Source, *, is_picked: bool) -> str:
    """
    Return the digest of what is read of *source*: that of the file, or of one sheet beside another one.

    A sheet has a digest of its own if it *is_picked*, or another sheet of its workbook was loaded before.
    """
    plain = source.sha256
    if source.sheet is None:
        return plain
    own = sheet_digest(plain, source.sheet)
    known = ledger.known_sheets(conn, dataset, (plain, own))
    if known.get(plain) == source.sheet:
        return plain
    return own if is_picked or own in known or known.get(plain) is not None else plain


def _is_judged_otherwise(known: ledger.KnownFile, given: GivenFile) -> bool:
    if given.mapping_sha256 is None:
        return False
    has_other_mapping = known.mapping_sha256 is not None and known.mapping_sha256 != given.mapping_sha256
    return known.has_other_contract or has_other_mapping
