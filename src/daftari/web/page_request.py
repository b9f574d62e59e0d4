"""One request of a browser: its user, what the user may do, and its answer."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment
from psycopg import Connection
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from daftari.api.service import Service
from daftari.contract import permissions
from daftari.contract.access.caller import Caller, RequestContext
from daftari.contract.model import Contract, Dataset
from daftari.errors import AccessRefused
from daftari.operations.read.read_rows import Reader
from daftari.operations.write.write_requests import WriteContext

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def cookie_name(request: Request) -> str:
    """Return the name; over HTTPS one that browsers accept from exactly this host only."""
    return "__Host-daftari_session" if request.url.scheme == "https" else "daftari_session"


def csrf_of(session: str) -> str:
    """Return the CSRF token of a session's forms, derived from its secret without revealing it."""
    return hmac.digest(session.encode(), b"daftari form", "sha256").hex()


@dataclass(frozen=True, kw_only=True)
class PageRequest:
    service: Service
    pages: Environment
    request: Request
    caller: Caller
    csrf: str
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def role(self) -> str:
        return self.caller.role

    def context(self, purpose: str | None = None) -> RequestContext:
        return RequestContext(caller=self.caller, request_id=self.request.state.request_id, purpose=purpose)

    @contextmanager
    def connection(self) -> Iterator[Connection[Any]]:
        with self.service.connection() as conn:
            yield conn

    # --- what the user may do

    @property
    def contracts(self) -> list[Contract]:
        """The contracts of datasets that have a page for the user, in order of their names."""
        every = self.service.contracts.values()
        found = (it for it in every if permissions.refusal_to_open(it.dataset, self.caller) is None)
        return sorted(found, key=lambda it: it.dataset.name)

    def contract(self, name: str) -> Contract:
        """
        Return the contract of the dataset called *name*.

        Raises:
            AccessRefused: it does not exist, or has no page for this user.
        """
        for one in self.contracts:
            if one.dataset.name == name:
                return one
        raise AccessRefused(permissions.NO_SUCH_DATASET)

    def may_read(self, dataset: Dataset) -> bool:
        return permissions.refusal_to_read(dataset, self.caller) is None

    def may_read_named(self, name: str) -> bool:
        known = self.service.datasets.get(name)
        return known is not None and self.may_read(known)

    def may_read_all(self, dataset: Dataset) -> bool:
        return permissions.refusal_to_read_all(dataset, self.caller) is None

    def may_load(self, dataset: Dataset) -> bool:
        return permissions.refusal_to_insert_for_others(dataset, self.caller) is None

    def may_request(self, dataset: Dataset) -> bool:
        return permissions.refusal_to_ask(dataset, self.caller) is None

    def may_decide(self, dataset: Dataset) -> bool:
        return permissions.refusal_to_decide(dataset, self.caller) is None

    def may_correct(self, dataset: Dataset) -> bool:
        return permissions.refusal_to_correct(dataset, self.caller) is None

    def may_see_runs(self, dataset: Dataset) -> bool:
        return permissions.refusal_to_watch(dataset, self.caller) is None

    @property
    def may_oversee(self) -> bool:
        return permissions.refusal_to_oversee(self.role, self.service.workspace.overseers) is None

    def require_overseer(self) -> None:
        """
        Raises:
            AccessRefused: the role may not see the audit trail, the access review and the privacy desk.
        """
        permissions.require(
            permissions.refusal_to_oversee(self.role, self.service.workspace.overseers),
            hint="The roles that may are listed in daftari.toml, [control_room] overseers.",
        )

    def reader(self, dataset: Dataset, purpose: str | None = None) -> Reader:
        if purpose is None and permissions.sees_only_own_rows(dataset, self.role):
            purpose = "viewing my own records"
        return Reader(dataset=dataset, context=self.context(purpose), roles=self.service.roles)

    def write_context(self, contract: Contract, purpose: str) -> WriteContext:
        service = self.service
        return WriteContext(
            contract=contract,
            context=self.context(purpose),
            roles=service.roles,
            known=service.datasets,
            open_keys=service.workspace.open_keys,
        )

    # --- answers

    def render(self, name: str, *, status: int = 200, **facts: Any) -> Response:
        text = self.pages.get_template(f"{name}.html.jinja").render(page=self, **facts)
        return HTMLResponse(text, status_code=status, headers={"Content-Security-Policy": POLICY})

    def redirect(self, address: str) -> Response:
        """Redirect to another page of the control room, after something was done."""
        return RedirectResponse(address, status_code=303)
