"""Columns sealed at once are as values sealed one by one."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from daftari.contract.model import Dataset, Field, LogicalType, Protection
from daftari.protect.blind_index import BlindIndex
from daftari.protect.keys import DataKey
from daftari.protect.seal import Algorithm, FieldKey
from daftari.protect.sealed_columns import Keys, open_rows, seal_rows, used_keys

INDEX = BlindIndex(b"i" * 64)


def key(person):
    return DataKey(key_id=f"{person:>8}".encode(), version=3, secret=person.encode().ljust(64, b"."))


DATASET = Dataset(
    name="people",
    fields=(
        Field(name="id", logical_type=LogicalType.INTEGER, key_position=1),
        Field(name="person", logical_type=LogicalType.STRING),
        Field(
            name="phone",
            logical_type=LogicalType.STRING,
            protection=Protection(sealed=True, revealable=True, lookup=True),
        ),
        Field(name="age", logical_type=LogicalType.INTEGER, protection=Protection(sealed=True)),
    ),
    subject="person",
)
VALUES = st.none() | st.text() | st.text(alphabet=" \t\n\x0b\x1c\x1d\x1e\x1f\x85\xa0aZ9+İß")
ROWS = st.lists(st.tuples(st.sampled_from(["P1", "P2", None]), VALUES, st.none() | st.integers(0, 120)))


@given(rows=ROWS)
def test_columns_sealed_at_once_are_as_values_sealed_one_by_one(rows):
    people = [person or "" for person, _, _ in rows]
    frame = pl.DataFrame(
        [(number, *row) for number, row in enumerate(rows)],
        schema={"id": pl.Int64, "person": pl.String, "phone": pl.String, "age": pl.Int64},
        orient="row",
    )
    keys = Keys(of={it: key(it) for it in ("P1", "P2", "")}, indexes={"phone": INDEX})
    sealed = seal_rows(frame, DATASET, keys)
    again = seal_rows(frame, DATASET, keys)

    def one(number, name, algorithm, value):
        person = people[number]
        return FieldKey(key(person), f"people.{name}", person, algorithm).seal(str(value), str(number))

    assert sealed.columns == ["id", "person", "phone", "age", "phone_index"]
    assert sealed["phone"].to_list() == [
        None if row[1] is None else one(at, "phone", Algorithm.A256CBC_HS512, row[1])
        for at, row in enumerate(rows)
    ]
    assert sealed["age"].to_list() == [
        None if row[2] is None else one(at, "age", Algorithm.A256GCM, row[2]) for at, row in enumerate(rows)
    ]
    assert sealed["phone_index"].to_list() == [None if row[1] is None else INDEX.of(row[1]) for row in rows]
    assert again.equals(sealed)
    known = {(it.key_id, it.version): it for it in map(key, ("P1", "P2", ""))}
    assert used_keys(sealed, DATASET) <= set(known)
    opened = open_rows(sealed, DATASET, known)
    assert opened["phone"].to_list() == frame["phone"].to_list()
    assert opened["age"].to_list() == frame["age"].cast(pl.String).to_list()
