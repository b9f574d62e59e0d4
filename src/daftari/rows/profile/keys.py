"""Which columns of a file could be its key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import polars as pl

from daftari.contract.draft_contract import ColumnProfile, sql_name_of
from daftari.contract.model import LogicalType

#: Names of key columns; uniqueness alone may be chance.
KEY_NAME = re.compile(
    r"(^|_)(id|ids|key|code|number|no|num|nr|ref|reference|uuid|namba|kumbukumbu)$|^n?_?unnamed$"
)
_MOST_OF_PAIRS = 8
_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class KeyProposal:
    key: str = ""  #: the column that is the key; empty: none
    remarks: tuple[str, ...] = ()  #: for people


def is_like_a_key(profile: ColumnProfile) -> bool:
    """Whether the column is called like a key and is no field of a person."""
    return KEY_NAME.search(sql_name_of(profile.name)) is not None and not profile.personal


def propose_key(profiles: Sequence[ColumnProfile], cells: pl.DataFrame) -> KeyProposal:
    """Choose the first unique column that is called like a key; name the others, pairs, or a digest."""
    texts = (LogicalType.STRING, LogicalType.INTEGER)
    unique = [one for one in profiles if one.required and _is_unique(cells[one.name])]
    singles = [one for one in unique if one.logical_type in texts]
    key = next((one.name for one in singles if is_like_a_key(one)), "")
    if key:
        others = [one.name for one in singles if one.name != key and is_like_a_key(one)]
        return KeyProposal(
            key=key, remarks=(f"Key: {key!r}. Also unique: {_listed(others)}.",) if others else ()
        )
    if singles:
        names = _listed([one.name for one in singles])
        return KeyProposal(
            remarks=(
                f"No key is stated. Unique in this file: {names}. If one of them identifies a row for good, mark it:",
                "required: true, primaryKey: true, primaryKeyPosition: 1.",
                *_DIGEST,
            )
        )
    pairs = _pairs(profiles, cells)
    if pairs:
        return KeyProposal(
            remarks=(
                f"No key is stated. Unique together in this file: {'; '.join(pairs)}. Mark both, with",
                "primaryKeyPosition 1 and 2, if they identify a row for good.",
                *_DIGEST,
            )
        )
    return KeyProposal(
        remarks=("No key is stated, and no column or pair of columns is unique in this file.", *_DIGEST)
    )


_DIGEST = (
    "Without a key a corrected file is added to the earlier rows and cannot replace them. Where nothing identifies a",
    "row, add a text field row_key as the key, and fill it in the source mapping with a digest of the columns:",
    "row_key: {digest: {of: [COLUMN, COLUMN], occurrence: true}}.",
)


def _is_unique(column: pl.Series) -> bool:
    return len(column) > 0 and column.null_count() == 0 and column.n_unique() == len(column)


def _pairs(profiles: Sequence[ColumnProfile], cells: pl.DataFrame) -> list[str]:
    usable = [one.name for one in profiles if one.required and one.logical_type is not LogicalType.NUMBER]
    found = [
        f"{first!r} with {second!r}"
        for first, second in combinations(usable[:_MOST_OF_PAIRS], 2)
        if cells.select(first, second).n_unique() == cells.height
    ]
    return found[:_NAMED] if cells.height > 1 else []


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_NAMED]))
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown
