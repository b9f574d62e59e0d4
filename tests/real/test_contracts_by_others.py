"""
Contracts that others wrote, and the official JSON Schemas: our verdict is theirs.

Where the two engines differ, the official files win; so the schemas of ODCS 3.0, which we derive, are
also compared on each contract spoilt in many ways.
"""

from __future__ import annotations

import csv
import json
import random
from copy import deepcopy

import pytest
from jsonschema_rs import Draft201909Validator
from tests.real_files import real_files

from daftari.contract.reader.document import parse_document, walk
from daftari.contract.reader.odcs_schema import odcs_schema, plain
from daftari.contract.reader.odcs_versions import STEPS_BACK, schema_of
from daftari.contract.reader.read import read_contract
from daftari.errors import ContractError

DATA = real_files(in_module=True) / "contracts_odcs"
with (DATA / "ORACLE_odcs_json_schema.csv").open(encoding="utf-8") as file:
    ORACLE = list(csv.DictReader(file))

SPOILT_EACH = 60
#: What may stand where something else stood.
OTHERS = ["", "x", 0, -1, 1.5, True, None, [], ["x"], {}, {"x": 1}, "string", "2026-01-01", "v3.1.0"]
NEW_NAMES = [
    "id",
    "name",
    "description",
    "x",
    "rule",
    "metric",
    "relationships",
    "physicalName",
    "team",
    "roles",
]


def test_the_folder_holds_what_the_oracle_lists():
    assert len(ORACLE) == 83


@pytest.mark.parametrize("row", ORACLE, ids=[row["file"] for row in ORACLE])
def test_the_verdict_on_a_contract_is_the_official_one(row):
    text = (DATA / row["file"]).read_text("utf-8")
    if row["valid"] == "True":
        contract = read_contract(text, source=row["file"])
        assert len(contract.datasets) == int(row["objects"])
    else:
        with pytest.raises(ContractError) as raised:
            read_contract(text, source=row["file"])
        assert raised.value.faults
        assert all(fault.line >= 1 for fault in raised.value.faults)


def official(version: str) -> dict:
    return json.loads((DATA / f"schema/odcs-json-schema-{version}.json").read_text("utf-8"))


def spoil(document: dict, dice: random.Random) -> dict:
    """One to three things changed: removed, replaced, renamed, put twice or added."""
    document = deepcopy(document)
    for _ in range(dice.randint(1, 3)):
        path, _ = dice.choice([(p, v) for p, v in walk(document) if p])
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        act = dice.choice(["remove", "replace", "add", "move"])
        if act == "remove":
            del parent[path[-1]]
        elif act == "replace":
            parent[path[-1]] = deepcopy(dice.choice(OTHERS))
        elif isinstance(parent, dict) and act == "add":
            parent[dice.choice(NEW_NAMES)] = deepcopy(dice.choice(OTHERS))
        elif isinstance(parent, dict):
            parent[dice.choice(NEW_NAMES)] = parent.pop(path[-1])
    return document


@pytest.fixture(scope="module")
def documents() -> list[dict]:
    files = [row["file"] for row in ORACLE if row["kind"] == "ODCS"]
    read = [parse_document((DATA / f).read_text("utf-8"), source=f) for f in files]
    return [plain(d.root) for d in read if len(d.lines) < 2000]  # a large one is no more varied


@pytest.mark.parametrize("version", STEPS_BACK)
def test_spoilt_contracts_get_the_official_verdict_in_every_version(version, documents):
    ours = Draft201909Validator(schema_of(version, odcs_schema()))
    theirs = Draft201909Validator(official(version))
    dice = random.Random(20260714)
    verdicts = []
    for document in documents:
        for _ in range(SPOILT_EACH):
            spoilt = spoil(document | {"apiVersion": version}, dice)
            verdicts.append(theirs.is_valid(spoilt))
            assert ours.is_valid(spoilt) == verdicts[-1], json.dumps(spoilt)[:2000]
    assert 0.05 < sum(verdicts) / len(verdicts) < 0.95, "both verdicts are common, or little is compared"


def without_words(schema):
    """*schema* without what only describes."""
    if isinstance(schema, list):
        return [without_words(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    words = ("description", "examples", "title", "default", "deprecated", "$comment", "format")
    return {
        key: without_words(value)
        for key, value in schema.items()
        if key not in words or isinstance(value, dict)
    }


@pytest.mark.parametrize("version", STEPS_BACK)
def test_the_rules_for_a_dataset_and_its_fields_are_the_official_ones_to_the_letter(version):
    ours, theirs = (without_words(s) for s in (schema_of(version, odcs_schema()), official(version)))
    parts = ("SchemaObject", "SchemaProperty", "SchemaItemProperty", "SchemaBaseProperty", "SchemaElement")
    for part in (*parts, "CustomProperty", "Role", "SupportItem", "ServiceLevelAgreementProperty"):
        assert ours["$defs"][part] == theirs["$defs"][part], part
    assert ours["properties"] == theirs["properties"]
