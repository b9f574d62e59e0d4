"""Which roles read a mart: what the models' own files say, under `config.meta.daftari.readers`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from daftari.compile.access import Readers
from daftari.errors import Fault

_ROLE = re.compile(r"(?!daftari_|pg_)[a-z_][a-z0-9_]{0,62}")
_EXPECTED = "a list of roles, in small letters, digits and _"


def read_readers(folder: Path, root: Path) -> tuple[Readers, list[Fault]]:
    """Return who reads the marts of the pipeline in *folder*, and what is wrong with what is said of it."""
    found: dict[str, tuple[str, ...]] = {}
    faults: list[Fault] = []
    for path in sorted(folder.glob("transform/*.yml")):
        source = path.relative_to(root).as_posix()
        for name, said in _models(path, source, faults):
            if _is_list_of_roles(said):
                found[name] = tuple(dict.fromkeys(said))
            else:
                place = f"models.{name}.config.meta.daftari.readers"
                faults.append(
                    Fault(source=source, line=0, place=place, found=repr(said)[:60], expected=_EXPECTED)
                )
    return Readers(of=found), faults


def _models(path: Path, source: str, faults: list[Fault]) -> Iterator[tuple[str, Any]]:
    try:
        document = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except (YAMLError, UnicodeDecodeError):
        faults.append(Fault(source=source, line=0, place="", found="no YAML in UTF-8", expected="YAML"))
        return
    for model in _of(document, "models", list):
        daftari = _of(_of(_of(model, "config", dict), "meta", dict), "daftari", dict)
        if "readers" in daftari:
            yield str(model.get("name")), daftari["readers"]


def _of(document: Any, name: str, kind: type[Any]) -> Any:
    """Return what stands under *name* where it is of *kind*, else an empty one: dbt says what is wrong with it."""
    said = document.get(name) if isinstance(document, dict) else None
    return said if isinstance(said, kind) else kind()


def _is_list_of_roles(said: Any) -> bool:
    return isinstance(said, list) and all(isinstance(it, str) and _ROLE.fullmatch(it) for it in said)
