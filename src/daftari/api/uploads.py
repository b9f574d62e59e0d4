"""`POST /api/{dataset}/files`: any file that `daftari load` takes, streamed to disk and loaded in the sender's role."""

from __future__ import annotations

import re
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from daftari.api.authentication import Callers
from daftari.api.service import Service, now
from daftari.contract import permissions
from daftari.contract.caller import Errand
from daftari.contract.model import Dataset
from daftari.io.ledger import Loaded
from daftari.operations.load_path import Request, load_path
from daftari.operations.telling import told, untold_rules
from daftari.rows.control import ControlTotals

Endpoint = Callable[[HttpRequest], Awaitable[Response]]
_NAME = re.compile(r"[\w][\w .()+-]{0,119}")
_PIECE = 2**20


def post(dataset: Dataset, callers: Callers, service: Service) -> Endpoint:
    async def endpoint(request: HttpRequest) -> Response:
        caller = await callers.of(request)
        # Before a gigabyte is taken in what would be refused after.
        permissions.require(permissions.refusal_to_insert(dataset, caller))
        name, totals = _name(request), _totals(request, dataset)
        folder = service.settings.data_dir / "uploads" / request.state.request_id
        path = folder / name
        try:
            await _receive(request, path)
            errand = Errand(
                caller=caller, request_id=request.state.request_id, purpose=request.headers.get("x-purpose")
            )
            wanted = Request(dataset=dataset.name, path=path, totals=totals, sender=(errand, service.roles))
            loaded = await run_in_threadpool(_load, service, wanted)
        finally:  # it holds in the clear what the database keeps sealed
            await run_in_threadpool(shutil.rmtree, folder, True)
        return JSONResponse(_told(loaded, untold_rules(dataset, service.datasets, caller.role)))

    return endpoint


def _name(request: HttpRequest) -> str:
    name = request.query_params.get("name", "")
    if not _NAME.fullmatch(name):
        raise HTTPException(
            422,
            "name: expected what the file is called, such as march.csv, in letters, digits, spaces and . ( ) + -",
        )
    return name


def _totals(request: HttpRequest, dataset: Dataset) -> ControlTotals:
    rows: int | None = None
    sums: dict[str, Decimal] = {}
    for name, value in request.query_params.multi_items():
        try:
            if name == "rows":
                rows = int(value)
            elif name.startswith("sum."):
                sums[dataset.field(name.removeprefix("sum.")).name] = _finite(value)
            elif name != "name":
                raise HTTPException(422, "the query: expected name, rows and sum.FIELD")
        except (ValueError, InvalidOperation):
            where = "rows" if name == "rows" else "sum.FIELD"
            raise HTTPException(422, f"{where}: expected a number") from None
    return ControlTotals(rows=rows, sums=sums)


def _finite(value: str) -> Decimal:
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError
    return number


async def _receive(request: HttpRequest, path: Path) -> None:
    await run_in_threadpool(path.parent.mkdir, mode=0o700, parents=True)
    waiting = bytearray()
    with path.open("xb") as file:
        path.chmod(0o600)
        async for piece in request.stream():
            waiting += piece
            if len(waiting) >= _PIECE:
                await run_in_threadpool(file.write, bytes(waiting))
                waiting.clear()
        file.write(waiting)


def _load(service: Service, wanted: Request) -> Loaded:
    with service.connection() as conn:
        return load_path(conn, service.workspace, wanted, now=now())


def _told(loaded: Loaded, untold: frozenset[str]) -> dict[str, Any]:
    reasons = []
    for one in loaded.reasons:
        rule, reason = told(one.rule, one.reason, untold)
        reasons.append({"rule": rule, "field": one.field, "reason": reason, "rows": one.rows})
    return {
        "run_id": loaded.run_id,
        "known": loaded.known,
        "counts": asdict(loaded.counts),
        "reasons": reasons,
        "blank": loaded.blank,
        "mended": loaded.mended,
    }
