"""
A contract's YAML as plain values, with the line of each. Independent of ODCS.

YAML 1.2, which includes JSON. Dates stay text, because JSON Schema validates text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from daftari.errors import ContractError, Fault

Path = tuple[str | int, ...]

#: Aliases can expand a few lines into very many values.
MOST_VALUES = 200_000
#: Real contracts nest about ten deep; a recursive alias nests for ever.
MOST_LEVELS = 60

_EXPECTED = re.compile(r"expected (?P<expected>.+), but (?:got|found) (?P<found>.+)")
_TAG = "tag:yaml.org,2002:"
_BASES = {"0x": 16, "0o": 8, "0b": 2}


class Number(float):
    """A number with decimals that remembers how it was written, so that money stays exact."""

    exact: Decimal

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, text)
        number.exact = Decimal(text)
        return number


@dataclass(frozen=True, kw_only=True)
class Document:
    """One parsed file. *root*, a mapping or a list, contains dict, list, str, int, Number, bool and None."""

    source: str
    root: Any
    lines: dict[Path, int] = field(repr=False)

    def line(self, path: Path) -> int:
        """Return the line of *path*, or of the nearest enclosing part that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def place(self, path: Path) -> str:
        """Return *path* for people: list items by their name if they have one."""
        words, at = [], self.root
        for step in path:
            at = _step(at, step)
            words.append(str(_name_of(at) or step) if isinstance(step, int) else step)
        return ".".join(words)

    def fault(self, path: Path, found: str, expected: str) -> Fault:
        return Fault(
            source=self.source, line=self.line(path), place=self.place(path), found=found, expected=expected
        )


def parse_document(text: str, *, source: str) -> Document:
    """
    Parse *text*, whose top level must be a mapping.

    Raises:
        ContractError: it is not YAML, or YAML that JSON cannot express; every duplicate key and
            the like is listed.
    """
    return _parse(text, source, MappingNode, "the fields of a contract")


def parse_list(text: str, *, source: str) -> Document:
    """Parse *text*, whose top level must be a list. Raises as `parse_document` does."""
    return _parse(text, source, SequenceNode, "a list")


def _parse(text: str, source: str, top: type[Node], expected: str) -> Document:
    reader = _Reader(source)
    node = _compose(text.removeprefix("\ufeff"), source)
    if not isinstance(node, top):
        found = "an empty file" if node is None else _kind(node)
        raise ContractError.from_faults([reader.fault_at(node, (), found, expected)])
    root = reader.value(node, ())
    if reader.faults:
        raise ContractError.from_faults(reader.faults)
    return Document(source=source, root=root, lines=reader.lines)


class _ShallowComposer(Composer):
    """Stops at a depth that no contract reaches, before ruamel's recursion fails."""

    _levels = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        self._levels += 1
        if self._levels > MOST_LEVELS:
            raise RecursionError
        node: Node | None = super().compose_node(parent, index)
        self._levels -= 1
        return node


def _compose(text: str, source: str) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _ShallowComposer
    try:
        return yaml.compose(text)  # type: ignore[no-any-return]
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _unreadable(source, mark.line + 1 if mark else 0, error.problem or "a fault") from error
    except RecursionError as error:
        raise _unreadable(source, 0, f"more than {MOST_LEVELS} levels") from error
    except (YAMLError, ValueError) as error:
        raise _unreadable(source, 0, str(error).splitlines()[0]) from error


def _unreadable(source: str, line: int, problem: str) -> ContractError:
    parts = _EXPECTED.match(problem)
    found = parts["found"] if parts else problem.removeprefix("but ").removeprefix("found ")
    expected = parts["expected"] if parts else "well-formed YAML"
    return ContractError.from_faults(
        [Fault(source=source, line=line, place="", found=found, expected=expected)]
    )


def _step(at: Any, step: str | int) -> Any:
    if isinstance(at, dict):
        return at.get(step)
    return at[step] if isinstance(at, list) and isinstance(step, int) and step < len(at) else None


