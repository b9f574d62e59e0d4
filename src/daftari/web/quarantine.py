"""Refused rows in a grid: the wrong cells marked, the reasons in words; mended in place, or in a file."""

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
from daftari.operations.write.requests import RecordOutcome
from daftari.protect.mask import HIDDEN
from daftari.web.page_request import PageRequest

_AT_ONCE = 50
_MENDING = "mending refused rows"
_MOST_BYTES = 16 * 2**20


def list_quarantine(visit: PageRequest) -> Response:
    mine = [it.dataset for it in visit.contracts if visit.mends(it.dataset)]
    with visit.connection() as conn:
        waiting = count_waiting(conn, [it.name for it in mine])
    return visit.page("refused_datasets", datasets=[(it, waiting.get(it.name, 0)) for it in mine])


def correction_grid(visit: PageRequest) -> Response:
    contract = _contract(visit)
    asked = visit.request.query_params.get("after", "0")
    after = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
    with visit.connection() as conn:
        rows = quarantined_rows(conn, visit.desk(contract, _MENDING), after=after, limit=_AT_ONCE)
        total = count_waiting(conn, [contract.dataset.name]).get(contract.dataset.name, 0)
    run = visit.request.query_params.get("run", "")
    return visit.page(
        "grid",
        dataset=contract.dataset,
        rows=rows,
        total=total,
        after=after,
        following=rows[-1].entry.quarantine_id if len(rows) == _AT_ONCE else None,
        told=outcome_words(visit.request.query_params.getlist("told")),
        run=run if run.isdigit() else "",
        hidden=HIDDEN,
        hints={it.name: hint(it) for it in contract.dataset.fields},
    )


def replay_grid(visit: PageRequest) -> Response:
    """Take the rows of the grid of which a cell was changed, or all of them where that is asked."""
    contract = _contract(visit)
    given = cells_of(visit.form)
    desk = visit.desk(contract, _MENDING)
    with visit.connection() as conn:
        rows = quarantined_rows(conn, desk, entries=list(given), limit=max(len(given), 1))
        changed = {
            it.entry.quarantine_id: changes
            for it in rows
            if (changes := changed_cells(it.cells or {}, given[it.entry.quarantine_id]))
            or visit.form.get("which") == "all"
        }
        if not changed:
            raise QuarantineRefused(
                "No cell was changed, so there is nothing to replay.", hint="Go back, and mend one."
            )
        outcomes, run_id = correct_rows(conn, desk, changed, now=clock())
    return visit.go(f"/quarantine/{contract.dataset.name}?{_told(outcomes)}&run={run_id}")


def download_quarantine(visit: PageRequest) -> Response:
    contract = _contract(visit)
    with visit.connection() as conn:
        body = rejected_rows_file(conn, visit.desk(contract, _MENDING))
    headers = {"Content-Disposition": f'attachment; filename="{contract.dataset.name}.refused.csv"'}
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


async def receive_corrections(visit: PageRequest) -> Response:
    """Take the mended file back."""
    body = await visit.request.body()
    if len(body) > _MOST_BYTES:
        raise QuarantineRefused("The file is larger than any that this page gave out.")
    page = await run_in_threadpool(_replay_file, visit, body)
    return JSONResponse({"page": page})


def _replay_file(visit: PageRequest, body: bytes) -> str:
    contract = _contract(visit)
    with visit.connection() as conn:
        outcomes, run_id = correct_by_file(conn, visit.desk(contract, _MENDING), body, now=clock())
    return f"/quarantine/{contract.dataset.name}?{_told(outcomes)}&run={run_id}"


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
    """How a cell is written here, whatever its file looked like."""
    return {
        LogicalType.DATE: "2026-03-14",
        LogicalType.TIMESTAMP: "2026-03-14T09:30:00+03:00",
        LogicalType.TIME: "09:30:00",
        LogicalType.NUMBER: "1250.50",
        LogicalType.BOOLEAN: "true or false",
    }.get(field.logical_type, "")


def _told(outcomes: Mapping[int, RecordOutcome]) -> str:
    counts = Counter(it.status for it in outcomes.values())
    return "&".join(f"told={status}:{number}" for status, number in counts.items())


def outcome_words(said: Iterable[str]) -> dict[str, str]:
    """How many rows came to which end, as an address that `_told` wrote says it."""
    return {it.split(":")[0]: it.split(":")[-1] for it in said if it.count(":") == 1}


def _contract(visit: PageRequest) -> Contract:
    contract = visit.contract(visit.request.path_params["dataset"])
    permissions.require(permissions.refusal_to_correct(contract.dataset, visit.caller))
    return contract
