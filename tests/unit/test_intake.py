"""Blocks on their way to batches: what is counted as what, and rows that name rows of their own dataset."""

from __future__ import annotations

from collections import Counter
from datetime import date

import polars as pl
import pytest
from tests.contracts import contract_of, field
from tests.judging import block_of, reasons_by_line

from daftari.contract.model import Relationship
from daftari.rows.intake.block import Block, Malformed
from daftari.rows.intake.intake import Intake, encode_rows, take_in
from daftari.rows.intake.records import NotARecord, record_plan, records_block
from daftari.rows.rules.rules import rulebook

TODAY = date(2026, 3, 14)
PEOPLE = [
    {"name": "user_id", "logicalType": "string", "required": True, "primaryKey": True},
    field("manager_id", "string", relationships=[{"type": "foreignKey", "to": "people.user_id"}]),
    field("level", "integer", logicalTypeOptions={"minimum": 1}),
]
OWN = Relationship(fields=("manager_id",), target="people", target_fields=("user_id",))
NOTHING = pl.DataFrame(schema={"user_id": pl.String})


def people(conflict="update"):
    return contract_of(name="people", fields=PEOPLE, custom={"conflict": conflict}).dataset


def intake(dataset, *, stored=NOTHING, wanted=None):
    book = rulebook(dataset, today=TODAY, known={OWN: stored})
    return Intake(book=book, plan=record_plan(dataset), run_id=7, wanted=wanted)


def person(text):
    """`a<b1` is a, whose manager is b, at level 1."""
    name, _, rest = text.partition("<")
    return {"user_id": name, "manager_id": rest[:-1], "level": rest[-1:]}


def taken(text, *, size, conflict="update", **said):
    """Take people in, *size* to a block; return who goes on, who is rejected, and duplicates."""
    dataset = people(conflict)
    records = [person(one) for one in text.split()]
    blocks = [
        block_of(dataset, records[at : at + size], first_line=at + 2) for at in range(0, len(records), size)
    ]
    judged = list(take_in(blocks, intake(dataset, **said)))
    batches = [batch for one in judged for batch in one.batches]
    landed = [f"{row['user_id']}{row['level']}" for batch in batches for row in batch.rows.to_dicts()]
    rejected = {
        line: [rule for rule, _ in why]
        for one in judged
        for line, why in reasons_by_line(one.rejected).items()
    }
    duplicates = sum(one.duplicates + len(one.superseded) for one in judged)
    assert sum(one.received for one in judged) == len(records) == len(landed) + len(rejected) + duplicates
    return " ".join(landed), rejected, duplicates


REFERENCE, BY_PARENT = ["manager_id.reference"], ["manager_id.reference_rejected"]


@pytest.mark.parametrize("size", [1, 2, 10])
@pytest.mark.parametrize(
    ("text", "landed", "rejected", "duplicates"),
    [
        ("a<1 b<a2", "a1 b2", {}, 0),
        ("b<a2 a<1", "b2 a1", {}, 0),
        ("a<a1", "a1", {}, 0),
        ("a<b1 b<a2", "a1 b2", {}, 0),
        ("a<x1", "", {2: REFERENCE}, 0),
        ("a<s1", "a1", {}, 0),
        ("c<b3 b<a2 a<x1 d<3", "d3", {2: BY_PARENT, 3: BY_PARENT, 4: REFERENCE}, 0),
        ("b<a2 a<0", "", {2: BY_PARENT, 3: ["level.minimum"]}, 0),
        ("a<1 b<a1 a<2", "b1 a2", {}, 1),
        ("a<1 b<a1 a<x2", "a1 b1", {4: REFERENCE}, 0),
    ],
)
def test_a_row_may_name_one_that_comes_later_and_none_that_does_not_come(
    size, text, landed, rejected, duplicates
):
    stored = pl.DataFrame({"user_id": ["s"]})

    assert taken(text, size=size, stored=stored) == (landed, rejected, duplicates)


def test_a_long_line_of_rows_that_name_one_another_names_its_cause_in_every_row():
    dataset, count = people(), 20_000
    records = [person(f"p{at}<p{at - 1}1" if at else "p0<x1") for at in range(count)]
    (judged,) = take_in([block_of(dataset, records)], intake(dataset))
    said = Counter(reason for why in reasons_by_line(judged.rejected).values() for _, reason in why)
    assert said == {
        "refers to a row that does not exist": 1,
        "refers to a row that is rejected: the cause is line 2 (manager_id)": count - 1,
    }


@pytest.mark.parametrize("size", [1, 2, 10])
@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        # line 4 names nobody: it is the cause of both
        (
            "c<b3 b<a2 a<x1",
            {
                2: "refers to a row that is rejected: the cause is line 4 (manager_id)",
                3: "refers to a row that is rejected: the cause is line 4 (manager_id)",
                4: "refers to a row that does not exist",
            },
        ),
        # line 3 breaks a rule of its own
        (
            "b<a2 a<0 c<b1",
            {
                2: "refers to a row that is rejected: the cause is line 3 (level)",
                3: "is below 1",
                4: "refers to a row that is rejected: the cause is line 3 (level)",
            },
        ),
        (
            "a<b1 b<x1 y<z1 z<y1",
            {
                2: "refers to a row that is rejected: the cause is line 3 (manager_id)",
                3: "refers to a row that does not exist",
            },
        ),
    ],
)
def test_a_row_that_names_a_rejected_one_says_where_the_cause_is(size, text, reasons):
    dataset = people()
    records = [person(one) for one in text.split()]
    blocks = [
        block_of(dataset, records[at : at + size], first_line=at + 2) for at in range(0, len(records), size)
    ]
    found = {
        line: [reason for _, reason in why]
        for judged in take_in(blocks, intake(dataset))
        for line, why in reasons_by_line(judged.rejected).items()
    }

    assert found == {line: [reason] for line, reason in reasons.items()}


