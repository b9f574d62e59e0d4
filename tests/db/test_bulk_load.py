"""How judged rows come into their table: what is counted, what is refused, what is put back."""

from __future__ import annotations

import pytest
from tests.bulk_loads import Lander, batch_of, counted, make_tables
from tests.contracts import contract_of, field

from daftari.io.load import bulk_load as landing_module
from daftari.io.load.bulk_load import BulkLoad
from daftari.io.runs.ledger import RunCounts
from daftari.rows.rules.rejection import CONTRADICTS, Refusal

KEY = {"name": "visit_id", "logicalType": "string", "required": True, "primaryKey": True}


def visits(*fields, **said):
    return contract_of(fields=[KEY, *fields], **said).dataset


def visit(text):
    """`a1` is visit a with content 1; `a` has none."""
    return {"visit_id": text[0], "note": text[1:] or None}


def batches_of(text):
    """Batches are parted by bars: `a1 b1 | a2`."""
    return [[visit(one) for one in part.split()] for part in text.split("|")]


@pytest.fixture
def land(undone):
    """Make the table of a dataset, and land batches in it."""

    def lander(dataset):
        make_tables(undone, dataset)
        return Lander(undone, dataset)

    return lander


def test_new_rows_are_inserted_and_carry_their_run(land):
    lander = land(visits(field("note", "string")))

    landed = lander(*batches_of("a1 b | c3"))

    assert counted(landed) == [{"inserted": 2}, {"inserted": 1}]
    assert lander.rows("visit_id", "note", "_run_id") == [("a", "1", 1), ("b", None, 1), ("c", "3", 1)]
    assert lander.operation == "insert"


@pytest.mark.parametrize(
    ("conflict", "second", "counts", "rows", "refused"),
    [
        ("update", "a1 b2 c3", {"inserted": 1, "updated": 1, "unchanged": 1}, "a1 b2 c3", []),
        ("update", "b", {"updated": 1}, "a1 b", []),
        ("keep", "a1 b2 c3", {"inserted": 1, "unchanged": 1, "superseded": 1}, "a1 b1 c3", []),
        ("reject", "a1 b2 c3", {"inserted": 1, "unchanged": 1, "quarantined": 1}, "a1 b1 c3", [3]),
        ("reject", "b", {"quarantined": 1}, "a1 b1", [2]),
        ("update", "a1 b1", {"unchanged": 2}, "a1 b1", []),
    ],
)
def test_a_key_that_comes_again_is_treated_as_the_contract_says(
    land, conflict, second, counts, rows, refused
):
    lander = land(visits(field("note", "string"), custom={"conflict": conflict}))
    lander(*batches_of("a1 b1"))

    landed = lander(*batches_of(second))

    assert counted(landed) == [counts]
    assert lander.rows() == [tuple(visit(one).values()) for one in rows.split()]
    assert landed[0].refused == dict.fromkeys(refused, CONTRADICTS)
    assert CONTRADICTS.reason == "contradicts the existing row with the same key"
    assert lander.operation == "merge"


@pytest.mark.parametrize(
    ("conflict", "counts", "rows"),
    [
        ("update", [{"inserted": 1}, {"inserted": 1, "superseded": 1}, {"superseded": 1}], "a3 b1"),
        ("keep", [{"inserted": 1}, {"inserted": 1, "superseded": 1}, {"superseded": 1}], "a1 b1"),
        ("reject", [{"inserted": 1}, {"inserted": 1, "quarantined": 1}, {"quarantined": 1}], "a1 b1"),
    ],
)
def test_of_a_key_that_an_earlier_batch_of_the_run_brought_one_content_is_superseded(
    land, conflict, counts, rows
):
    lander = land(visits(field("note", "string"), custom={"conflict": conflict}))

    assert counted(lander(*batches_of("a1 | a2 b1 | a3"))) == counts
    assert lander.rows() == [tuple(visit(one).values()) for one in rows.split()]


@pytest.mark.parametrize("conflict", ["update", "keep", "reject"])
def test_a_key_that_an_earlier_batch_of_the_run_brought_with_the_same_content_is_a_duplicate(land, conflict):
    lander = land(visits(field("note", "string"), custom={"conflict": conflict}))
    assert counted(lander(*batches_of("a1 | a1 b1"))) == [{"inserted": 1}, {"inserted": 1, "duplicate": 1}]


def test_an_update_moves_updated_at_and_leaves_created_at_and_an_unchanged_row_stays_as_it_is(land):
    lander = land(visits(field("note", "string")))
    lander(*batches_of("a1 b1"))
    lander.conn.execute("update ops.visits set created_at = '2020-01-01', updated_at = '2020-01-01'")
    lander.conn.execute("alter table ops.visits disable trigger user")
    lander.conn.execute("update ops.visits set updated_at = '2020-01-01'")
    lander.conn.execute("alter table ops.visits enable trigger user")

    lander(*batches_of("a2 b1"))

    found = lander.rows("visit_id", "_run_id", "created_at", "updated_at")
    assert [(key, run, made.year, moved.year > 2020) for key, run, made, moved in found] == [
        ("a", 2, 2020, True),
        ("b", 1, 2020, False),
    ]


