"""Requests of browsers to the reference workspace, made from plain values: no server and no database."""

import pytest
from starlette.requests import Request
from tests.conftest import REFERENCE

from daftari.api.service import Service
from daftari.io.access.callers import Caller
from daftari.settings import read_settings
from daftari.web.page_request import PageRequest
from daftari.web.routes import pages_of


@pytest.fixture(scope="session")
def service(reference):
    return Service(read_settings(REFERENCE), reference)


@pytest.fixture(scope="session")
def pages(service):
    return pages_of(service)


@pytest.fixture(scope="session")
def page_of(service, pages):
    """Make the page request of a role, by default of the person U2."""

    def made(role, path="/", **caller):
        who = Caller(**{"name": f"test {role}", "role": role, "user_id": "U2", **caller})
        return PageRequest(service=service, pages=pages, request=request(path), caller=who, csrf="secret")

    return made


def request(path="/", *, method="GET", query="", scheme="http", headers=(), body=b""):
    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http",
        "method": method,
        "scheme": scheme,
        "server": ("127.0.0.1", 8000),
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in dict(headers).items()],
        "state": {"request_id": "r1"},
    }
    return Request(scope, receive)


@pytest.fixture(scope="session")
def request_of():
    return request
