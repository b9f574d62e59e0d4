"""
Which roles read a mart, and which rows of it: from the models' own files, under `config.meta.daftari`.

    readers: [hr, {role: manager, rows: reports}, {role: employee, rows: own}]
    subject: user_id
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from daftari.contract.access.mart_readers import MART_SCOPES, MartReaders, Readers
from daftari.contract.model import RowScope
from daftari.errors import Fault

_ROLE = re.compile(r"(?!daftari_|pg_)[a-z_][a-z0-9_]{0,62}")
_SCOPES = " | ".join(MART_SCOPES)
_EXPECTED = f"a list of roles, each once: in small letters, digits and _, or {{role: …, rows: {_SCOPES}}}"
_NO_SUBJECT = "a subject: the described column that names the person of each row, because rows depends on it"


class _Said(NamedTuple):
    """The readers that a model's file states, unchecked."""

    readers: Any
    subject: Any
    columns: list[Any]


def read_readers(folder: Path, root: Path) -> tuple[Readers, list[Fault]]:
    """Return the readers of the marts of the pipeline in *folder*, and the faults in their definitions."""
    found: dict[str, MartReaders] = {}
    faults: list[Fault] = []
    for path in sorted(folder.glob("transform/*.yml")):
        source = path.relative_to(root).as_posix()
        for name, said in _models(path, source, faults):
            readers, fault = _readers(said)
            if fault is None:
                found[name] = readers
            else:
                place = f"models.{name}.config.meta.daftari.{fault.place}"
                faults.append(replace(fault, source=source, place=place))
    return Readers(of=found), faults


def _readers(said: _Said) -> tuple[MartReaders, Fault | None]:
    """Return the readers of a mart, and the faults in their definition."""
    listed = said.readers if isinstance(said.readers, list) else [said.readers]
    scopes = [_scope(it) for it in listed]
    known = dict(it for it in scopes if it is not None)
    readers = MartReaders(scopes=known, subject=said.subject if isinstance(said.subject, str) else None)
    if len(known) < len(listed) or not isinstance(said.readers, list):
        return readers, _fault("readers", said.readers, _EXPECTED)
    if set(known.values()) - {RowScope.ALL} and readers.subject not in said.columns:
        return readers, _fault("subject", said.subject, _NO_SUBJECT)
    return readers, None


def _scope(one: Any) -> tuple[str, RowScope] | None:
    said = one if isinstance(one, dict) else {"role": one, "rows": RowScope.ALL}
    role, rows = said.get("role"), said.get("rows")
    is_role = isinstance(role, str) and _ROLE.fullmatch(role)
    scope = next((it for it in MART_SCOPES if it == rows), None)
    return (str(role), scope) if is_role and scope and set(said) == {"role", "rows"} else None


def _fault(place: str, found: Any, expected: str) -> Fault:
    return Fault(source="", line=0, place=place, found=repr(found)[:60], expected=expected)


def _models(path: Path, source: str, faults: list[Fault]) -> Iterator[tuple[str, _Said]]:
    try:
        document = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except (YAMLError, UnicodeDecodeError):
        faults.append(
            Fault(source=source, line=0, place="", found="text that is not YAML in UTF-8", expected="YAML")
        )
        return
    for model in _of(document, "models", list):
        daftari = _of(_of(_of(model, "config", dict), "meta", dict), "daftari", dict)
        if "readers" in daftari:
            columns = [it.get("name") for it in _of(model, "columns", list) if isinstance(it, dict)]
            said = _Said(daftari["readers"], daftari.get("subject"), columns)
            yield str(model.get("name")), said


def _of(document: Any, name: str, kind: type[Any]) -> Any:
    """Return the value under *name* where it is of *kind*, else an empty one: dbt reports its faults."""
    said = document.get(name) if isinstance(document, dict) else None
    return said if isinstance(said, kind) else kind()
