"""Source mappings, read from the files of a pipeline's ingest/."""

from __future__ import annotations

from pathlib import Path

from daftari.errors import MappingError
from daftari.rows.mapping import Mapping
from daftari.rows.mapping_reader import read_mapping


def read_mapping_file(path: Path) -> Mapping:
    """
    Read one source mapping.

    Raises:
        MappingError: it cannot be read, or is not one; each fault with its line.
    """
    try:
        return read_mapping(path.read_text("utf-8"), path.name)
    except UnicodeDecodeError as error:
        raise MappingError(f"{path}: byte {error.start} is not UTF-8; expected text in UTF-8") from None
    except OSError as error:
        raise MappingError(
            f"{path}: {(error.strerror or str(error)).lower()}; expected a readable file"
        ) from None
