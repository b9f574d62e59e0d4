"""
Generate dbt files from contracts: sources with their tests, and staging views.

The same contracts give the same bytes, so that dbt need not parse unchanged files again.
Contract text is untrusted: dbt renders every file as a Jinja template, so the text is
escaped to render unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from daftari.compile.quality.conditions import rules_in_sql, sql_condition
from daftari.contract.model import Contract, Dataset, Field, RowRule
from daftari.contract.platform import CREATED_AT, OPS, UPDATED_AT

#: The first words of every generated file: only files that begin with them are replaced or removed.
MARK = "Generated from"
_JINJA = re.compile(r"\{[{%#]")
#: dbt also runs an argument of a test that only looks like one of these calls.
_CALL = re.compile(r"^\s*(env_var|ref|var|source|doc)\s*\(")
#: dbt's periods, the longest first. A latency is a whole number of minutes.
_PERIODS = {"day": timedelta(days=1), "hour": timedelta(hours=1), "minute": timedelta(minutes=1)}


@dataclass(frozen=True, kw_only=True)
class GeneratedFile:
    name: str
    text: str


def staging_files(contracts: Sequence[Contract]) -> tuple[GeneratedFile, ...]:
    """Return the files of one pipeline's `transform/staging` folder."""
    views = [
        GeneratedFile(name=f"stg_{dataset.name}.sql", text=_staging_view(contract, dataset))
        for contract in contracts
        for dataset in contract.datasets
    ]
    return (GeneratedFile(name="sources.yml", text=_sources(contracts)), *views)


def inert(text: str) -> str:
    """Return *text* as a Jinja template that renders to it and runs nothing."""
    if _CALL.match(text):
        return f"{{{{ {_jinja_string(text)} }}}}"
    return _JINJA.sub(lambda found: f"{{{{ '{found[0]}' }}}}", text)


def quoted_in_template(name: str) -> str:
    """Return *name* as an SQL identifier inside a template."""
    return inert('"' + name.replace('"', '""') + '"')


def _staging_view(contract: Contract, dataset: Dataset) -> str:
    sealed = [field.name for field in dataset.fields if field.protection.sealed]
    columns = [_staged(field) for field in dataset.fields if not field.protection.sealed]
    columns += [CREATED_AT, UPDATED_AT]
    left_out = f"\n-- Left out, as they are sealed: {inert(', '.join(sealed))}." if sealed else ""
    body = ",\n    ".join(columns)
    return (
        f"-- {_origin([contract])}\n"
        f"-- Renames, casts and drops; decides nothing. Do not edit: change the contract.{left_out}\n"
        "{{ config(materialized='view', schema='staging', contract={'enforced': false}) }}\n\n"
        f"select\n    {body}\n"
        f"from {{{{ source('ops', {_jinja_string(dataset.name)}) }}}}\n"
    )


def _staged(field: Field) -> str:
    """Cast a closed set, an enum in the table, to text, which marts use."""
    name = quoted_in_template(field.name)
    return f"cast({name} as text) as {name}" if field.allowed else name


def _sources(contracts: Sequence[Contract]) -> str:
    document = {
        "version": 2,
        "sources": [
            {
                "name": OPS,
                "schema": OPS,
                "description": "Governed tables, made and filled by Daftari from the contracts.",
                "tables": [
                    _table(contract, dataset) for contract in contracts for dataset in contract.datasets
                ],
            }
        ],
    }
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 10_000  # avoid line folding, which would change with every word
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = StringIO()
    yaml.dump(document, text)
    return f"# {_origin(contracts)}\n# Do not edit: change the contract.\n{text.getvalue()}"


def _table(contract: Contract, dataset: Dataset) -> dict[str, Any]:
    table: dict[str, Any] = {"name": inert(dataset.name), "description": inert(dataset.description)}
    freshness = _freshness(contract)
    if freshness:
        table["config"] = freshness
    tests = [_row_rule(dataset, rule) for rule in rules_in_sql(dataset)]
    if len(dataset.key) > 1:
        columns = [quoted_in_template(name) for name in dataset.key]
        tests.append(_test(f"{dataset.name}__key", "unique_together", columns=columns))
    if tests:
        table["data_tests"] = tests
    table["columns"] = [_column(dataset, field) for field in dataset.fields]
    return table


def _freshness(contract: Contract) -> dict[str, Any] | None:
    """Return dbt's freshness from the service level `latency`; None if the contract has none."""
    latency = contract.latency
    if latency is None:
        return None
    period = next(name for name, length in _PERIODS.items() if not latency % length)
    return {
        "loaded_at_field": CREATED_AT,
        "freshness": {"error_after": {"count": latency // _PERIODS[period], "period": period}},
    }


def _column(dataset: Dataset, field: Field) -> dict[str, Any]:
    column: dict[str, Any] = {
        "name": inert(field.name),
        "description": inert(field.description),
        "quote": True,
    }
    tests = _column_tests(dataset, field)
    if tests:
        column["data_tests"] = tests
    return column


def _column_tests(dataset: Dataset, field: Field) -> list[dict[str, Any]]:
    prefix = f"{dataset.name}__{field.name}"
    tests = []
    if field.required or field.is_key:
        tests.append(_test(f"{prefix}__not_null", "not_null"))
    # Sealing the same value twice gives different bytes.
    if (field.unique or dataset.key == (field.name,)) and not field.protection.sealed:
        tests.append(_test(f"{prefix}__unique", "unique"))
    if field.allowed and not field.protection.sealed:
        # dbt's own test puts them in single quotes without escaping
        values = [inert(value.replace("'", "''")) for value in field.allowed]
        tests.append(_test(f"{prefix}__accepted_values", "accepted_values", values=values))
    for relation in dataset.relationships:
        if relation.fields == (field.name,):
            to = f"source('ops', {_jinja_string(relation.target)})"
            (target,) = relation.target_fields
            tests.append(
                _test(f"{prefix}__relationships", "relationships", to=to, field=quoted_in_template(target))
            )
    return tests


def _row_rule(dataset: Dataset, rule: RowRule) -> dict[str, Any]:
    return _test(
        f"{dataset.name}__rule__{rule.id}", "row_rule", condition=inert(sql_condition(dataset, rule))
    )


def _test(name: str, kind: str, **arguments: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"name": inert(name)}
    if arguments:
        body["arguments"] = arguments
    return {kind: body}


def _jinja_string(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _origin(contracts: Sequence[Contract]) -> str:
    """
    Return the contracts that a file comes from, as one comment line.

    By id, version and hash: file paths differ between machines.
    """
    named = ", ".join(f"{contract.id} {contract.version} ({contract.hash[:12]})" for contract in contracts)
    return f"{MARK} {inert(' '.join(named.split()))}."
