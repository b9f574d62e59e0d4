"""What a valid contract leaves open and its owner probably did not mean: no key, no access, a role nobody declares."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches

from daftari.contract.governable.findings import ContractFinding
from daftari.contract.model import Contract, Dataset, LogicalType
from daftari.errors import Fault

_NO_KEY = "a primaryKey: without one, a corrected file is added to the earlier rows and cannot replace them"
#: PostgreSQL keeps a row in one page, and of a longer text at least a pointer.
_MOST_BYTES = 8160
_POINTER_BYTES = 18
_BYTES = {
    LogicalType.INTEGER: 8,
    LogicalType.BOOLEAN: 1,
    LogicalType.DATE: 4,
    LogicalType.TIME: 8,
    LogicalType.TIMESTAMP: 8,
}
_TOO_WIDE = (
    f"at most {_MOST_BYTES:,}, as PostgreSQL stores a row in one page: a row with values in most of the fields may be "
    "refused; divide them over several datasets with the same key"
)
_NO_ACCESS = "at least one role with its operations and rows: nobody can read the dataset through a role"


def contract_warnings(
    contracts: Sequence[Contract], *, others: Iterable[Contract] = (), roles: Collection[str] = ()
) -> tuple[Fault, ...]:
    """
    Return what is doubtful in *contracts*, in their order.

    A role is declared by ODCS `roles` in any contract, by *roles* (those of the workspace's settings), or by being
    used in the access of a second contract; *others* are contracts that are only read for that.
    """
    every = (*contracts, *others)
    users = Counter(role for contract in every for role in _roles_used(contract))
    declared = {*roles, *(role for contract in every for role in _roles_declared(contract))}
    declared |= {role for role, count in users.items() if count > 1}
    return tuple(
        finding.in_dataset(contract, dataset)
        for contract in contracts
        for dataset in contract.datasets
        for finding in _warnings(dataset, declared)
    )


def _warnings(dataset: Dataset, declared: set[str]) -> Iterator[ContractFinding]:
    if not dataset.key:
        yield ContractFinding("primaryKey", "none", _NO_KEY)
    if not dataset.access:
        yield ContractFinding("daftari.access", "none", _NO_ACCESS)
    widest = sum(_BYTES.get(field.logical_type, _POINTER_BYTES) for field in dataset.fields)
    if widest > _MOST_BYTES:
        found = f"{len(dataset.fields):,} fields, up to {widest:,} bytes in a row"
        yield ContractFinding("properties", found, _TOO_WIDE)
    if not declared:
        return  # one contract alone: nothing to compare its roles with
    for role in _roles_of(dataset):
        if role not in declared:
            alike = get_close_matches(role, declared, n=1)
            perhaps = f" (did you mean {alike[0]!r}?)" if alike else ""
            found = f"role {role!r}, which no other contract names and nobody declares{perhaps}"
            yield ContractFinding("daftari.access", found, "a declared role, or an entry for it in `roles`")


def _roles_of(dataset: Dataset) -> list[str]:
    named = [line.role for line in dataset.access]
    if dataset.approval:
        named += [role for step in dataset.approval.steps for role in step.roles]
        named += dataset.approval.recorded_by
    return list(dict.fromkeys(named))


def _roles_used(contract: Contract) -> set[str]:
    return {role for dataset in contract.datasets for role in _roles_of(dataset)}


def _roles_declared(contract: Contract) -> list[str]:
    stated = json.loads(contract.document or "{}").get("roles") or []
    return [str(entry["role"]) for entry in stated if entry.get("role")]
