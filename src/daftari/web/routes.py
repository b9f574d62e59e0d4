"""Every address of the control room, and what happens around each page."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path
from urllib.parse import parse_qsl, quote
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from daftari import log
from daftari.api.service import Service, clock
from daftari.contract.access.caller import Caller
from daftari.errors import AccessRefused, DaftariError, NotAuthenticated, disk_full
from daftari.operations.access.web_sessions import caller_of_session
from daftari.operations.load.preview_file import shown_sums
from daftari.web import (
    approvals,
    audit,
    calendar,
    incidents,
    load,
    oidc_sign_in,
    overview,
    privacy,
    quarantine,
    records,
    reports,
    review,
    runs,
    sign_in,
)
from daftari.web.page_request import PageRequest, cookie_name, csrf_of
from daftari.web.value_formats import environment

Page = Callable[[PageRequest], Response]
Receiver = Callable[[PageRequest], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]
_MOST_FORM_BYTES = 2**20

#: Address, methods, page.
PAGES: list[tuple[str, str, Page]] = [
    ("/", "GET", overview.overview_page),
    ("/datasets/{dataset}", "GET", overview.dataset_page),
    ("/records/{dataset}", "GET", records.list_records),
    ("/records/{dataset}/export", "GET", records.export_records),
    ("/records/{dataset}/row", "GET", records.show_record),
    ("/approvals", "GET", approvals.list_requests),
    ("/approvals/{dataset}", "POST", approvals.take_step_form),
    ("/approvals/{dataset}/ask", "GET", approvals.ask_form),
    ("/approvals/{dataset}/ask", "POST", approvals.ask_form),
    ("/calendar", "GET", calendar.calendar_page),
    ("/calendar/{dataset}", "GET", calendar.calendar_page),
    ("/reports", "GET", reports.list_reports),
    ("/reports/build", "POST", reports.rebuild_reports),
    ("/reports/{mart}", "GET", reports.show_report),
    ("/reports/{mart}/csv", "GET", reports.download_report),
    ("/load", "GET", load.choose_dataset),
    ("/load/{dataset}", "GET", load.upload_page),
    ("/load/{dataset}/{place}", "GET", load.preview_upload),
    ("/load/{dataset}/{place}", "POST", load.load_uploaded),
    ("/load/{dataset}/{place}/discard", "POST", load.discard),
    ("/quarantine", "GET", quarantine.list_quarantine),
    ("/quarantine/{dataset}", "GET", quarantine.correction_grid),
    ("/quarantine/{dataset}", "POST", quarantine.replay_grid),
    ("/quarantine/{dataset}/csv", "GET", quarantine.download_quarantine),
    ("/runs", "GET", runs.runs_page),
    ("/runs/{run_id}", "GET", runs.run_page),
    ("/audit", "GET", audit.audit_page),
    ("/review", "GET", review.review_page),
    ("/incidents", "GET", incidents.incidents_page),
    ("/privacy", "GET", privacy.privacy_page),
    ("/sign-out", "POST", sign_in.sign_out),
]

#: Address that receives a file. The answer is JSON: the page to go to, or the error.
RECEIVERS: list[tuple[str, Receiver]] = [
    ("/load/{dataset}/file", load.receive_file),
    ("/quarantine/{dataset}/file", quarantine.receive_corrections),
]


def pages_of(service: Service) -> Environment:
    """Return the templates of the control room, with the names that all of them may use."""
    return environment(
        ZoneInfo(service.settings.time_zone),
        workspace=service.workspace.name,
        now=clock,
        navigation=navigation,
        here=is_here,
        row_address=records.row_address,
        sums=shown_sums,
    )


def add_control_room(app: FastAPI, service: Service) -> None:
    """Add the control room to the application of the API."""
    pages = pages_of(service)
    static = Path(str(resources.files("daftari.web") / "static"))
    app.mount("/static/room", StaticFiles(directory=static), name="room_files")
    app.add_route(
        "/sign-in", sign_in.sign_in(service, pages), methods=["GET", "POST"], include_in_schema=False
    )

    if service.sign_in is not None:
        begin, back = oidc_sign_in.oidc_routes(service, service.sign_in, pages)
        app.add_route("/sign-in/issuer", begin, methods=["GET"], include_in_schema=False)
        app.add_route("/sign-in/issuer/back", back, methods=["GET"], include_in_schema=False)

    signed_in = _SignedIn(service, pages)
    # First, because other addresses match the same pattern.
    for path, receiver in RECEIVERS:
        app.add_route(path, signed_in.for_files(receiver), methods=["POST"], include_in_schema=False)
    for path, method, page in PAGES:
        app.add_route(path, signed_in.for_page(page), methods=[method], include_in_schema=False)


class _SignedIn:
    """Endpoints for users with a session. Errors become pages."""

    def __init__(self, service: Service, pages: Environment) -> None:
        self._service = service
        self._pages = pages

    def for_page(self, handler: Page) -> Endpoint:
        async def answer(request: Request) -> Response:
            try:
                page = await self._page_request(request)
            except NotAuthenticated:
                return _to_sign_in(request)
            try:
                if request.method == "POST":
                    require_own_form(request, page.form.get("_csrf", ""), page.csrf)
                return await run_in_threadpool(handler, page)
            except DaftariError as error:
                return page.render("refused", status=error.status, error=error)
            except Exception as error:
                if full := disk_full(error):
                    return page.render("refused", status=full.status, error=full)
                reference = request.state.request_id
                log.get(request_id=reference).error("fault", exc_info=error)
                return page.render("fault", status=500, reference=reference)

        return answer

    def for_files(self, receiver: Receiver) -> Endpoint:
        async def answer(request: Request) -> Response:
            page = await self._page_request(request)
            require_own_form(request, request.headers.get("x-csrf-token", ""), page.csrf)
            return await receiver(page)

        return answer

    async def _page_request(self, request: Request) -> PageRequest:
        session = request.cookies.get(cookie_name(request), "")
        caller = await run_in_threadpool(_caller, self._service, session)
        request.state.caller = caller.name
        return PageRequest(
            service=self._service,
            pages=self._pages,
            request=request,
            caller=caller,
            csrf=csrf_of(session),
            form=await form_of(request),
        )


def navigation(page: PageRequest) -> list[tuple[str, str]]:
    """Return the address and name of each page that the user may open."""
    may_correct = any(page.may_correct(it.dataset) for it in page.contracts)
    may_load = any(page.may_load(it.dataset) for it in page.contracts)
    may_see_runs = any(page.may_see_runs(it.dataset) for it in page.contracts)
    every = [
        ("/", "Overview", True),
        (
            "/approvals",
            "Approvals",
            any(page.may_decide(it.dataset) or page.may_request(it.dataset) for it in page.contracts),
        ),
        ("/calendar", "Calendar", any(calendar.has_calendar(page, it.dataset) for it in page.contracts)),
        ("/reports", "Reports", True),
        ("/load", "Load a file", may_load),
        ("/quarantine", "Rejected rows", may_correct),
        ("/runs", "Runs", may_see_runs),
        ("/audit", "Audit trail", page.may_oversee),
        ("/review", "Access review", page.may_oversee),
        ("/incidents", "Incidents", page.may_read_named("incidents")),
        ("/privacy", "Privacy desk", page.may_oversee),
    ]
    return [(address, name) for address, name, is_allowed in every if is_allowed]


def is_here(page: PageRequest, address: str) -> bool:
    path = page.request.url.path
    return path == address or (address != "/" and path.startswith(f"{address}/"))


def _caller(service: Service, session: str) -> Caller:
    if not session:
        raise NotAuthenticated
    with service.connection() as conn:
        return caller_of_session(conn, session, now=clock())


def _to_sign_in(request: Request) -> Response:
    if request.method != "GET":
        return RedirectResponse("/sign-in", status_code=303)
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(back)}", status_code=303)


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form; of several with the same name, the last."""
    kind = request.headers.get("content-type", "").partition(";")[0]
    if request.method != "POST" or kind != "application/x-www-form-urlencoded":
        return {}
    body = await request.body()
    if len(body) > _MOST_FORM_BYTES:
        raise AccessRefused("The form is too large: more than 1 MiB; nothing was done.")
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=5000))


def require_own_form(request: Request, given: str, expected: str) -> None:
    """Raise AccessRefused if a form is not ours: another site's page can send one with our cookie."""
    if not sign_in.is_from_here(request) or not hmac.compare_digest(given.encode(), expected.encode()):
        raise AccessRefused(
            "This form was not sent from your session; nothing was done.",
            hint="Go back, reload the page and send the form again.",
        )
