"""The control room as people meet it: a real browser, a real server, a real database."""

import csv
import io
import shutil
from contextlib import contextmanager
from datetime import UTC, date, datetime

import openpyxl
import psycopg
import pytest
from tests.browser import CHROMIUM, OF_COLOURS, barriers, chromium
from tests.conftest import REFERENCE
from tests.issuer import issuing, settings_of
from tests.served_api import free_port, process
from tests.system.conftest import copy_of

from daftari.io.access.callers import make_service
from daftari.io.access.tokens import TokenGrant
from daftari.io.workspace.files import read_workspace
from daftari.operations.access.issue_token import issue_token

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason="this machine has no Chromium"),
]
#: The people of rows.sql: U2 works for U1.
PERSONAS = {"employee": "U2", "manager": "U1", "finance": None, "hr": None, "dpo": None, "auditor": None}
#: Who brings expenses that were decided elsewhere.
RECORDER = "data_engineer"
HEADER = "expense_id,spent_on,department_code,user_id,category,supplier,description,amount,currency,status,approved_at"
DIRTY = f"""{HEADER}
E10,2026-03-02,FIN,U2,travel,Safari Rides,Taxi,500.00,KES,paid,2026-03-03T09:00:00+03:00
E11,to follow,FIN,U2,meals,Mama Oliech,Lunch,30.00,KES,approved,2026-03-05T09:00:00+03:00
E12,2026-03-06,FIN,U2,entertainment,Mama Oliech,Dinner,70.00,KES,approved,2026-03-07T09:00:00+03:00
"""


class Room:
    def __init__(self, conn, url, browser):
        self.conn = conn
        self.url = url
        self.browser = browser
        self.tokens = {}

    def enter(self, role, width=1024, scheme="light"):
        """A page of somebody who has just signed in."""
        context = self.browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.goto(self.url)
        page.get_by_label("Token").fill(self.tokens[role])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{self.url}/")
        return page


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@contextmanager
def opened(conn, root, browser, port=0):
    make_service(conn)
    where = f"host={conn.info.host}&port={conn.info.port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAFTARI_DATABASE_URL", f"postgresql://{conn.info.user}@/{conn.info.dbname}?{where}")
        datasets = [it.dataset for it in read_workspace(root).contracts]
        with process(root, port=port) as (url, _):
            made = Room(conn, url, browser)
            for role, user_id in PERSONAS.items():
                grant = TokenGrant(name=f"room {role}", role=role, user_id=user_id)
                made.tokens[role] = issue_token(conn, datasets, grant, now=datetime.now(UTC), days=1)
            recorder = TokenGrant(name="room recorder", role=RECORDER)
            made.tokens[RECORDER] = issue_token(conn, datasets, recorder, now=datetime.now(UTC), days=1)
            yield made


@pytest.fixture
def room(published, browser):
    with opened(*published, browser) as made:
        yield made


@pytest.fixture(scope="module")
def still_room(admin, server, published_template, tmp_path_factory, browser):
    """For those who look and change nothing."""
    name, root, _ = published_template
    own = tmp_path_factory.mktemp("room") / "workspace"
    shutil.copytree(root, own)
    with (
        copy_of(admin, server, name) as (_, url),
        psycopg.connect(url, autocommit=True) as conn,
        opened(conn, own, browser) as made,
    ):
        yield made


@pytest.mark.parametrize("width", [380, 1600])
def test_somebody_signs_in_by_their_issuer_and_sees_their_own(governed, browser, monkeypatch, width):
    port = free_port()
    with issuing() as issuer:
        for name, value in settings_of(issuer, f"http://127.0.0.1:{port}").items():
            monkeypatch.setenv(name, value)
        with opened(*governed, browser, port) as room:
            page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
            page.goto(f"{room.url}/records/leave_requests")
            assert barriers(page) == []
            page.get_by_role("link", name="Sign in with 127.0.0.1").click()
            page.wait_for_url(f"{room.url}/records/leave_requests")
            assert {it[0] for it in table(page, "Records")} == {"L1", "L2"}
            assert [it["httpOnly"] for it in page.context.cookies()] == [True]


def table(page, name):
    """The cells of a table, row by row."""
    rows = page.get_by_role("region", name=name).locator("tbody tr")
    return [row.locator("th, td").all_inner_texts() for row in rows.all()]


