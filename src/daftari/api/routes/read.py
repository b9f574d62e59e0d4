"""`GET /api/{dataset}` and `GET /api/{dataset}/{key}`: pages, exports, one row, its history."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from fastapi.encoders import jsonable_encoder
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from daftari.api.authentication import Callers
from daftari.api.service import Service
from daftari.api.spool import spooled
from daftari.contract.access.caller import RequestContext
from daftari.contract.model import Dataset
from daftari.operations.read.read_history import Event, read_history
from daftari.operations.read.read_rows import Reader, export_rows, query_of, read_one, read_page
from daftari.operations.read.row_version import version_of
from daftari.rows.url_query import Query

Endpoint = Callable[[Request], Awaitable[Response]]
_FORMATS = {
    "text/csv": "csv",
    "application/x-ndjson": "ndjson",
    "application/vnd.apache.parquet": "parquet",
    "application/json": "json",
    "*/*": "json",
}
#: Threads that read pages: starlette's own pool would double the cost of such a short call.
_THREADS = ThreadPoolExecutor(10, thread_name_prefix="pages")
#: Media types of exports.
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "spreadsheet": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


def attachment(dataset: Dataset, form: str) -> str:
    """Return the header that names the file of an export."""
    return f'attachment; filename="{dataset.name}.{"csv" if form == "spreadsheet" else form}"'


def page_route(dataset: Dataset, callers: Callers, service: Service) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        reader = await _reader(request, dataset, callers, service)
        form = _form(request)
        asked = [(name, value) for name, value in request.query_params.multi_items() if name != "format"]
        query = query_of(reader, asked)
        if form != "json":
            return await _export(service, reader, query, form)
        rows, following = await asyncio.get_running_loop().run_in_executor(
            _THREADS, _page, service, reader, query
        )
        after = json.dumps(following)
        link = {"Link": f'<{_next(request, following)}>; rel="next"'} if following else {}
        body = f'{{"rows":[{",".join(rows)}],"next":{after}}}'
        return Response(body, media_type="application/json", headers=link)

    return endpoint


def row_route(dataset: Dataset, callers: Callers, service: Service) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        reader = await _reader(request, dataset, callers, service)
        key = [request.path_params[name] for name in dataset.key]
        row = await run_in_threadpool(_one, service, reader, key)
        if row is None:  # it does not exist, or the caller may not see it
            raise HTTPException(404, f"{dataset.name}: no row with this key")
        return Response(row, media_type="application/json", headers={"ETag": version_of(row)})

    return endpoint


def history_route(dataset: Dataset, callers: Callers, service: Service) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        reader = await _reader(request, dataset, callers, service)
        key = [request.path_params[name] for name in dataset.key]
        events = await run_in_threadpool(_history, service, reader, key)
        if events is None:
            raise HTTPException(404, f"{dataset.name}: no row with this key")
        return JSONResponse({"events": jsonable_encoder(events)})

    return endpoint


async def _reader(request: Request, dataset: Dataset, callers: Callers, service: Service) -> Reader:
    caller = await callers.of(request)
    context = RequestContext(
        caller=caller, request_id=request.state.request_id, purpose=request.headers.get("x-purpose")
    )
    return Reader(dataset=dataset, context=context, roles=service.roles)


def _form(request: Request) -> str:
    given = request.query_params.getlist("format")
    if given:
        if given[-1] not in ("json", *MEDIA):
            raise HTTPException(422, f"format: expected json, {', '.join(MEDIA)}")
        return given[-1]
    accepted = request.headers.get("accept", "*/*").split(",")
    kinds = [part.partition(";")[0].strip().lower() for part in accepted]
    return next((_FORMATS[kind] for kind in kinds if kind in _FORMATS), "json")


def _page(service: Service, reader: Reader, query: Query) -> tuple[tuple[str, ...], str | None]:
    with service.connection() as conn:
        found = read_page(conn, reader, query)
    return found.rows, found.next


def _one(service: Service, reader: Reader, key: list[str]) -> str | None:
    with service.connection() as conn:
        return read_one(conn, reader, key)


def _history(service: Service, reader: Reader, key: list[str]) -> tuple[Event, ...] | None:
    with service.connection() as conn:
        return read_history(conn, reader, key)


async def _export(service: Service, reader: Reader, query: Query, form: str) -> Response:
    def rows() -> Iterator[bytes]:
        with service.connection() as conn:
            return spooled(export_rows(conn, reader, query, form=form))

    pieces = await run_in_threadpool(rows)
    headers = {"Content-Disposition": attachment(reader.dataset, form)}
    return StreamingResponse(pieces, media_type=MEDIA[form], headers=headers)


def _next(request: Request, cursor: str) -> str:
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    return f"{request.scope['path']}?{urlencode([*kept, ('after', cursor)])}"
