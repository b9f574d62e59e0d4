"""`POST /api/{dataset}`: one record or a batch."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from daftari.api.authentication import Callers
from daftari.api.problems import problem
from daftari.api.records import read_records
from daftari.api.writer import Writer
from daftari.contract.model import Dataset
from daftari.io.callers import Errand
from daftari.operations.write_rows import Answer, Request, fingerprint

Endpoint = Callable[[HttpRequest], Awaitable[Response]]
_LONGEST_KEY = 200


def post(dataset: Dataset, callers: Callers, writer: Writer) -> Endpoint:
    async def endpoint(request: HttpRequest) -> Response:
        caller = await callers.of(request)
        key = _key(request)
        body = await request.body()
        records, is_batch = read_records(body, request.headers.get("content-type", ""))
        asked = Request(
            records=records,
            request_id=request.state.request_id,
            key=key,
            fingerprint=fingerprint(dataset.name, "POST", body) if key else "",
        )
        errand = Errand(caller=caller, request_id=asked.request_id, purpose=request.headers.get("x-purpose"))
        answer = await asyncio.wrap_future(writer.write(dataset.name, errand, asked))
        return _answer_of_batch(answer) if is_batch else _answer_of_one(answer)

    return endpoint


def _key(request: HttpRequest) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isprintable()):
        raise HTTPException(400, f"Idempotency-Key: expected 1 to {_LONGEST_KEY} printable characters")
    return key


def _answer_of_batch(answer: Answer) -> Response:
    found = [{"status": it.status, "reasons": list(it.reasons)} for it in answer.outcomes]
    counts = Counter(it.status for it in answer.outcomes)
    content: dict[str, Any] = {"run_id": answer.run_id, "counts": dict(counts), "records": found}
    return JSONResponse(content, headers=_headers(answer))


def _answer_of_one(answer: Answer) -> Response:
    (outcome,) = answer.outcomes
    if outcome.status == "quarantined":
        return problem(
            422,
            "record_refused",
            "The record breaks rules of its contract; it is in quarantine.",
            errors=list(outcome.reasons),
            hint="Send it again when it is mended; under its key it then counts as mended.",
            headers=_headers(answer),
        )
    status = 201 if outcome.status == "inserted" else 200
    content = {"run_id": answer.run_id, "status": outcome.status, "reasons": []}
    return JSONResponse(content, status_code=status, headers=_headers(answer))


def _headers(answer: Answer) -> dict[str, str]:
    return {"Idempotent-Replayed": "true"} if answer.is_repeated else {}
