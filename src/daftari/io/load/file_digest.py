"""The digest that identifies a file's content."""

from __future__ import annotations

import hashlib
import re
import threading
from contextlib import suppress
from pathlib import Path

#: Bytes per read: each needs the interpreter's lock twice, and waits for it while another thread imports modules.
_PIECE_BYTES = 2**23


def file_digest(path: Path) -> str:
    """Return the sha256 (hex) of a file's bytes; 0.1 s for 124 MB."""
    found = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE_BYTES):
            found.update(piece)
    return found.hexdigest()


def text_digest(text: str) -> str:
    """Return the sha256 (hex) of *text*."""
    return hashlib.sha256(text.encode()).hexdigest()


def sheet_digest(sha256: str, sheet: str) -> str:
    """Return the sha256 (hex) that identifies one *sheet* of a workbook whose file has the digest *sha256*."""
    return text_digest(f"{sha256} {sheet}")


def mapping_digest(root: Path, dataset: str, mapping: Path | None) -> str:
    """
    Return the sha256 (hex) of what decides how a file's columns map to *dataset*, in the workspace at *root*.

    That is the *mapping*, or else every mapping of a pipeline for the dataset.
    """
    found = hashlib.sha256()
    is_for_dataset = re.compile(
        rb"""^["']?dataset["']?:\s*["']?%b["']?\s*(#|$)""" % dataset.encode(), re.MULTILINE
    )
    paths = [mapping] if mapping else sorted(root.glob("pipelines/*/ingest/*.y*ml"))
    for body in (path.read_bytes() for path in paths if path.is_file()):
        if mapping or is_for_dataset.search(body):
            found.update(hashlib.sha256(body).digest())
    return found.hexdigest()


class DigestInBackground:
    """The sha256 of a file, computed in a thread while its caller prepares."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: str | None = None
        self._thread = threading.Thread(target=self._find, name="digest", daemon=True)
        self._thread.start()

    def _find(self) -> None:
        with suppress(OSError):
            self._found = file_digest(self._path)

    def hex(self) -> str | None:
        """Wait for it. None where the file cannot be read: opening it raises the error."""
        self._thread.join()
        return self._found
