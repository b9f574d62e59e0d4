"""The audit trail, for overseers."""

from __future__ import annotations

from starlette.responses import Response

from daftari.contract.platform import OPS
from daftari.operations.audit.show_audit import AuditFilter, show_audit
from daftari.web.page_request import PageRequest


def audit_page(page: PageRequest) -> Response:
    page.require_overseer()
    asked = page.request.query_params
    number = asked.get("run", "")
    wanted = AuditFilter(
        relation=asked.get("relation") or None,
        actor=asked.get("actor") or None,
        run_id=int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None,
        limit=200,
    )
    with page.connection() as conn:
        found = show_audit(conn, wanted)
    relations = sorted(f"{OPS}.{name}" for name in page.service.datasets)
    return page.render(
        "audit_trail", entries=found.entries, wanted=wanted, head=found.head, relations=relations
    )