def _name_of(item: Any) -> str | None:
    names = (item.get(key) for key in ("name", "property", "id")) if isinstance(item, dict) else ()
    return next((name for name in names if isinstance(name, str)), None)


def _kind(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "a mapping"
    return "a list" if isinstance(node, SequenceNode) else "a single value"


class _Reader:
    """Converts nodes to values, and records lines and faults."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: dict[Path, int] = {}
        self.faults: list[Fault] = []
        self._values = 0

    def fault_at(self, node: Node | None, path: Path, found: str, expected: str) -> Fault:
        line = node.start_mark.line + 1 if node else 0
        place = ".".join(str(step) for step in path)
        return Fault(source=self.source, line=line, place=place, found=found, expected=expected)

    def value(self, node: Node, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        self._count(node, path)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, position)) for position, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _count(self, node: Node, path: Path) -> None:
        self._values += 1
        if self._values > MOST_VALUES:
            limit = f"at most {MOST_VALUES} values, aliases counted each time"
            raise ContractError.from_faults([self.fault_at(node, (), "more", limit)])
        if len(path) > MOST_LEVELS:
            limit = f"at most {MOST_LEVELS} levels"
            raise ContractError.from_faults([self.fault_at(node, path[:3], "more", limit)])

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key, item in node.value:
            if key.tag == f"{_TAG}merge":
                merged = self._merge(item, path) | merged
            elif not isinstance(key, ScalarNode):
                self._refuse(key, path, f"{_kind(key)} as a key", "a name")
            else:
                self._entry(own, key, item, path)
        return merged | own

    def _entry(self, own: dict[str, Any], key: ScalarNode, item: Node, path: Path) -> None:
        name = self._text(key, path, str(key.value))
        place = (*path, name)
        if name in own:
            self._refuse(key, place, "the same key again", "each key once")
        else:
            self.lines[place] = key.start_mark.line + 1
            own[name] = self.value(item, place)

    def _merge(self, node: Node, path: Path) -> dict[str, Any]:
        """Return what `<<` merges in. The first of several with the same key wins, as YAML defines."""
        merged: dict[str, Any] = {}
        for item in node.value if isinstance(node, SequenceNode) else [node]:
            value = self.value(item, (*path, "<<"))
            if isinstance(value, dict):
                merged = value | merged
            else:
                self._refuse(item, (*path, "<<"), _kind(item), "a mapping")
        return merged

    def _scalar(self, node: Node, path: Path) -> Any:
        kind, text = str(node.tag).removeprefix(_TAG), str(node.value)
        if kind in ("str", "timestamp", "value"):
            return self._text(node, path, text)
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() in ("true", "yes", "on")  # the latter two in YAML 1.1 only
        if kind in ("int", "float"):
            return self._number(node, path, kind)
        self._refuse(node, path, f"the tag {node.tag}", "text, a number, true, false or null")
        return None

    def _text(self, node: Node, path: Path, text: str) -> str:
        # JSON writes a character beyond U+FFFF as two escapes.
        joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if "\0" in joined or joined.count("\ufffd") > text.count("\ufffd"):
            self._refuse(node, path, "a character that PostgreSQL cannot store", "Unicode text")
        return joined

    def _number(self, node: Node, path: Path, kind: str) -> int | Number | None:
        text = str(node.value).replace("_", "")
        try:
            number = (
                _integer(text)
                if kind == "int"
                else Number(text.replace(".inf", "inf").replace(".nan", "nan"))
            )
            if abs(number) < float("inf"):  # also false for NaN
                return number
        except (ValueError, ArithmeticError, OverflowError):
            pass
        self._refuse(node, path, "a number that JSON cannot express", "a finite decimal number")
        return None

    def _refuse(self, node: Node, path: Path, found: str, expected: str) -> None:
        self.faults.append(self.fault_at(node, path, found, expected))


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    base = _BASES.get(digits[:2].lower(), 10)
    number = int(digits[2:] if base != 10 else digits, base)
    return -number if text.startswith("-") else number


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield *value* and everything in it, outermost first."""
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from walk(item, (*path, step))
