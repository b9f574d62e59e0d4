"""The reference workspace and the template of a pipeline, as shipped; and writing new files from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from string import Template

import daftari
from daftari.io.workspace.whole_files import write_whole_file

Files = Mapping[PurePosixPath, bytes]

#: Files that a workspace collects in use; never part of a new one.
_LEFT_BY_USE = {".daftari", ".env", ".user.yml", "__pycache__", "dbt_packages", "inbox", "logs", "target"}


def reference_files() -> Files:
    """Return the files of the reference workspace, by their paths in it."""
    return dict(_walk(_reference(), PurePosixPath()))


def _reference() -> Traversable:
    """Return its folder: package data in a wheel; in a checkout `workspace/`, where people work on it."""
    shipped = resources.files(daftari) / "reference"
    return shipped if shipped.is_dir() else Path(daftari.__file__).parents[2] / "workspace"


def pipeline_files(*, pipeline: str, dataset: str) -> Files:
    """Return the files of a new pipeline of one dataset, by their paths in its folder."""
    names = {"pipeline": pipeline, "dataset": dataset}
    template = resources.files(daftari) / "io" / "workspace" / "templates" / "pipeline"
    return {
        path.with_name(path.name.replace("dataset", dataset)): _filled(content, names)
        for path, content in _walk(template, PurePosixPath())
    }


def _filled(content: bytes, names: Mapping[str, str]) -> bytes:
    return Template(content.decode()).substitute(names).encode()


def _walk(folder: Traversable, at: PurePosixPath) -> Iterator[tuple[PurePosixPath, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name in _LEFT_BY_USE:
            continue
        if entry.is_dir():
            yield from _walk(entry, at / entry.name)
        else:
            yield at / entry.name, entry.read_bytes()


def write_files(files: Files, folder: Path) -> None:
    """Write *files* under *folder*. An existing file is an error: nothing is ever overwritten."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole_file(target, content, replaces=False)
