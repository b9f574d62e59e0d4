"""One request of a browser: who it is, what it may do, and how its page is written."""

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
from daftari.operations.write.requests import WriteContext

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def cookie_name(request: Request) -> str:
    """Over HTTPS one that browsers take from this very host alone."""
    return "__Host-daftari_session" if request.url.scheme == "https" else "daftari_session"


def csrf_of(session: str) -> str:
    """What a form of this session bears: made from what only its browser knows, which it does not tell."""
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

    def errand(self, purpose: str | None = None) -> RequestContext:
        return RequestContext(caller=self.caller, request_id=self.request.state.request_id, purpose=purpose)

    @contextmanager
    def connection(self) -> Iterator[Connection[Any]]:
        with self.service.connection() as conn:
            yield conn

    # --- what the visitor's role has

    @property
    def contracts(self) -> list[Contract]:
        """Of datasets that the role reads or writes, in the order of their names."""
        every = self.service.contracts.values()
        found = (it for it in every if permissions.refusal_to_open(it.dataset, self.caller) is None)
        return sorted(found, key=lambda it: it.dataset.name)

    def contract(self, name: str) -> Contract:
        """
        Return the contract of the dataset called *name*.

        Raises:
            AccessRefused: there is none, or none for this role.
        """
        for one in self.contracts:
            if one.dataset.name == name:
                return one
        raise AccessRefused(permissions.NO_SUCH_DATASET)

    def reads(self, dataset: Dataset) -> bool:
        return permissions.refusal_to_read(dataset, self.caller) is None

    def reads_named(self, name: str) -> bool:
        known = self.service.datasets.get(name)
        return known is not None and self.reads(known)

    def reads_all(self, dataset: Dataset) -> bool:
        return permissions.refusal_to_read_all(dataset, self.caller) is None

    def adds(self, dataset: Dataset) -> bool:
        return permissions.refusal_to_insert_for_others(dataset, self.caller) is None

    def asks(self, dataset: Dataset) -> bool:
        return permissions.refusal_to_ask(dataset, self.caller) is None

    def decides(self, dataset: Dataset) -> bool:
        return permissions.refusal_to_decide(dataset, self.caller) is None

    def mends(self, dataset: Dataset) -> bool:
        return permissions.refusal_to_correct(dataset, self.caller) is None

    def watches(self, dataset: Dataset) -> bool:
        return permissions.refusal_to_watch(dataset, self.caller) is None

    @property
    def oversees(self) -> bool:
        return permissions.refusal_to_oversee(self.role, self.service.workspace.overseers) is None

    def reader(self, dataset: Dataset, purpose: str | None = None) -> Reader:
        if purpose is None and permissions.sees_only_own_rows(dataset, self.role):
            purpose = "looking at my own records"
        return Reader(dataset=dataset, context=self.errand(purpose), roles=self.service.roles)

    def desk(self, contract: Contract, purpose: str) -> WriteContext:
        service = self.service
        return WriteContext(
            contract=contract,
            context=self.errand(purpose),
            roles=service.roles,
            known=service.datasets,
            open_keys=service.workspace.open_keys,
        )

    # --- answers

    def page(self, name: str, *, status: int = 200, **facts: Any) -> Response:
        text = self.pages.get_template(f"{name}.html.jinja").render(visit=self, **facts)
        return HTMLResponse(text, status_code=status, headers={"Content-Security-Policy": POLICY})

    def go(self, address: str) -> Response:
        """To another page of ours, after something was done."""
        return RedirectResponse(address, status_code=303)
