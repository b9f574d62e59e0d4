"""
Any table of ours, however dirty its file: the same rows, and every line of the file in the counts.

`DAFTARI_DIRTY_EXAMPLES` is how many files are written.
"""

import os
import tempfile
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.dirty_files import MONEY, SWAPPED, Dirt, Pen, Shape, files
from tests.dirty_formats import WRITERS, packed
from tests.tables import dataset, field

from daftari.contract.model import Relationship
from daftari.io.files import open_source
from daftari.rows.formats.inference import infer_styles
from daftari.rows.formats.late_evidence import StyleChanged
from daftari.rows.intake.control_totals import reckon
from daftari.rows.intake.intake import Intake, take_in
from daftari.rows.mapping.column_plan import resolve_columns
from daftari.rows.mapping.mapping import Mapping
from daftari.rows.rules.rules import rulebook

EXAMPLES = int(os.environ.get("DAFTARI_DIRTY_EXAMPLES", "60"))
FIELDS = (
    field("receipt", unique=True),
    field("supplier", required=True),
    field("department"),
    field("paid_on", "date"),
    field("service"),
    field("recorded", "timestamp"),
    field("amount", "number", "numeric(14,2)", required=True),
    field("rate", "number", "numeric(9,4)"),
    field("pieces", "integer"),
    field("paid", "boolean"),
)
DEPARTMENTS = ["ICT 1", "Fédération"]
REFERS = Relationship(fields=("department",), target="departments", target_fields=("code",))
KEYED = replace(dataset(field("ref", key=True), *FIELDS), relationships=(REFERS,))
KEYLESS = replace(dataset(field("ref"), *FIELDS), relationships=(REFERS,))
SHAPE = Shape(
    fields=("ref", *(one.name for one in FIELDS)),
    optional=frozenset({"department", "paid_on", "service", "recorded", "rate", "pieces", "paid"}),
    labelled=("ref", "supplier", "pieces"),
    summed=("amount",),
)
SUPPLIERS = [
    "Alpha",
    "Total",
    "Total Kenya",
    "TotalEnergies",
    "Jumla Traders",
    "Summit, Ltd",
    "Kiambu | Thika; Ruiru",
    'Kwa "Baraka"',
    "Kwa Njeri\nBranch 2",
    "Zo\u00eb",
    "Notes Ltd",
]
ROWS = st.fixed_dictionaries(
    {
        "supplier": st.sampled_from(SUPPLIERS),
        "department": st.sampled_from(DEPARTMENTS),
        "paid_on": st.dates(date(2020, 1, 1), date(2026, 12, 31)),
        "service": st.sampled_from([None, "Roads", "Parks"]),
        "recorded": st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1)).map(
            lambda at: at.replace(microsecond=0)
        ),
        "amount": st.decimals(-100_000, 100_000, places=2),
        "rate": st.none() | st.decimals(0, 20, places=3),
        "pieces": st.none() | st.integers(0, 50_000),
        "paid": st.sampled_from([None, True, False]),
    }
)


def with_receipts(table):
    """Number the receipts: unique, with leading zeros and a space."""
    for n, row in enumerate(table, 1):
        row["receipt"] = f"KRA 00{n}"
    return table


def mapping_of(table, dirt: Dirt, kind: str) -> Mapping:
    """Return the mapping that a careful person writes: what nothing in the file shows, and which fields it may lack."""
    fields = {name: {"from": [name, "Other"], "absent": "keep"} for name in SHAPE.optional - {*dirt.columns}}
    for name in {"paid_on", "recorded"} & {*dirt.columns}:
        if has_doubtful_days(name, table, dirt, kind):
            fields[name] = {"from": name, "format": dirt.date + (" HH:MM:SS" if name == "recorded" else "")}
    if kind in ("typed xlsx", "typed ods") and "rate" in dirt.columns:
        fields["rate"] = {"from": "rate", "decimal": MONEY[dirt.money][1]}
    return Mapping.model_validate({"dataset": "d", "fields": fields})


def has_doubtful_days(name, table, dirt: Dirt, kind: str) -> bool:
    """Whether its dates may be read in two ways: a sheet's typed dates may be all that are above 12."""
    if dirt.date not in SWAPPED or kind.startswith("typed json"):
        return False
    if name == "recorded" and not dirt.has_styled_moments:
        return False
    return kind.startswith("typed") or not any(row[name].day > 13 for row in table)


def loaded(content, name, whole, mapping, block):
    """Take a file of *content* the whole way; return its accepted rows, and what became of its lines."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        source = open_source(path, dataset=whole, mapping=mapping, block_bytes=block)
        plan = infer_styles(resolve_columns(mapping, source.header, whole, file=name), source.blocks())
        try:
            return taken_in(source, plan, whole)
        except StyleChanged:
            return taken_in(source, infer_styles(plan, source.blocks(), whole=True), whole)


def taken_in(source, plan, whole):
    known = {REFERS: pl.DataFrame({"code": DEPARTMENTS})}
    book = rulebook(whole, today=date(2030, 1, 1), known=known)
    intake = Intake(book=book, plan=plan, run_id=0, count_only=True)
    found, received, kept = [], 0, 0
    for judged in take_in(source.blocks(), intake):
        received += judged.received
        assert judged.rejected.select("line", "reasons").rows() == []
        kept += judged.duplicates + sum(batch.height for batch in judged.batches)
        for batch in judged.batches:
            found += batch.rows.drop("_run_id").iter_rows(named=True)
        met = judged.met
    return found, (received, kept), source.left_out + met.left_out, met


def expected(table, dirt: Dirt):
    """Return the rows as they are read: null where the file has no column."""
    return [{name: row[name] if name in dirt.columns else None for name in SHAPE.fields} for row in table]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(files(ROWS, SHAPE), st.sampled_from(sorted(WRITERS)), st.sampled_from([KEYED, KEYLESS]))
def test_any_table_loads_to_the_same_rows_from_any_dirty_file(drawn, kind, whole):
    check(*drawn, kind, whole)


def check(table, lines, dirt, kind, whole):
    table = with_receipts(table)
    ending, write = WRITERS[kind]
    content, written = write(
        lines, Pen(dirt=dirt, identifying=frozenset({*whole.key, "receipt", "department"}))
    )
    content, name = packed(content, f"f.{ending}", dirt.packing)
    mapping = mapping_of(table, dirt, kind)

    found, (received, kept), left_out, met = loaded(content, name, whole, mapping, dirt.block)

    found = [{name: row.get(name) for name in SHAPE.fields} for row in found]
    for row in found:
        row["recorded"] = row["recorded"] and row["recorded"].replace(tzinfo=None)
    assert sorted(found, key=lambda row: int(row["ref"][2:])) == expected(table, dirt)
    assert received == kept
    assert received + left_out.rows == written
    assert left_out.totals == sum(what == "total" for what, _ in lines)
    assert reckon((), met).differences == ()
