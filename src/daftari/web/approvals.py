"""Requests: made by the person they are about, decided by the roles that the contract names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from psycopg import Connection
from starlette.responses import Response

from daftari.api.service import clock
from daftari.contract import permissions
from daftari.contract.model import Contract, Dataset, Field, LogicalType
from daftari.contract.permissions import TakenPart, open_fields
from daftari.errors import AccessRefused, RowRefused
from daftari.operations.read.read_rows import Reader, query_of, read_page
from daftari.operations.read.row_version import version_of
from daftari.operations.write.approvals import SeenRow, WantedStep, new_key, parts_taken, take_wanted_step
from daftari.operations.write.approvals import ask_for_approval as ask_for
from daftari.operations.write.write_requests import RecordOutcome
from daftari.rows.url_query import MOST_ROWS, VisibleColumn
from daftari.web import records
from daftari.web.page_request import PageRequest
from daftari.web.reports import OwnFigures, about_me

_DECIDING, _ASKING = "deciding on requests", "viewing my own requests"
_MOST, _MOST_OWN = 50, 20
#: Beside the cells of a row; no field has this name.
_VERSION = ""
_KEY = re.compile(r"W-[0-9A-F]{12}")
_INPUTS = {LogicalType.DATE: "date", LogicalType.NUMBER: "number", LogicalType.INTEGER: "number"}


@dataclass(frozen=True, kw_only=True)
class ShownRequest:
    """One request, and the states to which this user may move it."""

    key: tuple[str, ...]
    cells: dict[str, Any]
    steps: tuple[str, ...]
    version: str = ""  #: of what is shown of it


@dataclass(frozen=True, kw_only=True)
class Requests:
    dataset: Dataset
    columns: list[VisibleColumn]
    rows: list[ShownRequest]
    state: str = ""  #: the state of all rows
    is_cut: bool = False  #: there are more rows
    figures: tuple[OwnFigures, ...] = ()  #: what reports say about the user


def list_requests(page: PageRequest) -> Response:
    with page.connection() as conn:
        decided = [it.dataset for it in page.contracts if page.may_decide(it.dataset)]
        waiting = [requests for it in decided for requests in waiting_for(page, conn, it)]
        own = [_own(page, conn, it.dataset) for it in page.contracts if page.may_request(it.dataset)]
    asked = page.request.query_params
    return page.render(
        "approvals", waiting=waiting, own=own, done=asked.get("done", ""), state=asked.get("state", "")
    )


def take_step_form(page: PageRequest) -> Response:
    contract = _contract(page)
    dataset = contract.dataset
    key = {name: page.form.get(f"key.{name}", "") for name in dataset.key}
    to, version = page.form.get("to", ""), page.form.get("version", "")
    shown = SeenRow(fields=tuple(page.form.get("shown", "").split(",")), version=version) if version else None
    wanted = WantedStep(key=key, to=to, seen=shown)
    with page.connection() as conn:
        outcome = take_wanted_step(conn, page.write_context(contract, _DECIDING), wanted, now=clock())
    if outcome.status in ("quarantined", "refused"):
        raise RowRefused(
            f"{', '.join(key.values())}: {'; '.join(_reason(it) for it in outcome.reasons)}",
            hint="Reload the page: another user may have decided it meanwhile.",
        )
    return _done(page, key.values(), to)


def ask_form(page: PageRequest) -> Response:
    contract = _contract(page)
    permissions.require(permissions.refusal_to_ask(contract.dataset, page.caller))
    if page.request.method == "GET":
        return _form(page, contract, {"_key": new_key()}, None)
    key = page.form.get("_key", "")
    if not _KEY.fullmatch(key):
        raise AccessRefused("This form is not from this site; nothing was done.")
    names = [it.name for it in open_fields(contract.dataset, page.role)]
    given = {name: page.form.get(name, "").strip() or None for name in names}
    given[contract.dataset.key[0]] = key
    with page.connection() as conn:
        outcome = ask_for(
            conn,
            page.write_context(contract, _ASKING),
            given,
            country=page.service.settings.country,
            now=clock(),
        )
    if outcome.status == "quarantined":
        return _form(page, contract, dict(page.form), outcome)
    approval = contract.dataset.approval
    return _done(page, [key], approval.begins if approval else "")


def _done(page: PageRequest, key: Iterable[str], state: str) -> Response:
    return page.redirect(f"/approvals?{urlencode({'done': ', '.join(key), 'state': state})}")


def waiting_for(
    page: PageRequest, conn: Connection[Any], dataset: Dataset, *, in_short: bool = False
) -> list[Requests]:
    """
    Return what the user may decide, by state in the contract's order, the oldest first.

    *in_short*: without the fields that need a purpose.
    """
    approval = dataset.approval
    assert approval is not None, "a role that decides takes steps"
    reader = page.reader(dataset, None if in_short else _DECIDING)
    columns = [it for it in records.shown_of(reader) if it.field]
    found: list[Requests] = []
    if page.caller.user_id is None:
        return found  # only a person decides
    steps = permissions.steps_of(approval, page.role, is_own=False)
    for state in dict.fromkeys(it.start for it in steps):
        asked = [(approval.field, state), *sorting(reader, ""), ("limit", str(_MOST))]
        rows = _read(conn, reader, columns, asked)
        parts = parts_taken(conn, dataset, [_key_of(dataset, it) for it in rows], page.caller)
        requests = decidable_by_part(dataset, rows, state, role=page.role, parts=parts)
        found.append(
            Requests(dataset=dataset, columns=columns, rows=requests, state=state, is_cut=len(rows) == _MOST)
        )
    return found


def decidable(
    dataset: Dataset, rows: list[dict[str, Any]], state: str, *, role: str, user_id: str | None
) -> list[ShownRequest]:
    """Return those of *rows*, all in *state*, that *role* may move on: never the user's own."""
    parts = [TakenPart(is_own=permissions.is_own(dataset, it, user_id)) for it in rows]
    return decidable_by_part(dataset, rows, state, role=role, parts=parts)