def spent(page, room):
    """What FIN spent in March in KES, by the report."""
    page.goto(f"{room.url}/reports/monthly_spend_summary?currency=KES")
    found = [row for row in table(page, "Figures") if row[:2] == ["2026-03-01", "FIN"]]
    return found[0][4] if found else None


def test_a_dirty_file_is_dropped_two_rows_are_corrected_and_the_report_changes(room, tmp_path):
    file = tmp_path / "march.csv"
    file.write_text(DIRTY)
    assert spent(room.enter("finance"), room) is None
    page = room.enter(RECORDER)

    page.goto(f"{room.url}/load/expenses")
    page.get_by_label("Drop a file here").set_input_files(file)
    page.wait_for_url("**/load/expenses/*")
    assert page.get_by_text("Would be rejected").is_visible()
    assert ["category", "must be one of travel"] in [
        [row[0], row[1][:21]] for row in table(page, "Why rows would be rejected")
    ]
    assert room.conn.execute("select count(*) from ops.expenses where expense_id = 'E10'").fetchone() == (0,)
    page.get_by_label("Sum of amount").fill("600.00")
    page.get_by_role("button", name="Load 1 row").click()
    page.wait_for_url("**/runs/*")
    assert "1 inserted" in page.get_by_role("status").inner_text()
    assert "2 rejected" in page.get_by_role("status").inner_text()

    page.goto(f"{room.url}/quarantine/expenses")
    assert barriers(page) == []
    wrong = page.locator("input[aria-invalid=true]")
    assert wrong.count() == 2
    page.get_by_label("spent on, line 3").fill("2026-03-04")
    page.get_by_label("category, line 4").fill("meals")
    assert page.get_by_text("2 rows changed.").is_visible()
    page.get_by_role("button", name="Replay changed rows").click()
    page.wait_for_url("**/quarantine/expenses?outcome=*")
    assert "2 inserted" in page.get_by_role("status").first.inner_text()
    assert "0 rejected rows" in page.inner_text("main")

    assert page.faults == []

    page = room.enter("finance")
    page.goto(f"{room.url}/reports")
    page.get_by_role("button", name="Rebuild the reports").click()
    page.wait_for_url("**/reports?built=yes*", timeout=120_000)
    assert spent(page, room) == "600.00"
    assert page.faults == []


#: The headings of a workbook that nobody made for us, by field.
HEADINGS = {
    "expense_id": "Namba",
    "spent_on": "Tarehe",
    "department_code": "Idara",
    "user_id": "Mtumishi",
    "category": "Aina",
    "supplier": "Muuzaji",
    "description": "Maelezo",
    "amount": "Kiasi",
    "currency": "Sarafu",
    "status": "Hali",
    "approved_at": "Ilipitishwa",
}


