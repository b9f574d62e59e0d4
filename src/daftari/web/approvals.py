"""Requests: asked for by whom they are about, decided by the roles that the contract names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from psycopg import Connection
from starlette.responses import Response

from daftari.api.service import clock
from daftari.contract import permissions
from daftari.contract.model import Contract, Dataset, Field, LogicalType
from daftari.contract.permissions import open_fields
from daftari.errors import AccessRefused, RowRefused
from daftari.operations.read.read_rows import Reader, query_of, read_page
from daftari.operations.write.approvals import ask_for_approval as ask_for
from daftari.operations.write.approvals import new_key, take_step
from daftari.operations.write.requests import RecordOutcome
from daftari.rows.query import MOST_ROWS, VisibleColumn
from daftari.web import records
from daftari.web.page_request import PageRequest
from daftari.web.reports import OwnFigures, about_me

_DECIDING, _ASKING = "deciding on requests", "looking at my own requests"
_MOST, _MOST_OWN = 50, 20
_KEY = re.compile(r"W-[0-9A-F]{12}")
_INPUTS = {LogicalType.DATE: "date", LogicalType.NUMBER: "number", LogicalType.INTEGER: "number"}


@dataclass(frozen=True, kw_only=True)
class ShownRequest:
    """One request, and the states to which this visitor may bring it."""

    key: tuple[str, ...]
    cells: dict[str, Any]
    steps: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Requests:
    dataset: Dataset
    columns: list[VisibleColumn]
    rows: list[ShownRequest]
    state: str = ""  #: of all of them
    is_cut: bool = False  #: there are more
    figures: tuple[OwnFigures, ...] = ()  #: what reports say of whoever asks


def list_requests(visit: PageRequest) -> Response:
    with visit.connection() as conn:
        decided = [it.dataset for it in visit.contracts if visit.decides(it.dataset)]
        waiting = [requests for it in decided for requests in waiting_for(visit, conn, it)]
        own = [_own(visit, conn, it.dataset) for it in visit.contracts if visit.asks(it.dataset)]
    asked = visit.request.query_params
    return visit.page(
        "approvals", waiting=waiting, own=own, done=asked.get("done", ""), state=asked.get("state", "")
    )


def take_step_form(visit: PageRequest) -> Response:
    contract = _contract(visit)
    dataset = contract.dataset
    key = {name: visit.form.get(f"key.{name}", "") for name in dataset.key}
    to = visit.form.get("to", "")
    with visit.connection() as conn:
        outcome = take_step(conn, visit.desk(contract, _DECIDING), key, to, now=clock())
    if outcome.status in ("quarantined", "refused"):
        raise RowRefused(
            f"{', '.join(key.values())}: {'; '.join(_reason(it) for it in outcome.reasons)}",
            hint="Load the page again: somebody else may have decided it meanwhile.",
        )
    return _done(visit, key.values(), to)


def ask_form(visit: PageRequest) -> Response:
    contract = _contract(visit)
    permissions.require(permissions.refusal_to_ask(contract.dataset, visit.caller))
    if visit.request.method == "GET":
        return _form(visit, contract, {"_key": new_key()}, None)
    key = visit.form.get("_key", "")
    if not _KEY.fullmatch(key):
        raise AccessRefused("This form is not ours; nothing was done.")
    names = [it.name for it in open_fields(contract.dataset, visit.role)]
    given = {name: visit.form.get(name, "").strip() or None for name in names}
    given[contract.dataset.key[0]] = key
    with visit.connection() as conn:
        outcome = ask_for(
            conn, visit.desk(contract, _ASKING), given, country=visit.service.settings.country, now=clock()
        )
    if outcome.status == "quarantined":
        return _form(visit, contract, dict(visit.form), outcome)
    approval = contract.dataset.approval
    return _done(visit, [key], approval.begins if approval else "")


def _done(visit: PageRequest, key: Iterable[str], state: str) -> Response:
    return visit.go(f"/approvals?{urlencode({'done': ', '.join(key), 'state': state})}")


def waiting_for(
    visit: PageRequest, conn: Connection[Any], dataset: Dataset, *, in_short: bool = False
) -> list[Requests]:
    """
    What the visitor may decide, by state as the contract orders them, and of each the oldest first.

    In short: with no field that is read for a purpose alone.
    """
    approval = dataset.approval
    assert approval is not None, "who decides decides by steps"
    reader = visit.reader(dataset, None if in_short else _DECIDING)
    columns = [it for it in records.shown_of(reader) if it.field]
    found = []
    steps = permissions.steps_of(approval, visit.role, is_own=False)
    for state in dict.fromkeys(it.start for it in steps):
        asked = [(approval.field, state), *sorting(reader, ""), ("limit", str(_MOST))]
        rows = _read(conn, reader, columns, asked)
        requests = decidable(dataset, rows, state, role=visit.role, user_id=visit.caller.user_id)
        found.append(
            Requests(dataset=dataset, columns=columns, rows=requests, state=state, is_cut=len(rows) == _MOST)
        )
    return found


def decidable(
    dataset: Dataset, rows: list[dict[str, Any]], state: str, *, role: str, user_id: str | None
) -> list[ShownRequest]:
    """Those of *rows*, all in *state*, that *role* may bring further: never the person's own."""
    steps = _steps_from(dataset, state, role, is_own=False)
    found = (it for it in rows if not permissions.is_own(dataset, it, user_id))
    return [ShownRequest(key=_key_of(dataset, it), cells=it, steps=steps) for it in found]


