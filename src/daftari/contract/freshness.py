"""When a dataset is late. Pages decide by this; dbt's freshness is compiled from the same latency."""

from __future__ import annotations

from datetime import datetime

from daftari.contract.model import Contract


def is_late(contract: Contract, loaded_at: datetime, now: datetime) -> bool:
    """Whether the last load is longer ago than the contract's latency allows."""
    return contract.latency is not None and now - loaded_at > contract.latency
