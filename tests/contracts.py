"""A small contract that holds, for tests to spoil. JSON is YAML, so json.dumps writes it."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from daftari.contract.model import Contract
from daftari.contract.reader.read import read_contract


def contract_document(
    *,
    fields: list[dict[str, Any]] | None = None,
    custom: dict[str, Any] | None = None,
    name: str = "visits",
    **dataset: Any,
) -> dict[str, Any]:
    """A valid contract: *fields* replace its own, *custom* are `daftari.*` values, the rest is ODCS."""
    key = {"name": "visit_id", "logicalType": "string", "required": True, "primaryKey": True}
    own = [key, {"name": "seen_on", "logicalType": "date"}, {"name": "fee", "logicalType": "number"}]
    said = [{"property": f"daftari.{name}", "value": value} for name, value in (custom or {}).items()]
    item = {"name": name, "properties": deepcopy(own if fields is None else fields), **dataset}
    if said:
        item["customProperties"] = said
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"test.{name}",
        "version": "1.0.0",
        "status": "active",
        "schema": [item],
    }


def contract_of(**changes: Any) -> Contract:
    return read_contract(json.dumps(contract_document(**changes)), source="visits.odcs.yaml")


def field(name: str = "fee", logical_type: str = "number", **said: Any) -> dict[str, Any]:
    return {"name": name, "logicalType": logical_type, **said}
