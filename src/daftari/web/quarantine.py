"""Rejected rows in a grid: wrong cells are marked, reasons are in words; correct them in place or in a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from daftari.api.service import clock
from daftari.contract import permissions
from daftari.contract.model import Contract, Field, LogicalType
from daftari.errors import QuarantineRefused
from daftari.operations.quarantine.correct_by_file import correct_by_file, rejected_rows_file
from daftari.operations.quarantine.correct_rows import changed_cells, correct_rows, quarantined_rows
from daftari.operations.quarantine.show_quarantine import count_waiting
from daftari.operations.write.write_requests import RecordOutcome
from daftari.protect.mask import HIDDEN
from daftari.web.page_request import PageRequest

_AT_ONCE = 50
_CORRECTING = "correcting rejected rows"
_MOST_BYTES = 16 * 2**20


def list_quarantine(page: PageRequest) -> Response:
    mine = [it.dataset for it in page.contracts if page.may_correct(it.dataset)]
    with page.connection() as conn:
        waiting = count_waiting(conn, [it.name for it in mine])
    return page.render("rejected_rows", datasets=[(it, waiting.get(it.name, 0)) for it in mine])


def correction_grid(page: PageRequest) -> Response:
    contract = _contract(page)
    asked = page.request.query_params.get("after", "0")
    after = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
    with page.connection() as conn:
        rows = quarantined_rows(conn, page.write_context(contract, _CORRECTING), after=after, limit=_AT_ONCE)
        total = count_waiting(conn, [contract.dataset.name]).get(contract.dataset.name, 0)
    run = page.request.query_params.get("run", "")
    return page.render(
        "correction_grid",
        dataset=contract.dataset,
        rows=rows,
        total=total,
        after=after,
        following=rows[-1].entry.quarantine_id if len(rows) == _AT_ONCE else None,
        outcomes=outcome_words(page.request.query_params.getlist("outcome")),
        run=run if run.isdigit() else "",
        hidden=HIDDEN,
        hints={it.name: hint(it) for it in contract.dataset.fields},
    )


def replay_grid(page: PageRequest) -> Response:
    """Replay the rows of the grid that were changed, or all of them on request."""
    contract = _contract(page)
    given = cells_of(page.form)
    write_context = page.write_context(contract, _CORRECTING)
    with page.connection() as conn:
        rows = quarantined_rows(conn, write_context, entries=list(given), limit=max(len(given), 1))
        changed = {
            it.entry.quarantine_id: changes
            for it in rows
            if (changes := changed_cells(it.cells or {}, given[it.entry.quarantine_id]))
            or page.form.get("which") == "all"
        }
        if not changed:
            raise QuarantineRefused(
                "No cell was changed, so there is nothing to replay.", hint="Go back and correct one."
            )
        outcomes, run_id = correct_rows(conn, write_context, changed, now=clock())
    return page.redirect(f"/quarantine/{contract.dataset.name}?{_outcome_query(outcomes)}&run={run_id}")


def download_quarantine(page: PageRequest) -> Response:
    contract = _contract(page)
    with page.connection() as conn:
        body = rejected_rows_file(conn, page.write_context(contract, _CORRECTING))
    headers = {"Content-Disposition": f'attachment; filename="{contract.dataset.name}.rejected.csv"'}
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


async def receive_corrections(page: PageRequest) -> Response:
    """Replay the rows of a corrected file."""
    body = await page.request.body()
    if len(body) > _MOST_BYTES:
        raise QuarantineRefused("The file is too large: more than 16 MiB.")
    address = await run_in_threadpool(_replay_file, page, body)
    return JSONResponse({"page": address})


def _replay_file(page: PageRequest, body: bytes) -> str:
    contract = _contract(page)
    with page.connection() as conn:
        outcomes, run_id = correct_by_file(conn, page.write_context(contract, _CORRECTING), body, now=clock())
    return f"/quarantine/{contract.dataset.name}?{_outcome_query(outcomes)}&run={run_id}"


def cells_of(form: Mapping[str, str]) -> dict[int, dict[str, str]]:
    """The cells of the grid's form, `c.<row>.<field>`, by row."""
    given: dict[int, dict[str, str]] = {}
    for name, text in form.items():
        kind, _, rest = name.partition(".")
        number, _, field = rest.partition(".")
        if kind == "c" and number.isdigit():
            given.setdefault(int(number), {})[field] = text
    return given


def hint(field: Field) -> str:
    """Return how a cell is written here, whatever the format of its file."""
    return {
        LogicalType.DATE: "2026-03-14",
        LogicalType.TIMESTAMP: "2026-03-14T09:30:00Z",
        LogicalType.TIME: "09:30:00",
        LogicalType.NUMBER: "1250.50",
        LogicalType.BOOLEAN: "true or false",
    }.get(field.logical_type, "")


def _outcome_query(outcomes: Mapping[int, RecordOutcome]) -> str:
    counts = Counter(it.status for it in outcomes.values())
    return "&".join(f"outcome={status}:{number}" for status, number in counts.items())


def outcome_words(pairs: Iterable[str]) -> dict[str, str]:
    """Return the number of rows by outcome, from an address that `_outcome_query` wrote."""
    return {it.split(":")[0]: it.split(":")[-1] for it in pairs if it.count(":") == 1}


def _contract(page: PageRequest) -> Contract:
    contract = page.contract(page.request.path_params["dataset"])
    permissions.require(permissions.refusal_to_correct(contract.dataset, page.caller))
    return contract
