"""Write rows as CSV for people: as the body of a response, or to a new file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from daftari.errors import SettingError
from daftari.io.files.csv_for_people import Row, csv_pieces
from daftari.io.files.csv_for_people import csv_file as csv_file
from daftari.io.workspace.whole_files import PRIVATE, whole_file


def write_private_csv(path: Path, names: Sequence[str], rows: Iterable[Row]) -> None:
    """
    Write a new file that only its owner may read.

    Raises:
        SettingError: the file exists already.
    """
    try:
        with whole_file(path, mode=PRIVATE, replaces=False) as file:
            file.writelines(csv_pieces(names, [rows]))
    except FileExistsError:
        raise SettingError(f"--to {path}: exists already; expected a new file") from None
