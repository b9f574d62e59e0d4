"""
A draft contract from the profile of a table or file, for people to correct.

Bounds, meaning and access cannot be read from rows: people add them. The text holds no values of rows,
except those of a closed set, and examples on request.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from daftari.contract.governable.governable import LONGEST_DATASET, LONGEST_NAME, RESERVED_COLUMNS
from daftari.contract.model import LogicalType
from daftari.contract.reader.odcs_versions import LATEST

TO_DESCRIBE = "To be described."

_PERSONAL = re.compile(
    r"(^|_)(name|names|surname|forename|email|mail|phone|mobile|telephone|address|birth|dob|gender|sex|"
    r"national_id|id_number|passport|kra|pin|nhif|nssf|account|iban|salary|next_of_kin|disability|religion)(_|$)"
)


@dataclass(frozen=True, kw_only=True)
class ColumnProfile:
    """The profile of one column."""

    name: str  #: as in the source
    logical_type: LogicalType
    physical_type: str | None = None
    description: str = ""
    required: bool = False
    unique: bool = False
    key_position: int | None = None
    allowed: tuple[str, ...] = ()  #: all distinct values, if there are few
    examples: tuple[str, ...] = ()  #: only on request


@dataclass(frozen=True, kw_only=True)
class ReferenceProfile:
    """A foreign key, in the source's names."""

    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TableProfile:
    name: str
    columns: tuple[ColumnProfile, ...]
    origin: str  #: in words: "claims.csv, 1,204 rows"
    description: str = ""
    references: tuple[ReferenceProfile, ...] = ()


def contract_text(profile: TableProfile) -> str:
    """Return a contract for *profile*: ODCS 3.1 YAML that passes lint and can be governed."""
    dataset = sql_name_of(profile.name, longest=LONGEST_DATASET)
    names = _field_names(column.name for column in profile.columns)
    item: dict[str, Any] = {
        "name": dataset,
        "physicalType": "table",
        "businessName": Quoted(profile.name),
        "description": profile.description or TO_DESCRIBE,
        "customProperties": [
            {"property": "daftari.kind", "value": "transactional"},
            {"property": "daftari.conflict", "value": "update"},
        ],
        "properties": [_property(column, names[column.name]) for column in profile.columns],
    }
    if profile.references:
        item["relationships"] = [_reference(dataset, one, names) for one in profile.references]
    document = CommentedMap(
        apiVersion=LATEST,
        kind="DataContract",
        id=dataset,
        name=dataset,
        version="0.1.0",
        status="draft",
        description={"purpose": TO_DESCRIBE},
        schema=[item],
    )
    document.yaml_set_start_comment(_heading(profile))
    return _dumped(document)


def sql_name_of(name: str, *, longest: int = LONGEST_NAME) -> str:
    """Return *name* as a table or column name: lower-case ASCII letters, digits and _."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    # An inner capital begins a word: NetAmount, employeeID.
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    text = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_") or "unnamed"
    text = f"n_{text}" if text[0].isdigit() else text
    text = text[:longest].rstrip("_")
    return f"source_{text}"[:longest] if text in RESERVED_COLUMNS else text


def _field_names(names: Iterable[str]) -> dict[str, str]:
    """Return a unique field name for each of *names*."""
    taken: dict[str, str] = {}
    for name in names:
        wanted = chosen = sql_name_of(name)
        number = 1
        while chosen in taken.values():
            number += 1
            chosen = f"{wanted[: LONGEST_NAME - 4]}_{number}"
        taken[name] = chosen
    return taken


def _property(column: ColumnProfile, name: str) -> dict[str, Any]:
    is_personal = _PERSONAL.search(name) is not None
    stated: dict[str, Any] = {
        "name": name,
        # A load finds the column by its field's name or by its business name.
        "businessName": Quoted(column.name) if column.name != name else None,
        "description": column.description or TO_DESCRIBE,
        "logicalType": column.logical_type.value,
        "physicalType": column.physical_type,
        "required": True if column.required or column.key_position else None,
        "unique": True if column.unique else None,
        "primaryKey": True if column.key_position else None,
        "primaryKeyPosition": column.key_position,
        "classification": "personal" if is_personal else "internal",
        "quality": [_closed_set(column, name)] if column.allowed else None,
        "examples": [Quoted(example) for example in column.examples] or None,
    }
    return {key: value for key, value in stated.items() if value is not None}


def _closed_set(column: ColumnProfile, name: str) -> dict[str, Any]:
    return {
        "name": f"{name}_is_known",
        "type": "library",
        "metric": "invalidValues",
        "mustBe": 0,
        "dimension": "conformity",
        # Quoted, because YAML 1.1 parsers read yes, no and on as booleans.
        "arguments": {"validValues": [Quoted(value) for value in column.allowed]},
    }


def _reference(dataset: str, reference: ReferenceProfile, names: dict[str, str]) -> dict[str, Any]:
    target = sql_name_of(reference.target, longest=LONGEST_DATASET)
    pairs = [
        (f"{dataset}.{names[column]}", f"{target}.{sql_name_of(other)}")
        for column, other in zip(reference.columns, reference.target_columns, strict=True)
    ]
    if len(pairs) == 1:
        return {"type": "foreignKey", "from": pairs[0][0], "to": pairs[0][1]}
    return {"type": "foreignKey", "from": [one for one, _ in pairs], "to": [other for _, other in pairs]}


def _heading(profile: TableProfile) -> str:
    origin = " ".join(profile.origin.split())
    return (
        f"A draft contract, made from {origin}.\n"
        "Review it before it governs anything: describe each field, check types, keys and closed sets,\n"
        "and state whom it is about (daftari.subject), why and how long it is kept, and who may see it."
    )


def _dumped(document: CommentedMap) -> str:
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 100
    text = StringIO()
    yaml.dump(document, text)
    return text.getvalue()
