"""Commands as a user gives them, in a clinic's folder, 80 columns wide."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

import pytest

from daftari import cli


@dataclass(frozen=True)
class Said:
    exit_code: int
    out: str
    err: str

    @property
    def lines(self):
        return [line.rstrip() for line in self.out.splitlines()]

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def daftari(clinic, capsys, monkeypatch):
    """Give a command; return what it said, and its exit code."""
    monkeypatch.setenv("DAFTARI_DATABASE_URL", clinic.url)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("DAFTARI_ENV", raising=False)
    monkeypatch.delenv("DAFTARI_WORKSPACE", raising=False)
    monkeypatch.chdir(clinic.folder)

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["daftari", *words])
        try:
            cli.main()
            code = 0
        except SystemExit as error:
            code = error.code or 0
        return Said(code, *capsys.readouterr())

    return command
