"""
How the JSON Schemas of ODCS 3.0.0, 3.0.1 and 3.0.2 differ from that of 3.1.

The package `open-data-contract-standard` ships 3.1 only, and the published 3.0 files are not ours
to copy. The differences are few, so this module lists them, each version as steps back from the next.
Paths start at `$defs`; those with a leading dot, at the top. Differences that only describe, or do not
affect validation (sources of server types unknown to 3.0), are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

LATEST = "v3.1.0"

_OPTIONS = "then/properties/logicalTypeOptions/properties"
_FILE_FORMATS = ["parquet", "delta", "json", "csv"]
_JSON_DELIMITERS = ["new_line", "array"]
_TEXT = {"type": "string"}


@dataclass(frozen=True, kw_only=True)
class SchemaDifference:
    """The changes that turn one version's schema into an earlier one's."""

    removed: tuple[str, ...] = ()
    replaced: dict[str, Any] = field(default_factory=dict)


def _paths(template: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(template.format(name) for name in names)


FROM_3_1_0_TO_3_0_2 = SchemaDifference(
    removed=(
        # 3.0 lets these have unknown properties
        *_paths("{}/unevaluatedProperties", ("Server", "SchemaBaseProperty", "DataQuality")),
        *_paths(
            "{}/additionalProperties",
            (
                "AuthoritativeDefinitions/items",
                "CustomProperty",
                "Pricing",
                "Role",
                "ServiceLevelAgreementProperty",
                "SupportItem",
            ),
        ),
        # properties unknown to 3.0
        *_paths(
            "{}/properties/id",
            (
                "AuthoritativeDefinitions/items",
                "CustomProperty",
                "DataQuality",
                "Pricing",
                "Role",
                "SchemaElement",
                "Server",
                "ServiceLevelAgreementProperty",
                "SupportItem",
            ),
        ),
        *_paths("ServiceLevelAgreementProperty/properties/{}", ("description", "scheduler", "schedule")),
        "AuthoritativeDefinitions/items/properties/description",
        "CustomProperty/properties/description",
        "SchemaBaseProperty/properties/relationships",
        "SchemaObject/properties/relationships",
        "ServerSource/CustomServer/properties/stream",
        "SupportItem/properties/customProperties",
        # a custom property needs neither name nor value
        "CustomProperty/required",
        # comparisons: one only, and required, since 3.1
        "DataQualitySql/allOf",
        # logicalTypeOptions of timestamp and time, unknown to 3.0
        "SchemaBaseProperty/allOf/3",
    ),
    replaced={
        ".properties/apiVersion/enum": ["v3.0.2", "v3.0.1", "v3.0.0", "v2.2.2", "v2.2.1", "v2.2.0"],
        # a list of members without required properties
        ".properties/team": {"type": "array", "items": {"$ref": "#/$defs/Team"}},
        "Team": {
            "type": "object",
            "properties": {
                "username": _TEXT,
                "name": _TEXT,
                "description": _TEXT,
                "role": _TEXT,
                "dateIn": _TEXT,
                "dateOut": _TEXT,
                "replacedByUsername": _TEXT,
            },
        },
        "SupportItem/required": ["channel", "url"],
        # a quality entry has type library by default, and names a rule, not a metric
        "DataQuality/allOf/0/if": {"properties": {"type": {"const": "library"}}},
        "DataQualityLibrary": {
            "type": "object",
            "required": ["rule"],
            "properties": {
                "rule": _TEXT,
                "mustBeGreaterThan": {"type": "number"},
                "mustBeGreaterOrEqualTo": {"type": "number"},
                "mustBeLessThan": {"type": "number"},
                "mustBeLessOrEqualTo": {"type": "number"},
                "mustBeBetween": {"$ref": "#/$defs/DataQualityOperators/oneOf/6/properties/mustBeBetween"},
                "mustNotBeBetween": {
                    "$ref": "#/$defs/DataQualityOperators/oneOf/7/properties/mustNotBeBetween"
                },
            },
        },
        "SchemaBaseProperty/properties/logicalType/enum": [
            "string",
            "date",
            "number",
            "integer",
            "object",
            "array",
            "boolean",
        ],
        # exclusive bounds say whether minimum and maximum are exclusive
        **{
            f"SchemaBaseProperty/allOf/{position}/{_OPTIONS}/{bound}/type": "boolean"
            for position in (2, 4, 5)  # of date, integer, number
            for bound in ("exclusiveMinimum", "exclusiveMaximum")
        },
        "ServerSource/DuckdbServer/properties/schema/type": "integer",
        **dict.fromkeys(
            _paths("ServerSource/{}/properties/format/enum", ("AzureServer", "S3Server", "SftpServer")),
            _FILE_FORMATS,
        ),
        **dict.fromkeys(
            _paths("ServerSource/{}/properties/delimiter/enum", ("AzureServer", "S3Server", "SftpServer")),
            _JSON_DELIMITERS,
        ),
    },
)

FROM_3_0_2_TO_3_0_1 = SchemaDifference(
    removed=(
        "SchemaBaseProperty/properties/physicalName",
        *_paths("Team/properties/{}", ("name", "description")),
    ),
    replaced={
        ".properties/apiVersion/enum": ["v3.0.1", "v3.0.0", "v2.2.2", "v2.2.1", "v2.2.0"],
        "ServerSource/AthenaServer/required": ["staging_dir", "schema"],
    },
)

FROM_3_0_1_TO_3_0_0 = SchemaDifference(
    removed=(
        ".properties/authoritativeDefinitions",
        *_paths(".properties/description/properties/{}", ("authoritativeDefinitions", "customProperties")),
        "Role/properties/customProperties",
    ),
    replaced={".properties/apiVersion/enum": ["v3.0.0", "v2.2.2", "v2.2.1", "v2.2.0"]},
)

#: The steps from 3.1 to each version.
STEPS_BACK = {
    LATEST: (),
    "v3.0.2": (FROM_3_1_0_TO_3_0_2,),
    "v3.0.1": (FROM_3_1_0_TO_3_0_2, FROM_3_0_2_TO_3_0_1),
    "v3.0.0": (FROM_3_1_0_TO_3_0_2, FROM_3_0_2_TO_3_0_1, FROM_3_0_1_TO_3_0_0),
}

#: Server types new in 3.1.
_NEW_SERVERS = {"hive", "impala", "zen"}


def schema_of(version: str, latest: dict[str, Any]) -> dict[str, Any]:
    """Derive the JSON Schema of *version*, one of STEPS_BACK, from *latest*, that of 3.1."""
    schema = deepcopy(latest)
    for step in STEPS_BACK[version]:
        _undo(schema, step)
    if STEPS_BACK[version]:
        types = schema["$defs"]["Server"]["properties"]["type"]
        types["enum"] = [name for name in types["enum"] if name not in _NEW_SERVERS]
    return schema


def _undo(schema: dict[str, Any], step: SchemaDifference) -> None:
    for path, value in step.replaced.items():
        parent, key = _locate(schema, path)
        parent[key] = deepcopy(value)
    for path in step.removed:
        parent, key = _locate(schema, path)
        del parent[key]


def _locate(schema: dict[str, Any], path: str) -> tuple[Any, Any]:
    at: Any = schema if path.startswith(".") else schema["$defs"]
    *parents, last = path.removeprefix(".").split("/")
    for name in parents:
        at = at[int(name) if isinstance(at, list) else name]
    return at, int(last) if isinstance(at, list) else last
