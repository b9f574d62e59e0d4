"""The clinic with roles and a service that speaks for callers: what the API stands on."""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Decimal

from tests.clinic import NOW, Clinic, open_wards, write_workspace

from daftari.compile.access.access_policies import Rights
from daftari.compile.access.roles import Roles
from daftari.contract.access.caller import Caller, RequestContext
from daftari.io.access.callers import make_service
from daftari.io.workspace.files import read_workspace
from daftari.operations.read.read_rows import Reader
from daftari.operations.schema.apply_contracts import apply_contracts
from daftari.operations.write.write_requests import WriteContext, WriteRequest
from daftari.operations.write.write_rows import write_rows

ACCESS = [
    {"role": "nurse", "operations": ["read", "insert", "update"], "rows": "ward = 'A'"},
    {"role": "matron", "operations": ["read", "insert", "update"], "rows": "all"},
    {"role": "porter", "operations": ["read"], "rows": "all", "masked": ["patient"]},
    {"role": "kiosk", "operations": ["insert"], "rows": "all"},
    {"role": "fixer", "operations": ["read", "update"], "rows": "all"},
    {"role": "clerk", "operations": ["read", "insert"], "rows": "all"},
]
OF_WARDS = {"access": [{"role": "matron", "operations": ["read"], "rows": "all"}]}
NAMES = Roles(prefix="served_")


def visit(number, **other):
    return {
        "visit_id": f"V{number}",
        "seen_on": "2026-03-01",
        "ward": "A",
        "patient": "Wanjiku",
        "fee": Decimal("12.50"),
        **other,
    }


def fill(conn, root, *, access=ACCESS, **custom):
    workspace = write_workspace(root, access=access, of_wards=OF_WARDS, **custom)
    # Under names of its own alone: roles are the server's, and outlive this database.
    rights = Rights(roles=NAMES)
    apply_contracts(conn, workspace.contracts, migrations_dir=root / "migrations", now=NOW, rights=rights)
    open_wards(conn)
    make_service(conn)


class House:
    def __init__(self, conn, url, root):
        workspace = read_workspace(root)
        self.clinic = Clinic(workspace=workspace, conn=conn, url=url)
        self.roles = NAMES
        self.conn = conn
        self.contract = workspace.dataset("visits")[1]

    def write_context(self, role="matron", **caller):
        return WriteContext(
            contract=self.contract,
            context=RequestContext(caller=Caller(name=f"test {role}", role=role, **caller), request_id="r1"),
            roles=self.roles,
            known={it.dataset.name: it.dataset for it in self.clinic.workspace.contracts},
        )

    def ask(self, *records, role="matron", key=None, fingerprint="f", conn=None, is_new=True, **caller):
        request = WriteRequest(
            records=records, request_id="r1", key=key, fingerprint=fingerprint, is_new=is_new
        )
        (answer,) = write_rows(conn or self.conn, self.write_context(role, **caller), [request], now=NOW)
        return answer

    def post(self, *records, **said):
        """What became of each record: its status, or the rules that it breaks."""
        answer = self.ask(*records, **said)
        if isinstance(answer, Exception):
            raise answer
        return [
            it.status if not it.reasons else " ".join(reason["rule"] for reason in it.reasons)
            for it in answer.outcomes
        ]

    def fees(self):
        return self.clinic.rows("visit_id", "fee")

    def reader(self, role="matron", purpose=None, **caller):
        who = Caller(name=f"test {role}", role=role, **caller)
        context = RequestContext(caller=who, request_id="r1", purpose=purpose)
        return Reader(dataset=self.contract.dataset, context=context, roles=self.roles)


@contextmanager
def opened(filled, root, **custom):
    with filled(fill, root, **custom) as (conn, url):
        yield House(conn, url, root)
