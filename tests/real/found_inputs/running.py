"""Run a case of the found inputs as its command says, and look at what came of it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import httpx2 as httpx
from tests import served_api

from daftari import cli
from daftari.io.access.callers import make_service

_REQUEST = re.compile(
    r"(?P<method>GET|POST|PUT|PATCH|DELETE) (?P<path>\S+) as (?P<role>\w+)"
    r"(?: with body (?P<body>\S+))?(?: and header (?P<header>[\w-]+): (?P<value>\S+))?(?:, saved as (?P<saved>\S+))?"
)
_USERS = {"manager": "U1", "employee": "U3"}
#: The contracts of `base/`, and the mapping of one, by the dataset.
CONTRACTS = ("claims", "matumizi", "payments", "payments_nokey", "stock")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command or request, and what it answered."""

    exit_code: int = 0
    out: str = ""
    err: str = ""
    status: int = 0  #: of a request
    headers: dict[str, str] = field(default_factory=dict)

    @cached_property
    def json(self):
        return json.loads(self.out)

    @property
    def loaded(self):
        """What became of the file of a load; None where it was refused."""
        return self.json[0] if self.out.startswith("[") and self.json else None

    @property
    def run_id(self):
        return self.loaded["run_id"]

    @property
    def counts(self):
        """The counts of its rows that are not zero."""
        return {name: rows for name, rows in self.loaded["counts"].items() if rows}

    @property
    def left_out(self):
        """Records that are no rows, by what they are; the header itself is not told."""
        return {name: n for name, n in self.loaded["left_out"].items() if n and name != "header"}

    @property
    def reasons(self):
        """Why rows were rejected: `field reason`."""
        return [f"{it['field']} {it['reason']}".strip() for it in self.loaded["reasons"]]

    @property
    def remarks(self):
        return [it["says"] for it in self.loaded["remarks"]]


class Ran:
    """A workspace with the base loaded, in which cases run one after another."""

    def __init__(self, conn, url, folder, files):
        self._conn, self._url, self._folder, self.files = conn, url, folder, files
        self.steps = []
        self._server = ""
        self._tokens = {}
        self._ends = ExitStack()

    def close(self):
        self._ends.close()

    @property
    def last(self):
        return self.steps[-1]

    def run(self, command, capsys, monkeypatch):
        """Run *command*, of which `&&` joins several."""
        self._settle(monkeypatch)
        self.steps = []
        for one in command.split(" && "):
            request = _REQUEST.fullmatch(one.strip())
            self.steps.append(self._request(request, capsys) if request else self._command(one, capsys))

    def daftari(self, *words, capsys, monkeypatch):
        """Give one more command, beside those of the case."""
        self._settle(monkeypatch)
        return self._given(words, capsys)

    def query(self, statement, *values):
        """The rows of *statement*, each value as text."""
        rows = self._conn.execute(statement, values).fetchall()
        return [tuple(None if value is None else str(value) for value in row) for row in rows]

    def quarantined(self, run_id=None):
        """The line of each row that a run rejected, with its reasons."""
        found = self._conn.execute(
            "select line, reasons from daftari.quarantine where run_id = %s order by line",
            [run_id or self.last.run_id],
        )
        return {line: [f"{it['field']} {it['reason']}".strip() for it in why] for line, why in found}

    def _settle(self, monkeypatch):
        monkeypatch.setenv("DAFTARI_DATABASE_URL", self._url)
        monkeypatch.setenv("DAFTARI_WORKSPACE", str(self._folder))
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.delenv("DAFTARI_ENV", raising=False)
        monkeypatch.chdir(self.files)

    def _command(self, text, capsys):
        said = re.sub(r" \(the number of that load\)", "", text).strip()
        words = shlex.split(said)[1:]
        if "RUN" in words:
            words[words.index("RUN")] = str(self.last.run_id)
        if words[0] == "load":
            words += ["--output", "json"]
        return self._given(words, capsys)

    def _given(self, words, capsys):
        capsys.readouterr()
        before, sys.argv = sys.argv, ["daftari", *words]
        try:
            cli.main()
            code = 0
        except SystemExit as error:
            code = error.code or 0
        finally:
            sys.argv = before
        said = capsys.readouterr()
        return Step(exit_code=code, out=said.out, err=said.err)

    def _request(self, asked, capsys):
        headers = {"Authorization": f"Bearer {self._token(asked['role'], capsys)}"}
        body = (self.files / asked["body"]).read_bytes() if asked["body"] else None
        if body is not None:
            is_file = "/files" in asked["path"]
            headers["Content-Type"] = "application/octet-stream" if is_file else "application/json"
        if asked["header"]:
            headers[asked["header"]] = asked["value"]
        self._server = self._server or self._ends.enter_context(served_api.process(self._folder))[0]
        url = self._server + asked["path"]
        answer = httpx.request(asked["method"], url, content=body, headers=headers, timeout=30)
        if asked["saved"]:
            (self.files / asked["saved"]).write_bytes(answer.content)
        return Step(status=answer.status_code, out=answer.text, headers=dict(answer.headers))

    def _token(self, role, capsys):
        if role not in self._tokens:
            user = ["--user", _USERS[role]] if role in _USERS else []
            said = self._given(["token", "create", f"found-{role}", "--role", role, *user], capsys)
            assert said.exit_code == 0, said.err
            self._tokens[role] = said.out.split()[0]
        return self._tokens[role]


def fill(conn, folder, files):
    """Make a workspace of the shipped contracts and those of `base/`, and load the base."""
    root = Path(folder)

    def daftari(*words):
        done = subprocess.run(
            [served_api.DAFTARI, *words],
            cwd=files,
            env=_environment(conn, root),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    subprocess.run([served_api.DAFTARI, "init", str(root)], check=True, capture_output=True)
    for name in CONTRACTS:
        pipeline = root / "pipelines" / name
        for part in ("ingest", "transform", "tests"):
            (pipeline / part).mkdir(parents=True)
        shutil.copy(files / f"base/{name}.odcs.yaml", pipeline)
    shutil.copy(files / "base/matumizi.yaml", root / "pipelines/matumizi/ingest")
    daftari("apply")
    for dataset, name in (("departments", "departments"), ("roles", "roles"), ("users", "people")):
        daftari("load", dataset, f"base/{name}.csv")
    make_service(conn)


def _environment(conn, root):
    where = conn.info
    url = f"postgresql://{where.user}@/{where.dbname}?host={where.host}&port={where.port}"
    return {**os.environ, "DAFTARI_DATABASE_URL": url, "DAFTARI_WORKSPACE": str(root)}
