"""Chromium, where this machine has one, and what axe-core finds on a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        try:
            yield browser
        finally:
            browser.close()


_WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
#: The rules that look at colours.
OF_COLOURS = ("color-contrast", "link-in-text-block")


def barriers(page: Page, rules: Sequence[str] = _WCAG) -> list[str]:
    """What keeps somebody from using *page* (WCAG 2.2 AA, as far as a machine can tell): rule and element."""
    wanted = {"runOnly": list(rules), "resultTypes": ["violations"]}
    found: dict[str, Any] = Axe().run(page, options=wanted).response
    return [f"{it['id']}: {node['target']}" for it in found["violations"] for node in it["nodes"]]
