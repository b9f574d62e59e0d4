"""The reference names everything a person can call, set or be told, and nothing that is gone."""

from __future__ import annotations

import importlib.util
import re
from enum import Enum
from pathlib import Path

import pytest

from daftari.errors import DaftariError
from daftari.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
#: Known from where the workspace is and from --env: no variable of their own name.
GIVEN = {"root", "environment"}


def sections(page: str) -> dict[str, str]:
    """The text under each heading that is code, by what the heading names."""
    parts = re.split(r"^## `([^`]+)`$", (DOCS / "reference" / page).read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def generator():
    spec = importlib.util.spec_from_file_location("generate_cli", DOCS / "generate_cli.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def every_error(kind: type[DaftariError] = DaftariError) -> list[type[DaftariError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in every_error(child))]


CLI = generator()
COMMANDS = dict(CLI.commands())
ERRORS = {error.code: error for error in every_error() if error is not DaftariError}
ERROR_SECTIONS = sections("errors.md")
SETTINGS = {f"DAFTARI_{name.upper()}": f for name, f in Settings.model_fields.items() if name not in GIVEN}
SETTING_SECTIONS = sections("settings.md")
#: Variables of commands' own options.
VARIABLES = {p.envvar for command in COMMANDS.values() for p in command.params if getattr(p, "envvar", None)}


def as_set(value: object) -> str:
    """A default as a person would write it."""
    if value is None:
        return "none"
    return str(value.value if isinstance(value, Enum) else value)


def test_every_error_code_is_documented():
    assert set(ERROR_SECTIONS) == set(ERRORS)


def test_codes_are_unique():
    assert len(ERRORS) == len(every_error()) - 1


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_the_page_gives_the_exit_code_and_the_status_of_an_error(code):
    said = ERROR_SECTIONS[code].strip().split("\n\n")[0]
    assert said == f"Exit code {ERRORS[code].exit_code}, HTTP status {ERRORS[code].status}."


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_the_page_says_what_to_do_about_an_error(code):
    assert "**What to do.**" in ERROR_SECTIONS[code]


def test_the_page_of_commands_is_what_the_commands_say():
    assert CLI.PAGE.read_text("utf-8") == CLI.page(), "docs/reference/cli.md is not current: run `make docs`"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_ends_with_an_example(name):
    assert re.search(r"Examples?:\s.*daftari " + name, COMMANDS[name].help or "", re.DOTALL)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_and_argument_says_what_it_is(name):
    silent = [p.name for p in COMMANDS[name].params if not getattr(p, "help", None)]
    assert silent == []


def test_every_setting_is_documented():
    assert set(SETTING_SECTIONS) == set(SETTINGS) | VARIABLES | {"DAFTARI_ENV", "DAFTARI_WORKSPACE"}


@pytest.mark.parametrize("variable", sorted(SETTINGS))
def test_the_page_gives_the_default_of_a_setting(variable):
    assert f"Default: `{as_set(SETTINGS[variable].default)}`." in SETTING_SECTIONS[variable]
