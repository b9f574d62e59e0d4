"""Named SQL: each file holds statements under `-- name: …` lines."""

from __future__ import annotations

import re
from importlib import resources
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load_queries(filename: str) -> dict[str, LiteralString]:
    """
    Return the statements of *filename* (a path in `daftari/io`), by name.

    Raises:
        ValueError: a name appears twice, or has no statement.
    """
    text = (resources.files("daftari.io") / filename).read_text("utf-8")
    _header, *parts = _NAME.split(text)
    names, bodies = parts[::2], [body.strip() for body in parts[1::2]]
    if len(names) != len(set(names)) or not all(bodies):
        raise ValueError(f"{filename}: names must be unique and each must hold a statement")
    # The text ships inside our own package: as trustworthy as a literal in the code.
    return dict(zip(names, cast(list[LiteralString], bodies), strict=True))
