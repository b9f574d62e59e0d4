"""
One rule, one place: a row gets the same verdict, with the same reasons, by itself and in a file.

By itself it is judged as the API judges a record; by file it goes the loader's way, through the CSV reader, in
blocks of several sizes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import date

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daftari.contract.model import Dataset, Field, LogicalType
from daftari.io.files import open_source
from daftari.rows.formats.inference import canonical
from daftari.rows.formats.parse import to_rows
from daftari.rows.intake.intake import Intake, take_in
from daftari.rows.intake.records import record_block, record_plan
from daftari.rows.mapping.column_plan import resolve_columns
from daftari.rows.mapping.mapping import Mapping
from daftari.rows.rules.references import asked_of
from daftari.rows.rules.rules import Rulebook, judge_rows, rulebook

DATASETS = ("expenses", "leave_requests")
EXAMPLES, ROWS = 50, 20  # of each dataset: 1,000 rows
TODAY = date(2026, 3, 14)

CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
WILD = st.text(CHARACTERS, max_size=12) | st.sampled_from(
    ["", " ", "\u00a0", "-", "n/a", "NULL", "'", '"', 'a "b", c', "a\nb", "a\r\nb", ";", "=1+1", "x" * 600]
)
KNOWN = {"departments": ["FIN", "HR"], "users": ["U0001", "U0002", "U0003"]}
#: What the rules look at: HR is closed; U0003 was hired while others were away, and left before they came back.
LOOKED_AT = {
    "is_active": [True, False],
    "hired_on": [date(2020, 1, 1), date(2020, 1, 1), date(2026, 4, 8)],
    "left_on": [None, None, date(2026, 4, 9)],
}

AROUND = {
    LogicalType.INTEGER: st.integers(-(2**63), 2**64).map(str)
    | st.sampled_from(["1.0", "1.5", "1e3", "٣", "+7"]),
    LogicalType.NUMBER: st.decimals(-(10**12), 10**12, places=2, allow_nan=False).map(str)
    | st.sampled_from(
        ["0.5", "366", "366.1", "-0", "1,250.00", "1250.005", "(12.50)", "KES 5", "NaN", "1e5", "12."]
    ),
    LogicalType.BOOLEAN: st.sampled_from(["true", "FALSE", "yes", "0", "ja"]),
    LogicalType.DATE: st.dates().map(str)
    | st.sampled_from(
        ["2026-02-30", "14/03/2026", "2026-03-14T00:00:00", "46000", "2100-01-01", "1999-12-31"]
    ),
    LogicalType.TIMESTAMP: st.datetimes().map(str)
    | st.sampled_from(
        [
            "2026-03-14T00:00:00+03:00",
            "2026-03-13T21:00:00Z",
            "2026-03-14 00:00",
            "2026-03-14T25:00:00Z",
            "2026-03-14",
            "yesterday",
        ]
    ),
    LogicalType.STRING: WILD,
}


def near_its_bounds(field: Field) -> st.SearchStrategy[str]:
    """Texts around what *field* promises: good ones, and such as miss by little."""
    options, near = field.options, []
    if field.allowed:
        near += [*field.allowed, field.allowed[0].upper(), f" {field.allowed[0]} ", f"{field.allowed[0]}s"]
    if options.max_length is not None:
        near += ["x" * options.max_length, "ä" * options.max_length, "x" * (options.max_length + 1)]
    near += [str(bound) for bound in (options.minimum, options.maximum) if bound is not None]
    near += [str(example) for example in field.examples]
    for target in KNOWN:
        near += KNOWN[target]
    return st.sampled_from(near)


def texts_of(field: Field) -> st.SearchStrategy[str | None]:
    near = near_its_bounds(field)
    if field.logical_type in (LogicalType.DATE, LogicalType.TIMESTAMP):
        near = st.dates(date(2026, 3, 1), date(2026, 3, 20)).map(str) | near
    return st.one_of(near, near, AROUND[field.logical_type], st.none(), WILD)


def good_row(dataset: Dataset) -> st.SearchStrategy[dict[str, str | None]]:
    """A row that keeps every rule, for others to be one field away from."""
    good = {
        "expenses": {
            "spent_on": "2026-03-14",
            "department_code": "FIN",
            "user_id": "U0001",
            "category": "travel",
            "amount": "1250.00",
            "currency": "KES",
            "status": "approved",
            "approved_at": "2026-03-14T00:00:00+03:00",
        },
        "leave_requests": {
            "user_id": "U0001",
            "leave_type": "annual",
            "start_date": "2026-04-07",
            "end_date": "2026-04-10",
            "days": "4",
            "status": "approved",
            "requested_at": "2026-03-20T10:15:00+03:00",
            "decided_at": "2026-03-21T08:00:00+03:00",
            "decided_by": "U0002",
        },
    }[dataset.name]
    names = [field.name for field in dataset.fields if not field.is_key]
    changed = st.dictionaries(st.sampled_from(names), st.none(), max_size=3).flatmap(
        lambda chosen: st.fixed_dictionaries({name: texts_of(dataset.field(name)) for name in chosen})
    )
    return changed.map(lambda change: {**good, **change})


Verdict = tuple[object, ...] | list[tuple[str, str, str]]


def verdicts_of(accepted: pl.DataFrame, rejected: pl.DataFrame, key: str) -> dict[str, Verdict]:
    """By key: the typed values of an accepted row, or the reasons of a rejected one."""
    found: dict[str, Verdict] = {row[key]: tuple(row.values()) for row in accepted.to_dicts()}
    for preview, reasons in rejected.select("preview", "reasons").iter_rows():
        told = [(why["rule"], why["field"], why["reason"]) for why in json.loads(reasons)]
        found[json.loads(preview)[key]] = told
    return found


def one_by_one(
    records: Sequence[dict[str, str | None]], dataset: Dataset, book: Rulebook
) -> dict[str, Verdict]:
    plan, found = record_plan(dataset), {}
    for record in records:
        verdict = judge_rows(to_rows(plan, record_block(record, dataset), dataset), book)
        found |= verdicts_of(verdict.accepted, verdict.rejected, dataset.key[0])
    return found


def by_file(path, records, dataset: Dataset, book: Rulebook, *, block_bytes: int) -> dict[str, Verdict]:
    names = [field.name for field in dataset.fields]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(records)
    path.write_text(text.getvalue(), "utf-8", newline="")
    mapping = Mapping(dataset=dataset.name, total_row="none", encoding="utf-8", separator=",", header_row=1)
    source = open_source(path, mapping=mapping, dataset=dataset, block_bytes=block_bytes)
    plan = canonical(resolve_columns(mapping, source.header, dataset, file=source.name))
    # verdicts come before sealing: for that, bytes will do
    sealed = [field.name for field in dataset.fields if field.protection.sealed]

    def seal(rows):
        return rows.cast(dict.fromkeys(sealed, pl.Binary))

    judged = list(take_in(source.blocks(), Intake(book=book, plan=plan, run_id=1, seal=seal)))
    assert sum(one.duplicates for one in judged) == 0
    accepted = pl.concat([batch.rows.drop("_run_id") for one in judged for batch in one.batches])
    accepted = accepted.cast(dict.fromkeys(sealed, pl.String))
    return verdicts_of(accepted, pl.concat([one.rejected for one in judged]), dataset.key[0])


@pytest.mark.parametrize("name", DATASETS)
def test_a_row_gets_the_same_verdict_and_reasons_by_itself_and_in_a_file(reference, name, tmp_path):
    dataset = reference.dataset(name)[1].dataset
    known = {
        relationship: pl.DataFrame(
            {
                **dict.fromkeys(relationship.target_fields, KNOWN[relationship.target]),
                **{name: LOOKED_AT[name] for name in names},
            }
        )
        for relationship, names in asked_of(dataset).items()
    }
    book = rulebook(dataset, today=TODAY, known=known)
    seen = {"accepted": 0, "rejected": 0}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(
        rows=st.lists(good_row(dataset), min_size=ROWS, max_size=ROWS),
        block_bytes=st.sampled_from([250, 1500, 2**20]),
    )
    def agrees(rows, block_bytes):
        records = [{**row, dataset.key[0]: f"N{at}"} for at, row in enumerate(rows)]
        alone = one_by_one(records, dataset, book)
        filed = by_file(tmp_path / "rows.csv", records, dataset, book, block_bytes=block_bytes)
        assert filed == alone
        assert len(alone) == len(records)
        for verdict in alone.values():
            seen["accepted" if isinstance(verdict, tuple) else "rejected"] += 1

    agrees()
    assert sum(seen.values()) >= EXAMPLES * ROWS
    assert min(seen.values()) >= EXAMPLES * ROWS / 5  # enough of both kinds for the test to mean something
