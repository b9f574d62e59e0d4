"""
A draft contract from the profile of a table or file, for people to correct.

Bounds, meaning and access cannot be read from rows: people add them. The text holds no value of a person, and of other
rows only those of a closed set, and examples on request.
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
from daftari.contract.personal_fields import is_personal_name
from daftari.contract.reader.odcs_versions import LATEST

TO_DESCRIBE = "To be described."


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
    #: what it holds of persons, in words; empty: nothing; None: its values were not read, and its name decides
    personal: str | None = None
    remarks: tuple[str, ...] = ()  #: for its owner, without a value
    # what a source mapping declares so that the file can be read
    null_words: tuple[str, ...] = ()
    format: str = ""
    decimal: str = ""


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
    remarks: tuple[str, ...] = ()  #: about its rows and key, for its owner


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What only people know of a dataset; a new pipeline begins with these, for its owner to correct."""

    readers: tuple[str, ...]
    writer: str
    purpose: str = "State why the organisation holds it."
    lawful_basis: str = "legitimate interests"
    retention: str = "5y"
    max_rejected_ratio: str = "0.05"


def contract_text(profile: TableProfile, terms: Terms | None = None) -> str:
    """
    Return a contract for *profile*: ODCS 3.1 YAML that passes lint and can be governed.

    Without *terms* it asks for them in comments.
    """
    dataset = sql_name_of(profile.name, longest=LONGEST_DATASET)
    names = field_names(column.name for column in profile.columns)
    item = CommentedMap(
        name=dataset,
        physicalType="table",
        businessName=Quoted(profile.name),
        description=profile.description or TO_DESCRIBE,
        customProperties=[
            {"property": "daftari.kind", "value": "transactional"},
            {"property": "daftari.conflict", "value": "update"},
            *(_properties_of(terms) if terms else ()),
        ],
        properties=[_property(column, names[column.name]) for column in profile.columns],
    )
    if terms is None:
        item.yaml_set_comment_before_after_key("properties", before=_asked_for(profile), indent=4)
    else:
        before = "Correct purpose, lawful basis, retention and access above: they are only examples."
        item.yaml_set_comment_before_after_key("properties", before=before, indent=4)
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


def field_names(names: Iterable[str]) -> dict[str, str]:
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


def _asked_for(profile: TableProfile) -> str:
    """Return the properties that only people know, to fill in."""
    persons = any(is_personal_of(column) for column in profile.columns)
    subject = ["  - {property: daftari.subject, value: FIELD}  # the field that names the person of a row"]
    return "\n".join(
        [
            "State these before it governs anything; uncomment each line under customProperties:",
            "  - {property: daftari.purpose, value: WHY}  # why the organisation holds it",
            "  - {property: daftari.lawfulBasis, value: BASIS}  # consent, contract, legal obligation …",
            "  - {property: daftari.retention, value: 7y}  # how long it is kept",
            *(subject if persons else []),
            "  - property: daftari.access  # who may see and change it",
            "    value:",
            "      - {role: ROLE, operations: [read], rows: all}",
        ]
    )


def _properties_of(terms: Terms) -> list[dict[str, Any]]:
    everything = {"rows": "all"}
    read = [{"role": role, "operations": ["read"], **everything} for role in terms.readers]
    write = {"role": terms.writer, "operations": ["read", "insert", "update"], **everything}
    said = {
        "purpose": terms.purpose,
        "lawfulBasis": terms.lawful_basis,
        "retention": terms.retention,
        "maxRejectedRatio": float(terms.max_rejected_ratio),
        "access": [*read, write],
    }
    return [{"property": f"daftari.{name}", "value": value} for name, value in said.items()]


def is_personal_of(column: ColumnProfile) -> bool:
    """Whether the field of *column* is about a person, by its values or by its name."""
    return is_personal_name(sql_name_of(column.name)) if column.personal is None else bool(column.personal)


def _property(column: ColumnProfile, name: str) -> CommentedMap:
    is_personal = is_personal_of(column)
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
    written = CommentedMap({key: value for key, value in stated.items() if value is not None})
    why = [f"Personal: {column.personal}."] if is_personal and column.personal else []
    if remarks := [*column.remarks, *why]:
        after = next(
            key for key in written if key != "name"
        )  # a comment before the first key would move the dash
        written.yaml_set_comment_before_after_key(after, before="\n".join(remarks), indent=8)
    return written


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
        + "".join(f"\n{remark}" for remark in profile.remarks)
    )


def _dumped(document: CommentedMap) -> str:
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 100
    text = StringIO()
    yaml.dump(document, text)
    return text.getvalue()
