"""
Expenses as monthly files, in four layouts of a finance office that changed its tools.

A ledger extract, then a spreadsheet, then an export of claims, then a system that follows the
contract. Late lines of a month come again in the next file, some of them corrected.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from daftari.demo.files.expected import DemoFile, ExpectedTotals
from daftari.demo.files.layouts import LayoutColumn, body, column, csv_bytes, excel_bytes, headers, total
from daftari.demo.files.lines import FileLine, PlantedFault, lines_of, plant, repeat
from daftari.demo.organisation.records import Expense
from daftari.demo.organisation.words import DEPARTMENTS, ORGANISATION

#: Shares of a month's lines.
_WRONG_RATIO, _REPEATED_RATIO, _SENT_AGAIN_RATIO = 0.014, 0.004, 0.008


def _approved_too_early(values: Mapping[str, Any]) -> dict[str, Any]:
    before = datetime.combine(values["spent_on"] - timedelta(days=3), time(9, 30))
    return {"status": "approved", "approved_at": before}


_FAULTS = (
    PlantedFault(rule="spent_on.required", spoil=lambda _: {"spent_on": ""}),
    PlantedFault(rule="department_code.reference", spoil=lambda _: {"department_code": "OUTREACH"}),
    PlantedFault(rule="paid_is_approved", spoil=lambda _: {"status": "paid", "approved_at": None}),
    PlantedFault(rule="category.allowed", spoil=lambda _: {"category": "entertainment"}),
    PlantedFault(rule="user_id.reference", spoil=lambda _: {"user_id": "U0999"}),
    PlantedFault(rule="approved_after_spent", spoil=_approved_too_early),
    PlantedFault(rule="spent_on.type", spoil=lambda _: {"spent_on": "to follow"}),
    PlantedFault(rule="currency.allowed", spoil=lambda _: {"currency": "ZAR"}),
    PlantedFault(rule="expense_id.required", spoil=lambda _: {"expense_id": ""}),
)
#: Only in files without a total, which these would make wrong.
_FAULTS_WITHOUT_TOTAL = (
    *_FAULTS,
    PlantedFault(rule="amount.required", spoil=lambda _: {"amount": ""}),
    PlantedFault(rule="amount.type", spoil=lambda _: {"amount": "see invoice"}),
    PlantedFault(rule="amount.type", spoil=lambda _: {"amount": "1250.505"}),
    PlantedFault(rule="shape", more_cells=1),
    PlantedFault(rule="shape", more_cells=-4),
)


def _with_marks(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _decimal_comma(amount: Decimal) -> str:
    return _with_marks(amount).translate(str.maketrans(",.", ".,"))


def _in_shillings(amount: Decimal) -> str:
    return f"({_with_marks(-amount)})" if amount < 0 else f"KES {_with_marks(amount)}"


#: Only in files that write the currency beside the number.
_FAULTS_OF_CLAIMS = (
    *_FAULTS_WITHOUT_TOTAL,
    PlantedFault(rule="amount.type", spoil=lambda _: {"amount": "KES 1,250.00", "currency": "USD"}),
)


def _written(pattern: str) -> Callable[[Any], str]:
    return lambda value: str(value.strftime(pattern))


#: The ledger writes departments as cost centres and categories as accounts.
_COST_CENTRES = {code: centre for code, _, _, centre, *_ in DEPARTMENTS} | {"OUTREACH": "5800"}
_ACCOUNTS = {
    "travel": "7010 Travel",
    "accommodation": "7020 Lodging",
    "meals": "7030 Meals",
    "office": "7100 Office",
    "equipment": "7200 Equipment",
    "software": "7300 Software",
    "training": "7400 Training",
    "utilities": "7500 Utilities",
    "services": "7600 Services",
    "other": "7900 Sundry",
    "entertainment": "7950 Entertainment",
}
_STATUSES = ("submitted", "approved", "rejected", "paid")
_LEDGER = (
    column("Voucher", "expense_id"),
    column("Date", "spent_on", _written("%d/%m/%Y")),
    column("Cost centre", "department_code", words=_COST_CENTRES),
    column("Staff", "user_id"),
    column("Account", "category", words=_ACCOUNTS),
    column("Payee", "supplier"),
    column("Narration", "description"),
    column("Amount", "amount", _decimal_comma),
    column("Ccy", "currency"),
    column("State", "status", words={"submitted": "S", "approved": "A", "rejected": "R", "paid": "P"}),
    column("Authorised", "approved_at", _written("%d/%m/%Y %H:%M")),
)
_SPREADSHEET = (
    column("Voucher No.", "expense_id"),
    column("Transaction date", "spent_on"),
    column("Department", "department_code"),
    column("Staff ID", "user_id"),
    column("Expense type", "category"),
    column("Vendor", "supplier"),
    column("Description", "description"),
    column("Amount (net)", "amount", float),
    column("Currency", "currency"),
    column("Status", "status", words={word: word.title() for word in _STATUSES}),
    column("Approved on", "approved_at"),
)
_CLAIMS = (
    column("Claim #", "expense_id"),
    column("Expense Date", "spent_on", _written("%d-%b-%Y")),
    column("Dept", "department_code"),
    column("Claimant", "user_id"),
    column("Category", "category"),
    column("Merchant", "supplier"),
    column("Purpose", "description"),
    column("Net", "amount", _with_marks),
    column("Currency code", "currency"),
    column("Status", "status"),
    column("Approval time", "approved_at", _written("%d-%b-%Y %H:%M")),
)
_SYSTEM = tuple(
    column(name, name, _written("%Y-%m-%dT%H:%M:%S+03:00") if name == "approved_at" else str)
    for name in Expense.__slots__
)


@dataclass(frozen=True, kw_only=True)
class _Layout:
    since: date
    name: str
    write: Callable[[date, Sequence[FileLine]], bytes]
    faults: Sequence[PlantedFault] = _FAULTS


def _ledger(month: date, lines: Sequence[FileLine]) -> bytes:
    blank = [""] * len(_LEDGER)
    sum_row = _sparse_row(_LEDGER, {"Narration": "Total", "Amount": _decimal_comma(total(lines, "amount"))})
    rows = [
        [ORGANISATION, *blank[1:]],
        [f"Ledger extract, {month:%B %Y}", *blank[1:]],
        blank,
        headers(_LEDGER),
        *body(_LEDGER, lines),
        sum_row,
    ]
    return csv_bytes(rows, separator=";", encoding="cp1252")


def _spreadsheet(month: date, lines: Sequence[FileLine]) -> bytes:
    blank = [" "] * len(_SPREADSHEET)
    rows = [
        [f"{ORGANISATION}: expenses of {month:%B %Y}"],
        ["Prepared by the finance office"],
        [],
        headers(_SPREADSHEET),
        *body(_SPREADSHEET, lines),
        _sparse_row(_SPREADSHEET, {"Voucher No.": "TOTAL", "Amount (net)": float(total(lines, "amount"))}),
        *[blank] * 3,
    ]
    return excel_bytes(rows, sheet="Expenses", merged=("A1:K1", "A2:K2"))


def _claims(_: date, lines: Sequence[FileLine]) -> bytes:
    blank = [""] * len(_CLAIMS)
    rows = body(_CLAIMS, [_with_sign(line) for line in lines])
    return csv_bytes([headers(_CLAIMS), *rows, blank, blank], encoding="utf-8-sig")


def _with_sign(line: FileLine) -> FileLine:
    """Write an amount in KES with its sign; amounts in other currencies have none."""
    amount = line.values["amount"]
    if line.values["currency"] != "KES" or isinstance(amount, str):
        return line
    return replace(line, values={**line.values, "amount": _in_shillings(amount)})


def _system(_: date, lines: Sequence[FileLine]) -> bytes:
    return csv_bytes([headers(_SYSTEM), *body(_SYSTEM, lines)])


def _packed(month: date, lines: Sequence[FileLine]) -> bytes:
    return gzip.compress(_system(month, lines), mtime=0)


_LAYOUTS = (
    _Layout(
        since=date(2026, 7, 1), name="{:%Y-%m}_expenses.csv.gz", write=_packed, faults=_FAULTS_WITHOUT_TOTAL
    ),
    _Layout(
        since=date(2026, 2, 1), name="{:%Y-%m}_expenses.csv", write=_system
    ),  # its total is in the manifest
    _Layout(since=date(2025, 9, 1), name="{:%Y-%m}_claims.csv", write=_claims, faults=_FAULTS_OF_CLAIMS),
    _Layout(since=date(2025, 4, 1), name="{:%Y-%m}_expenses.xlsx", write=_spreadsheet),
    _Layout(since=date(2024, 11, 1), name="{:%Y-%m}_ledger.csv", write=_ledger),
)


def expense_files(seed: int, expenses: Mapping[date, Sequence[Expense]]) -> Iterator[DemoFile]:
    random = Random(f"{seed}/expense files")
    before: list[FileLine] = []
    for month, records in expenses.items():
        layout = next(it for it in _LAYOUTS if month >= it.since)
        own = _with_faults(random, lines_of(records, "expense_id"), layout)
        lines = repeat(random, own, round(len(own) * _REPEATED_RATIO)) + _sent_again(random, before)
        before = [line for line in own if line.rule is None]
        yield DemoFile(
            dataset="expenses",
            name=layout.name.format(month),
            content=layout.write(month, lines),
            lines=tuple(lines),
            control_totals=_stated(lines) if layout.write is _system else None,
        )


def _with_faults(random: Random, lines: Sequence[FileLine], layout: _Layout) -> list[FileLine]:
    return plant(random, lines, layout.faults, round(len(lines) * _WRONG_RATIO))


def _sent_again(random: Random, before: Sequence[FileLine]) -> list[FileLine]:
    """Return some lines of the previous month, every second one corrected."""
    again = random.sample(before, round(len(before) * _SENT_AGAIN_RATIO))
    return [_corrected(line) if turn % 2 else line for turn, line in enumerate(again)]


def _corrected(line: FileLine) -> FileLine:
    return replace(line, values={**line.values, "amount": line.values["amount"] + 100})


def _stated(lines: Sequence[FileLine]) -> ExpectedTotals:
    return ExpectedTotals(rows=len(lines), sums={"amount": total(lines, "amount")})


def _sparse_row(columns: Sequence[LayoutColumn], cells: Mapping[str, Any]) -> list[Any]:
    """Return a row that is empty except for *cells*, by header."""
    return [cells.get(it.header, "") for it in columns]