def decidable_by_part(
    dataset: Dataset, rows: list[dict[str, Any]], state: str, *, role: str, parts: Sequence[TakenPart]
) -> list[ShownRequest]:
    """The same by what the user did in each row: what they entered, changed or decided waits for somebody else."""
    found = []
    for row, part in zip(rows, parts, strict=True):
        steps = _steps_from(dataset, state, role, part)
        if not part.is_own and (steps or part == permissions.NO_PART):
            found.append(_shown(dataset, row, steps))
    return found


def own_requests(dataset: Dataset, rows: list[dict[str, Any]], *, role: str) -> list[ShownRequest]:
    """Return *rows*, all about the user, each with the steps that the user may take in *role*."""
    field = dataset.approval.field if dataset.approval else ""
    own = TakenPart(is_own=True)
    return [_shown(dataset, it, _steps_from(dataset, str(it[field]), role, own)) for it in rows]


def _shown(dataset: Dataset, row: dict[str, Any], steps: tuple[str, ...]) -> ShownRequest:
    return ShownRequest(key=_key_of(dataset, row), cells=row, steps=steps, version=row.get(_VERSION, ""))


def _steps_from(dataset: Dataset, state: str, role: str, part: TakenPart) -> tuple[str, ...]:
    approval = dataset.approval
    if approval is None:
        return ()
    steps = permissions.steps_of(approval, role, is_own=part.is_own)
    return tuple(
        it.to for it in steps if it.start == state and not permissions.is_kept_apart(approval, it, part)
    )


def _key_of(dataset: Dataset, row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in dataset.key)


