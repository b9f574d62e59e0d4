"""Preview a file before it is loaded: its formats, its mapping, and the result of its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl
from psycopg import Connection

from daftari.io.load.foreign_keys import ReferencedRows
from daftari.io.runs import ledger
from daftari.io.runs.ledger import Reason, counted_reasons
from daftari.io.workspace.files import Workspace
from daftari.operations.load.load_file import FileLoad
from daftari.operations.load.load_path import LoadRequest, prepare_load
from daftari.operations.load.recognise_file import content_digest
from daftari.rows.formats.late_evidence import StyleChanged
from daftari.rows.intake.control_totals import ControlTotals, reckon
from daftari.rows.intake.file_reading import Met
from daftari.rows.intake.intake import Intake, take_in
from daftari.rows.intake.remarks import LeftOut, Remark, merged
from daftari.rows.mapping.explain import Explained, explain
from daftari.rows.rules.rejection import without_cause
from daftari.rows.rules.rules import rulebook


@dataclass(frozen=True, kw_only=True)
class FilePreview:
    explained: Explained
    header: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]  #: of the file, by field
    known: int | None  #: the run that loaded a file of this content before
    received: int
    accepted: int  #: that break no rule; whether they exist already is not checked
    duplicates: int  #: within the file
    superseded: int  #: rows of the file that another row of their key replaces
    refused: int
    reasons: tuple[Reason, ...]  #: most frequent first
    found: ControlTotals
    differences: tuple[str, ...]  #: stated by the file's mapping or its total rows
    left_out: LeftOut
    remarks: tuple[Remark, ...]


def preview_file(
    conn: Connection[Any], workspace: Workspace, request: LoadRequest, *, now: datetime
) -> FilePreview:
    """
    Judge the file of *request* and write nothing: no row of it is written, sealed or stored.

    Raises:
        SourceError, MappingError: as `load_path`.
    """
    delivery = prepare_load(workspace, request)
    try:
        return _preview(conn, delivery, request, now)
    except StyleChanged:
        return _preview(conn, delivery.judged_here(whole=True), request, now)


def _preview(conn: Connection[Any], delivery: FileLoad, request: LoadRequest, now: datetime) -> FilePreview:
    dataset = delivery.contract.dataset
    existing = ReferencedRows(conn, dataset).existing()
    intake = Intake(
        book=rulebook(dataset, today=dataset.today(now), known=existing.keys, standing=existing.standing),
        plan=delivery.plan,
        run_id=0,
        count_only=True,
    )
    received = accepted = duplicates = superseded = refused = 0
    reasons: tuple[Reason, ...] = ()
    met = None
    for judged in take_in(delivery.source.blocks(), intake):
        received += judged.received
        accepted += sum(batch.height for batch in judged.batches)
        duplicates += judged.duplicates
        superseded += len(judged.superseded)
        refused += judged.rejected.height
        reasons = counted_reasons((*reasons, *_reasons_of(judged.rejected)))
        met = judged.met
    met = met or Met()
    reckoning = reckon(delivery.totals, met)
    return FilePreview(
        explained=explain(delivery.plan, delivery.source),
        header=tuple(delivery.source.header),
        columns={it.field.name: it.columns for it in delivery.plan.fields},
        known=ledger.known_run(
            conn,
            dataset.name,
            content_digest(conn, dataset.name, delivery.source, is_picked=request.sheet is not None),
        ),
        received=received,
        accepted=accepted,
        duplicates=duplicates,
        superseded=superseded,
        refused=refused,
        reasons=reasons,
        found=met.found,
        differences=reckoning.differences,
        left_out=delivery.source.left_out + met.left_out,
        remarks=merged((*delivery.source.remarks, *delivery.plan.remarks, *met.remarks, *reckoning.remarks)),
    )


def _reasons_of(rejected: pl.DataFrame) -> Iterator[Reason]:
    for line, texts in rejected.select("line", "reasons").iter_rows():
        for one in json.loads(texts):
            yield Reason(
                rule=one["rule"],
                field=one["field"],
                reason=without_cause(one["reason"]),
                rows=1,
                line=line,
            )


def shown_sums(look: FilePreview) -> dict[str, Decimal]:
    """The sums of a file's number fields."""
    return {name: figure for name, figure in look.found.sums.items() if name in look.columns}