def own_requests(dataset: Dataset, rows: list[dict[str, Any]], *, role: str) -> list[ShownRequest]:
    """*rows*, all about the person who asks, each with the steps that this person takes by *role*."""
    field = dataset.approval.field if dataset.approval else ""
    return [
        ShownRequest(
            key=_key_of(dataset, it), cells=it, steps=_steps_from(dataset, str(it[field]), role, is_own=True)
        )
        for it in rows
    ]


def _steps_from(dataset: Dataset, state: str, role: str, *, is_own: bool) -> tuple[str, ...]:
    steps = permissions.steps_of(dataset.approval, role, is_own=is_own) if dataset.approval else ()
    return tuple(it.to for it in steps if it.start == state)


def _key_of(dataset: Dataset, row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in dataset.key)


def _own(visit: PageRequest, conn: Connection[Any], dataset: Dataset) -> Requests:
    approval, subject = dataset.approval, dataset.subject
    assert approval is not None and subject is not None, "who asks asks for oneself"
    reader, figures = visit.reader(dataset, _ASKING), tuple(about_me(visit, dataset))
    if not visit.reads(dataset):
        return Requests(dataset=dataset, columns=[], rows=[], figures=figures)
    columns = [it for it in records.shown_of(reader) if it.field and it.name != subject]
    columns.sort(key=lambda it: it.name != approval.field)  # what became of it comes first
    mine = [(subject, visit.caller.user_id or ""), *sorting(reader, "-"), ("limit", str(_MOST_OWN))]
    rows = own_requests(dataset, _read(conn, reader, columns, mine), role=visit.role)
    return Requests(dataset=dataset, columns=columns, rows=rows, figures=figures)


def _read(
    conn: Connection[Any], reader: Reader, columns: list[VisibleColumn], asked: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    query = query_of(reader, [("fields", ",".join(it.name for it in columns)), *asked])
    return [records.values_of(row, columns) for row in read_page(conn, reader, query).rows]


def sorting(reader: Reader, sign: str) -> list[tuple[str, str]]:
    """By when it was asked, where the contract and the role's view of it tell that; else by the first date."""
    approval = reader.dataset.approval
    dated = (LogicalType.DATE, LogicalType.TIMESTAMP)
    seen = [
        it.name
        for it in reader.relation.columns
        if it.field and it.field.logical_type in dated and not it.is_masked
    ]
    best = [approval.asked_at] if approval and approval.asked_at in seen else seen[:1]
    return [("sort", f"{sign}{name}") for name in best]


# --- asking


def _form(
    visit: PageRequest, contract: Contract, given: dict[str, str], outcome: RecordOutcome | None
) -> Response:
    dataset = contract.dataset
    wrong = reasons_by_field(outcome.reasons if outcome else ())
    fields = open_fields(dataset, visit.role)
    days = dataset.approval.working_days if dataset.approval else None
    with visit.connection() as conn:
        choices = {it.name: _choices(visit, conn, dataset, it) for it in fields}
    return visit.page(
        "ask",
        status=422 if outcome else 200,
        dataset=dataset,
        fields=fields,
        choices=choices,
        inputs={it.name: _INPUTS.get(it.logical_type, "text") for it in fields},
        counted=days.field if days else "",
        given=given,
        wrong=wrong,
        figures=about_me(visit, dataset),
        others=[it for name, its in wrong.items() if name not in {f.name for f in fields} for it in its],
    )


def reasons_by_field(reasons: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for reason in reasons:
        for name in reason["field"].split(", "):
            found.setdefault(name, []).append(reason["reason"])
    return found


def _choices(visit: PageRequest, conn: Connection[Any], dataset: Dataset, field: Field) -> list[str]:
    """The values of a closed set, or the keys of a dataset that the visitor reads, where they are few."""
    if field.allowed:
        return list(field.allowed)
    target = next((it for it in dataset.relationships if it.fields == (field.name,)), None)
    known = visit.service.datasets.get(target.target) if target else None
    if target is None or known is None or not visit.reads(known):
        return []
    reader, name = visit.reader(known), target.target_fields[0]
    columns = [it for it in records.shown_of(reader) if it.name == name and not it.is_masked]
    rows = _read(conn, reader, columns, [("limit", str(MOST_ROWS))]) if columns else []
    return sorted(str(row[name]) for row in rows) if len(rows) < MOST_ROWS else []


def _reason(reason: dict[str, Any]) -> str:
    return f"{reason['field']} {reason['reason']}".strip()


def _contract(visit: PageRequest) -> Contract:
    contract = visit.contract(visit.request.path_params["dataset"])
    if contract.dataset.approval is None:
        raise AccessRefused(f"{contract.dataset.name}: its contract knows no approval")
    return contract
