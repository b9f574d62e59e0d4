"""Runs, the audit trail, access reviews, and the places that later work fills."""

from __future__ import annotations

from starlette.responses import Response

from daftari.contract import permissions
from daftari.contract.platform import OPS
from daftari.errors import AccessRefused, ReviewRefused
from daftari.operations.audit.show_audit import AuditFilter, show_audit
from daftari.operations.review.show_review import show_review
from daftari.operations.runs.show_runs import show_run, show_runs
from daftari.operations.write.disclosure import disclosed_reason, hidden_rules
from daftari.web.page_request import PageRequest

_AT_ONCE = 50


def runs_page(visit: PageRequest) -> Response:
    asked = visit.request.query_params.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
    names = _watched(visit)
    if not names:
        raise AccessRefused("Runs are for who loads a dataset, or sees all of it.")
    with visit.connection() as conn:
        found = show_runs(conn, names, before=before, limit=_AT_ONCE)
    return visit.page("runs", runs=found, following=found[-1].run_id if len(found) == _AT_ONCE else None)


def run_page(visit: PageRequest) -> Response:
    asked = visit.request.path_params["run_id"]
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
    with visit.connection() as conn:
        found = show_run(conn, number, _watched(visit), with_audit=visit.oversees)
    if found is None:
        raise AccessRefused("There is no such run, or it is not for your role.")
    dataset = visit.service.datasets[found.dataset]
    untold = hidden_rules(dataset, visit.service.datasets, visit.role)
    return visit.page(
        "run",
        run=found.run,
        dataset=dataset,
        reasons=[(it, disclosed_reason(it.rule, it.reason, untold)[1]) for it in found.reasons],
        entries=found.entries,
        fresh="loaded" in visit.request.query_params,
        known="known" in visit.request.query_params,
    )


def audit_page(visit: PageRequest) -> Response:
    _require_overseer(visit)
    asked = visit.request.query_params
    number = asked.get("run", "")
    wanted = AuditFilter(
        relation=asked.get("relation") or None,
        actor=asked.get("actor") or None,
        run_id=int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None,
        limit=200,
    )
    with visit.connection() as conn:
        found = show_audit(conn, wanted)
    relations = sorted(f"{OPS}.{name}" for name in visit.service.datasets)
    return visit.page("trail", entries=found.entries, wanted=wanted, head=found.head, relations=relations)


def review_page(visit: PageRequest) -> Response:
    _require_overseer(visit)
    with visit.connection() as conn:
        try:
            shown = show_review(conn)
        except ReviewRefused:
            shown = None
    return visit.page("review", shown=shown)


def incidents_page(visit: PageRequest) -> Response:
    if not visit.reads_named("incidents"):
        raise AccessRefused("Incidents are not for your role.")
    return visit.page("incidents")


def privacy_page(visit: PageRequest) -> Response:
    _require_overseer(visit)
    return visit.page("privacy", contracts=visit.service.contracts.values())


def _require_overseer(visit: PageRequest) -> None:
    permissions.require(
        permissions.refusal_to_oversee(visit.role, visit.service.workspace.overseers),
        hint="daftari.toml names those roles under [control_room] overseers.",
    )


def _watched(visit: PageRequest) -> list[str]:
    return [it.dataset.name for it in visit.contracts if visit.watches(it.dataset)]
