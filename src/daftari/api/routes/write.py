"""`POST /api/{dataset}`: one record or a batch. `PUT` and `PATCH /api/{dataset}/{key}`: one under its key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from daftari.api.authentication import Callers
from daftari.api.problems import problem
from daftari.api.request_bodies import read_records
from daftari.api.service import Service
from daftari.api.write_queue import WriteQueue
from daftari.contract.access.caller import Caller, RequestContext
from daftari.contract.model import Dataset
from daftari.operations.read.read_rows import Reader, sees
from daftari.operations.write.write_requests import RecordOutcome, RequestAnswer, WriteRequest, fingerprint
from daftari.rows.intake.records import NotARecord, Record, cell

Endpoint = Callable[[HttpRequest], Awaitable[Response]]
_LONGEST_KEY = 200


def post_route(dataset: Dataset, callers: Callers, writer: WriteQueue) -> Endpoint:
    async def endpoint(request: HttpRequest) -> Response:
        caller = await callers.of(request)
        body = await request.body()
        records, is_batch = await read_records(body, request.headers.get("content-type", ""), dataset)
        answer = await _written(request, (dataset, caller), (records, body), writer)
        return _answer_of_batch(answer) if is_batch else _answer_of_one(answer)

    return endpoint


def put_route(dataset: Dataset, callers: Callers, writer: WriteQueue) -> Endpoint:
    """Write one whole record under the key in its address. Fields that it omits become null."""

    async def endpoint(request: HttpRequest) -> Response:
        caller = await callers.of(request)
        record, body = await _record_of_address(request, dataset)
        return _answer_of_one(await _written(request, (dataset, caller), ([record], body), writer))

    return endpoint


def patch_route(dataset: Dataset, callers: Callers, place: tuple[Service, WriteQueue]) -> Endpoint:
    """Change fields of the record under the key in its address, which the caller must see. Other fields stay."""
    service, writer = place

    def is_seen(reader: Reader, key: list[str]) -> bool:
        with service.connection() as conn:
            return sees(conn, reader, key)

    async def endpoint(request: HttpRequest) -> Response:
        caller = await callers.of(request)
        record, body = await _record_of_address(request, dataset)
        context = RequestContext(caller=caller, request_id=request.state.request_id)
        reader = Reader(dataset=dataset, context=context, roles=service.roles)
        if not await run_in_threadpool(is_seen, reader, [record[name] for name in dataset.key]):
            raise HTTPException(404, f"{dataset.name}: no row with this key")
        return _answer_of_one(
            await _written(request, (dataset, caller), ([record], body), writer, is_partial=True)
        )

    return endpoint


async def _record_of_address(request: HttpRequest, dataset: Dataset) -> tuple[dict[str, Any], bytes]:
    """Return the one record of the body, with the key of the address added."""
    body = await request.body()
    records, is_batch = await read_records(body, request.headers.get("content-type", ""), dataset)
    record = records[0]
    if is_batch or isinstance(record, NotARecord):
        raise HTTPException(400, "The body is not a JSON object; expected one record")
    key = {name: request.path_params[name] for name in dataset.key}
    for name, value in key.items():
        if name in record and cell(record[name]) != value:
            raise HTTPException(422, f"{name}: differs from the address; expected the same value, or none")
    return {**record, **key}, body


async def _written(
    request: HttpRequest,
    place: tuple[Dataset, Caller],
    sent: tuple[Sequence[Record], bytes],
    writer: WriteQueue,
    *,
    is_partial: bool = False,
) -> RequestAnswer:
    (dataset, caller), (records, body) = place, sent
    key = _key(request)
    what = f"{request.method} {request.url.path}"
    asked = WriteRequest(
        records=records,
        request_id=request.state.request_id,
        key=key,
        fingerprint=fingerprint(what, body) if key else "",
        is_new=request.method == "POST",
        is_partial=is_partial,
        versions=None if request.method == "POST" else request.headers.get("if-match"),
    )
    context = RequestContext(
        caller=caller, request_id=asked.request_id, purpose=request.headers.get("x-purpose")
    )
    return await writer.write(dataset.name, context, asked)


def _key(request: HttpRequest) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isprintable()):
        raise HTTPException(400, f"Idempotency-Key: expected 1 to {_LONGEST_KEY} printable characters")
    return key


def _answer_of_batch(answer: RequestAnswer) -> Response:
    found = [_said(it) for it in answer.outcomes]
    counts = Counter(it.status for it in answer.outcomes)
    content: dict[str, Any] = {"run_id": answer.run_id, "counts": dict(counts), "records": found}
    return JSONResponse(content, headers=_headers(answer))


def _said(outcome: RecordOutcome) -> dict[str, Any]:
    remarks = {"remarks": list(outcome.remarks)} if outcome.remarks else {}
    return {"status": outcome.status, "reasons": list(outcome.reasons), **remarks}


def _answer_of_one(answer: RequestAnswer) -> Response:
    (outcome,) = answer.outcomes
    if outcome.status == "quarantined":
        return problem(
            422,
            "record_rejected",
            "The record breaks rules of its contract and was rejected; it is in quarantine.",
            errors=list(outcome.reasons),
            hint="Correct it and send it again under the same key; this resolves the entry in quarantine.",
            headers=_headers(answer),
        )
    status = 201 if outcome.status == "inserted" else 200
    return JSONResponse(
        {"run_id": answer.run_id, **_said(outcome)}, status_code=status, headers=_headers(answer)
    )


def _headers(answer: RequestAnswer) -> dict[str, str]:
    return {"Idempotent-Replayed": "true"} if answer.is_repeated else {}
