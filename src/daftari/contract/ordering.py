"""The contracts of one workspace together: unique names, valid references, order of creation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from daftari.contract.governable.findings import ContractFinding
from daftari.contract.model import Contract, Dataset, Relationship
from daftari.contract.reader.odcs_schema import one_of
from daftari.errors import Fault


def in_order(contracts: Sequence[Contract]) -> tuple[tuple[Contract, ...], tuple[Fault, ...]]:
    """
    Return *contracts* with each referenced dataset before those that refer to it, and the faults found.

    Each contract has one dataset. The order is stable; if there are faults, it is that of *contracts*.
    """
    by_name: dict[str, Contract] = {}
    faults: list[Fault] = []
    for contract in contracts:
        first = by_name.setdefault(contract.dataset.name, contract)
        if first is not contract:
            found = ContractFinding(
                "name", f"{contract.dataset.name!r} again", f"a name other than in {first.source}"
            )
            faults.append(found.in_dataset(contract, contract.dataset))
    for contract in contracts:
        faults += [f.in_dataset(contract, contract.dataset) for f in _broken_references(contract, by_name)]
    if faults:
        return tuple(contracts), tuple(faults)
    return _sorted(contracts, by_name)


def _broken_references(contract: Contract, by_name: dict[str, Contract]) -> Iterator[ContractFinding]:
    for relation in contract.dataset.relationships:
        place = f"relationships.{relation.target}"
        target = by_name.get(relation.target)
        if target is None:
            yield ContractFinding(
                place, f"dataset {relation.target!r}", one_of(relation.target, sorted(by_name))
            )
        else:
            yield from _broken_target(contract.dataset, relation, target.dataset, place)


def _broken_target(
    dataset: Dataset, relation: Relationship, target: Dataset, place: str
) -> Iterator[ContractFinding]:
    known = {field.name: field for field in target.fields}
    unknown = [name for name in relation.target_fields if name not in known]
    for name in unknown:
        yield ContractFinding(place, f"field {name!r}", f"a field of {target.name}: {one_of(name, known)}")
    if unknown:
        return
    uniques = [{field.name} for field in target.fields if field.unique] + [set(target.key)]
    if set(relation.target_fields) not in uniques:
        found = ", ".join(relation.target_fields)
        yield ContractFinding(place, found, f"the primary key of {target.name}, or a unique field of it")
    types = {field.name: field.logical_type for field in dataset.fields}
    for name, other in zip(relation.fields, relation.target_fields, strict=False):
        wanted = known[other].logical_type
        if types.get(name, wanted) is not wanted:
            expected = f"{wanted.value}, as {target.name}.{other}"
            yield ContractFinding(
                place, f"{name} of type {types[name].value}", expected, field=dataset.field(name)
            )


def _sorted(
    contracts: Sequence[Contract], by_name: dict[str, Contract]
) -> tuple[tuple[Contract, ...], tuple[Fault, ...]]:
    needs = {
        contract.dataset.name: {r.target for r in contract.dataset.relationships} - {contract.dataset.name}
        for contract in contracts
    }
    try:
        names = tuple(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = error.args[1]
        contract = by_name[circle[0]]
        found = ContractFinding("relationships", " → ".join(reversed(circle)), "references without a cycle")
        return tuple(contracts), (found.in_dataset(contract, contract.dataset),)
    return tuple(by_name[name] for name in names), ()
