"""The place for incidents."""

from __future__ import annotations

from starlette.responses import Response

from daftari.errors import AccessRefused
from daftari.web.page_request import PageRequest


def incidents_page(page: PageRequest) -> Response:
    if not page.may_read_named("incidents"):
        raise AccessRefused("Your role may not see incidents.")
    return page.render("incidents")
