"""What an address may ask of a dataset."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts import contract_of, field

from daftari.compile.access.relations import relation_of
from daftari.errors import QueryRefused
from daftari.rows.url_query import parse_query

FIELDS = [
    {"name": "visit_id", "logicalType": "string", "required": True, "primaryKey": True},
    field("seen_on", "date", required=True),
    field("fee", "number", physicalType="numeric(10,2)"),
    field("count", "integer"),
    field("at", "timestamp"),
    field("ok", "boolean"),
    field(
        "phone", "string", customProperties=[{"property": "daftari.protection", "value": {"mask": "last3"}}]
    ),
    field("notes", "object"),
    field("secret", "string"),
]
ACCESS = [
    {"role": "nurse", "operations": ["read"], "rows": "all"},
    {
        "role": "clerk",
        "operations": ["read"],
        "rows": "all",
        "fields": [it["name"] for it in FIELDS if it["name"] != "secret"],
        "masked": ["phone"],
    },
]
DATASET = contract_of(name="visits", fields=FIELDS, custom={"access": ACCESS}).dataset


def parse(*asked, role="nurse"):
    return parse_query(DATASET, relation_of(DATASET, role).columns, asked)


def test_the_key_makes_every_order_total():
    assert parse().order == "visit_id"
    assert parse(("sort", "-fee,seen_on")).order == "-fee,seen_on,visit_id"
    assert parse(("sort", "-visit_id")).order == "-visit_id"


def test_all_fields_are_shown_or_those_that_are_asked_for():
    assert [it.name for it in parse(("fields", "fee,visit_id")).fields] == ["fee", "visit_id"]
    names = [it.name for it in parse(role="clerk").fields]
    assert "secret" not in names and "phone" in names and "created_at" not in names


@pytest.mark.parametrize(
    ("name", "value", "read_as"),
    [
        ("seen_on", "2026-03-01", "2026-03-01"),
        ("fee.gte", "1e2", "100"),
        ("count", "007", "7"),
        ("at.lt", "2026-03-01T09:30:00+03:00", "2026-03-01T09:30:00+03:00"),
        ("ok", "true", "true"),
        ("phone.starts", "+254", "+254"),
        ("_run_id", "5", "5"),
    ],
)
def test_a_value_is_what_the_server_reads_as_its_columns_type(name, value, read_as):
    assert parse((name, value)).filters[0].values == (read_as,)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("seen_on", "tomorrow"), "seen_on.eq: expected a day such as 2026-03-14"),
        (("fee.gt", "NaN"), "fee.gt: expected a number such as 1250.50"),
        (("count", "9223372036854775808"), "count.eq: expected a whole number"),
        (("at", "2026-03-01T09:30:00"), "at.eq: expected an instant with its zone such as"),
        (("fee.like", "1"), "fee: unknown comparison; expected one of eq, ne,"),
        (("fee.is", "none"), "fee.is: expected null or notnull"),
        (("notes", "{}"), "notes.eq: notes has no order"),
        (("fee.starts", "1"), "fee.starts: not text"),
        (("phone", "a\0"), "phone.eq: contains a character that no row can contain"),
        (("limit", "0"), "limit: expected a whole number from 1 to 1000"),
        (("limit", "1001"), "limit: expected"),
        (("limit", "٣"), "limit: expected"),
        (("sort", "fee,-fee"), "sort: names fee twice"),
        (("after", "x"), "after: not a cursor of this sort order"),
    ],
)
def test_what_is_not_understood_is_refused_with_what_is_expected_and_without_the_value(asked, said):
    with pytest.raises(QueryRefused) as refused:
        parse(asked)
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("name", ["{}", "sort", "fields"])
def test_a_field_that_is_hidden_and_one_that_does_not_exist_are_refused_alike(name):
    said = []
    for hidden in ("secret", "nothing"):
        asked = (hidden, "x") if name == "{}" else (name, hidden)
        with pytest.raises(QueryRefused) as refused:
            parse(asked, role="clerk")
        said.append(str(refused.value))
    assert said[0] == said[1]
    assert "secret" not in said[0]


def test_a_place_in_an_order_is_read_back_and_is_of_no_use_in_another():
    query = parse(("sort", "-fee"))
    cursor = query.cursor(["12.50", "V1"])
    assert parse(("sort", "-fee"), ("after", cursor)).after == ("12.50", "V1")
    with pytest.raises(QueryRefused):
        parse(("sort", "fee"), ("after", cursor))
    with pytest.raises(QueryRefused):
        parse(("sort", "-fee"), ("after", query.cursor(["twelve", "V1"])))


_ANY = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["fee", "seen_on.gt", "sort", "after", "fields", "limit", "notes.is", "at.in"]),
)


@given(st.lists(st.tuples(_ANY, _ANY), max_size=4))
def test_whatever_is_asked_is_understood_or_refused(asked):
    try:
        query = parse(*asked)
    except QueryRefused:
        return
    assert query.sort and query.fields
