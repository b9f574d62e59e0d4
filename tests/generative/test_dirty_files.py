"""
Any table of ours, however dirty its file: the same rows, and every line of the file in the counts.

`DAFTARI_DIRTY_EXAMPLES` is how many files each test writes.
"""

import csv
import io
import json
import os
import tempfile
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import openpyxl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.tables import dataset, field

from daftari.io.files import open_source
from daftari.rows.formats.inference import infer_styles
from daftari.rows.intake.control_totals import reckon
from daftari.rows.intake.intake import Intake, take_in
from daftari.rows.mapping.column_plan import resolve_columns
from daftari.rows.rules.rules import rulebook

EXAMPLES = int(os.environ.get("DAFTARI_DIRTY_EXAMPLES", "60"))
NAMES = ("ref", "supplier", "paid_on", "service", "recorded", "amount", "pieces")
FIELDS = (
    field("supplier", required=True),
    field("paid_on", "date"),
    field("service"),
    field("recorded", "timestamp"),
    field("amount", "number", "numeric(14,2)", required=True),
    field("pieces", "integer"),
)
KEYED = dataset(field("ref", key=True), *FIELDS)
KEYLESS = dataset(field("ref"), *FIELDS)

SUPPLIERS = [
    "Alpha",
    "Total",
    "Total Kenya",
    "TotalEnergies",
    "Jumla Traders",
    "Summit, Ltd",
    'Kwa "Baraka"',
    "Zoë",
    "Notes Ltd",
]
LABELS = [
    "Total",
    "GRAND TOTAL",
    "Sub-total:",
    "Total (KES)",
    "Jumla",
    "Jumla kuu",
    "Total\u200b for March",
    " Total geral ",
]
FOOTERS = ["Prepared by: Finance", "Source: the ledger", "-----", "(3 rows affected)", "End of report"]
KINDS = ["csv", "tsv", "semicolons", "json", "jsonl", "typed xlsx", "text xlsx"]

rows = st.fixed_dictionaries(
    {
        "supplier": st.sampled_from(SUPPLIERS),
        "paid_on": st.dates(date(2020, 1, 1), date(2026, 12, 31)),
        "service": st.sampled_from([None, "Roads", "Parks"]),
        "recorded": st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1)).map(
            lambda at: at.replace(microsecond=0)
        ),
        "amount": st.decimals(-100_000, 100_000, places=2),
        "pieces": st.none() | st.integers(0, 500),
    }
)


@st.composite
def files(draw):
    """Draw a table, and the lines of a file of it: a row, or what is none."""
    table = [
        {"ref": f"R-{n}", **row} for n, row in enumerate(draw(st.lists(rows, min_size=2, max_size=25)), 1)
    ]
    lines, since = [], 0
    for at, row in enumerate(table, start=1):
        lines.append(("row", row))
        for what in draw(st.lists(st.sampled_from(["", "", "total", "blank", "header"]), max_size=2)):
            if what == "total":
                summed = table[since:at] if draw(st.booleans()) and since < at else table[:at]
                lines.append(
                    (
                        what,
                        total(
                            summed, draw(st.sampled_from(LABELS)), draw(st.sampled_from(["ref", "supplier"]))
                        ),
                    )
                )
                since = at
            elif what:
                lines.append((what, None))
    lines += [("footer", note) for note in draw(st.lists(st.sampled_from(FOOTERS), max_size=3))]
    dirt = draw(
        st.fixed_dictionaries(
            {
                "mark": st.booleans(),
                "ending": st.sampled_from(["\n", "\r\n"]),
                "spare": st.lists(st.integers(0, 3), min_size=1, max_size=5),
                "short_footers": st.booleans(),
                "padding": st.sampled_from(["", " ", "\u00a0", "\t", "\u3000"]),
                "offset": st.sampled_from([None, -8, 0, 3, 5.5]),
                "quoted": st.booleans(),
                "block": st.integers(20, 2000),
            }
        )
    )
    return table, lines, dirt


def total(summed, label, where):
    return {where: label, "amount": sum(row["amount"] for row in summed)}


def texts(cells, dirt):
    """Return the cells of one row as a person's export writes them."""
    return [text(cells.get(name), dirt) for name in NAMES]


def text(value, dirt):
    match value:
        case None:
            return ""
        case datetime():
            return moment(value, dirt).isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case str():
            pad = "" if dirt["padding"] == "\t" else dirt["padding"]
            return f"{pad}{value}{pad}"
        case _:
            return str(value)


def moment(value, dirt):
    """Return a moment of UTC with an offset, or without: it is in the workspace's zone then."""
    offset = dirt["offset"]
    local = value.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=3 if offset is None else offset)))
    return local.replace(tzinfo=None) if offset is None else local


