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
from daftari.compile.reading import relation_of
from daftari.compile.shares import shares
from daftari.contract.model import Contract, Dataset
from daftari.errors import AccessRefused
from daftari.operations.authenticate import Caller
from daftari.operations.read_rows import Reader
from daftari.operations.requests import Desk, Errand
from daftari.operations.steps import may_ask

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
class Visit:
    service: Service
    pages: Environment
    request: Request
    caller: Caller
    csrf: str
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def role(self) -> str:
        return self.caller.role

    def errand(self, purpose: str | None = None) -> Errand:
        return Errand(caller=self.caller, request_id=self.request.state.request_id, purpose=purpose)

    @contextmanager
    def connection(self) -> Iterator[Connection[Any]]:
        with self.service.connection() as conn:
            yield conn

    # --- what the visitor's role has

    @property
    def contracts(self) -> list[Contract]:
        """Of datasets that the role reads or writes, in the order of their names."""
        found = (
            it
            for it in self.service.contracts.values()
            if self.reads(it.dataset) or self.adds(it.dataset) or self.asks(it.dataset)
        )
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
        raise AccessRefused("There is no such dataset, or it is not for your role.")

    def reads(self, dataset: Dataset) -> bool:
        return self.caller.may_name(dataset.name) and relation_of(dataset, self.role) is not None

    def reads_named(self, name: str) -> bool:
        known = self.service.datasets.get(name)
        return known is not None and self.reads(known)

    def reads_all(self, dataset: Dataset) -> bool:
        """Whether no row of the dataset is hidden from the role: figures over all rows tell it nothing new."""
        return self.reads(dataset) and any(
            it.role == self.role and it.operation == "read" and "all" in it.scopes for it in shares(dataset)
        )

    def reads_own_alone(self, dataset: Dataset) -> bool:
        scopes = [it.rows for it in dataset.access if it.role == self.role and "read" in it.operations]
        return bool(scopes) and set(scopes) == {"own"}

    def adds(self, dataset: Dataset) -> bool:
        """Whether the role brings rows of others, as files hold them. Who inserts its own alone asks; see `asks`."""
        given = any(
            it.role == self.role and "insert" in it.operations and it.rows != "own" for it in dataset.access
        )
        return given and self.caller.writes and self.caller.may_name(dataset.name)

    def asks(self, dataset: Dataset) -> bool:
        return may_ask(dataset, self.caller)

    def decides(self, dataset: Dataset) -> bool:
        """Whether there are steps of others' requests for this visitor to take."""
        approval = dataset.approval
        takes = approval is not None and any(not it.own for it in approval.steps_of(self.role))
        return takes and self.caller.writes and self.reads(dataset)

    def mends(self, dataset: Dataset) -> bool:
        """Whether refused rows are the role's to see and to mend: who loads a dataset, and sees all of it."""
        return self.adds(dataset) and self.reads_all(dataset)

    @property
    def oversees(self) -> bool:
        return self.role in self.service.workspace.overseers

    def reader(self, dataset: Dataset, purpose: str | None = None) -> Reader:
        if purpose is None and self.reads_own_alone(dataset):
            purpose = "looking at my own records"
        return Reader(dataset=dataset, errand=self.errand(purpose), roles=self.service.roles)

    def desk(self, contract: Contract, purpose: str) -> Desk:
        service = self.service
        return Desk(
            contract=contract,
            errand=self.errand(purpose),
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
