"""The privacy desk, for overseers."""

from __future__ import annotations

from starlette.responses import Response

from daftari.web.page_request import PageRequest


def privacy_page(page: PageRequest) -> Response:
    page.require_overseer()
    return page.render("privacy", contracts=page.service.contracts.values())
