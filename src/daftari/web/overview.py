"""The overview page, and the page of one dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response

from daftari.api.service import clock
from daftari.compile.access.relations import Relation, relation_of
from daftari.compile.quality.verdicts import CheckVerdict
from daftari.contract.access.role_permissions import sights
from daftari.contract.freshness import is_late
from daftari.contract.model import Contract, Dataset, LogicalType
from daftari.operations.contracts.contract_history import contract_history
from daftari.operations.runs.overview import CheckedDataset, Overview, count_by_month, look_over
from daftari.operations.runs.show_runs import show_runs
from daftari.rows.url_query import VisibleColumn
from daftari.web import charts
from daftari.web.approvals import waiting_for
from daftari.web.page_request import PageRequest


@dataclass(frozen=True, kw_only=True)
class Card:
    """One dataset at a glance."""

    contract: Contract
    loaded_at: datetime | None
    is_late: bool
    verdict: CheckVerdict | None  #: None: never checked
    failing: int
    waiting: int | None  #: None: not for this role
    may_load: bool

    @property
    def state(self) -> str:
        if self.failing or self.verdict in (CheckVerdict.FAILED, CheckVerdict.NOT_EVALUATED):
            return "failing"
        if self.loaded_at is None:
            return "empty"
        return "late" if self.is_late else "healthy"

    @property
    def needs_attention(self) -> bool:
        return bool(self.waiting) or self.state in ("failing", "late")


def overview_page(page: PageRequest) -> Response:
    watched = [it for it in page.contracts if page.may_see_runs(it.dataset)]
    own = [it for it in page.contracts if it not in watched]
    names = [it.dataset.name for it in watched]
    with page.connection() as conn:
        found = look_over(conn, names, [it.dataset.name for it in watched if page.may_correct(it.dataset)])
        requests = [
            waiting
            for it in page.contracts
            if page.may_decide(it.dataset)
            for waiting in waiting_for(page, conn, it.dataset, in_short=True)
        ]
    cards = [_card(page, it, found) for it in watched]
    needed = [it for it in cards if it.needs_attention]
    return page.render(
        "overview", cards=cards, own=own, needed=needed, requests=[it for it in requests if it.rows]
    )


def _card(page: PageRequest, contract: Contract, found: Overview) -> Card:
    name = contract.dataset.name
    load, checked = found.loads.get(name), found.checked.get(name)
    return Card(
        contract=contract,
        loaded_at=load.finished_at if load else None,
        is_late=load is not None and is_late(contract, load.finished_at, clock()),
        verdict=checked.verdict if checked else None,
        failing=failing_checks(checked),
        waiting=found.waiting.get(name, 0) if page.may_correct(contract.dataset) else None,
        may_load=page.may_load(contract.dataset),
    )


def dataset_page(page: PageRequest) -> Response:
    contract = page.contract(page.request.path_params["dataset"])
    name = contract.dataset.name
    sees_all = page.may_read_all(contract.dataset)
    with page.connection() as conn:
        found = look_over(conn, [name])
        runs = show_runs(conn, [name], limit=8) if page.may_see_runs(contract.dataset) else []
        history = contract_history(conn, name)
    load = found.loads.get(name)
    return page.render(
        "dataset",
        contract=contract,
        history=history,
        fields=fields_seen_by(page.role, contract.dataset),
        load=load,
        is_late=load is not None and is_late(contract, load.finished_at, clock()),
        runs=runs,
        checked=found.checked.get(name) if sees_all else None,
        volume=_volume(page, contract.dataset),
        referred=referring(name, page.contracts),
    )


def referring(name: str, contracts: Sequence[Contract]) -> list[str]:
    """Return the other datasets that refer to the dataset called *name*."""
    return [
        it.dataset.name
        for it in contracts
        if any(one.target == name for one in it.dataset.relationships) and it.dataset.name != name
    ]


def fields_seen_by(role: str, dataset: Dataset) -> list[dict[str, Any]]:
    """Return each field with how *role* sees it."""
    found, ways = [], sights(dataset, role)
    for field in dataset.fields:
        (way, *others) = ways[field.name]
        seen = "in some rows" if others else way.value
        if field.protection.sealed and seen == "clear":
            seen = "sealed"
        found.append({"field": field, "seen": seen, "is_sealed": field.protection.sealed})
    return found


def _volume(page: PageRequest, dataset: Dataset) -> Any:
    relation = relation_of(dataset, page.role)
    if relation is None or not page.may_read(dataset):
        return None
    first = counted_by(relation)
    if first is None:
        return None
    with page.connection() as conn:
        found = count_by_month(conn, dataset, first, context=page.context(), roles=page.service.roles)
    labels = [f"{month:%Y-%m}" for month, _ in found]
    chart = charts.lines(
        labels, {"rows": [rows for _, rows in found]}, title=f"Rows by month of {first.name}"
    )
    return {"chart": chart, "rows": found, "field": first.name}


def counted_by(relation: Relation) -> VisibleColumn | None:
    """Return the column by whose months rows are counted: the first required date that is not masked."""
    dated = (LogicalType.DATE, LogicalType.TIMESTAMP)
    columns = [
        it for it in relation.columns if it.field and it.field.logical_type in dated and not it.is_masked
    ]
    return next((it for it in columns if it.required), None)


def failing_checks(checked: CheckedDataset | None) -> int:
    return checked.count(CheckVerdict.FAILED) + checked.count(CheckVerdict.NOT_EVALUATED) if checked else 0
