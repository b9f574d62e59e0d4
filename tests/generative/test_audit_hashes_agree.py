"""The database and the verifier hash alike, whatever an entry says."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daftari.protect.verify_chain import ENTRY, entry_hash, hashed, link_hash

#: What PostgreSQL can store as text.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
MAYBE = st.none() | TEXTS
NUMBERS = st.integers(0, 2**63 - 1)
TIMES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
MANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
AS_TEXT = """
    with given as (
        select row(%s::bigint, %s::timestamptz, 'update', %s::text, %s::text, %s::text, %s::text, %s::text, %s::bigint,
                   %s::text, %s::text[], %s::bigint, %s::text, to_json(%s::text))::daftari.audit_entry as e
    )
    select daftari.audit_entry_hash(e), (e).entry_id::text,
           to_char((e).at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), (e).operation, (e).relation, (e).actor,
           (e).login, (e).role, (e).purpose, (e).run_id::text, (e).request_id, array_to_json((e).key)::text,
           (e).rows::text, (e).digest, (e).detail::text
    from given
"""


@MANY
@given(said=st.lists(MAYBE, min_size=1, max_size=6))
def test_lists_of_texts(scratch, said):
    assert scratch.execute("select daftari.hashed(%s::text[])", [said]).fetchone() == (hashed(*said),)


@MANY
@given(
    numbers=st.tuples(NUMBERS, TIMES),
    names=st.tuples(TEXTS, TEXTS, TEXTS, TEXTS, MAYBE),
    rest=st.tuples(
        st.none() | NUMBERS, MAYBE, st.lists(TEXTS, max_size=3), st.none() | NUMBERS, MAYBE, MAYBE
    ),
)
def test_entries(scratch, numbers, names, rest):
    found, *texts = scratch.execute(AS_TEXT, [*numbers, *names, *rest]).fetchone()
    assert found == entry_hash(dict(zip(ENTRY, texts, strict=True)))


@MANY
@given(previous=TEXTS, position=NUMBERS, entry_id=NUMBERS, content=MAYBE)
def test_links(scratch, previous, position, entry_id, content):
    link = {"position": str(position), "entry_id": str(entry_id), "entry_hash": content}
    found = scratch.execute(
        "select daftari.audit_link_hash(%s, %s, %s, %s)", [previous, position, entry_id, content]
    ).fetchone()
    assert found == (link_hash(previous, link),)
