"""Runs, the audit trail, access reviews, incidents and the privacy desk."""

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


def runs_page(page: PageRequest) -> Response:
    asked = page.request.query_params.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
    names = _datasets_with_runs(page)
    if not names:
        raise AccessRefused(
            "Your role sees no runs; expected a role that loads a dataset or sees all of its rows."
        )
    with page.connection() as conn:
        found = show_runs(conn, names, before=before, limit=_AT_ONCE)
    return page.render("runs", runs=found, following=found[-1].run_id if len(found) == _AT_ONCE else None)


def run_page(page: PageRequest) -> Response:
    asked = page.request.path_params["run_id"]
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
    with page.connection() as conn:
        found = show_run(conn, number, _datasets_with_runs(page), with_audit=page.may_oversee)
    if found is None:
        raise AccessRefused("There is no such run, or your role may not see it.")
    dataset = page.service.datasets[found.dataset]
    hidden = hidden_rules(dataset, page.service.datasets, page.role)
    return page.render(
        "run",
        run=found.run,
        dataset=dataset,
        reasons=[(it, disclosed_reason(it.rule, it.reason, hidden)[1]) for it in found.reasons],
        entries=found.entries,
        is_new="loaded" in page.request.query_params,
        known="known" in page.request.query_params,
    )


def audit_page(page: PageRequest) -> Response:
    _require_overseer(page)
    asked = page.request.query_params
    number = asked.get("run", "")
    wanted = AuditFilter(
        relation=asked.get("relation") or None,
        actor=asked.get("actor") or None,
        run_id=int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None,
        limit=200,
    )
    with page.connection() as conn:
        found = show_audit(conn, wanted)
    relations = sorted(f"{OPS}.{name}" for name in page.service.datasets)
    return page.render(
        "audit_trail", entries=found.entries, wanted=wanted, head=found.head, relations=relations
    )


def review_page(page: PageRequest) -> Response:
    _require_overseer(page)
    with page.connection() as conn:
        try:
            shown = show_review(conn)
        except ReviewRefused:
            shown = None
    return page.render("review", shown=shown)


def incidents_page(page: PageRequest) -> Response:
    if not page.may_read_named("incidents"):
        raise AccessRefused("Your role may not see incidents.")
    return page.render("incidents")


def privacy_page(page: PageRequest) -> Response:
    _require_overseer(page)
    return page.render("privacy", contracts=page.service.contracts.values())


def _require_overseer(page: PageRequest) -> None:
    permissions.require(
        permissions.refusal_to_oversee(page.role, page.service.workspace.overseers),
        hint="The roles that may are listed in daftari.toml, [control_room] overseers.",
    )


def _datasets_with_runs(page: PageRequest) -> list[str]:
    return [it.dataset.name for it in page.contracts if page.may_see_runs(it.dataset)]