def test_a_dataset_of_keys_alone_has_nothing_to_change(land):
    lander = land(visits())
    lander([{"visit_id": "a"}])

    assert counted(lander([{"visit_id": "a"}, {"visit_id": "b"}])) == [{"inserted": 1, "unchanged": 1}]


def test_without_a_key_every_row_is_inserted_and_one_that_the_database_refuses_is_refused_alone(undone):
    dataset = contract_of(fields=[field("note", "string", physicalType="varchar(3)")]).dataset
    make_tables(undone, dataset)
    lander = Lander(undone, dataset)

    landed = lander([{"note": "a"}, {"note": "a"}, {"note": "abcd"}], [{"note": "a"}])

    assert counted(landed) == [{"inserted": 2, "quarantined": 1}, {"inserted": 1}]
    assert undone.execute("select count(*) from ops.visits where note = 'a'").fetchone() == (3,)


@pytest.mark.parametrize("bad", [[0], [6], [3, 4], [0, 1, 2, 3, 4, 5, 6]])
def test_rows_that_break_a_constraint_no_rule_foresaw_are_refused_alone(land, bad):
    lander = land(visits(field("note", "string")))
    lander.conn.execute("alter table ops.visits add constraint not_nine check (note <> '9')")
    records = [visit(f"{name}{9 if at in bad else at}") for at, name in enumerate("abcdefg")]

    (landed,) = lander(records)

    good = [tuple(one.values()) for at, one in enumerate(records) if at not in bad]
    assert lander.rows() == good
    assert landed.counts == RunCounts(received=7, inserted=7 - len(bad), quarantined=len(bad))
    why = Refusal(rule="not_nine", reason="is rejected by the database")
    assert landed.refused == {at + 2: why for at in bad}


def test_a_value_that_must_be_unique_is_refused_where_it_repeats(land):
    lander = land(visits(field("badge", "string", unique=True)))
    records = [
        {"visit_id": key, "badge": badge} for key, badge in (("a", "1"), ("b", "2"), ("c", "1"), ("d", None))
    ]

    (landed,) = lander([*records, {"visit_id": "e"}])

    assert lander.rows() == [("a", "1"), ("b", "2"), ("d", None), ("e", None)]
    why = Refusal(rule="badge.unique", fields=("badge",), reason="repeats a value that must be unique")
    assert landed.refused == {4: why}


STAYS = {"noOverlap": {"key": ["badge"], "start": "seen_on", "end": "left_on", "unless": "state = 'off'"}}


def test_of_ranges_that_overlap_the_first_in_the_file_stays(land):
    lander = land(
        visits(
            field("badge", "string"),
            field("seen_on", "date"),
            field("left_on", "date"),
            field("state", "string"),
            custom=STAYS,
        )
    )

    def stay(key, first, last, badge="1", state=None):
        days = [f"2026-03-{day:02}" for day in (first, last)]
        return {"visit_id": key, "badge": badge, "seen_on": days[0], "left_on": days[1], "state": state}

    landed = lander(
        [
            stay("e", 1, 5),
            stay("d", 5, 6),
            stay("c", 6, 9),
            stay("b", 1, 9, badge="2"),
            stay("a", 2, 3, state="off"),
        ],
        [stay("f", 9, 9), stay("g", 10, 12)],
    )

    assert [key for (key,) in lander.rows("visit_id")] == ["a", "b", "c", "e", "g"]
    assert [(line, why.rule) for batch in landed for line, why in batch.refused.items()] == [
        (3, "no_overlap"),
        (7, "no_overlap"),
    ]


WEEKS = {"partition": {"field": "seen_on", "every": "month", "start": "2026-01"}}


@pytest.fixture
def monthly(land):
    return land(visits(field("seen_on", "date", required=True), field("note", "string"), custom=WEEKS))


def seen(text):
    """`a1/3` is visit a with content 1 in March."""
    key, month = text.split("/")
    return {"visit_id": key[0], "note": key[1:], "seen_on": f"2026-{int(month):02}-10"}


def test_rows_go_to_the_partition_of_their_month_and_keep_their_key_in_the_key_table(monthly):
    landed = monthly([seen("a1/1"), seen("b1/2"), seen("c1/3")])

    assert counted(landed) == [{"inserted": 3}]
    found = monthly.conn.execute(
        "select visit_id, tableoid::regclass::text from ops.visits order by 1"
    ).fetchall()
    assert found == [("a", "ops.visits_2026_01"), ("b", "ops.visits_2026_02"), ("c", "ops.visits_2026_03")]
    assert monthly.conn.execute("select count(*) from daftari.key_visits").fetchone() == (3,)


