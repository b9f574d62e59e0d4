"""
What a contract needs, beyond valid ODCS, before its dataset can be governed in PostgreSQL.

Applies only to a workspace's own contracts. `rows` checks row rules, where it compiles them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from daftari.contract.governable.approval_checks import approval_findings
from daftari.contract.governable.field_checks import field_findings
from daftari.contract.governable.findings import ContractFinding
from daftari.contract.model import (
    Contract,
    Dataset,
    Field,
    LogicalType,
    Overlap,
    Quality,
    QualityMetric,
    QualityType,
    QualityUnit,
    RowScope,
)
from daftari.contract.platform import COLUMNS
from daftari.contract.reader.odcs_schema import one_of
from daftari.contract.sql_guard import refusal_to_run
from daftari.errors import Fault

_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")
#: PostgreSQL truncates longer names, so two of them may collide.
LONGEST_NAME = 63
#: Leaves room for prefixes and suffixes, as in incidents_2026q1.
LONGEST_DATASET = 48

#: PostgreSQL's limit of 1,600 columns, less those of the platform.
MOST_FIELDS = 1600 - len(COLUMNS)

_SYSTEM_COLUMNS = ("tableoid", "ctid", "xmin", "xmax", "cmin", "cmax")
RESERVED_COLUMNS = (*COLUMNS, *_SYSTEM_COLUMNS)

_DATED = (LogicalType.DATE, LogicalType.TIMESTAMP)


def governable(contract: Contract) -> tuple[Fault, ...]:
    """Return why *contract* cannot be enforced, in order of lines. Empty: it can."""
    if len(contract.datasets) != 1:
        found = f"{len(contract.datasets)} objects"
        expected = "1: one contract for each dataset"
        return (Fault(source=contract.source, line=0, place="schema", found=found, expected=expected),)
    dataset = contract.dataset
    faults = [finding.in_dataset(contract, dataset) for finding in _findings(dataset)]
    return tuple(sorted((*contract.reservations, *faults), key=lambda fault: fault.line))


def _findings(dataset: Dataset) -> Iterator[ContractFinding]:
    yield from _names(dataset)
    yield from _size(dataset)
    for field in dataset.fields:
        yield from field_findings(field)
    yield from _key(dataset)
    yield from _relationships(dataset)
    yield from _rules(dataset)
    yield from _quality(dataset)
    yield from _access(dataset)
    yield from _partitioning(dataset)
    yield from _sealed(dataset)
    if dataset.approval:
        yield from approval_findings(dataset, dataset.approval)
    if dataset.no_overlap:
        yield from _overlap(dataset, dataset.no_overlap)


def _names(dataset: Dataset) -> Iterator[ContractFinding]:
    if not _IDENTIFIER.fullmatch(dataset.name) or len(dataset.name) > LONGEST_DATASET:
        expected = f"a name of at most {LONGEST_DATASET} lower-case letters, digits and _"
        yield ContractFinding("name", repr(dataset.name), expected)
    if not dataset.fields:
        yield ContractFinding("properties", "none", "at least one property")
    for field in dataset.fields:
        if not _IDENTIFIER.fullmatch(field.name) or len(field.name) > LONGEST_NAME:
            expected = f"a name of at most {LONGEST_NAME} lower-case letters, digits and _"
            yield ContractFinding("name", repr(field.name), expected, field=field)
        elif field.name in RESERVED_COLUMNS:
            yield ContractFinding(
                "name", field.name, "another name: every table has this platform column", field=field
            )
        if field.allowed and len(dataset.name) + 1 + len(field.name) > LONGEST_NAME:
            expected = f"at most {LONGEST_NAME} characters: the enum type of its closed set has this name"
            yield ContractFinding("name", f"{dataset.name}_{field.name}", expected, field=field)
    yield from _renames(dataset)
    for name in _repeated(field.name for field in dataset.fields):
        yield ContractFinding("properties", f"{name!r} more than once", "each property once")


def _renames(dataset: Dataset) -> Iterator[ContractFinding]:
    names = [field.name for field in dataset.fields]
    renamed = [field for field in dataset.fields if field.renamed_from]
    for field in renamed:
        if field.renamed_from in names or sum(it.renamed_from == field.renamed_from for it in renamed) > 1:
            expected = "a name that no field has any more, once"
            yield ContractFinding("daftari.renamedFrom", repr(field.renamed_from), expected, field=field)
        elif field.protection.sealed:
            expected = "no new name: sealed values can only be opened under the name they were sealed with"
            yield ContractFinding("daftari.renamedFrom", "a sealed field", expected, field=field)


def _size(dataset: Dataset) -> Iterator[ContractFinding]:
    if len(dataset.fields) > MOST_FIELDS:
        expected = (
            f"at most {MOST_FIELDS:,}: a table of PostgreSQL has no more columns; divide them over several datasets"
            " with the same key"
        )
        yield ContractFinding("properties", f"{len(dataset.fields):,}", expected)


def _key(dataset: Dataset) -> Iterator[ContractFinding]:
    keyed = [field for field in dataset.fields if field.is_key]
    for field in keyed:
        if not field.required:
            yield ContractFinding("required", "false", "true: it is in the primary key", field=field)
    for position in _repeated(str(field.key_position) for field in keyed):
        yield ContractFinding("primaryKeyPosition", f"{position} more than once", "each position once")


def _relationships(dataset: Dataset) -> Iterator[ContractFinding]:
    known = [field.name for field in dataset.fields]
    for relation in dataset.relationships:
        place = f"relationships.{relation.target}"
        for name in relation.fields:
            if name not in known:
                yield ContractFinding(place, repr(name), f"a field of {dataset.name}: {one_of(name, known)}")
        if len(relation.fields) != len(relation.target_fields):
            found = f"{len(relation.fields)} and {len(relation.target_fields)} fields"
            yield ContractFinding(place, found, "the same number on both sides")


def _rules(dataset: Dataset) -> Iterator[ContractFinding]:
    for rule in dataset.rules:
        if not _IDENTIFIER.fullmatch(rule.id) or len(dataset.name) + 1 + len(rule.id) > LONGEST_NAME:
            expected = f"lower-case letters, digits and _, at most {LONGEST_NAME} including the prefix {dataset.name}_"
            yield ContractFinding("rules.id", repr(rule.id), expected, line=rule.line)
    for name in _repeated(rule.id for rule in dataset.rules):
        yield ContractFinding("rules.id", f"{name!r} more than once", "each id once")


def _quality(dataset: Dataset) -> Iterator[ContractFinding]:
    checks: list[tuple[Field | None, Quality]] = [(None, check) for check in dataset.quality]
    checks += [(field, check) for field in dataset.fields for check in field.quality]
    for field, check in checks:
        yield from _one_check(field, check)
    for name in _repeated(check.name for _, check in checks):
        yield ContractFinding("quality", f"{name!r} more than once", "a unique name for each check")


def _one_check(field: Field | None, check: Quality) -> Iterator[ContractFinding]:
    place = f"quality.{check.name}"
    if check.type is QualityType.TEXT:  # information for people; asserts nothing
        return
    if check.type is QualityType.CUSTOM:
        yield ContractFinding(place, "type custom", "library or sql: other engines are not run", field=field)
        return
    if check.comparison is None:
        yield ContractFinding(place, "no comparison", "one of mustBe, mustBeLessThan …", field=field)
    if check.type is QualityType.SQL and (refusal := refusal_to_run(check.query or "")):
        yield ContractFinding(f"{place}.query", refusal, "one statement that only reads", field=field)
    if check.type is QualityType.LIBRARY and not isinstance(check.metric, QualityMetric):
        expected = one_of(check.metric, list(QualityMetric))
        yield ContractFinding(f"{place}.metric", repr(check.metric), expected, field=field)
    if not isinstance(check.unit, QualityUnit):
        yield ContractFinding(f"{place}.unit", repr(check.unit), "rows or percent", field=field)


#: Prefixes of the roles of the platform and of PostgreSQL.
_RESERVED_PREFIXES = ("daftari_", "pg_")


def _access(dataset: Dataset) -> Iterator[ContractFinding]:
    for entry in dataset.access:
        place = f"access.{entry.role}"
        if not _IDENTIFIER.fullmatch(entry.role) or len(entry.role) > LONGEST_NAME:
            yield ContractFinding(place, repr(entry.role), "a role of lower-case letters, digits and _")
        if entry.role.startswith(_RESERVED_PREFIXES):
            yield ContractFinding(
                place, repr(entry.role), f"a role that does not begin with {' or '.join(_RESERVED_PREFIXES)}"
            )
        if isinstance(entry.rows, RowScope) and entry.rows.needs_subject and dataset.subject is None:
            yield ContractFinding(
                place, f"rows {entry.rows}", "daftari.subject, the field that names a row's person"
            )
        hidden = [name for name in entry.masked if entry.fields and name not in entry.fields]
        for name in hidden:
            yield ContractFinding(
                place, f"masked {name!r}", "a field listed in fields: the role sees no others"
            )


def _partitioning(dataset: Dataset) -> Iterator[ContractFinding]:
    if dataset.partitioning is None or dataset.partitioning.field not in {f.name for f in dataset.fields}:
        return
    field = dataset.field(dataset.partitioning.field)
    if field.logical_type not in _DATED:
        yield ContractFinding("partition.field", field.logical_type.value, "a date or timestamp", field=field)
    if not field.required:
        yield ContractFinding("required", "false", "true: it is the partition key", field=field)


def _sealed(dataset: Dataset) -> Iterator[ContractFinding]:
    """The server has only the encrypted bytes of a sealed field: it cannot order, compare or reference them."""
    used = {name: "daftari.indexes" for fields in dataset.indexes for name in fields}
    used |= {name: "relationships" for relation in dataset.relationships for name in relation.fields}
    if dataset.partitioning:
        used[dataset.partitioning.field] = "daftari.partition"
    if dataset.no_overlap:
        ends = (*dataset.no_overlap.key, dataset.no_overlap.start, dataset.no_overlap.end)
        used |= dict.fromkeys(ends, "daftari.noOverlap")
    if dataset.subject:
        used[dataset.subject] = "daftari.subject"
    names = {field.name for field in dataset.fields}
    for field in dataset.fields:
        if field.protection.sealed and field.name in used:
            expected = f"not sealed, or not in {used[field.name]}: the server cannot read sealed values"
            yield ContractFinding("daftari.protection", "sealed", expected, field=field)
        if field.index_column and (field.index_column in names or len(field.index_column) > LONGEST_NAME):
            expected = f"a name that leaves its index column a free name of at most {LONGEST_NAME} characters"
            yield ContractFinding("name", repr(field.name), expected, field=field)


def _overlap(dataset: Dataset, overlap: Overlap) -> Iterator[ContractFinding]:
    ends = [field for field in dataset.fields if field.name in (overlap.start, overlap.end)]
    types = {field.logical_type for field in ends}
    if len(types) > 1 or not types <= set(_DATED):
        found = " and ".join(sorted(kind.value for kind in types))
        yield ContractFinding("noOverlap", found, "start and end of one type, date or timestamp")


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
