"""
One reader: a record of JSON gets the same verdict, with the same reasons, from files and from the API.

By the API it is a body of its own, a line of JSON Lines and an element of a list; by file a line and an element.
"""

from __future__ import annotations

import json
import os
from datetime import date

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from tests.nasty_json import record_text

from daftari.api.request_bodies import read_body
from daftari.errors import MappingError, SourceError, UnknownName
from daftari.io.files import open_source
from daftari.rows.formats.inference import canonical
from daftari.rows.intake.intake import Intake, take_in
from daftari.rows.intake.records import record_plan, records_block
from daftari.rows.mapping.column_plan import resolve_columns
from daftari.rows.mapping.mapping import Mapping
from daftari.rows.rules.rules import rulebook

EXAMPLES = int(os.environ.get("DAFTARI_JSON_EXAMPLES", "60"))
TODAY = date(2026, 3, 14)
GOOD = {
    "expense_id": '"K1"',
    "spent_on": '"2026-03-14"',
    "department_code": '"FIN"',
    "category": '"office"',
    "supplier": '"Shop"',
    "description": "null",
    "amount": "12.50",
    "currency": '"KES"',
    "status": '"submitted"',
}
LINES = "application/x-ndjson"
#: How a broken text is refused as a whole: by status, or as a file.
REFUSED = "refused"


def judged(blocks, dataset, plan):
    """What becomes of rows, by place: their values, or the reasons against them."""
    book = rulebook(dataset, today=TODAY)
    found = {}
    intake = Intake(book=book, plan=plan, run_id=0, count_only=True, seal=lambda rows: rows)
    for one in take_in(blocks, intake):
        for batch in one.batches:
            for line, row in zip(batch.lines, batch.rows.drop("_run_id").to_dicts(), strict=True):
                found[line] = {name: value for name, value in row.items() if value is not None}
        for line, reasons in one.rejected.select("line", "reasons").iter_rows():
            found[line] = [(why["rule"], why["field"], why["reason"]) for why in json.loads(reasons)]
    return found


def by_body(text, dataset, kind="application/json"):
    try:
        records, _ = read_body(text.encode("utf-8", "surrogatepass"), kind, dataset)
        return judged([records_block(records, dataset, keeps_absent=True)], dataset, record_plan(dataset))
    except (HTTPException, UnknownName):
        return REFUSED


def by_file(path, text, dataset):
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    mapping = Mapping(dataset=dataset.name, total_row="none")
    try:
        source = open_source(path, mapping=mapping, dataset=dataset)
        plan = canonical(resolve_columns(mapping, source.header, dataset, file=source.name))
        return judged(list(source.blocks()), dataset, plan)
    except (SourceError, MappingError):  # also where no row has a column that its dataset requires
        return REFUSED


def is_rejected(verdict):
    return verdict == REFUSED or isinstance(verdict, list)


@pytest.fixture
def expenses(reference):
    return reference.dataset("expenses")[1].dataset


def test_a_record_gets_the_same_verdict_from_files_and_from_the_api(expenses, tmp_path):
    good = json.dumps({name: json.loads(value) for name, value in GOOD.items()} | {"expense_id": "GOOD-1"})
    seen = {"accepted": 0, "rejected": 0, "refused": 0}

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(text=record_text(GOOD))
    def agrees(text):
        # with a sound record after it, whose verdict must not depend on it
        line = text.replace("\n", " ")
        of_lines = by_body(f"{line}\n{good}\n", expenses, LINES)
        assert of_lines == by_file(tmp_path / "f.jsonl", f"{line}\n{good}\n", expenses)
        of_list = by_body(f"[{text},{good}]", expenses)
        assert of_list == by_file(tmp_path / "f.json", f"[{text},{good}]", expenses)
        assert of_lines == REFUSED or isinstance(of_lines[2], dict)
        alone = by_body(text, expenses)
        if of_list != REFUSED:
            assert isinstance(of_list[2], dict)
            if of_list.keys() == {1, 2} and "\n" not in text:
                assert of_list[1] == of_lines[1]
            assert alone in (REFUSED, {1: of_list[1]})
            assert alone != REFUSED or is_rejected(of_list[1])
        else:
            assert alone == REFUSED
        verdict = of_lines if of_lines == REFUSED else of_lines[1]
        seen["refused" if verdict == REFUSED else "rejected" if is_rejected(verdict) else "accepted"] += 1

    agrees()
    assert seen["accepted"] >= EXAMPLES / 20
    assert seen["rejected"] >= EXAMPLES / 5


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    texts=st.lists(record_text(GOOD), min_size=1, max_size=4),
    cut=st.integers(0, 10**6),
    noise=st.sampled_from(["", '"', "{", "}", "]", "[", ",", ":", "\\", "\ufeff", "\0", "x"]),
)
def test_a_text_that_is_cut_or_has_a_sign_too_many_never_breaks_a_reader(
    reference, tmp_path_factory, texts, cut, noise
):
    dataset = reference.dataset("expenses")[1].dataset
    whole = f"[{','.join(texts)}]"
    at = cut % (len(whole) + 1)
    folder = tmp_path_factory.mktemp("json")
    for text in (whole[:at], whole[:at] + noise + whole[at:], whole[at:]):
        lines = "\n".join(texts)
        for kind, name, sent in (
            ("application/json", "f.json", text),
            (LINES, "f.jsonl", lines[:at] + noise),
        ):
            body, filed = by_body(sent, dataset, kind), by_file(folder / name, sent, dataset)
            if body != REFUSED and filed != REFUSED and sent.strip()[:1] == "[":
                assert body == filed


def test_what_is_accepted_can_be_written(expenses):
    """PostgreSQL stores UTF-8 without NUL: nothing else may pass."""

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(text=record_text(GOOD))
    def holds(text):
        for verdict in (by_body(f"{text}\n", expenses, LINES) or {}).values():
            if isinstance(verdict, dict):
                texts = [value for value in verdict.values() if isinstance(value, str)]
                assert not any("\0" in value for value in texts)
                assert pl.Series(texts, dtype=pl.String).to_list() == [
                    value.encode().decode() for value in texts
                ]

    holds()
