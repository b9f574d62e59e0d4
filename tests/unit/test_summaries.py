"""The list of all commands says of each what the command itself says, without importing it."""

import subprocess
import sys

import pytest
import typer

from daftari.cli import COMMANDS, GROUPS, app
from daftari.cli.summaries import summary

ROOT = typer.main.get_command(app)


@pytest.mark.parametrize("name", [*COMMANDS, *GROUPS])
def test_a_summary_is_the_first_paragraph_of_the_help(name):
    is_group = name in GROUPS
    said = summary((GROUPS if is_group else COMMANDS)[name], name, is_group=is_group)
    real = " ".join((ROOT.get_command(None, name).help or "").strip().split("\n\n")[0].split())
    assert said == real and said


def test_listing_all_commands_imports_none_of_them():
    program = (
        "import sys; from daftari.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in sys.modules if m.startswith('daftari.operations') or m == 'polars'])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "[]"
    assert all(f" {name} " in said for name in (*COMMANDS, *GROUPS))
