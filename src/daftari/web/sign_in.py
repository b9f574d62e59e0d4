"""In and out: whoever shows a token of the API has a session, for a working day or until the token's end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from daftari.api.authentication import count_failure
from daftari.api.service import Service, clock
from daftari.errors import NotAuthenticated, TooManyRequests
from daftari.operations.access.web_sessions import LASTS, begin_session, end_session
from daftari.web.page_request import POLICY, PageRequest, cookie_name

Endpoint = Callable[[Request], Awaitable[Response]]
_MOST_BYTES = 4096


def sign_in(service: Service, pages: Environment) -> Endpoint:
    page = partial(sign_in_page, service, pages)

    async def answer(request: Request) -> Response:
        if request.method != "POST":
            return page(request, "")
        if not is_from_here(request):
            return page(request, "That form came from another site. Sign in here.", 403)
        body = (await request.body())[:_MOST_BYTES].decode("utf-8", "replace")
        token = dict(parse_qsl(body)).get("token", "").strip()
        try:
            session = await run_in_threadpool(_begin, service, token)
        except NotAuthenticated:
            try:
                count_failure(service, request)
            except TooManyRequests as error:
                return page(request, f"{error}. {error.hint}".capitalize(), 429)
            message = "This token lets nobody in: it is unknown, has expired or was revoked."
            return page(request, message, 401)
        return let_in(request, session, LASTS, to=request.query_params.get("next", "/"))

    return answer


def let_in(request: Request, session: str, lasts: timedelta, *, to: str) -> Response:
    """Have the browser keep its session, and go on to the page that it came for."""
    answer = RedirectResponse(page_of_ours(to), status_code=303)
    keep_cookie(request, answer, (cookie_name(request), session), lasts)
    return answer


def keep_cookie(request: Request, answer: Response, cookie: tuple[str, str], lasts: timedelta) -> None:
    """Have the browser keep a cookie that no script and no other site's form meets."""
    name, value = cookie
    answer.set_cookie(
        name,
        value,
        max_age=int(lasts.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def is_from_here(request: Request) -> bool:
    """Whether a page of ours, or somebody by hand, had the browser come."""
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def sign_out(visit: PageRequest) -> Response:
    with visit.connection() as conn:
        end_session(conn, visit.request.cookies.get(cookie_name(visit.request), ""))
    answer = visit.go("/sign-in")
    answer.delete_cookie(cookie_name(visit.request), secure=visit.request.url.scheme == "https")
    return answer


def _begin(service: Service, token: str) -> str:
    with service.connection() as conn:
        return begin_session(conn, token, now=clock())


def page_of_ours(wanted: str) -> str:
    """A page of ours and of nobody else."""
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and "\n" not in wanted
    return wanted if is_ours else "/"


def sign_in_page(
    service: Service, pages: Environment, request: Request, message: str, status: int = 200
) -> Response:
    text = pages.get_template("sign_in.html.jinja").render(
        message=message,
        query=urlencode([("next", it) for it in request.query_params.getlist("next")[-1:]]),
        issuer=service.sign_in.host if service.sign_in else None,
    )
    return HTMLResponse(text, status_code=status, headers={"Content-Security-Policy": POLICY})
