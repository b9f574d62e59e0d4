"""Runs: the list, and one run with its reasons for rejection."""

from __future__ import annotations

from starlette.responses import Response

from daftari.errors import AccessRefused
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
        reasons=[(it.rows, *disclosed_reason(it.rule, it.field, it.reason, hidden)) for it in found.reasons],
        entries=found.entries,
        is_new="loaded" in page.request.query_params,
        known="known" in page.request.query_params,
    )


def _datasets_with_runs(page: PageRequest) -> list[str]:
    return [it.dataset.name for it in page.contracts if page.may_see_runs(it.dataset)]
