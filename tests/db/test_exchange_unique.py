"""Rows may exchange or pass on a value that must be unique: it is judged at the end of a batch, in any order."""

from __future__ import annotations

import pytest
from tests.bulk_loads import Lander, make_tables
from tests.clinic import VISITS
from tests.contracts import contract_of, field
from tests.served_clinic import opened, visit

FIELDS = [*VISITS, field("badge", "string", unique=True)]
BADGES = "select visit_id || badge from ops.visits where badge is not null order by 1"


@pytest.fixture
def house(filled, tmp_path):
    with opened(filled, tmp_path, visits=FIELDS) as made:
        made.post(visit(1, badge="a"), visit(2, badge="b"), visit(3, badge="c"))
        yield made


def by_http(house, records):
    house.ask(*records, is_new=False)


def by_file(house, records):
    header = "visit_id,seen_on,ward,patient,fee,badge"
    rows = [
        f"{it['visit_id']},{it['seen_on']},{it['ward']},{it['patient']},12.50,{it['badge']}" for it in records
    ]
    house.clinic.load_path(house.clinic.file(*rows, header=header))


@pytest.mark.parametrize("way", [by_http, by_file])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("changes", "stored", "rejected"),
    [
        ({1: "b", 2: "a"}, "V1b V2a V3c", ""),
        ({1: "b", 2: "c", 3: "a"}, "V1b V2c V3a", ""),
        ({1: "d", 2: "a"}, "V1d V2a V3c", ""),
        # 3 keeps its badge, so 1 cannot have it, and then 2 cannot have that of 1
        ({1: "c", 2: "a"}, "V1a V2b V3c", "V1 V2"),
        # the exchange stands, whatever else is wrong in the batch
        ({1: "b", 2: "a", 4: "c"}, "V1b V2a V3c", "V4"),
    ],
)
def test_rows_exchange_unique_values_in_any_order(house, way, turned, changes, stored, rejected):
    records = [visit(number, badge=badge) for number, badge in changes.items()]

    way(house, records[::-1] if turned else records)

    assert " ".join(text for (text,) in house.conn.execute(BADGES)) == stored
    found = house.conn.execute(
        "select key ->> 'visit_id', reasons -> 0 ->> 'rule' from daftari.quarantine order by 1"
    )
    rules = dict(found.fetchall())
    assert " ".join(rules) == rejected
    assert set(rules.values()) <= {"badge.unique"}


@pytest.mark.parametrize("way", [by_http, by_file])
def test_of_a_long_line_of_rows_that_each_want_the_next_ones_value_none_gets_it(house, way):
    by_file(house, [visit(number, badge=f"b{number}") for number in range(100, 131)])

    way(house, [visit(number, badge=f"b{number + 1}") for number in range(100, 130)])

    badges = [text for (text,) in house.conn.execute(BADGES) if "b1" in text]
    assert badges == [f"V{number}b{number}" for number in range(100, 131)]
    assert house.conn.execute("select count(*) from daftari.quarantine").fetchone() == (30,)


def test_rows_whose_key_is_a_uuid_exchange_their_values(db):
    key = {
        "name": "id",
        "logicalType": "string",
        "physicalType": "uuid",
        "required": True,
        "primaryKey": True,
    }
    made = contract_of(name="people", fields=[key, field("badge", "string", unique=True)]).dataset
    make_tables(db, made)
    land = Lander(db, made)
    first, second, third = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
    land([{"id": first, "badge": "a"}, {"id": second, "badge": "b"}])

    (landed,) = land([{"id": first, "badge": "b"}, {"id": second, "badge": "a"}, {"id": third, "badge": "a"}])

    assert [badge for _, badge in land.rows()] == ["b", "a"]
    assert {line: why.rule for line, why in landed.refused.items()} == {4: "badge.unique"}
