"""Sign in by an OpenID Connect issuer: redirect to it, and start a session from its answer."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from daftari import log
from daftari.api.authentication import count_failure
from daftari.api.service import Service, clock
from daftari.errors import NotAuthenticated, SettingError, TooManyRequests
from daftari.operations.access.issuer import come_from_issuer, go_to_issuer
from daftari.operations.access.web_sessions import begin_session_for
from daftari.web.sign_in import Endpoint, is_from_here, keep_cookie, sign_in_page, signed_in

if TYPE_CHECKING:
    from daftari.operations.access.issuer import SignIn

_Page = partial[Response]
#: The time that a user has to sign in at the issuer.
_AT_ISSUER = timedelta(minutes=10)
_UNAVAILABLE = "The issuer cannot be reached now. Try again later, or sign in with a token."
_NOT_SIGNED_IN = (
    "The issuer did not confirm you with exactly one role of this workspace, or you started in another window. "
    "Try again, or ask the person who assigns roles."
)


def oidc_routes(service: Service, sign_in: SignIn, pages: Environment) -> tuple[Endpoint, Endpoint]:
    """Return the endpoints that redirect to the issuer and that receive its answer."""
    page = partial(sign_in_page, service, pages)

    async def begin(request: Request) -> Response:
        if not is_from_here(request):  # a page of another site must not start a sign-in
            return page(request, "")
        return await _sent(sign_in, request, page)

    async def back(request: Request) -> Response:
        answer = await _received(service, sign_in, request, page)
        answer.delete_cookie(_cookie_name(request), secure=request.url.scheme == "https")
        return answer

    return begin, back


async def _sent(sign_in: SignIn, request: Request, page: _Page) -> Response:
    """Redirect to the issuer, with a secret that the browser keeps until it returns."""
    try:
        secret, address = await run_in_threadpool(go_to_issuer, sign_in)
    except SettingError as error:
        return _unavailable(error, request, page)
    answer = RedirectResponse(address, status_code=303)
    wanted = quote(request.query_params.get("next", "/"), safe="")
    keep_cookie(request, answer, (_cookie_name(request), f"{secret}.{wanted}"), _AT_ISSUER)
    return answer


async def _received(service: Service, sign_in: SignIn, request: Request, page: _Page) -> Response:
    """Start a session from the issuer's answer, or show the sign-in page with the reason why not."""
    secret, _, wanted = request.cookies.get(_cookie_name(request), "").partition(".")
    try:
        session = await run_in_threadpool(_begin, service, sign_in, (secret, request.url.query))
        return signed_in(request, session, _lasts(service), to=unquote(wanted))
    except NotAuthenticated:
        return _refused(service, request, partial(page, request))
    except SettingError as error:
        return _unavailable(error, request, page)


def _unavailable(error: SettingError, request: Request, page: _Page) -> Response:
    log.get().warning("oidc_sign_in", problem=str(error))
    return page(request, _UNAVAILABLE, 502)


def _begin(service: Service, sign_in: SignIn, answer: tuple[str, str]) -> str:
    secret, query = answer
    caller = come_from_issuer(sign_in, secret, query)
    with service.connection() as conn:
        return begin_session_for(conn, caller, _lasts(service), now=clock())


def _refused(service: Service, request: Request, page: _Page) -> Response:
    try:
        count_failure(service, request)
    except TooManyRequests as error:
        return page(f"{error}. {error.hint}".capitalize(), 429)
    return page(_NOT_SIGNED_IN, 401)


def _lasts(service: Service) -> timedelta:
    return timedelta(minutes=service.settings.oidc_session_minutes)


def _cookie_name(request: Request) -> str:
    return "__Host-daftari_away" if request.url.scheme == "https" else "daftari_away"
