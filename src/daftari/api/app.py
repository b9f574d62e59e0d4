"""The application: routes generated from the contracts, so that a new contract has its own without code."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.routing import APIRoute
from prometheus_client import REGISTRY, CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from daftari import __version__, log
from daftari.api import problems
from daftari.api.authentication import Callers
from daftari.api.middleware import RequestMiddleware, TooLarge, too_large
from daftari.api.openapi import document
from daftari.api.routes import health, read, uploads, write
from daftari.api.service import Service
from daftari.api.write_queue import WriteQueue
from daftari.contract.model import Dataset
from daftari.errors import DaftariError
from daftari.io.access.callers import make_service, require_service
from daftari.io.workspace.files import open_workspace
from daftari.protect.redact import redacting
from daftari.rows.rules.working_days import require_country
from daftari.settings import Settings

_DESCRIPTION = (
    "Records of the organisation, as their contracts have them. What you see is what your role may see."
)
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)


#: Adds pages of its own beside the API.
Extension = Callable[[FastAPI, Service], None]
#: Method, rest of the path, endpoint, summary, and what OpenAPI says of it.
_RouteFacts = tuple[str, str, Callable[..., Any], str, dict[str, Any]]


def application(
    settings: Settings, extensions: Sequence[Extension] = (), *, counted: CollectorRegistry = REGISTRY
) -> ASGIApp:
    """
    Return the application of a workspace and environment: the API, and *extensions* on the same port.

    Its metrics are those that are *counted*: of this process, unless told otherwise.

    Raises:
        SettingError: the public holidays of its country are not known.
        DatabaseError: the database cannot be reached, or its login may not speak for callers.
    """
    workspace = open_workspace(settings)
    redact = redacting(contract.dataset for contract in workspace.contracts)
    log.configure_logging(level=settings.log_level, style=settings.log_format, redact=redact)
    require_country(settings.country)
    service = Service(settings, workspace)
    with service.connection() as conn:
        if settings.database_url is None:
            make_service(conn)
        require_service(conn)
    writer = WriteQueue(service)

    @asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        yield
        writer.close()
        service.close()

    app = FastAPI(
        title=f"Daftari: {workspace.name}",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=living,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.add_exception_handler(DaftariError, problems.of_ours)
    app.add_exception_handler(HTTPException, problems.of_http)
    app.add_exception_handler(TooLarge, of_too_large)
    app.add_exception_handler(Exception, problems.of_a_fault)
    callers = Callers(service)
    health.add_health_routes(app, service, counted)
    for dataset in service.datasets.values():
        _add(app, dataset, callers, (service, writer))
    _add_docs(app)
    for extension in extensions:
        extension(app, service)
    app.openapi = lambda: document.openapi_document(app, service.datasets)  # type: ignore[method-assign]
    return RequestMiddleware(app)


class _Route(APIRoute):
    """
    Documented as FastAPI's routes are, and called with its request at once.

    What FastAPI does around a call of its own serves dependencies and models, of which these have none; it took a third
    of the time of a post.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **rest: Any) -> None:
        super().__init__(path, endpoint, **rest)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            response: Response = await endpoint(Request(scope, receive, send))
            await response(scope, receive, send)

        self.app = answer
        self._begins = path.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Nearly every request is for another dataset: that is seen at its beginning."""
        if not scope.get("root_path") and not scope.get("path", "").startswith(self._begins):
            return Match.NONE, {}
        return super().matches(scope)


async def of_too_large(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TooLarge)
    return too_large(error.most)


def _which(rest: str) -> str:
    """What of a dataset a path means, for the name of its operation."""
    if rest.endswith("/history"):
        return "_history"
    return {"": "", "f": "_file", "{": "_one"}[rest[1:2]]


def _routes(dataset: Dataset, callers: Callers, place: tuple[Service, WriteQueue]) -> Iterator[_RouteFacts]:
    """Yield method, rest of the path, endpoint, summary and OpenAPI operation of each route of *dataset*."""
    service, writer = place
    row = "/" + "/".join(f"{{{name}}}" for name in dataset.key)
    called = dataset.business_name or dataset.name
    page = read.page_route(dataset, callers, service)
    yield "GET", "", page, f"Read {called}", document.read_operation(dataset)
    post = write.post_route(dataset, callers, writer)
    yield "POST", "", post, f"Send {called}", document.write_operation(dataset)
    upload = uploads.upload_route(dataset, callers, service)
    yield "POST", "/files", upload, f"Send a file of {called}", document.upload_operation()
    if not dataset.key:
        return
    one = read.row_route(dataset, callers, service)
    yield "GET", row, one, f"Read one of {called}", document.read_one_operation(dataset)
    put = write.put_route(dataset, callers, writer)
    yield "PUT", row, put, f"Send one of {called} under its key", document.put_operation(dataset)
    patch = write.patch_route(dataset, callers, place)
    yield "PATCH", row, patch, f"Change one of {called}", document.patch_operation(dataset)
    past = read.history_route(dataset, callers, service)
    summary = f"Read what became of one of {called}"
    yield "GET", f"{row}/history", past, summary, document.history_operation(dataset)


def _add(app: FastAPI, dataset: Dataset, callers: Callers, place: tuple[Service, WriteQueue]) -> None:
    for method, rest, endpoint, summary, extra in _routes(dataset, callers, place):
        app.router.add_api_route(
            f"/api/{dataset.name}{rest}",
            endpoint,
            methods=[method],
            name=f"{method.lower()}_{dataset.name}{_which(rest)}",
            summary=summary,
            tags=[dataset.name],
            response_class=Response,
            openapi_extra=extra,
            route_class_override=_Route,
        )


def _add_docs(app: FastAPI) -> None:
    folder = Path(str(resources.files("fastapi_offline") / "static"))
    app.mount("/static/docs", StaticFiles(directory=folder), name="docs_files")

    async def docs(_request: Request) -> Response:
        page = get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=app.title,
            swagger_js_url="/static/docs/swagger-ui-bundle.js",
            swagger_css_url="/static/docs/swagger-ui.css",
            swagger_favicon_url="/static/docs/favicon.png",
        )
        page.headers["Content-Security-Policy"] = _DOCS_POLICY
        return page

    app.add_route("/docs", docs, include_in_schema=False)
