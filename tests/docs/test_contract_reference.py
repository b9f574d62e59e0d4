"""The page on contracts names exactly what the reader accepts, and its examples are accepted."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.contracts import contract_document, field

from daftari.contract.governable.physical_types import ALLOWED
from daftari.contract.reader import extensions
from daftari.contract.reader.document import parse_list
from daftari.contract.reader.odcs_schema import VERSIONS, plain
from daftari.contract.reader.read import read_contract
from daftari.io.workspace.files import enforcement_faults

PAGE = (Path(__file__).parents[2] / "docs/reference/contract.md").read_text("utf-8")
_PARTS = re.split(r"^## `([^`]+)`$", PAGE, flags=re.MULTILINE)
SECTIONS = dict(zip(_PARTS[1::2], _PARTS[2::2], strict=True))

#: The parts that the value of a property is made of.
PARTS = {
    "daftari.rules": extensions.RuleValue,
    "daftari.access": extensions.AccessValue,
    "daftari.approval": extensions.ApprovalValue,
    "daftari.partition": extensions.PartitionValue,
    "daftari.noOverlap": extensions.OverlapValue,
    "daftari.protection": extensions.ProtectionValue,
}

#: What a property stands beside in a contract.
BESIDE = {
    "daftari.approval": {
        "access": [
            {"role": "employee", "operations": ["read", "insert"], "rows": "own"},
            {"role": "manager", "operations": ["read", "update"], "rows": "reports"},
            {"role": "finance", "operations": ["read", "update"], "rows": "all"},
        ]
    }
}

STATES = {
    "name": "known", "type": "library", "metric": "invalidValues", "mustBe": 0,
    "arguments": {"validValues": ["submitted", "approved", "rejected", "paid"]},
}  # fmt: skip

FIELDS = [
    {"name": "expense_id", "logicalType": "string", "required": True, "primaryKey": True},
    field("spent_on", "date", required=True),
    field("paid_on", "date"),
    field("department", "string", relationships=[{"type": "foreignKey", "to": "departments.code"}]),
    field("user_id", "string"),
    field("status", "string", required=True, quality=[STATES]),
    field("approved_at", "timestamp"),
]


def test_the_page_names_every_property_that_the_reader_accepts_and_no_other():
    of_dataset, of_field = PAGE.split("# Properties of a field")
    named = [re.findall(r"^## `([^`]+)`$", part, re.MULTILINE) for part in (of_dataset, of_field)]
    accepted = [extensions.names(model) for model in (extensions.OfObject, extensions.OfProperty)]
    assert [set(part) for part in named] == [set(part) for part in accepted]


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_names_every_part_of_the_value_and_no_other(name):
    listed = re.findall(r"^- `([^`]+)`:", SECTIONS[name], re.MULTILINE)
    model = PARTS.get(name)
    known = [field.alias or key for key, field in model.model_fields.items()] if model else []
    assert sorted(listed) == sorted(known)


@pytest.mark.parametrize("name", SECTIONS)
def test_the_example_of_a_property_is_accepted_and_can_be_enforced(name):
    [example] = re.findall(r"^```yaml\n(.*?)^```$", SECTIONS[name], re.MULTILINE | re.DOTALL)
    said = plain(parse_list(example, source=name).root)
    assert [one["property"] for one in said] == [name]
    if name in extensions.names(extensions.OfProperty):
        document = contract_document(
            fields=[*FIELDS, field("pin", "string", unique=True, customProperties=said)]
        )
    else:
        subject = {} if name == "daftari.subject" else {"subject": "user_id"}
        document = contract_document(fields=FIELDS, custom={**subject, **BESIDE.get(name, {})})
        document["schema"][0].setdefault("customProperties", []).extend(said)
    assert enforcement_faults(read_contract(json.dumps(document), source=name)) == ()


def test_the_page_names_the_types_and_versions_there_are():
    assert f"type: {ALLOWED}." in PAGE
    assert f"{', '.join(VERSIONS[:-1])} or {VERSIONS[-1]}" in PAGE
