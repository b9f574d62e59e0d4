"""`POST /api/{dataset}/files`: any file that `daftari load` accepts, streamed to disk, loaded in the caller's role."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from daftari.api.authentication import Callers
from daftari.api.service import Service, clock
from daftari.contract.access.caller import RequestContext
from daftari.contract.model import Dataset
from daftari.operations.load.upload_file import (
    Loaded,
    Upload,
    begin_upload,
    discard_upload,
    load_upload,
    totals_of,
)

Endpoint = Callable[[HttpRequest], Awaitable[Response]]
_PIECE = 2**20


def upload_route(dataset: Dataset, callers: Callers, service: Service) -> Endpoint:
    async def endpoint(request: HttpRequest) -> Response:
        caller = await callers.of(request)
        stated, data_dir = _stated(request), service.settings.data_dir
        path = await run_in_threadpool(
            begin_upload, data_dir, dataset, caller, stated.get("name", ""), now=clock()
        )
        try:
            totals = totals_of(stated, dataset)
            await write_body(request, path)
            context = RequestContext(
                caller=caller, request_id=request.state.request_id, purpose=request.headers.get("x-purpose")
            )
            upload = Upload(
                dataset=dataset,
                path=path,
                sender=(context, service.roles),
                sheet=stated.get("sheet") or None,
                totals=totals,
            )
            loaded = await run_in_threadpool(_load, service, upload)
        finally:
            await run_in_threadpool(discard_upload, path)
        return JSONResponse(_answer(loaded))

    return endpoint


def _stated(request: HttpRequest) -> dict[str, str]:
    stated = dict(request.query_params)
    if not all(
        name in ("name", "sheet", "rows") or name.startswith(("sum.", "rounding.")) for name in stated
    ):
        raise HTTPException(422, "the query: expected name, sheet, rows, sum.FIELD and rounding.FIELD")
    return stated


async def write_body(request: HttpRequest, path: Path) -> None:
    """Stream the body of *request* to a new file."""
    waiting = bytearray()
    with path.open("xb") as file:
        path.chmod(0o600)
        async for piece in request.stream():
            waiting += piece
            if len(waiting) >= _PIECE:
                await run_in_threadpool(file.write, bytes(waiting))
                waiting.clear()
        file.write(waiting)


def _load(service: Service, upload: Upload) -> Loaded:
    with service.connection() as conn:
        return load_upload(conn, service.workspace, upload, now=clock())


def _answer(loaded: Loaded) -> dict[str, Any]:
    reasons = [
        {"rule": one.rule, "field": one.field, "reason": one.reason, "rows": one.rows}
        for one in loaded.reasons
    ]
    return {
        "run_id": loaded.run_id,
        "known": loaded.known,
        "counts": asdict(loaded.counts),
        "reasons": reasons,
        "left_out": asdict(loaded.left_out),
        "remarks": [one.as_json() for one in loaded.remarks],
        "corrected": loaded.corrected,
    }
