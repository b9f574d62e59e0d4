"""Write a review as one HTML file, for an auditor."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from daftari.io.review.report import as_html
from daftari.io.workspace.whole_files import write_whole_file
from daftari.operations.review.show_review import Shown


def report_review(shown: Shown, path: Path, *, now: datetime, time_zone: str) -> None:
    """Write the review to *path*, with whether the audit attests it. An existing file is replaced."""
    text = as_html(shown.review, is_as_attested=shown.is_as_attested, now=now, time_zone=time_zone)
    write_whole_file(path, text.encode())
