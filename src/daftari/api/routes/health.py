"""Liveness, readiness and metrics."""

from __future__ import annotations

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from daftari.api.problems import problem
from daftari.api.service import Service
from daftari.errors import DaftariError
from daftari.operations.workspace.readiness import require_ready


def add_health_routes(app: FastAPI, service: Service, counted: CollectorRegistry) -> None:
    """Add the health routes and the metrics of *counted*."""

    async def healthz(_request: Request) -> Response:
        """Answer as long as the process is alive, without the database."""
        return JSONResponse({"status": "alive"})

    async def readyz(_request: Request) -> Response:
        """Answer 503 if the database cannot be reached, or does not match the contracts."""
        try:
            await run_in_threadpool(_require, service)
        except DaftariError as error:
            return problem(503, error.code, str(error), hint=error.hint)
        return JSONResponse({"status": "ready"})

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(counted), media_type=CONTENT_TYPE_LATEST)

    app.add_route("/healthz", healthz, include_in_schema=False)
    app.add_route("/readyz", readyz, include_in_schema=False)
    app.add_route("/metrics", metrics, include_in_schema=False)


def _require(service: Service) -> None:
    with service.connection() as conn:
        require_ready(conn, service.contracts.values())