def monthly_workbook(path):
    """A title, a header, three rows of which two have a wrong cell, and a total; a second sheet with notes."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Machi"
    sheet.append(["Mto Safi, ripoti ya mwezi"])
    sheet.append([])
    sheet.append(["", *HEADINGS.values()])
    rest = ["KES", "paid", "2026-03-30T09:00:00+03:00"]
    sheet.append([1, "K1", date(2026, 3, 2), "FIN", "U2", "travel", "Safari Rides", "Teksi", 500, *rest])
    sheet.append([2, "K2", "kesho", "FIN", "U2", "meals", "Mama Oliech", "Chakula", 30, *rest])
    sheet.append([3, "K3", date(2026, 3, 6), "FIN", "U2", "#N/A", "Mama Oliech", "Chai", 70, *rest])
    sheet["F6"].data_type = "e"
    sheet.append(["JUMLA", *[None] * 7, 600])
    book.create_sheet("Maelezo").append(["Idara"])
    book["Maelezo"].append(["Fedha = Finance"])
    book.save(path)


def test_a_messy_workbook_goes_from_drop_to_report(room, tmp_path):
    monthly_workbook(tmp_path / "machi.xlsx")
    assert spent(room.enter("finance"), room) is None
    page = room.enter(RECORDER)

    page.goto(f"{room.url}/load/expenses")
    page.get_by_label("Drop a file here").set_input_files(tmp_path / "machi.xlsx")
    page.wait_for_url("**/load/expenses/*")
    asked = "2 sheets of this workbook have rows. Choose the one to load."
    assert page.get_by_role("alert").inner_text() == asked
    assert barriers(page) == []
    page.get_by_label("Sheet of the workbook").select_option("Machi")
    page.get_by_role("button", name="Preview this sheet").click()
    page.wait_for_url("**sheet=Machi*")
    for field, heading in HEADINGS.items():
        page.locator(f'[id="m.{field}"]').select_option(heading)
    page.get_by_role("button", name="Preview with these columns").click()
    page.wait_for_url("**m.amount=Kiasi*")
    assert barriers(page) == []
    why = table(page, "Why rows would be rejected")
    assert sorted(row[0] for row in why) == ["category", "spent_on"]
    assert ["category", "is not read: F6 holds the error #N/A", "1"] in why
    assert page.get_by_text("Left out, because they are no rows: 1 total.").is_visible()
    page.get_by_label("Sum of amount").fill("600.00")
    page.get_by_role("button", name="Load 1 row").click()
    page.wait_for_url("**/runs/*")
    assert "1 inserted" in page.get_by_role("status").inner_text()
    assert "2 rejected" in page.get_by_role("status").inner_text()

    page.goto(f"{room.url}/quarantine/expenses")
    page.get_by_label("spent on, line 5").fill("2026-03-04")
    page.get_by_label("category, line 6").fill("meals")
    page.get_by_role("button", name="Replay changed rows").click()
    page.wait_for_url("**/quarantine/expenses?outcome=*")
    assert "2 inserted" in page.get_by_role("status").first.inner_text()

    assert page.faults == []

    page = room.enter("finance")
    page.goto(f"{room.url}/reports")
    page.get_by_role("button", name="Rebuild the reports").click()
    page.wait_for_url("**/reports?built=yes*", timeout=120_000)
    assert spent(page, room) == "600.00"
    assert page.faults == []


def test_a_stated_total_that_the_file_does_not_bear_out_loads_nothing(room, tmp_path):
    file = tmp_path / "march.csv"
    file.write_text(DIRTY)
    page = room.enter("finance")
    page.goto(f"{room.url}/load/expenses")
    page.get_by_label("Drop a file here").set_input_files(file)
    page.wait_for_url("**/load/expenses/*")
    page.get_by_label("Sum of amount").fill("601.00")
    page.get_by_role("button", name="Load 1 row").click()
    assert "does not reconcile" in page.get_by_role("alert").inner_text()
    assert room.conn.execute("select count(*) from ops.expenses where expense_id = 'E10'").fetchone() == (0,)


def test_a_column_under_another_name_is_picked_by_hand(room, tmp_path):
    file = tmp_path / "march.csv"
    file.write_text(DIRTY.replace("supplier", "Paid to whom", 1))
    page = room.enter(RECORDER)
    page.goto(f"{room.url}/load/expenses")
    page.get_by_label("Drop a file here").set_input_files(file)
    page.wait_for_url("**/load/expenses/*")
    page.get_by_label("supplier").select_option("Paid to whom")
    page.get_by_role("button", name="Preview with these columns").click()
    page.get_by_role("button", name="Load 1 row").click()
    page.wait_for_url("**/runs/*")
    found = room.conn.execute("select supplier from ops.expenses where expense_id = 'E10'").fetchone()
    assert found == ("Safari Rides",)


def test_rejected_rows_are_corrected_in_a_file(room, tmp_path):
    file = tmp_path / "march.csv"
    file.write_text(DIRTY)
    page = room.enter(RECORDER)
    page.goto(f"{room.url}/load/expenses")
    page.get_by_label("Drop a file here").set_input_files(file)
    page.get_by_role("button", name="Load 1 row").click()
    page.wait_for_url("**/runs/*")
    page.goto(f"{room.url}/quarantine/expenses")
    with page.expect_download() as given:
        page.get_by_role("link", name="Download as CSV").click()
    rows = list(csv.DictReader(io.StringIO(given.value.path().read_text("utf-8-sig"))))
    for row in rows:
        row |= {"spent_on": "2026-03-04", "category": "meals"}
    corrected = tmp_path / "corrected.csv"
    with corrected.open("w", newline="") as out:
        writer = csv.DictWriter(out, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    page.get_by_label("Drop the corrected file here").set_input_files(corrected)
    page.wait_for_url("**/quarantine/expenses?outcome=*")
    assert "2 inserted" in page.get_by_role("status").first.inner_text()


def test_leave_is_asked_for_corrected_approved_by_the_manager_and_stands_in_the_calendar(room):
    page = room.enter("employee")
    page.goto(f"{room.url}/approvals/leave_requests/ask")
    page.get_by_label("Leave type").select_option("annual")
    page.get_by_label("Start date").fill("2026-12-14")
    page.get_by_label("End date").fill("2026-12-11")
    page.get_by_label("Days").fill("1")
    page.get_by_role("button", name="Send request").click()
    assert "ends before it starts" in page.get_by_role("main").inner_text().lower()
    page.get_by_label("End date").fill("2026-12-28")
    page.get_by_label("Days").fill("")
    page.get_by_role("button", name="Send request").click()
    page.wait_for_url("**/approvals?done=*")
    request = page.get_by_role("status").inner_text().split()[0]

    def row(of, name):
        return next((it for it in table(of, name) if it[0] == request), None)

    mine = row(page, "Table of your leave requests")
    assert mine[1] == "Cancelled"  # the step that is left to whom it is about
    assert {"annual", "requested", "10"} <= {
        it.removesuffix(".0") for it in mine
    }  # Christmas is none of the days

    page = room.enter("manager")
    assert (
        "Leave requests, requested: 2 for your next step."
        in page.get_by_role("region", name="Needs your attention").inner_text()
    )
    page.goto(f"{room.url}/approvals")
    page.get_by_role("button", name=f"{request}: approved").click()
    page.wait_for_url("**/approvals?done=*")
    assert f"{request} is approved" in page.get_by_role("status").inner_text()
    page.goto(f"{room.url}/calendar/leave_requests?month=2026-12")
    calendar = table(page, "Calendar of December 2026")
    assert [it[0] for it in calendar] == ["U2"]
    assert "".join(it or "." for it in calendar[0][1:]) == "." * 13 + "A" * 15 + "..."
    assert "Christmas" in page.get_by_role("main").inner_text()

    decided = room.conn.execute(
        "select status::text, decided_by from ops.leave_requests where request_id = %s", [request]
    ).fetchone()
    assert decided == ("approved", "U1")
    page = room.enter("employee")
    page.goto(f"{room.url}/approvals")
    assert row(page, "Table of your leave requests")[1] == "\u2013"


def test_an_expense_is_asked_for_by_choices_and_paid_after_its_approval(room):
    page = room.enter("employee")
    page.goto(f"{room.url}/approvals/expenses/ask")
    departments = page.get_by_label("Department code").get_by_role("option").all_inner_texts()
    assert {"", "FIN"} <= set(departments)
    assert all(it == "" or it.isalpha() for it in departments)
    page.get_by_label("Date").fill("2026-03-10")
    page.get_by_label("Department code").select_option("FIN")
    page.get_by_label("Category").select_option("travel")
    page.get_by_label("Amount").fill("450.50")
    page.get_by_label("Currency").select_option("KES")
    page.get_by_role("button", name="Send request").click()
    page.wait_for_url("**/approvals?done=*")
    request = page.get_by_role("status").inner_text().split()[0]
    grant = TokenGrant(name="room cashier", role="finance", user_id="U3")  # only a person takes a step
    datasets = [it.dataset for it in read_workspace(REFERENCE).contracts]
    room.tokens["finance"] = issue_token(room.conn, datasets, grant, now=datetime.now(UTC), days=1)
    for role, to in (("manager", "approved"), ("finance", "paid")):
        page = room.enter(role)
        page.goto(f"{room.url}/approvals")
        page.get_by_role("button", name=f"{request}: {to}").click()
        page.wait_for_url("**/approvals?done=*")
    row = room.conn.execute(
        "select status::text, user_id, amount::text, approved_at is not null from ops.expenses where expense_id = %s",
        [request],
    ).fetchone()
    assert row == ("paid", "U2", "450.50", True)


def test_a_request_that_was_decided_meanwhile_is_not_decided_again(room):
    room.conn.execute(
        "update ops.leave_requests set status = 'requested', decided_by = null, decided_at = null"
        " where request_id = 'L1'"
    )
    page = room.enter("manager")
    page.goto(f"{room.url}/approvals")
    room.conn.execute("update ops.leave_requests set status = 'cancelled' where request_id = 'L1'")
    page.get_by_role("button", name="L1: approved").click()
    assert "takes a step that the contract does not permit you" in page.get_by_role("alert").inner_text()


#: What each persona finds: which pages are for them alone, and whose records.
SEEN = {
    "employee": {"expenses": {"E2", "E5"}, "leave_requests": {"L1", "L2"}},
    "manager": {"expenses": {"E2", "E3", "E5"}, "leave_requests": {"L1", "L2"}},
    "finance": {"expenses": {"E1", "E2", "E3", "E4", "E5"}, "leave_requests": {"L1", "L2"}},
    "hr": {"expenses": None, "leave_requests": {"L1", "L2"}},
    "dpo": {"expenses": None, "leave_requests": {"L1", "L2"}},
}
OF_LOADERS = {"Load a file", "Rejected rows"}
OF_OVERSEERS = {"Audit trail", "Access review", "Privacy desk"}


#: Whose leave balances each persona reads.
BALANCES = {"employee": {"U2"}, "manager": {"U2", "U3"}, "hr": {"U1", "U2", "U3"}, "finance": None}


@pytest.mark.parametrize("role", BALANCES)
def test_each_persona_reads_its_own_rows_of_a_report(still_room, role):
    page = still_room.enter(role)
    answer = page.goto(f"{still_room.url}/reports/leave_balance")
    found = {row[0] for row in table(page, "Figures")} if answer.status == 200 else None
    assert found == BALANCES[role]


def test_who_asks_for_leave_sees_what_is_left_of_it(still_room):
    page = still_room.enter("employee")
    for path in ("/approvals", "/approvals/leave_requests/ask"):
        page.goto(still_room.url + path)
        assert table(page, "Leave balances") == [
            ["2026", "14.00", "21.00", "5.00", "2.00"],
            ["2025", "17.50", "17.50", "0.00", "0.00"],
        ]
    page.goto(f"{still_room.url}/approvals/expenses/ask")
    assert page.get_by_role("region", name="Leave balances").count() == 0


@pytest.mark.parametrize("role", SEEN)
def test_each_persona_sees_just_their_own(still_room, role):
    page = still_room.enter(role)
    menu = set(page.get_by_role("navigation", name="Main").get_by_role("link").all_inner_texts())
    assert menu & OF_LOADERS == (OF_LOADERS if role in ("finance", "hr") else set())
    assert menu & OF_OVERSEERS == (OF_OVERSEERS if role == "dpo" else set())
    for dataset, expected in SEEN[role].items():
        answer = page.goto(f"{still_room.url}/records/{dataset}")
        found = {row[0] for row in table(page, "Records")} if answer.status == 200 else None
        assert found == expected, dataset
    for path in ("/audit", "/review", "/privacy"):
        assert page.goto(f"{still_room.url}{path}").status == (200 if role == "dpo" else 403)


PAGES = {
    "finance": [
        "/",
        "/datasets/expenses",
        "/records/expenses",
        "/records/expenses?status=paid&sort=-amount",
        "/records/expenses/row?key=E1",
        "/reports",
        "/reports/monthly_spend_summary",
        "/load",
        "/load/expenses",
        "/quarantine",
        "/quarantine/expenses",
        "/runs",
        "/incidents",
    ],
    "dpo": ["/audit", "/review", "/privacy"],
    "employee": [
        "/reports/leave_balance",
        "/approvals",
        "/approvals/expenses/ask",
        "/approvals/leave_requests/ask",
        "/calendar",
    ],
    "manager": ["/", "/reports/leave_balance", "/approvals", "/calendar/leave_requests?month=2026-01"],
}


WIDTHS = (380, 1024, 1600)


@pytest.mark.parametrize("role", PAGES)
def test_every_page_is_without_barriers_and_fits_its_screen(still_room, role):
    """At every width in both themes. The dark theme changes colours alone, so only their rules are asked again."""
    wrong = []
    page = still_room.enter(role)
    for path in PAGES[role]:
        answer = page.goto(still_room.url + path)
        if answer.status != 200:
            wrong.append(f"{path}: {answer.status}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme="light")
            wrong += [f"{path} at {width}: {it}" for it in barriers(page)]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"{path} at {width}: is wider than the screen")
            page.emulate_media(color_scheme="dark")
            wrong += [f"{path} at {width}, dark: {it}" for it in barriers(page, OF_COLOURS)]
    assert wrong + page.faults == []


def test_nothing_on_any_page_comes_from_outside(still_room):
    page = still_room.enter("finance")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for path in PAGES["finance"]:
        page.goto(still_room.url + path)
    assert [it for it in asked if not it.startswith(still_room.url)] == []


def test_the_menu_and_the_content_are_reached_by_the_keyboard(still_room):
    page = still_room.enter("finance", width=380)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.get_by_text("Menu", exact=True).focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("link", name="Reports").is_visible()
