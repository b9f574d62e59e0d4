"""The application: routes are generated from the contracts, so that a new contract needs no code."""

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

from daftari import __version__
from daftari.api import problems
from daftari.api.authentication import Callers
from daftari.api.middleware import RequestMiddleware, TooLarge, too_large
from daftari.api.openapi import document
from daftari.api.routes import health, read, uploads, write
from daftari.api.service import Service
from daftari.api.upkeep import Upkeep
from daftari.api.write_queue import WriteQueue
from daftari.contract.model import Dataset
from daftari.errors import DaftariError
from daftari.operations.workspace.open_workspace import open_workspace
from daftari.operations.workspace.readiness import make_ready
from daftari.rows.rules.working_days import require_country
from daftari.settings import Settings

_DESCRIPTION = "Records of the organisation, as their contracts define them. You see what your role may see."
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)


#: Adds more routes to the application.
Extension = Callable[[FastAPI, Service], None]


def application(
    settings: Settings, extensions: Sequence[Extension] = (), *, counted: CollectorRegistry = REGISTRY
) -> ASGIApp:
    """
    Return the application of a workspace and environment: the API, and *extensions* on the same port.

    *counted* holds its metrics; by default those of this process.

    Raises:
        SettingError: the public holidays of its country are unknown.
        DatabaseError: the database cannot be reached, or its login may not speak for callers.
    """
    workspace = open_workspace(settings)
    require_country(settings.country)
    service = Service(settings, workspace)
    with service.connection() as conn:
        make_ready(conn, is_embedded=settings.database_url is None)
    writer = WriteQueue(service)

    @asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        upkeep = Upkeep(service)
        upkeep.start()
        yield
        upkeep.stop()
        writer.close()
        service.close()

    app = FastAPI(
        title=f"Daftari: {workspace.name}",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=living,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would repeat the Host that the client wrote
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
    A route that is documented like FastAPI's own, but calls its endpoint directly.

    FastAPI's own call handles dependencies and models, which these routes do not have; it took a third of the time of
    a POST.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **rest: Any) -> None:
        super().__init__(path, endpoint, **rest)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            response: Response = await endpoint(Request(scope, receive, send))
            await response(scope, receive, send)

        self.app = answer
        self._begins = path.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Compare the beginning of the path first: nearly every request is for another dataset."""
        if not scope.get("root_path") and not scope.get("path", "").startswith(self._begins):
            return Match.NONE, {}
        return super().matches(scope)


async def of_too_large(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TooLarge)
    return too_large(error.most)


def _which(rest: str) -> str:
    """Return the suffix of an operation's name for the *rest* of its path."""
    if rest.endswith("/history"):
        return "_history"
    return {"": "", "f": "_file", "{": "_one"}[rest[1:2]]


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


def _routes(
    dataset: Dataset, callers: Callers, place: tuple[Service, WriteQueue]
) -> Iterator[tuple[str, str, read.Endpoint, str, dict[str, Any]]]:
    """Yield for each route of a dataset: method, rest of the path, endpoint, summary and documentation."""
    service, writer = place
    called = dataset.business_name or dataset.name
    many, post = read.page_route(dataset, callers, service), write.post_route(dataset, callers, writer)
    yield "GET", "", many, f"Read {called}", document.read_operation(dataset)
    yield "POST", "", post, f"Send {called}", document.write_operation(dataset)
    upload = uploads.upload_route(dataset, callers, service)
    yield "POST", "/files", upload, f"Send a file of {called}", document.upload_operation()
    if not dataset.key:
        return
    one = "/" + "/".join(f"{{{name}}}" for name in dataset.key)
    routine, whole = read.row_route(dataset, callers, service), write.put_route(dataset, callers, writer)
    part, past = write.patch_route(dataset, callers, place), read.history_route(dataset, callers, service)
    yield "GET", one, routine, f"Read one of {called}", document.read_one_operation(dataset)
    yield "PUT", one, whole, f"Replace or create one of {called} by its key", document.put_operation(dataset)
    yield "PATCH", one, part, f"Change one of {called}", document.patch_operation(dataset)
    yield (
        "GET",
        f"{one}/history",
        past,
        f"Read the history of one of {called}",
        document.history_operation(dataset),
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
