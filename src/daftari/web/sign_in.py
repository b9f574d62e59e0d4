"""Sign in and out: an API token starts a session, for a working day or until the token expires."""

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
            message = "This token is not valid: it is unknown, has expired or was revoked."
            return page(request, message, 401)
        return signed_in(request, session, LASTS, to=request.query_params.get("next", "/"))

    return answer


def signed_in(request: Request, session: str, lasts: timedelta, *, to: str) -> Response:
    """Store the session in a cookie and redirect to the requested page."""
    answer = RedirectResponse(own_address(to), status_code=303)
    keep_cookie(request, answer, (cookie_name(request), session), lasts)
    return answer


def keep_cookie(request: Request, answer: Response, cookie: tuple[str, str], lasts: timedelta) -> None:
    """Set a cookie that scripts cannot read and other sites' forms do not send."""
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
    """Whether the request comes from this site or from the user, not from another site."""
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def sign_out(page: PageRequest) -> Response:
    with page.connection() as conn:
        end_session(conn, page.request.cookies.get(cookie_name(page.request), ""))
    answer = page.redirect("/sign-in")
    answer.delete_cookie(cookie_name(page.request), secure=page.request.url.scheme == "https")
    return answer


def _begin(service: Service, token: str) -> str:
    with service.connection() as conn:
        return begin_session(conn, token, now=clock())


def own_address(wanted: str) -> str:
    """Return *wanted* if it is an address of this site, else the overview."""
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
