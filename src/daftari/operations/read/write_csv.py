"""Write rows as CSV for people: as the body of a response, or to a new file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from daftari.errors import SettingError
from daftari.io.files.csv_for_people import Row, csv_pieces
from daftari.io.files.csv_for_people import csv_file as csv_file


def write_private_csv(path: Path, names: Sequence[str], rows: Iterable[Row]) -> None:
    """
    Write a new file that only its owner may read.

    Raises:
        SettingError: the file exists already.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SettingError(f"--to {path}: exists already; expected a new file") from None
    with os.fdopen(handle, "wb") as file:
        file.writelines(csv_pieces(names, [rows]))
