"""ODCS relationships: `dataset.field`, or by id as in `schema/orders/properties/order_id`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from daftari.contract.model import Contract, Dataset, Relationship

#: A dataset and a field of it.
Target = tuple[str, str]


def read_relationships(root: dict[str, Any], item: dict[str, Any]) -> tuple[Relationship, ...]:
    """Return the foreign keys of *item*, an object of *root*'s schema: its own first, then its properties'."""
    return tuple(_relationships(root, item))


def with_targets(contract: Contract, known: Mapping[str, Dataset]) -> Contract:
    """Return *contract*, whose relationships have the fields of their targets, as far as these are *known*."""
    datasets = tuple(
        replace(
            dataset,
            relationships=tuple(
                replace(it, known_fields=known[it.target].fields) if it.target in known else it
                for it in dataset.relationships
            ),
        )
        for dataset in contract.datasets
    )
    return replace(contract, datasets=datasets)


def _relationships(root: dict[str, Any], item: dict[str, Any]) -> Iterator[Relationship]:
    for entry in item.get("relationships") or ():
        sources = [_resolve(root, reference) for reference in _as_list(entry["from"])]
        # A field of another dataset keeps that dataset's name, so that a later check reports it as unknown.
        fields = tuple(field if of == item["name"] else f"{of}.{field}" for of, field in sources)
        yield _relationship(root, fields, entry["to"])
    for field in item.get("properties") or ():
        for entry in field.get("relationships") or ():
            yield _relationship(root, (field["name"],), entry["to"])


def _relationship(root: dict[str, Any], fields: tuple[str, ...], to: Any) -> Relationship:
    targets = [_resolve(root, reference) for reference in _as_list(to)]
    dataset = targets[0][0]
    names = tuple(field if of == dataset else f"{of}.{field}" for of, field in targets)
    return Relationship(fields=fields, target=dataset, target_fields=names)


def _as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _resolve(root: dict[str, Any], reference: str) -> Target:
    if "/" not in reference:
        dataset, _, field = reference.partition(".")
        return dataset, field
    outside, _, inside = reference.rpartition("#")
    parts = inside.strip("/").split("/")
    dataset_id, field_id = parts[1], parts[3] if len(parts) > 3 else ""
    if outside:  # another file: use its ids as names
        return dataset_id, field_id
    item = _by_id(root.get("schema") or (), dataset_id)
    named = _by_id(item.get("properties") or (), field_id)
    return item.get("name", dataset_id), named.get("name", field_id)


def _by_id(items: Iterable[dict[str, Any]], id_: str) -> dict[str, Any]:
    return next((item for item in items if id_ in (item.get("id"), item["name"])), {})
