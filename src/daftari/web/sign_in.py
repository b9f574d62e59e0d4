"""In and out: whoever shows a token of the API has a session, until the evening or the token's end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from daftari.api.authentication import count_failure
from daftari.api.service import Service, now
from daftari.errors import NotAuthenticated, TooManyRequests
from daftari.io import web_sessions
from daftari.web.visits import POLICY, Visit, cookie_name

_MOST_BYTES = 4096


def door(service: Service, pages: Environment) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        if request.method != "POST":
            return _page(pages, request, "")
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return _page(pages, request, "That form came from another site. Sign in here.", 403)
        body = (await request.body())[:_MOST_BYTES].decode("utf-8", "replace")
        token = dict(parse_qsl(body)).get("token", "").strip()
        try:
            session = await run_in_threadpool(_begin, service, token)
        except NotAuthenticated:
            try:
                count_failure(service, request)
            except TooManyRequests as error:
                return _page(pages, request, f"{error}. {error.hint}".capitalize(), 429)
            message = "This token lets nobody in: it is unknown, has expired or was revoked."
            return _page(pages, request, message, 401)
        answer = RedirectResponse(_back(request), status_code=303)
        answer.set_cookie(
            cookie_name(request),
            session,
            max_age=int(web_sessions.LASTS.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    return answer


def leave(visit: Visit) -> Response:
    with visit.connection() as conn:
        web_sessions.end(conn, visit.request.cookies.get(cookie_name(visit.request), ""))
    answer = visit.go("/sign-in")
    answer.delete_cookie(cookie_name(visit.request), secure=visit.request.url.scheme == "https")
    return answer


def _begin(service: Service, token: str) -> str:
    with service.connection() as conn:
        return web_sessions.begin(conn, token, now())


def _back(request: Request) -> str:
    """A page of ours and of nobody else."""
    wanted = request.query_params.get("next", "/")
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and "\n" not in wanted
    return wanted if is_ours else "/"


def _page(pages: Environment, request: Request, message: str, status: int = 200) -> Response:
    text = pages.get_template("sign_in.html.jinja").render(message=message, query=request.url.query)
    return HTMLResponse(text, status_code=status, headers={"Content-Security-Policy": POLICY})
