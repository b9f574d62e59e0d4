"""Descriptions of files: source mappings, in a pipeline's ingest/, and manifests, next to the files."""

from __future__ import annotations

from pathlib import Path

from daftari.errors import MappingError
from daftari.rows.intake.control_totals import ControlTotals, read_manifest
from daftari.rows.mapping.mapping import Mapping
from daftari.rows.mapping.mapping_reader import read_mapping


def read_mapping_file(path: Path) -> Mapping:
    """
    Read one source mapping.

    Raises:
        MappingError: it cannot be read, or is not a mapping; each fault with its line.
    """
    return read_mapping(_text_of(path, "utf-8"), path.name)


def _text_of(path: Path, encoding: str) -> str:
    try:
        return path.read_text(encoding)
    except UnicodeDecodeError as error:
        raise MappingError(f"{path}: byte {error.start} is not UTF-8; expected text in UTF-8") from None
    except OSError as error:
        raise MappingError(
            f"{path}: {(error.strerror or str(error)).lower()}; expected a readable file"
        ) from None


def manifest_totals(path: Path) -> list[ControlTotals]:
    """
    Return what the manifests next to *path* (manifest.csv, manifest.yaml) state about that file.

    Raises:
        MappingError: a manifest cannot be read.
    """
    found = []
    for manifest in (path.with_name("manifest.csv"), path.with_name("manifest.yaml")):
        if manifest.is_file() and manifest != path:
            stated = read_manifest(_text_of(manifest, "utf-8-sig"), manifest.name).get(path.name)
            found += [stated] if stated else []
    return found
