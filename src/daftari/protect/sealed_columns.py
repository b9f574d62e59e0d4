"""Seal and open whole columns: each row of a block under its person's key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from daftari.contract.model import Dataset, Field
from daftari.errors import CannotOpen
from daftari.protect.blind_index import BlindIndex, normalised
from daftari.protect.keys import DataKey
from daftari.protect.seal import Algorithm, FieldKey, algorithm_of, read_header

#: Separates the fields of a key that names a row. PostgreSQL text may contain it, but keys never do.
_BETWEEN = "\x1f"
#: The ASCII characters that Python's `split` treats as white space.
_ASCII_SPACE = r"[\t-\r\x1c-\x20]+"


#: At most so many persons' keys are cached for a field, about 60 MB: a load has more values than persons, and deriving
#: a key takes as long as sealing four values.
_MOST_HELD = 40_000


class _FieldKeys(dict[str, Callable[[bytes, bytes], bytes]]):
    """The field keys by person, derived on first use."""

    def __init__(self, of: Mapping[str, DataKey], place: str, algorithm: Algorithm) -> None:
        super().__init__()
        self._of, self._place, self._algorithm = of, place, algorithm

    def __missing__(self, person: str) -> Callable[[bytes, bytes], bytes]:
        if len(self) >= _MOST_HELD:
            self.clear()
        made = FieldKey(self._of[person], self._place, person, self._algorithm).seal_bytes
        self[person] = made
        return made


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The keys for sealing rows, for all blocks."""

    of: Mapping[str, DataKey]  #: by subject; the empty subject has the dataset's own
    indexes: Mapping[str, BlindIndex]  #: by field
    _keys_by_field: dict[str, _FieldKeys] = field(default_factory=dict, repr=False)

    def of_field(self, dataset: Dataset, sealed: Field) -> _FieldKeys:
        """Return the field keys by person."""
        place = f"{dataset.name}.{sealed.name}"
        if place not in self._keys_by_field:
            self._keys_by_field[place] = _FieldKeys(self.of, place, algorithm_of(sealed))
        return self._keys_by_field[place]


def sealed_fields(dataset: Dataset) -> tuple[Field, ...]:
    return tuple(one for one in dataset.fields if one.protection.sealed)


def index_columns(dataset: Dataset) -> tuple[str, ...]:
    """Return the columns of blind indexes, which come after all other columns of a row."""
    return tuple(one.index_column for one in dataset.fields if one.index_column)


def subjects(rows: pl.DataFrame, dataset: Dataset) -> pl.Series:
    """Return the person of each row as text; empty if there is none."""
    if dataset.subject is None:
        return pl.Series([""]).new_from_index(0, rows.height)
    return rows[dataset.subject].cast(pl.String).fill_null("")


def row_names(rows: pl.DataFrame, dataset: Dataset) -> pl.Series:
    """Return the identity of each row: its key, else all its values that are not sealed."""
    names = dataset.key or tuple(f.name for f in dataset.fields if not f.protection.sealed)
    if not names:
        return pl.Series([""]).new_from_index(0, rows.height)
    parts = [pl.col(name).cast(pl.String).fill_null("") for name in names]
    return rows.select(pl.concat_str(parts, separator=_BETWEEN)).to_series()


def seal_rows(rows: pl.DataFrame, dataset: Dataset, keys: Keys) -> pl.DataFrame:
    """Return *rows* with their sealed fields as bytes, and the blind indexes after all other columns."""
    people = subjects(rows, dataset).to_list()
    names = row_names(rows, dataset).cast(pl.Binary).to_list()
    made: list[pl.Series] = []
    indexes: list[pl.Series] = []
    for one in sealed_fields(dataset):
        if one.name not in rows.columns:
            continue
        text = rows[one.name].cast(pl.String)
        seals = keys.of_field(dataset, one)
        sealed = [
            None if value is None else seals[person](value, name)
            for value, person, name in zip(text.cast(pl.Binary).to_list(), people, names, strict=True)
        ]
        made.append(pl.Series(one.name, sealed, dtype=pl.Binary))
        if one.index_column:
            index = keys.indexes[one.name].of_normalised
            found = [None if value is None else index(value) for value in _normalised(text).to_list()]
            indexes.append(pl.Series(one.index_column, found, dtype=pl.Binary))
    return rows.with_columns(*made, *indexes)


def _normalised(text: pl.Series) -> pl.Series:
    """Return `blind.normalised` of a whole column, in UTF-8. Fast for the usual plain letters and digits."""
    if (text.str.len_bytes() == text.str.len_chars()).all():
        return text.str.replace_all(_ASCII_SPACE, "").str.to_lowercase().cast(pl.Binary)
    values = [None if value is None else normalised(value).encode() for value in text.to_list()]
    return pl.Series(values, dtype=pl.Binary)


def open_rows(
    rows: pl.DataFrame, dataset: Dataset, known: Mapping[tuple[bytes, int], DataKey]
) -> pl.DataFrame:
    """
    Return *rows* with their sealed fields opened, as text.

    Raises:
        CannotOpen: a value was sealed for another field or person, is damaged, or its key is not in *known*.
    """
    people = subjects(rows, dataset).to_list()
    opened = []
    for one in sealed_fields(dataset):
        place = f"{dataset.name}.{one.name}"
        field_keys: dict[tuple[bytes, int, str], FieldKey] = {}
        values: list[str | None] = []
        for sealed, person in zip(rows[one.name].to_list(), people, strict=True):
            if sealed is None:
                values.append(None)
                continue
            header = read_header(sealed, of=place)
            name = (header.key_id, header.version, person)
            if name not in field_keys:
                key = known.get(name[:2])
                if key is None:
                    raise CannotOpen(place)
                field_keys[name] = FieldKey(key, place, person, header.algorithm)
            values.append(field_keys[name].open(sealed))
        opened.append(pl.Series(one.name, values, dtype=pl.String))
    return rows.with_columns(opened)


def used_keys(rows: pl.DataFrame, dataset: Dataset) -> set[tuple[bytes, int]]:
    """Return id and version of every key that sealed values of *rows* use."""
    return {
        (header.key_id, header.version)
        for one in sealed_fields(dataset)
        for sealed in rows[one.name].drop_nulls().to_list()
        if (header := read_header(sealed, of=f"{dataset.name}.{one.name}"))
    }
