"""Read a source mapping from YAML, with the line of each fault."""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from daftari.errors import MappingError
from daftari.rows.formats.dates import date_style
from daftari.rows.mapping.mapping import Mapping


def read_mapping(text: str, source: str) -> Mapping:
    """
    Read the mapping in *text*; *source* names its file in messages.

    Raises:
        MappingError: it not valid YAML, or not a valid mapping. The message lists all faults.
    """
    document = _document(text, source)
    try:
        mapping = Mapping.model_validate({**_plain(document), "name": source})
    except ValidationError as error:
        faults = sorted(_fault(document, source, dict(one)) for one in error.errors())
        raise MappingError(
            "\n".join(text for _, text in faults), hint="docs/reference/mapping.md has every key."
        ) from None
    _require_known_formats(mapping, document, source)
    return mapping


def _document(text: str, source: str) -> AbstractMapping[str, Any]:
    try:
        document = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise MappingError(f"{source}:{line}: not valid YAML: {error.problem}") from None
    except YAMLError as error:
        raise MappingError(f"{source}: not valid YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(document, AbstractMapping):
        raise MappingError(
            f"{source}:1: not a mapping; expected `dataset:` and `fields:`",
            hint="Begin with the line `dataset: expenses`.",
        )
    return document


def _plain(value: Any) -> Any:
    """Convert ruamel's round-trip values to plain ones; numbers keep their original digits."""
    if isinstance(value, AbstractMapping):
        return {
            str(key) if not isinstance(key, bool) else str(key).lower(): _plain(v) for key, v in value.items()
        }
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return str(value)
    return value


def _fault(document: AbstractMapping[str, Any], source: str, error: dict[str, Any]) -> tuple[int, str]:
    """Return the line and the message of a fault."""
    path = [part for part in error["loc"] if not str(part).startswith(("function-", "literal", "TotalRow"))]
    place = ".".join(map(str, path))
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "unknown name"
    line = _line(document, path)
    return line, f"{source}:{line}: {place or 'mapping'}: {message[:1].lower()}{message[1:]}"


def _line(node: Any, path: list[Any]) -> int:
    """Return the line of the deepest part of *path* in the document."""
    line = 1
    for part in path:
        if not isinstance(node, AbstractMapping | list) or not hasattr(node, "lc"):
            break
        try:
            line = (node.lc.key(part) if isinstance(node, AbstractMapping) else node.lc.item(part))[0] + 1
            node = node[part]
        except (KeyError, IndexError):
            break
    return line


def _require_known_formats(mapping: Mapping, document: AbstractMapping[str, Any], source: str) -> None:
    for name, field in mapping.fields.items():
        for declared in field.format:
            try:
                date_style(declared)
            except ValueError as error:
                line = _line(document, ["fields", name, "format"])
                raise MappingError(
                    f"{source}:{line}: fields.{name}: {error}",
                    hint="Write it as DD/MM/YYYY, D Month YYYY, YYYY-MM-DD HH:MM, %d.%m.%Y or excel.",
                ) from None