def _own(page: PageRequest, conn: Connection[Any], dataset: Dataset) -> Requests:
    approval, subject = dataset.approval, dataset.subject
    assert approval is not None and subject is not None, "a request is about the user who makes it"
    reader, figures = page.reader(dataset, _ASKING), tuple(about_me(page, dataset))
    if not page.may_read(dataset):
        return Requests(dataset=dataset, columns=[], rows=[], figures=figures)
    columns = [it for it in records.shown_of(reader) if it.field and it.name != subject]
    columns.sort(key=lambda it: it.name != approval.field)  # its state comes first
    mine = [(subject, page.caller.user_id or ""), *sorting(reader, "-"), ("limit", str(_MOST_OWN))]
    rows = own_requests(dataset, _read(conn, reader, columns, mine), role=page.role)
    return Requests(dataset=dataset, columns=columns, rows=rows, figures=figures)


def _read(
    conn: Connection[Any], reader: Reader, columns: list[VisibleColumn], asked: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    query = query_of(reader, [("fields", ",".join(it.name for it in columns)), *asked])
    rows = read_page(conn, reader, query).rows
    return [records.values_of(row, columns) | {_VERSION: version_of(row)} for row in rows]


def sorting(reader: Reader, sign: str) -> list[tuple[str, str]]:
    """Sort by the time of the request if the role sees it in the contract's field for it, else by the first date."""
    approval = reader.dataset.approval
    dated = (LogicalType.DATE, LogicalType.TIMESTAMP)
    seen = [
        it.name
        for it in reader.relation.columns
        if it.field and it.field.logical_type in dated and not it.is_masked
    ]
    best = [approval.asked_at] if approval and approval.asked_at in seen else seen[:1]
    return [("sort", f"{sign}{name}") for name in best]


# --- the form of a new request


def _form(
    page: PageRequest, contract: Contract, given: dict[str, str], outcome: RecordOutcome | None
) -> Response:
    dataset = contract.dataset
    wrong = reasons_by_field(outcome.reasons if outcome else ())
    fields = open_fields(dataset, page.role)
    days = dataset.approval.working_days if dataset.approval else None
    with page.connection() as conn:
        choices = {it.name: _choices(page, conn, dataset, it) for it in fields}
    return page.render(
        "ask",
        status=422 if outcome else 200,
        dataset=dataset,
        fields=fields,
        choices=choices,
        inputs={it.name: _INPUTS.get(it.logical_type, "text") for it in fields},
        counted=days.field if days else "",
        given=given,
        wrong=wrong,
        figures=about_me(page, dataset),
        others=[it for name, its in wrong.items() if name not in {f.name for f in fields} for it in its],
    )


def reasons_by_field(reasons: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for reason in reasons:
        for name in reason["field"].split(", "):
            found.setdefault(name, []).append(reason["reason"])
    return found


def _choices(page: PageRequest, conn: Connection[Any], dataset: Dataset, field: Field) -> list[str]:
    """Return the values of a closed set, or the keys of a dataset that the user may read, if they are few."""
    if field.allowed:
        return list(field.allowed)
    target = next((it for it in dataset.relationships if it.fields == (field.name,)), None)
    known = page.service.datasets.get(target.target) if target else None
    if target is None or known is None or not page.may_read(known):
        return []
    reader, name = page.reader(known), target.target_fields[0]
    columns = [it for it in records.shown_of(reader) if it.name == name and not it.is_masked]
    rows = _read(conn, reader, columns, [("limit", str(MOST_ROWS))]) if columns else []
    return sorted(str(row[name]) for row in rows) if len(rows) < MOST_ROWS else []


def _reason(reason: dict[str, Any]) -> str:
    return f"{reason['field']} {reason['reason']}".strip()


def _contract(page: PageRequest) -> Contract:
    contract = page.contract(page.request.path_params["dataset"])
    if contract.dataset.approval is None:
        raise AccessRefused(f"{contract.dataset.name}: its contract knows no approval")
    return contract