@pytest.mark.parametrize(
    ("again", "counts", "rows"),
    [
        ("a1/1", {"unchanged": 1}, [("a", "1", 1)]),
        ("a2/1", {"updated": 1}, [("a", "2", 1)]),
        ("a1/2", {"updated": 1}, [("a", "1", 2)]),
    ],
)
def test_the_same_key_in_another_partition_is_the_same_row(monthly, again, counts, rows):
    monthly([seen("a1/1")])

    assert counted(monthly([seen(again)])) == [counts]
    found = monthly.conn.execute(
        "select visit_id, note, extract(month from seen_on)::int from ops.visits"
    ).fetchall()
    assert found == rows
    assert monthly.conn.execute(
        "select extract(month from seen_on)::int from daftari.key_visits"
    ).fetchall() == [(rows[0][2],)]


def test_the_same_key_in_another_partition_and_an_earlier_batch_is_superseded(monthly):
    assert counted(monthly([seen("a1/1"), seen("b1/1")], [seen("a1/2")])) == [
        {"inserted": 2},
        {"superseded": 1},
    ]


PEOPLE = [
    {"name": "user_id", "logicalType": "string", "required": True, "primaryKey": True},
    field("manager_id", "string", relationships=[{"type": "foreignKey", "to": "people.user_id"}]),
    field("badge", "string", unique=True),
]


def person(text):
    """`a<b` is a, whose manager is b; `a<b#1` has badge 1."""
    name, _, rest = text.partition("<")
    manager, _, badge = rest.partition("#")
    return {"user_id": name, "manager_id": manager, "badge": badge}


@pytest.mark.parametrize(
    ("text", "landed", "refused"),
    [
        ("a<b b<c c<", "abc", {}),
        ("a<b b<a", "ab", {}),
        ("a<b b<c c<#1 d<#1 e<", "abce", {5: "badge.unique"}),
        ("a<b b<c c<#1 d<c#1 e<d", "abc", {5: "badge.unique", 6: "manager_id.reference_rejected"}),
        ("a<b b<d d<#1 c<#1 e<a f<e", "abdef", {5: "badge.unique"}),
        ("c<#1 d<#1 a<b b<a", "abc", {3: "badge.unique"}),
    ],
)
def test_rows_that_name_rows_of_the_same_file_land_whatever_their_order_and_what_is_refused_among_them(
    land, text, landed, refused
):
    lander = land(contract_of(name="people", fields=PEOPLE).dataset)

    (found,) = lander([person(one) for one in text.split()])

    assert "".join(key for (key,) in lander.rows("user_id")) == landed
    assert {line: why.rule for line, why in found.refused.items()} == refused
    assert found.counts == RunCounts(
        received=len(text.split()), inserted=len(landed), quarantined=len(refused)
    )


INDEXES = """
    select indexname, indexdef, obj_description(format('%I.%I', schemaname, indexname)::regclass)
    from pg_indexes where schemaname = 'ops' and tablename = 'visits' order by 1
"""


def test_indexes_of_an_empty_table_are_set_aside_for_a_large_load_and_put_back_exactly(land):
    lander = land(
        visits(
            field("note", "string"),
            field("badge", "string", unique=True),
            custom={"indexes": [["note"], ["note", "badge"]]},
        )
    )
    lander.conn.execute('create index "Odd one" on ops.visits (lower(note) desc) where badge is not null')
    lander.conn.execute("""comment on index ops."Odd one" is 'it''s odd: 100%'""")
    before = lander.conn.execute(INDEXES).fetchall()
    during = []

    class Watching(BulkLoad):
        def land(self, batch):
            during.append([name for name, *_ in lander.conn.execute(INDEXES).fetchall()])
            return super().land(batch)

    landing = Watching(lander.conn, lander.dataset, 1)
    landing.prepare(large=True)
    landing.land(batch_of(lander.dataset, visit("a1"), run_id=1))
    landing.finish()

    assert during == [["visits_badge_key", "visits_pkey"]]
    assert lander.conn.execute(INDEXES).fetchall() == before
    assert len(before) == 5


@pytest.mark.parametrize(("filled", "large"), [(True, True), (False, False)])
def test_indexes_stay_where_there_are_rows_already_or_few_to_come(land, filled, large):
    lander = land(visits(field("note", "string"), custom={"indexes": [["note"]]}))
    if filled:
        lander(*batches_of("a1"))
    before = lander.conn.execute("select 'ops.visits_note_idx'::regclass::oid").fetchone()

    lander(*batches_of("b1"), large=large)

    assert lander.conn.execute("select 'ops.visits_note_idx'::regclass::oid").fetchone() == before


