"""The contents of the key store, and the keys that seal the values of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from daftari.contract.model import Contract
from daftari.io.keys import KeyStore, sealed_rows
from daftari.io.keys.store import State
from daftari.protect.sealed_columns import sealed_fields


@dataclass(frozen=True, kw_only=True)
class SealedField:
    field: str
    values: int
    outdated: int  #: sealed before the last rotation began


@dataclass(frozen=True, kw_only=True)
class SurveyedKeys:
    wrapped_by: str
    state: State
    fields: tuple[SealedField, ...]


def survey_keys(conn: Connection[Any], keys: KeyStore, contracts: Sequence[Contract]) -> SurveyedKeys:
    """
    Count keys and sealed values; open none.

    Raises:
        KeysUnavailable: the key store cannot be used.
    """
    state = keys.state()
    found = []
    for contract in contracts:
        dataset = contract.dataset
        for field in sealed_fields(dataset):
            values, outdated = sealed_rows.counts(conn, dataset, field, version=state.generation)
            found.append(SealedField(field=f"{dataset.name}.{field.name}", values=values, outdated=outdated))
    return SurveyedKeys(wrapped_by=keys.wrapping.name, state=state, fields=tuple(found))
