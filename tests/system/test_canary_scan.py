"""
Values that occur nowhere else, in every sealed or restricted field, through the whole system with a server that
logs all it can: none is found in anything that was written, save restricted ones in the tables that they belong to.

A restricted field that is not sealed (an amount of pay) stands in the clear in its table, and in a dump of it: who
may read that is the business of roles and policies.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2 as httpx
import psycopg
import pytest
from psycopg import sql
from tests.served_api import command
from typer.testing import CliRunner

from daftari.cli import app
from daftari.contract.model import Field
from daftari.errors import TooManyRejected
from daftari.io.access.callers import make_service
from daftari.io.workspace.files import read_open_workspace
from daftari.protect.blind_index import BlindIndex
from daftari.protect.keys import KeyOwner
from daftari.protect.seal import FieldKey
from daftari.settings import read_settings

pytestmark = pytest.mark.system
REFERENCE = Path(__file__).parents[2] / "workspace"

DEPARTMENTS = "department_code,name,city,cost_centre,is_active\nFIN,Finance,Nairobi,4100,yes\n"
ROLES = "role_code,title,grade,is_managerial\nHEAD,Head of department,10,yes\n"
USERS = """\
user_id,full_name,email,phone,national_id,kra_pin,next_of_kin,department_code,role_code,employment_type,hired_on,\
is_active
U1,Amina Otieno,a@x.org,+254761350917,71640935,A917350264K,Zuhura Kanariasema,FIN,HEAD,permanent,2024-01-01,yes
U2,Brian Mwangi,b@x.org,+254762461028,72751046,A928461375L,Yusufu Kanariambili,FIN,HEAD,permanent,2024-01-01,yes
U3,Chege Karanja,c@x.org,0763572139,7386215X,B939572486M,Xaveri Kanariatatu,FIN,HEAD,permanent,2024-01-01,yes
U4,Dida Galgalo,d@x.org,+254764683240,72751046,A940683597N,Winfrida Kanarianne,FIN,HEAD,permanent,2024-01-01,yes
"""
CHANGED = USERS.replace("+254761350917", "+254765794351").replace("Zuhura Kanariasema", "Vumilia Kanariatano")
LEAVE = """\
request_id,user_id,leave_type,start_date,end_date,days,status,requested_at,reason
L1,U1,sick,2026-03-02,2026-03-03,2,requested,2026-03-01T08:00:00+03:00,Malaria kanariasita
L2,U1,sick,2026-03-03,2026-03-05,2,requested,2026-03-01T08:00:00+03:00,Asthma kanariasaba
L3,U1,sick,2026-04-05,2026-04-01,2,requested,2026-03-01T08:00:00+03:00,Typhoid kanarianane
"""
PAY = """\
user_id,month,basic,allowances,gross,paye,nssf,shif,housing_levy,deductions,net,bank_account
U1,2026-03-01,48161.37,20513.29,68674.66,9871.43,4127.61,1893.77,1031.19,2765.83,48984.83,01-094-7461350928177
U2,2026-03-01,51947.13,21637.49,73584.63,9317.51,4283.59,1927.43,1163.27,2879.41,54013.57,02-095-8572461039288
U9,2026-03-01,52973.17,22741.53,75714.70,9431.57,4391.63,1039.41,1279.33,2981.47,56591.29,03-096-9683572140399
"""
FILES = {"departments": DEPARTMENTS, "roles": ROLES, "users": USERS, "leave_requests": LEAVE, "salaries": PAY}
#: Of their rows more are wrong than their contracts tolerate.
WITH_REJECTED_ROWS = {"users", "leave_requests", "salaries"}
SEALED = {
    "users.phone": ["+254761350917", "+254762461028", "0763572139", "+254764683240", "+254765794351", "+254766895462"],
    "users.national_id": ["71640935", "72751046", "7386215X", "74972157"],
    "users.kra_pin": ["A917350264K", "A928461375L", "B939572486M", "A940683597N", "A952794608P"],
    "users.next_of_kin": [
        "Kanariasema", "Kanariambili", "Kanariatatu", "Kanarianne", "Kanariatano", "Kanariakumi"
    ],
    "leave_requests.reason": ["kanariasita", "kanariasaba", "kanarianane"],
    "salaries.bank_account": ["7461350928177", "8572461039288", "9683572140399"],
}  # fmt: skip
RESTRICTED = {
    f"salaries.{name}": [line.split(",")[at] for line in PAY.splitlines()[1:]]
    for at, name in enumerate(PAY.splitlines()[0].split(",")[2:-1], start=2)
}
POSTED = {
    "user_id": "U6",
    "full_name": "Esther Wambui",
    "email": "e@x.org",
    "phone": "+254766895462",
    "national_id": "74972157",
    "kra_pin": "A952794608P",
    "next_of_kin": "Zainabu Kanariakumi",
    "department_code": "FIN",
    "role_code": "HEAD",
    "employment_type": "permanent",
    "hired_on": "2024-01-01",
    "is_active": True,
}
#: The server tells all that it can, to whoever may read its log.
LOUD = {
    "log_statement": "all",
    "log_min_duration_statement": "0",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
    "log_min_messages": "debug1",
    "log_min_error_statement": "debug1",
    "log_error_verbosity": "verbose",
}


@dataclass
class Run:
    """A workspace on its own database, and all that was written on the way."""

    root: Path
    files: Path
    url: str
    log: Path
    began: int
    program: Path
    said: list[str] = field(default_factory=list)

    def daftari(self, *words: str, fails: bool = False, rejects: bool = False) -> None:
        result = CliRunner().invoke(app, [*words, "-w", str(self.root)])
        went_as_expected = isinstance(result.exception, TooManyRejected) if rejects else result.exit_code == 0
        assert fails or went_as_expected, f"{words}: {result.exception!r} {result.stderr}"
        self.said += [result.stdout, result.stderr, repr(result.exception)]

    def load(self, dataset: str, text: str, *words: str) -> None:
        path = self.files / f"{dataset}.csv"
        path.write_text(text, "utf-8")
        rejects = dataset in WITH_REJECTED_ROWS and "--explain" not in words
        self.daftari("load", dataset, str(path), *words, rejects=rejects)

    def dump(self, *options: str) -> bytes:
        done = subprocess.run([str(self.program), *options, self.url], capture_output=True, check=True)
        return done.stdout

    def written(self) -> dict[str, bytes]:
        """What is outside the tables that restricted values belong to, by where it is."""
        with self.log.open("rb") as log:
            log.seek(self.began)
            found = {"server log": log.read(), "terminal": "\n".join(self.said).encode()}
        found["the platform's tables"] = self.dump("--schema=daftari")
        for path in self.root.rglob("*"):
            if path.is_file():
                found[str(path.relative_to(self.root))] = path.read_bytes()
        return found


@pytest.fixture
def run(server, server_kind, database_url, tmp_path, monkeypatch):
    root, files = tmp_path / "workspace", tmp_path / "files"
    shutil.copytree(REFERENCE, root, ignore=shutil.ignore_patterns("target", "logs", ".daftari", "staging"))
    files.mkdir()
    monkeypatch.setenv("DAFTARI_DATABASE_URL", database_url)
    monkeypatch.setenv("DAFTARI_LOG_LEVEL", "debug")
    name = database_url.split("@/")[1].split("?")[0]
    with psycopg.connect(database_url, autocommit=True) as conn:
        for setting, value in LOUD.items():
            conn.execute(
                sql.SQL("alter database {} set {} = {}").format(
                    sql.Identifier(name), sql.Identifier(setting), sql.Literal(value)
                )
            )
    program = server_kind.binaries.folder / "pg_dump"
    return Run(root, files, database_url, server.log, server.log.stat().st_size, program)


def hits(values: dict[str, list[str]], places: dict[str, bytes]) -> set[tuple[str, str]]:
    """Fields and places of every value that is found: as it is, in hex as bytes are dumped, or in base64."""
    found = set()
    for name, texts in values.items():
        for text in texts:
            plain = text.encode()
            forms = (plain, plain.hex().encode(), base64.b64encode(plain).rstrip(b"="))
            found |= {
                (name, where) for where, content in places.items() if any(it in content for it in forms)
            }
    return found


def call_the_api(run: Run) -> bytes:
    """Everything that the API may be asked, in good order and not, by each who may; return its answers."""
    roles = ("hr", "finance", "auditor", "dpo", "data_engineer", "manager", "employee")
    tokens = {}
    for role in roles:
        result = CliRunner().invoke(app, ["token", "create", role, "--role", role, "-w", str(run.root)])
        tokens[role] = result.stdout.strip()
    answers = []
    with command(run.root) as url, httpx.Client(base_url=url, timeout=60) as client:

        def ask(role, method, path, **said):
            headers = {"Authorization": f"Bearer {tokens[role]}", "X-Purpose": "a scan"}
            headers |= said.pop("headers", {})
            answer = client.request(method, path, headers=headers, **said)
            answers.append(f"{answer.headers} {answer.text}")
            return answer

        assert ask("hr", "POST", "/api/users", json=POSTED).status_code == 201
        ask(
            "hr",
            "POST",
            "/api/users",
            json=POSTED | {"hired_on": "tomorrow"},
            headers={"Idempotency-Key": "k"},
        )
        ask("hr", "POST", "/api/users", json=[POSTED, POSTED | {"user_id": "U7", "kra_pin": "A952794608"}])
        ask("hr", "POST", "/api/users", json=POSTED | {"user_id": "U8"})  # whose phone is another's
        ask("hr", "POST", "/api/users", json=POSTED | {"nickname": "Kanariakumi"})
        ask("hr", "POST", "/api/users", content=f"{{{POSTED['phone']}")
        ask("employee", "POST", "/api/users", json=POSTED)
        assert ask("hr", "POST", "/api/users/files?name=users.csv", content=CHANGED).status_code == 200
        assert ask("hr", "POST", "/api/leave_requests/files?name=l.csv", content=LEAVE).status_code == 200
        ask("hr", "POST", "/api/salaries/files?name=pay.csv&rows=7", content=PAY)
        for role in roles:
            for dataset in ("users", "leave_requests", "salaries"):
                for rest in ("", "?format=csv", "?format=ndjson", "/U1", f"?phone={POSTED['phone'][1:]}"):
                    ask(role, "GET", f"/api/{dataset}{rest}")
        ask("hr", "GET", f"/api/users?after={POSTED['kra_pin']}&{POSTED['national_id']}=1")
        assert ask("hr", "GET", "/api/users/U6").json()["full_name"] == "Esther Wambui"
    return "\n".join(answers).encode()


#: Roles that may correct rejected rows of people, and see them as they came.
CORRECTORS = ("hr", "data_engineer")


def visit_the_pages(run: Run) -> bytes:
    """Every page as everyone, files and rejected rows too; return what roles saw that correct none."""
    answers = []
    with command(run.root) as url:
        for role in ("hr", "finance", "auditor", "dpo", "data_engineer", "manager", "employee"):
            result = CliRunner().invoke(
                app, ["token", "create", f"{role} p", "--role", role, "-w", str(run.root)]
            )
            with httpx.Client(base_url=url, timeout=60, follow_redirects=True) as client:
                client.post("/sign-in", data={"token": result.stdout.strip()})
                pages = ["/", "/reports", "/runs", "/audit", "/review", "/privacy", "/incidents"]
                for dataset in ("users", "leave_requests", "salaries"):
                    pages += [
                        f"/{rest}"
                        for rest in (
                            f"datasets/{dataset}",
                            f"records/{dataset}?purpose=a+scan",
                            f"records/{dataset}/export?format=csv&purpose=a+scan",
                            f"records/{dataset}/row?key=U1&purpose=a+scan",
                            f"records/{dataset}?{POSTED['phone']}=1",
                            f"quarantine/{dataset}",
                            f"quarantine/{dataset}/csv",
                        )
                    ]
                found = [client.get(page).text for page in pages]
                answers += found if role not in CORRECTORS else []
                if role == "hr":
                    load_and_correct(client, found[0])
    return "\n".join(answers).encode()


def load_and_correct(client: httpx.Client, page: str) -> None:
    csrf = page.split('name="_csrf" value="')[1].split('"')[0]
    sent = client.post(
        "/load/users/file?name=people.csv", content=USERS.encode(), headers={"X-CSRF-Token": csrf}
    )
    place = sent.json()["page"]
    assert ">Preview</h2>" in client.get(place).text
    client.post(place, data={"_csrf": csrf, "rows": "9999"})  # does not bear it out
    client.post(f"{place}/discard", data={"_csrf": csrf})
    grid = client.get("/quarantine/users").text
    lost = set(re.findall(r'name="c\.(\d+)\.[^>]*enter it again', grid))  # sealed before they were refused
    found = re.findall(r'<input name="(c\.(\d+)\.[^"]+)" value="([^"]*)"', grid)
    cells = {name: value for name, entry, value in found if entry not in lost}
    assert cells, "there is something to correct"
    hired = {name: "never" for name in cells if name.endswith(".hired_on")}
    assert "rejected again" in client.post("/quarantine/users", data={**cells, **hired, "_csrf": csrf}).text


def reveal_accounts(run: Run) -> None:
    """What an authorised reader gets is theirs; on the way there nothing of it is written."""
    with psycopg.connect(run.url, autocommit=True) as conn:
        if conn.execute("select to_regproc('daftari.reveal') is null").fetchone()[0]:
            return
    with TemporaryDirectory() as elsewhere:
        bank = Path(elsewhere) / "bank.csv"
        asked = ["reveal", "salaries", "user_id", "bank_account", "--as", "hr", "--where", "user_id=U1"]
        run.daftari(*asked, "--purpose", "bank file of March", "--to", str(bank))
        assert bank.read_text("utf-8-sig") == "user_id,bank_account\nU1,01-094-7461350928177\n"


def test_no_canary_is_found_in_anything_that_the_whole_system_writes(run):
    run.daftari("apply")
    for dataset, text in FILES.items():
        run.load(dataset, text)
    run.load("users", USERS, "--again")
    run.load("users", CHANGED)
    run.load("users", CHANGED, "--explain")
    for dataset in FILES:
        run.daftari("quarantine", "show", dataset)
        run.daftari("quarantine", "show", dataset, "--output", "json")
    run.daftari("quarantine", "replay", "leave_requests")
    run.daftari("transform", fails=True)
    run.daftari("quality", "run", fails=True)
    reveal_accounts(run)
    with psycopg.connect(run.url, autocommit=True) as conn:
        make_service(conn)
    answers = call_the_api(run)
    assert hits(SEALED, {"answers": answers}) == set()
    (run.root / "serve.log").rename(run.root / "api.log")
    assert hits(SEALED, {"pages": visit_the_pages(run)}) == set()
    read_open_workspace(read_settings(run.root)).open_keys().destroy(
        [KeyOwner(scope="users.user_id/1096d", subject="U2")], now=datetime(2026, 11, 23, tzinfo=UTC)
    )
    for words in (["keys", "rotate"], ["keys", "epoch"], ["keys", "status"], ["verify"]):
        run.daftari(*words)

    with psycopg.connect(run.url) as conn:
        counts = [
            conn.execute(f"select count(*) from {table}").fetchone()[0]
            for table in ("ops.users", "ops.leave_requests", "ops.salaries", "daftari.quarantine")
        ]
    assert counts[:3] == [3, 1, 1] and counts[3] >= 10, "the canaries were loaded, and quarantined"
    places = run.written()
    assert b"/api/users" in places["api.log"]
    assert b"/quarantine/{dataset}" in places["serve.log"]
    assert {"server log", ".daftari/keys/dev.sqlite"} <= set(places) and any("target" in it for it in places)
    assert b"copy" in places["server log"]
    assert hits(SEALED | RESTRICTED, places) == set()
    assert hits(SEALED, {"dump": run.dump()}) == set()
    # the scan sees what is there
    assert hits(RESTRICTED, {"dump": run.dump()}) == {(f"{name}", "dump") for name in RESTRICTED}


def unsealed(self: FieldKey, plain: bytes, row: bytes) -> bytes:  # noqa: ARG001 -- in its place
    return self._header + bytes(40) + plain


@pytest.mark.parametrize(
    ("owner", "name", "redactor", "expected"),
    [
        (FieldKey, "seal_bytes", unsealed, ("users.next_of_kin", "dump")),
        (BlindIndex, "of_normalised", lambda _, value: value, ("users.phone", "dump")),
        (Field, "is_confidential", property(lambda _: False), ("users.kra_pin", "the platform's tables")),
    ],
    ids=["sealing", "blind index", "masks of quarantine"],
)
def test_switching_off_any_one_redactor_gives_a_hit(run, monkeypatch, owner, name, redactor, expected):
    monkeypatch.setattr(owner, name, redactor)
    run.daftari("apply")
    for dataset in ("departments", "roles", "users"):
        run.load(dataset, FILES[dataset])
    assert expected in hits(SEALED, {**run.written(), "dump": run.dump()})
