"""Runs, the audit trail, access reviews, and the places that later work fills."""

from __future__ import annotations

from starlette.responses import Response

from daftari.errors import AccessRefused, ReviewRefused
from daftari.io.audit import audit_entries
from daftari.io.runs import ledger
from daftari.io.runs import overview as glance
from daftari.operations.review.show_review import show_review
from daftari.operations.write.disclosure import disclosed_reason, hidden_rules
from daftari.web.page_request import PageRequest

_AT_ONCE = 50


def list_runs(visit: PageRequest) -> Response:
    asked = visit.request.query_params.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
    names = _watched(visit)
    if not names:
        raise AccessRefused("Runs are for who loads a dataset, or sees all of it.")
    with visit.connection() as conn:
        found = glance.runs_of(conn, names, before=before, limit=_AT_ONCE)
    return visit.page("runs", runs=found, following=found[-1].run_id if len(found) == _AT_ONCE else None)


def show_run(visit: PageRequest) -> Response:
    asked = visit.request.path_params["run_id"]
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
    with visit.connection() as conn:
        found = glance.run_of(conn, number)
        if found is None or found.dataset not in _watched(visit):
            raise AccessRefused("There is no such run, or it is not for your role.")
        reasons = ledger.reasons_of(conn, number)
        entries = (
            audit_entries.audit_entries(conn, audit_entries.AuditFilter(run_id=number))
            if visit.oversees
            else []
        )
    dataset = visit.service.datasets[found.dataset]
    untold = hidden_rules(dataset, visit.service.datasets, visit.role)
    return visit.page(
        "run",
        run=found,
        dataset=dataset,
        reasons=[(it, disclosed_reason(it.rule, it.reason, untold)[1]) for it in reasons],
        entries=entries,
        fresh="loaded" in visit.request.query_params,
        known="known" in visit.request.query_params,
    )


def show_audit_trail(visit: PageRequest) -> Response:
    _require_overseer(visit)
    asked = visit.request.query_params
    number = asked.get("run", "")
    wanted = audit_entries.AuditFilter(
        relation=asked.get("relation") or None,
        actor=asked.get("actor") or None,
        run_id=int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None,
        limit=200,
    )
    with visit.connection() as conn:
        entries = audit_entries.audit_entries(conn, wanted)
        head = audit_entries.chain_head(conn)
    relations = sorted(f"ops.{name}" for name in visit.service.datasets)
    return visit.page("trail", entries=entries, wanted=wanted, head=head, relations=relations)


def show_access_review(visit: PageRequest) -> Response:
    _require_overseer(visit)
    with visit.connection() as conn:
        try:
            shown = show_review(conn)
        except ReviewRefused:
            shown = None
    return visit.page("review", shown=shown)


def show_incidents(visit: PageRequest) -> Response:
    if not visit.reads_named("incidents"):
        raise AccessRefused("Incidents are not for your role.")
    return visit.page("incidents")


def show_privacy(visit: PageRequest) -> Response:
    _require_overseer(visit)
    return visit.page("privacy", contracts=visit.service.contracts.values())


def _require_overseer(visit: PageRequest) -> None:
    if not visit.oversees:
        raise AccessRefused(
            "This page is for who oversees.",
            hint="daftari.toml names those roles under [control_room] overseers.",
        )


def _watched(visit: PageRequest) -> list[str]:
    return [
        it.dataset.name for it in visit.contracts if visit.adds(it.dataset) or visit.reads_all(it.dataset)
    ]
