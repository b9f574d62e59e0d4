"""The example rows that a contract ships, each with its expected verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from daftari.contract.reader.document import Document, Number, Path, parse_list
from daftari.contract.reader.odcs_schema import one_of, shown
from daftari.errors import ContractError, Fault

_KEYS = ("name", "row", "given", "verdict", "rule", "reason")
_VERDICTS = ("accepted", "rejected")


@dataclass(frozen=True, kw_only=True)
class Example:
    name: str
    row: Mapping[str, Any]  #: a value for each field, as a record of JSON has it; absent ones are missing
    is_accepted: bool
    #: by the referring field: the fields of the referenced row that rules look at; without them these are not judged
    given: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: exactly the rules that it breaks; empty: any
    rules: tuple[str, ...] = ()
    reason: str | None = None  #: the rule's exact reason; None: any
    line: int = 0


def read_examples(text: str, *, source: str) -> tuple[Example, ...]:
    """
    Return the examples that *text*, YAML, states.

    Raises:
        ContractError: with all faults, each with its line.
    """
    document = parse_list(text, source=source)
    faults: list[Fault] = []
    examples = []
    names: set[str] = set()
    for position, entry in enumerate(document.root):
        its_faults = list(_faults(document, (position,), entry, names))
        faults += its_faults
        if not its_faults:
            names.add(entry["name"])
            examples.append(_example(entry, document.line((position,))))
    if faults:
        raise ContractError.from_faults(faults)
    return tuple(examples)


def _faults(document: Document, path: Path, entry: Any, names: set[str]) -> list[Fault]:
    if not isinstance(entry, dict):
        return [document.fault(path, shown(entry), "name, row and verdict")]
    faults = [
        document.fault((*path, key), f"unknown name {key!r}", one_of(key, _KEYS))
        for key in entry
        if key not in _KEYS
    ]
    if not isinstance(entry.get("name"), str) or entry["name"] in names:
        faults.append(document.fault((*path, "name"), shown(entry.get("name")), "a unique name"))
    if not isinstance(entry.get("row"), dict):
        faults.append(document.fault((*path, "row"), shown(entry.get("row")), "a value for each field"))
    given = entry.get("given", {})
    if not isinstance(given, dict) or not all(isinstance(it, dict) for it in given.values()):
        faults.append(
            document.fault((*path, "given"), shown(given), "fields of a row, for each referring field")
        )
    if entry.get("verdict") not in _VERDICTS:
        faults.append(document.fault((*path, "verdict"), shown(entry.get("verdict")), one_of("", _VERDICTS)))
    return faults + _reason_faults(document, path, entry)


def _reason_faults(document: Document, path: Path, entry: dict[str, Any]) -> list[Fault]:
    rule, reason = entry.get("rule"), entry.get("reason")
    rules = rule if isinstance(rule, list) else [rule]
    if rule is not None and not all(isinstance(one, str) for one in rules):
        return [document.fault((*path, "rule"), shown(rule), "the id of a rule, or a list of them")]
    if reason is not None and not isinstance(reason, str):
        return [document.fault((*path, "reason"), shown(reason), "text")]
    if entry.get("verdict") == "accepted" and (rule or reason):
        return [
            document.fault((*path, "verdict"), "accepted", "rejected, because a rule or a reason is given")
        ]
    return []


def _example(entry: dict[str, Any], line: int) -> Example:
    rule = entry.get("rule") or []
    return Example(
        name=entry["name"],
        row=MappingProxyType({name: _exact(value) for name, value in entry["row"].items()}),
        is_accepted=entry["verdict"] == "accepted",
        given={
            name: {part: _exact(value) for part, value in fields.items()}
            for name, fields in entry.get("given", {}).items()
        },
        rules=tuple(rule) if isinstance(rule, list) else (rule,),
        reason=entry.get("reason"),
        line=line,
    )


def _exact(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return value.exact if isinstance(value, Number) else value
