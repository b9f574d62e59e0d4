"""
Write the files that the benchmarks load: 20,000 people, 40 departments, N expenses.

The same arguments give the same bytes. Run in a process of its own, by load.py: the memory that
inventing takes must not be counted to what is measured.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

DEPARTMENTS = 40
PEOPLE = 20_000
CHUNK = 500_000  #: rows at a time, so that ten million need no more memory than one
BAD_RATIO = 0.02
DOUBLED_RATIO = 0.001  #: rows that repeat the row before them
FIRST_DAY = np.datetime64("2024-11-01")
DAYS = 730

CATEGORIES = (
    "travel", "accommodation", "meals", "office", "equipment",
    "software", "training", "utilities", "services", "other",
)  # fmt: skip
CURRENCIES = ("KES", "KES", "KES", "USD", "EUR", "GBP")
STATES = ("submitted", "approved", "rejected", "paid")
GOODS = ("Printer paper", "Fuel for the field visit", "Hall hire", "Network cable", "Training materials")

#: What is wrong with a bad row: the columns that change, all text. Each breaks one rule, the last two.
FAULTS: tuple[tuple[pl.Expr, ...], ...] = (
    (pl.lit(None, pl.String).alias("expense_id"),),
    (pl.lit("2026-02-30").alias("spent_on"),),
    (pl.lit("1899-12-31").alias("spent_on"),),
    (pl.lit("ZZ99").alias("department_code"),),  # no such department
    (pl.lit("U999999").alias("user_id"),),  # no such person
    (pl.lit("gifts").alias("category"),),
    (pl.lit("twelve").alias("amount"),),
    (pl.lit("99999999999.00").alias("amount"),),
    (pl.lit("XAU").alias("currency"),),
    (pl.lit("lost").alias("status"),),
    (pl.lit("2001-01-01T08:00:00+03:00").alias("approved_at"),),  # approved before it was spent
    (
        pl.lit("paid").alias("status"),
        pl.lit(None, pl.String).alias("approved_at"),
    ),
    (pl.lit("x" * 501).alias("description"),),
    (pl.lit("gifts").alias("category"), pl.lit("XAU").alias("currency")),
)


def expenses(first: int, rows: int) -> pl.DataFrame:
    """Rows *first* to *first* + *rows*, all text, all good, each the same whatever else is written."""
    r = np.random.default_rng(first)
    number = pl.Series("number", np.arange(first, first + rows))
    spent = FIRST_DAY + r.integers(0, DAYS, rows)
    status = np.array(STATES)[r.integers(0, len(STATES), rows)]
    approved = spent.astype("datetime64[s]") + r.integers(86_400, 5 * 86_400, rows)
    frame = pl.DataFrame(
        {
            "number": number,
            "spent_on": pl.Series(spent.astype("datetime64[D]")),
            "department": r.integers(0, DEPARTMENTS, rows),
            "person": r.integers(0, PEOPLE, rows),
            "category": np.array(CATEGORIES)[r.integers(0, len(CATEGORIES), rows)],
            "supplier": r.integers(0, 5000, rows),
            "goods": np.array(GOODS)[r.integers(0, len(GOODS), rows)],
            "order": r.integers(0, 10_000, rows),
            "cents": r.integers(100, 10_000_000, rows),
            "currency": np.array(CURRENCIES)[r.integers(0, len(CURRENCIES), rows)],
            "status": status,
            "approved": pl.Series(approved.astype("datetime64[us]")),
        }
    )
    return frame.select(
        expense_id=pl.format("EXP-{}", pl.col("number").cast(pl.String).str.zfill(9)),
        spent_on=pl.col("spent_on").dt.to_string("%Y-%m-%d"),
        department_code=pl.format("D{}", pl.col("department").cast(pl.String).str.zfill(2)),
        user_id=pl.format("U{}", pl.col("person").cast(pl.String).str.zfill(6)),
        category="category",
        supplier=pl.format("Supplier {} Ltd", "supplier"),
        description=pl.format("{} no. {}", "goods", "order"),
        amount=pl.format(
            "{}.{}", pl.col("cents") // 100, (pl.col("cents") % 100).cast(pl.String).str.zfill(2)
        ),
        currency="currency",
        status="status",
        approved_at=pl.when(pl.col("status").is_in(["approved", "paid"]))
        .then(pl.col("approved").dt.to_string("%Y-%m-%dT%H:%M:%S+03:00"))
        .otherwise(None),
    )


def spoil(frame: pl.DataFrame, first: int) -> tuple[pl.DataFrame, int, int]:
    """Give one row in fifty a fault and double one in a thousand. Returns the rows, and how many of each."""
    r = np.random.default_rng([first, 1])
    bad = r.random(frame.height) < BAD_RATIO
    doubled = r.random(frame.height) < DOUBLED_RATIO
    doubled[0] = False
    doubled &= ~bad & ~np.roll(bad, 1) & ~np.roll(doubled, 1)
    number = pl.Series("fault", np.where(bad, np.cumsum(bad) % len(FAULTS), -1))
    frame = frame.select(pl.when(pl.Series(doubled)).then(pl.all().shift(1)).otherwise(pl.all()))
    for fault, changes in enumerate(FAULTS):
        frame = frame.with_columns(
            pl.when(number == fault).then(change).otherwise(pl.col(name)).alias(name)
            for change in changes
            for name in [change.meta.output_name()]
        )
    return frame, int(bad.sum()), int(doubled.sum())


def write_expenses(folder: Path, rows: int) -> None:
    """
    Write the good rows, the same with one in fifty spoilt, and that again under other bytes.

    The last differs from the second in its header line alone: a file nobody has seen, of rows
    that are all there.
    """
    bad = doubled = 0
    with (
        (folder / f"expenses-{rows}-good.csv").open("wb") as good_file,
        (folder / f"expenses-{rows}.csv").open("wb") as file,
        (folder / f"expenses-{rows}-again.csv").open("wb") as again_file,
    ):
        for first in range(0, rows, CHUNK):
            good = expenses(first, min(CHUNK, rows - first))
            spoilt, bad_here, doubled_here = spoil(good, first)
            bad, doubled = bad + bad_here, doubled + doubled_here
            good.write_csv(good_file, include_header=first == 0)
            spoilt.write_csv(file, include_header=first == 0)
            if first == 0:
                again_file.write((",".join(f'"{name}"' for name in spoilt.columns) + "\n").encode())
            spoilt.write_csv(again_file, include_header=False)
    (folder / f"expenses-{rows}.json").write_text(json.dumps({"rows": rows, "bad": bad, "doubled": doubled}))


def write_parents(folder: Path) -> None:
    number = pl.Series("n", range(DEPARTMENTS))
    code = pl.format("D{}", pl.col("n").cast(pl.String).str.zfill(2))
    pl.DataFrame(number).select(
        department_code=code,
        name=pl.format("Department {}", "n"),
        city=pl.lit("Nairobi"),
        cost_centre=(pl.col("n") + 4000).cast(pl.String),
        is_active=pl.lit(True),
    ).write_csv(folder / "our-departments.csv")
    pl.DataFrame(
        {"role_code": ["OFFICER"], "title": ["Officer"], "grade": [5], "is_managerial": [False]}
    ).write_csv(folder / "our-roles.csv")
    digits = pl.col("n").cast(pl.String).str.zfill(8)
    pl.DataFrame(pl.Series("n", range(PEOPLE))).select(
        user_id=pl.format("U{}", pl.col("n").cast(pl.String).str.zfill(6)),
        full_name=pl.format("Person {}", "n"),
        email=pl.format("person{}@example.org", "n"),
        phone=pl.format("+2547{}", digits),
        national_id=digits,
        kra_pin=pl.format("A{}S", pl.col("n").cast(pl.String).str.zfill(9)),
        next_of_kin=pl.lit(None, pl.String),
        department_code=pl.format("D{}", (pl.col("n") % DEPARTMENTS).cast(pl.String).str.zfill(2)),
        role_code=pl.lit("OFFICER"),
        manager_id=pl.lit(None, pl.String),
        employment_type=pl.lit("permanent"),
        hired_on=pl.lit(date(2020, 1, 6)),
        left_on=pl.lit(None, pl.Date),
        is_active=pl.lit(True),
    ).write_csv(folder / "our-users.csv")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    write_parents(target)
    for size in sys.argv[2:]:
        write_expenses(target, int(size))
