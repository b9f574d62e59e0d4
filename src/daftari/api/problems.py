"""Errors as problem details (RFC 9457): where, what was found, what was expected; no row values, no traceback."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from daftari.errors import DaftariError, TooManyRequests, UnknownName, disk_full

MEDIA_TYPE = "application/problem+json"


class Problem(JSONResponse):
    media_type = MEDIA_TYPE


def problem(status: int, code: str, detail: str, **more: Any) -> Problem:
    """Return a problem; *more* may hold hint, errors and response headers."""
    headers = more.pop("headers", None)
    content = {
        "type": f"urn:daftari:error:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **{name: value for name, value in more.items() if value is not None},
    }
    return Problem(content, status_code=status, headers=headers)


async def of_ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, DaftariError)
    status = 422 if isinstance(error, UnknownName) else error.status
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.CONFLICT):
        headers["Retry-After"] = "1"
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.seconds)
    return problem(status, error.code, str(error), hint=error.hint, headers=headers)


async def of_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).name.lower()
    return problem(error.status_code, code, str(error.detail), headers=error.headers)


async def of_a_fault(request: Request, error: Exception) -> Response:
    """Answer an internal error with its reference in the log; a full disk, with what to do."""
    if full := disk_full(error):
        return problem(full.status, full.code, "no space left on the disk of the server", hint=full.hint)
    reference = request.state.request_id
    return problem(500, "fault", f"This is a fault in daftari, not in what you did (reference {reference}).")
