"""Workbooks that came out wrong once, from the drop to the report in the control room, without a terminal."""

import shutil
from datetime import UTC, datetime

import pytest
from tests.browser import CHROMIUM, OF_COLOURS, barriers
from tests.real_files import real_files
from tests.system.test_control_room import HEADINGS, WIDTHS, browser, opened, table

from daftari.io.workspace.files import read_workspace
from daftari.operations.schema.apply_contracts import apply_contracts

__all__ = ["browser"]  # a fixture
pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason="this machine has no Chromium"),
]
INPUTS = real_files(in_module=True) / "found_inputs"
if not (INPUTS / "excel").is_dir():
    pytest.skip(f"no found inputs in {INPUTS}", allow_module_level=True)
ACCESS = """      - property: daftari.access
        value: [{role: finance, operations: [read, insert, update], rows: all}]
"""
#: Rows that are loaded, and rows that are rejected.
EXPENSES = {
    "currency_only_in_the_cell_format": (0, 1),
    "dates_since_1904": (1, 0),
    "digits_as_text_of_a_formula": (2, 0),
    "empty_shared_string": (2, 0),
    "error_cells": (0, 2),
    "float_dust": (2, 2),
    "formula_without_a_stored_value": (0, 2),
    "formula_without_a_stored_value_on_a_known_row": (0, 1),
    "leading_zeros_by_format": (2, 0),
    "long_numbers_and_true_as_keys": (1, 3),
    "merged_department": (1, 2),
    "merged_supplier": (3, 0),
    "second_sheet_is_a_note": (1, 0),
    "text_dates_after_true_dates": (8, 0),
    "true_date_among_text_dates": (3, 0),
}
CORRECTED = {
    "tarehe, line 9 of month_mixed.xlsx": "2026-03-31",
    "kiasi, line 5 of month_total_counts_an_unreadable_row.xlsx": "2000",
}
MATUMIZI = {"month_mixed": (6, 1), "month_text_dates_last": (8, 0)}


@pytest.fixture
def room(published, browser):
    conn, root = published
    pipeline = root / "pipelines/matumizi"
    for part in ("ingest", "transform", "tests"):
        (pipeline / part).mkdir(parents=True)
    contract = (INPUTS / "base/matumizi.odcs.yaml").read_text("utf-8")
    kind = "      - {property: daftari.kind, value: transactional}\n"
    assert kind in contract
    (pipeline / "matumizi.odcs.yaml").write_text(contract.replace(kind, kind + ACCESS), "utf-8")
    shutil.copy(INPUTS / "base/matumizi.yaml", pipeline / "ingest")
    workspace = read_workspace(root)
    apply_contracts(
        conn,
        workspace.contracts,
        migrations_dir=root / "migrations",
        now=datetime.now(UTC),
        rights=workspace.rights(),
    )
    with opened(conn, root, browser) as made:
        yield made


def drop(page, room, dataset, name):
    """Send a workbook; stay on its preview."""
    page.goto(f"{room.url}/load/{dataset}")
    page.get_by_label("Drop a file here").set_input_files(INPUTS / f"excel/{name}.xlsx")
    page.wait_for_url(f"**/load/{dataset}/*")


def load(page, valid, rejected):
    """Load what the preview announces, and see the run."""
    page.get_by_role("button", name=f"Load {valid} row").click()
    page.wait_for_url("**/runs/*")
    said = page.get_by_role("status").inner_text()
    assert f" {rejected} rejected" in said, said
    return said


def facts(page):
    """The facts of a preview or a run."""
    names, values = (page.locator(f"dl.facts {tag}").all_inner_texts() for tag in ("dt", "dd"))
    return dict(zip(names, values, strict=True))


def correct(page, room, dataset, cells):
    """Fill cells of rejected rows, by their label, and replay these rows."""
    page.goto(f"{room.url}/quarantine/{dataset}")
    assert seen(page) == []
    for label, text in cells.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Replay changed rows").click()
    page.wait_for_url(f"**/quarantine/{dataset}?outcome=*")
    return page.get_by_role("status").first.inner_text()


