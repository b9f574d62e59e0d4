"""The latest access review, for overseers."""

from __future__ import annotations

from starlette.responses import Response

from daftari.errors import ReviewRefused
from daftari.operations.review.show_review import show_review
from daftari.web.page_request import PageRequest


def review_page(page: PageRequest) -> Response:
    page.require_overseer()
    with page.connection() as conn:
        try:
            shown = show_review(conn)
        except ReviewRefused:
            shown = None
    return page.render("review", shown=shown)