KEYS = """
    select conname, pg_get_constraintdef(oid),
           obj_description(oid, 'pg_constraint'), obj_description(conindid, 'pg_class')
    from pg_constraint where conrelid = 'ops.visits'::regclass and contype = 'p'
"""


def during_a_large_load(lander, *batches):
    """Land *batches* in an empty table; return the keys that it had before, meanwhile and afterwards."""
    seen = [lander.conn.execute(KEYS).fetchall()]
    landing = BulkLoad(lander.conn, lander.dataset, 1)
    landing.prepare(large=True)
    seen.append(lander.conn.execute(KEYS).fetchall())
    landed = [one for batch in batches for one in landing.land(batch)]
    landed += landing.finish()
    return [*seen, lander.conn.execute(KEYS).fetchall()], landed


def test_the_key_of_an_empty_table_is_set_aside_for_a_large_load_and_put_back_exactly(land):
    lander = land(visits(field("note", "string")))
    lander.conn.execute("comment on constraint visits_pkey on ops.visits is 'it''s: 100%'")
    lander.conn.execute("comment on index ops.visits_pkey is 'the index'")

    (before, meanwhile, afterwards), _ = during_a_large_load(
        lander, batch_of(lander.dataset, visit("a1"), run_id=1)
    )

    assert meanwhile == []
    assert afterwards == before == [("visits_pkey", "PRIMARY KEY (visit_id)", "it's: 100%", "the index")]


@pytest.mark.parametrize(
    "hanger_on",
    [
        'create table ops.refers (visit_id text collate "C" references ops.visits)',
        "create view ops.hangs as select v.*, count(*) from ops.visits v group by visit_id",
        "create unique index on ops.visits (note)",
    ],
)
def test_a_key_that_something_else_needs_stays(land, hanger_on):
    lander = land(visits(field("note", "string")))
    lander.conn.execute(hanger_on)

    (before, meanwhile, _), landed = during_a_large_load(
        lander, batch_of(lander.dataset, visit("a1"), run_id=1)
    )

    assert meanwhile == before
    assert counted(landed) == [{"inserted": 1}]


def perhaps(lander, text, line):
    batch = batch_of(lander.dataset, *map(visit, text.split()), run_id=1, first_line=line)
    batch.is_new = False
    return batch


def test_keys_that_came_before_wait_until_the_key_is_back_and_are_settled_in_the_order_of_the_file(land):
    lander = land(visits(field("note", "string")))

    _, landed = during_a_large_load(
        lander,
        batch_of(lander.dataset, visit("a1"), visit("b1"), run_id=1),
        perhaps(lander, "a2 c2", 4),
        batch_of(lander.dataset, visit("d1"), run_id=1, first_line=6),
        perhaps(lander, "a3 d1", 7),
    )

    assert counted(landed) == [
        {"inserted": 2},
        {"inserted": 1},
        {"inserted": 1, "superseded": 1},
        {"duplicate": 1, "superseded": 1},
    ]
    assert lander.rows() == [("a", "3"), ("b", "1"), ("c", "2"), ("d", "1")]


def test_when_many_wait_the_key_comes_back_before_the_end(land, monkeypatch):
    monkeypatch.setattr(landing_module, "_WAITING_ROWS", 2)
    lander = land(visits(field("note", "string")))

    (_, _, afterwards), landed = during_a_large_load(
        lander,
        batch_of(lander.dataset, visit("a1"), visit("b1"), run_id=1),
        perhaps(lander, "a2 b2 c2", 4),
        batch_of(lander.dataset, visit("d1"), run_id=1, first_line=7),
    )

    assert counted(landed) == [{"inserted": 2}, {"inserted": 1, "superseded": 2}, {"inserted": 1}]
    assert len(afterwards) == 1


def test_a_row_that_the_database_refuses_is_refused_alone_while_the_key_is_aside(land):
    lander = land(visits(field("note", "string", physicalType="varchar(3)")))

    _, landed = during_a_large_load(
        lander,
        batch_of(lander.dataset, visit("a1"), visit("b1"), run_id=1),
        perhaps(lander, "a2", 4),
        batch_of(lander.dataset, visit("c1"), visit("d12345"), run_id=1, first_line=5),
    )

    assert counted(landed) == [{"inserted": 2}, {"superseded": 1}, {"inserted": 1, "quarantined": 1}]
    assert list(landed[-1].refused) == [6]
    assert lander.rows() == [("a", "2"), ("b", "1"), ("c", "1")]


def test_the_digest_is_of_all_that_was_sent(land):
    lander = land(visits(field("note", "string")))
    digests = []
    for text in ("a1 b1", "a1 b1", "a1 b2"):
        with lander.conn.transaction(force_rollback=True):
            lander.runs = 0
            lander(*batches_of(text))
            digests.append(lander.digest)

    assert digests[0] == digests[1] != digests[2]