def seen(page):
    """What is wrong with the page at the widths and in the colours in which people look at it."""
    wrong = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="light")
        wrong += [f"{width}: {it}" for it in barriers(page)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"{width}: is wider than the screen")
        page.emulate_media(color_scheme="dark")
        wrong += [f"{width}, dark: {it}" for it in barriers(page, OF_COLOURS)]
    return wrong


def pending(page, room):
    """What is submitted in FIN and KES, by month, as the report has it."""
    page.goto(f"{room.url}/reports")
    page.get_by_role("button", name="Rebuild the reports").click(no_wait_after=True)
    page.wait_for_url("**/reports?built=yes*", timeout=120_000)
    page.goto(f"{room.url}/reports/monthly_spend_summary?currency=KES")
    return {row[0]: row[6] for row in table(page, "Figures") if row[1] == "FIN"}


def test_workbooks_of_expenses_go_from_drop_to_report(room):
    page = room.enter("finance")
    for name, (valid, rejected) in EXPENSES.items():
        drop(page, room, "expenses", name)
        shown = facts(page)
        assert (shown["Valid"], shown["Would be rejected"]) == (str(valid), str(rejected)), (name, shown)
        load(page, valid, rejected)
        if name == "error_cells":
            said = {"supplier, line 2": "Shop", "supplier, line 3": "Shop", "description, line 3": "Paper"}
            assert "2 inserted" in correct(
                page, room, "expenses", {f"{it} of {name}.xlsx": said[it] for it in said}
            )
        if name == "formula_without_a_stored_value":
            said = {"supplier, line 2": "Shop", "amount, line 3": "10"}
            assert "2 inserted" in correct(
                page, room, "expenses", {f"{it} of {name}.xlsx": said[it] for it in said}
            )

    drop(page, room, "expenses", "total_in_swahili")
    shown = facts(page)
    assert (shown["Rows"], shown["Valid"], shown["Sum of amount"]) == ("2", "2", "150.00")
    assert page.get_by_text("Left out, because they are no rows: 1 total.").is_visible()
    assert seen(page) == []
    assert "2 inserted" in load(page, 2, 0)
    assert seen(page) == []

    found = pending(page, room)
    assert (found["2026-03-01"], found["2026-04-01"]) == ("280.29", "240.00")
    assert page.faults == []


def test_a_workbook_of_two_sheets_with_unknown_headings_goes_from_drop_to_report(room):
    page = room.enter("finance")
    drop(page, room, "expenses", "second_sheet_and_unknown_headings")
    asked = "2 sheets of this workbook have rows. Choose the one to load."
    assert page.get_by_role("alert").inner_text() == asked
    assert seen(page) == []
    page.get_by_label("Sheet of the workbook").select_option("Matumizi")
    page.get_by_role("button", name="Preview this sheet").click()
    page.wait_for_url("**sheet=Matumizi*")
    assert seen(page) == []
    columns = page.locator('[id="m.amount"] option').all_inner_texts()
    for field, heading in HEADINGS.items():
        if heading in columns:
            page.locator(f'[id="m.{field}"]').select_option(heading)
    page.get_by_role("button", name="Preview with these columns").click()
    page.wait_for_url("**m.amount=Kiasi*")
    assert seen(page) == []
    assert "1 inserted" in load(page, 1, 0)
    assert pending(page, room)["2026-10-01"] == "1,250.00"
    assert page.faults == []


def test_workbooks_of_a_clerk_are_loaded_and_their_cells_corrected(room):
    page = room.enter("finance")
    for name, (valid, rejected) in MATUMIZI.items():
        drop(page, room, "matumizi", name)
        shown = facts(page)
        assert (shown["Valid"], shown["Would be rejected"]) == (str(valid), str(rejected)), (name, shown)
        load(page, valid, rejected)
    drop(page, room, "matumizi", "month_total_counts_an_unreadable_row")
    assert page.get_by_text("Left out, because they are no rows: 1 total.").is_visible()
    assert page.get_by_text("stated 5,400.00; read 3,400.00").first.is_visible()
    load(page, 1, 1)
    said = correct(page, room, "matumizi", CORRECTED)
    assert "2 inserted" in said
    page.goto(f"{room.url}/records/matumizi")
    assert len(table(page, "Records")) == 17
    assert page.faults == []