@pytest.mark.parametrize("size", [1, 2, 10])
@pytest.mark.parametrize(
    ("conflict", "landed", "rejected", "duplicates"),
    [("update", "a2", {}, 2), ("keep", "a1", {}, 2), ("reject", "a1", {4: ["conflict"]}, 1)],
)
def test_conflicts_of_a_dataset_that_names_itself_are_settled_across_blocks(
    size, conflict, landed, rejected, duplicates
):
    assert taken("a<1 a<1 a<2", size=size, conflict=conflict) == (landed, rejected, duplicates)


def test_malformed_records_are_received_and_rejected_and_show_nothing():
    dataset = people()
    malformed = (Malformed(line=3, reason="has 2 fields where the header has 3", preview="aaa;999"),)
    block = block_of(dataset, [person("a<1")])
    block = Block(cells=block.cells, lines=block.lines, malformed=malformed, blank=2, repeated=1)

    (judged,) = take_in([block], intake(dataset))

    (batch,) = judged.batches
    assert (judged.received, batch.rows.height, judged.met.left_out.blank, judged.met.left_out.repeated) == (
        2,
        1,
        2,
        1,
    )
    assert judged.rejected.to_dicts() == [
        {
            "line": 3,
            "reasons": '[{"rule": "shape", "field": "", "reason": "has 2 fields where the header has 3"}]',
            "preview": None,
            "key": None,
            "cells": None,
        }
    ]


def test_a_replay_takes_the_wanted_lines_alone():
    dataset = people()
    block = block_of(dataset, [person("a<1"), person("b<0"), person("c<1")])
    malformed = tuple(Malformed(line=line, reason="is short", preview="") for line in (5, 6))
    block = Block(cells=block.cells, lines=block.lines, malformed=malformed)

    (judged,) = take_in([block], intake(dataset, wanted=frozenset({3, 4, 6})))

    (batch,) = judged.batches
    assert (judged.received, batch.lines.to_list(), judged.rejected["line"].to_list()) == (
        3,
        [4],
        [3, 6],
    )


def test_rows_carry_the_number_of_their_run():
    (judged,) = take_in([block_of(people(), [person("a<1")])], intake(people()))

    (batch,) = judged.batches
    assert batch.rows["_run_id"].to_list() == [7]


VISITS = [
    {"name": "visit_id", "logicalType": "string", "required": True, "primaryKey": True},
    field("seen_on", "date"),
    field("left_on", "date"),
    field("badge", "string"),
]
OVERLAP = {"noOverlap": {"key": ["badge"], "start": "seen_on", "end": "left_on"}}


@pytest.mark.parametrize(
    ("fields", "custom", "second"),
    [
        (VISITS, {}, [(True, ["c"]), (False, ["a"])]),
        ([*VISITS[:3], {**VISITS[3], "unique": True}], {}, [(False, ["a", "c"])]),
        (VISITS, OVERLAP, [(False, ["a", "c"])]),
    ],
)
def test_keys_that_an_earlier_block_brought_go_apart_unless_rows_may_stand_in_each_others_way(
    fields, custom, second
):
    dataset = contract_of(fields=fields, custom=custom).dataset
    blocks = [block_of(dataset, [{"visit_id": one} for one in names]) for names in ("ab", "ac")]
    taken = take_in(blocks, Intake(book=rulebook(dataset, today=TODAY), plan=record_plan(dataset), run_id=7))

    told = [[(it.is_new, it.rows["visit_id"].to_list()) for it in one.batches] for one in taken]

    assert told == [[(True, ["a", "b"])], second]


def test_an_empty_file_is_no_batch():
    assert list(take_in([], intake(people()))) == []


def test_what_must_be_sealed_and_is_not_does_not_go_to_the_server():
    sealed = [{"property": "daftari.protection", "value": {"sealed": True}}]
    dataset = contract_of(fields=[field("pin", "string", customProperties=sealed)]).dataset
    with pytest.raises(TypeError, match=r"visits\.pin: not sealed"):
        encode_rows(pl.DataFrame({"pin": ["1234"]}), dataset)
    assert encode_rows(pl.DataFrame({"pin": [b"1234"]}), dataset)


@pytest.mark.parametrize("dataset", ["salaries", "leave_requests", "expenses", "users"])
def test_a_block_without_a_sound_record_has_the_types_of_its_fields(reference, dataset):
    found = reference.dataset(dataset)[1].dataset
    block = records_block([NotARecord(reason="is not a JSON object")] * 2, found)
    book, plan = rulebook(found, today=date(2026, 3, 1)), record_plan(found)
    asked = Intake(book=book, plan=plan, run_id=1, count_only=True)
    (judged,) = take_in([block], asked)
    assert (judged.received, judged.rejected.height) == (2, 2)
