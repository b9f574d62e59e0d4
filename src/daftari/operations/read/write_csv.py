"""Write rows as CSV for people: as the body of an answer, or to a file of their own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from daftari.errors import SettingError
from daftari.io.files.csv_for_people import Row, csv_pieces
from daftari.io.files.csv_for_people import csv_file as csv_file


def write_private_csv(path: Path, names: Sequence[str], rows: Iterable[Row]) -> None:
    """
    Write a new file that its owner alone may read.

    Raises:
        SettingError: there is a file already.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SettingError(f"--to {path}: is there already; expected a new file") from None
    with os.fdopen(handle, "wb") as file:
        file.writelines(csv_pieces(names, [rows]))
