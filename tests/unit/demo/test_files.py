from __future__ import annotations

import hashlib
from collections import Counter
from decimal import Decimal
from itertools import islice

from daftari.demo.files.expected import DemoFile, ExpectedCounts, truth_of
from daftari.demo.files.lines import FileLine
from daftari.demo.files.write_files import demo_files, write_demo_files


def _digest(files) -> str:
    return hashlib.sha256(b"".join(file.content for file in files)).hexdigest()


def test_the_same_seed_gives_the_same_bytes(files):
    assert _digest(files) == _digest(demo_files(2026))


def test_another_seed_gives_other_people(files):
    departments, roles, staff = islice(demo_files(2027), 3)

    assert (departments.name, roles.name, staff.name) == ("departments.csv", "roles.csv", "2024-11_staff.csv")
    assert staff.content != files[2].content


def test_there_is_as_much_as_an_organisation_of_300_makes_in_two_years(truth):
    held = {name: counts.inserted for name, counts in truth.by_dataset.items()}

    assert held["users"] == 300
    assert 48_000 <= held["expenses"] <= 52_000
    assert 2_800 <= held["leave_requests"] <= 3_200
    assert 1_900 <= held["incidents"] <= 2_000


def test_there_is_a_file_for_every_month_of_expenses_and_pay(files):
    per_dataset = Counter(file.dataset for file in files)

    assert per_dataset["expenses"] == 24
    assert per_dataset["salaries"] == 25  # one month came twice
    assert len({file.name for file in files}) == len(files)


def test_no_file_is_so_wrong_that_a_pipeline_would_stop(files, truth):
    tolerated = {"salaries": 0.01}
    for file in files:
        counts = truth.by_file[file.name]
        rejected_ratio = sum(counts.quarantined.values()) / counts.received
        assert rejected_ratio <= tolerated.get(file.dataset, 0.05), file.name


def test_every_kind_of_fault_is_there(truth):
    assert set(truth.by_dataset["expenses"].quarantined) == {
        "amount.required", "amount.type", "approved_after_spent", "category.allowed",
        "currency.allowed", "department_code.reference", "expense_id.required", "paid_is_approved",
        "shape", "spent_on.required", "spent_on.type", "user_id.reference",
    }  # fmt: skip


def test_a_total_stands_below_the_ledger_and_adds_up(files):
    ledger = next(file for file in files if file.name == "2024-11_ledger.csv")
    last = ledger.content.decode("cp1252").splitlines()[-1]
    net = sum((line.values["amount"] for line in ledger.lines), Decimal(0))

    assert last == f";;;;;;Total;{net:,.2f};;;".translate(str.maketrans(",.", ".,"))


def test_files_lie_in_a_folder_of_their_dataset_with_a_manifest(tmp_path, files):
    system = next(file for file in files if file.name == "2026-02_expenses.csv")

    write_demo_files([system], tmp_path)

    assert (tmp_path / "expenses" / "2026-02_expenses.csv").read_bytes() == system.content
    header, stated = (tmp_path / "expenses" / "manifest.csv").read_text().splitlines()
    assert header == "file,rows,amount"
    assert stated == f"{system.name},{len(system.lines)},{system.control_totals.sums['amount']}"


def _file(*lines: FileLine, name: str = "one") -> DemoFile:
    return DemoFile(dataset="expenses", name=name, content=b"", lines=lines)


def _line(key: str, amount: int, rule: str | None = None) -> FileLine:
    return FileLine(key=key, values={"amount": amount}, rule=rule)


def test_the_truth_counts_every_line_once():
    first = _file(_line("A", 1), _line("A", 1), _line("B", 2), _line("C", 3, rule="shape"))
    second = _file(_line("A", 1), _line("B", 20), _line("D", 4), name="two")

    truth = truth_of([first, second])

    assert truth.by_file["one"] == ExpectedCounts(inserted=2, duplicate=1, quarantined={"shape": 1})
    assert truth.by_file["two"] == ExpectedCounts(inserted=1, updated=1, unchanged=1)
    assert truth.by_dataset["expenses"].received == 7