def delimited(lines, dirt, separator):
    out = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if dirt["quoted"] else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=separator, lineterminator=dirt["ending"], quoting=quoting)
    writer.writerow(NAMES)
    for at, (what, content) in enumerate(lines):
        spare = [""] * dirt["spare"][at % len(dirt["spare"])]
        match what:
            case "row" | "total":
                writer.writerow([*texts(content, dirt), *spare])
            case "header":
                writer.writerow([*NAMES, *spare])
            case "blank":
                out.write((separator * len(spare) if spare else "") + dirt["ending"])
            case "footer":
                writer.writerow(
                    [content] if dirt["short_footers"] else [content, *[""] * (len(NAMES) - 1), *spare]
                )
    return ("\ufeff" * dirt["mark"] + out.getvalue()).encode(), 1 + len(lines)


def objects(lines, dirt):
    """Return the lines of a table that JSON has: no repeated header and no blank line."""
    found = []
    for what, content in lines:
        if what in ("row", "total"):
            cells = {name: content.get(name) for name in NAMES}
            found.append(
                {
                    name: float(value)
                    if isinstance(value, Decimal)
                    else text(value, dirt)
                    if isinstance(value, str | date)
                    else value
                    for name, value in cells.items()
                }
            )
        elif what == "footer":
            found.append({"ref": content})
    return found


def as_json(lines, dirt):
    found = objects(lines, dirt)
    return ("\ufeff" * dirt["mark"] + json.dumps(found, indent=dirt["spare"][0] or None)).encode(), len(found)


def as_json_lines(lines, dirt):
    found = objects(lines, dirt)
    said = dirt["ending"].join(json.dumps(one, ensure_ascii=False) for one in found)
    return ("\ufeff" * dirt["mark"] + said).encode(), len(found)


def workbook(lines, dirt, *, typed):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(NAMES)
    for what, content in lines:
        sheet.append(sheet_row(what, content, dirt, typed=typed))
    for one in (one for row in sheet.iter_rows() for one in row if isinstance(one.value, str)):
        one.data_type = "s"  # no formula, whatever it begins with
    out = io.BytesIO()
    book.save(out)
    last = max(at for at, (what, _) in enumerate(lines) if what != "blank" or dirt["spare"][0])
    return out.getvalue(), 2 + last


def sheet_row(what, content, dirt, *, typed):
    match what:
        case "header":
            return NAMES
        case "blank":
            return [" " if dirt["spare"][0] else None]
        case "footer":
            return [content]
    if typed:
        return [cell(content.get(name), dirt) for name in NAMES]
    return [one or None for one in texts(content, dirt)]


def cell(value, dirt):
    match value:
        case Decimal():
            return float(value)
        case datetime():
            return moment(value, {"offset": None})
        case str():
            return text(value, dirt)
        case _:
            return value


WRITERS = {
    "csv": lambda lines, dirt: delimited(lines, dirt, ","),
    "tsv": lambda lines, dirt: delimited(lines, {**dirt, "padding": dirt["padding"].strip("\t")}, "\t"),
    "semicolons": lambda lines, dirt: delimited(lines, dirt, ";"),
    "json": as_json,
    "jsonl": as_json_lines,
    "typed xlsx": lambda lines, dirt: workbook(lines, dirt, typed=True),
    "text xlsx": lambda lines, dirt: workbook(lines, dirt, typed=False),
}
ENDINGS = {"semicolons": "csv", "typed xlsx": "xlsx", "text xlsx": "xlsx"}


def loaded(content, kind, whole, block):
    """Take a file of *content* the whole way; return its accepted rows, and what became of its lines."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"f.{ENDINGS.get(kind, kind)}"
        path.write_bytes(content)
        source = open_source(path, dataset=whole, block_bytes=block)
        plan = infer_styles(resolve_columns(None, source.header, whole, file=path.name), source.blocks())
        intake = Intake(
            book=rulebook(whole, today=date(2030, 1, 1), known={}), plan=plan, run_id=0, count_only=True
        )
        found, received, kept = [], 0, 0
        for judged in take_in(source.blocks(), intake):
            received += judged.received
            kept += judged.rejected.height + judged.duplicates + sum(batch.height for batch in judged.batches)
            found += [
                row for batch in judged.batches for row in batch.rows.select(NAMES).iter_rows(named=True)
            ]
            met = judged.met
        return found, (received, kept), source.left_out + met.left_out, met


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(files(), st.sampled_from(KINDS), st.sampled_from([KEYED, KEYLESS]))
def test_any_table_loads_to_the_same_rows_from_any_dirty_file(drawn, kind, whole):
    table, lines, dirt = drawn
    content, written = WRITERS[kind](lines, dirt)

    found, (received, kept), left_out, met = loaded(content, kind, whole, dirt["block"])

    for row in found:
        row["recorded"] = row["recorded"].replace(tzinfo=None)
    assert sorted(found, key=lambda row: int(row["ref"][2:])) == table
    assert received == kept
    assert received + left_out.rows == written
    assert left_out.totals == sum(what == "total" for what, _ in lines)
    assert reckon((), met).differences == ()
