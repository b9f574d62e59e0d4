"""Build the model from a valid ODCS document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from daftari.contract.durations import latency
from daftari.contract.model import Contract
from daftari.contract.reader.build_dataset import build_dataset
from daftari.contract.reader.document import Document
from daftari.contract.reader.extensions import OfContract, read_extensions
from daftari.contract.reader.odcs_schema import plain
from daftari.errors import Fault


def build_contract(document: Document) -> tuple[Contract, tuple[Fault, ...]]:
    """Return the contract that *document* states, and the faults in its `daftari.*` properties."""
    root = document.root
    built = [build_dataset(document, position) for position in range(len(root.get("schema") or ()))]
    _, _, faults = read_extensions(document, (), root, OfContract)
    contract = Contract(
        id=root["id"],
        version=root["version"],
        status=root["status"],
        api_version=root["apiVersion"],
        name=root.get("name"),
        domain=root.get("domain"),
        tenant=root.get("tenant"),
        description=_description(root.get("description") or {}),
        datasets=tuple(one.dataset for one in built),
        owner=_owner(root.get("team")),
        service_levels=MappingProxyType(_service_levels(root.get("slaProperties") or ())),
        support=tuple(item["channel"] for item in root.get("support") or ()),
        source=document.source,
        hash=_hash(root),
        document=json.dumps(plain(root), sort_keys=True, ensure_ascii=False),
        reservations=(*_unread_latencies(document), *(fault for one in built for fault in one.reservations)),
    )
    return contract, (*faults, *(fault for one in built for fault in one.faults))


def _description(description: dict[str, Any]) -> str:
    return "\n".join(
        description[part] for part in ("purpose", "limitations", "usage") if description.get(part)
    )


def _owner(team: Any) -> str | None:
    """Return the member whose role is owner, else the first. In ODCS 3.0 `team` is the list of members."""
    members = team if isinstance(team, list) else (team or {}).get("members") or []
    owners = [member for member in members if str(member.get("role", "")).lower() == "owner"]
    names = [member.get("username") or member.get("name") for member in (*owners, *members)]
    return next((name for name in names if name), None)


def _service_levels(properties: Any) -> dict[str, str]:
    return {_level(item): _level_text(item) for item in properties}


def _level(item: dict[str, Any]) -> str:
    """Return the name of a service level. ODCS reads `Latency` and `ly` as the same; other names stay as written."""
    name = str(item["property"])
    return "latency" if name.lower() in ("latency", "ly") else name


def _level_text(item: dict[str, Any]) -> str:
    return " ".join(str(part) for part in (item["value"], item.get("unit")) if part is not None)


def _unread_latencies(document: Document) -> Iterator[Fault]:
    for position, item in enumerate(document.root.get("slaProperties") or ()):
        if _level(item) == "latency":
            try:
                latency(_level_text(item))
            except ValueError as error:
                place = ("slaProperties", position, "unit" if item.get("unit") else "value")
                yield document.fault(place, f"latency {_level_text(item)!r}", str(error))


def _hash(root: dict[str, Any]) -> str:
    text = json.dumps(plain(root), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
