"""What is shown as decidable: others' requests, by the steps of one's role, and never one's own."""

from html.parser import HTMLParser

import pytest
from tests.conftest import REFERENCE
from tests.contracts import contract_of, field

from daftari.contract.model import LogicalType
from daftari.io.workspace.files import read_contract_file
from daftari.web.approvals import Requests, decidable, open_fields, own_requests, reasons_by_field, sorting
from daftari.web.records import shown_of


def leave(number, who, status="requested"):
    return {"request_id": f"L{number}", "user_id": who, "status": status, "start_date": "2026-03-02"}


@pytest.fixture(scope="module")
def requests():
    return read_contract_file(REFERENCE / "pipelines/leave/leave_requests.odcs.yaml").dataset


def shown(requests, rows, state, role, user_id="U2"):
    return [(it.key[0], it.steps) for it in decidable(requests, rows, state, role=role, user_id=user_id)]


# --- whose


@pytest.mark.parametrize("role", ["manager", "hr"])
def test_ones_own_request_is_not_shown_as_decidable_and_everybody_elses_is(requests, role):
    rows = [leave(1, "U1"), leave(2, "U2"), leave(3, "U3"), leave(4, "U22")]
    assert [key for key, _ in shown(requests, rows, "requested", role)] == ["L1", "L3", "L4"]


def test_whoever_is_no_person_decides_every_request(requests):
    rows = [leave(1, "U1"), leave(2, "U2")]
    assert [key for key, _ in shown(requests, rows, "requested", "hr", user_id=None)] == ["L1", "L2"]


def test_what_is_nobodys_is_decidable(service):
    rows = [{"expense_id": "E1", "user_id": None, "status": "submitted"}]  # the organisation paid it itself
    for user_id in ("U2", None):
        found = decidable(service.datasets["expenses"], rows, "submitted", role="manager", user_id=user_id)
        assert [(it.key, it.steps) for it in found] == [(("E1",), ("approved", "rejected"))]


# --- by which steps


@pytest.mark.parametrize(
    ("role", "state", "steps"),
    [
        ("manager", "requested", ("approved", "rejected")),
        ("manager", "approved", ("taken",)),
        ("hr", "requested", ("approved", "rejected")),  # cancelling is for who asked
        ("hr", "approved", ("taken", "cancelled")),
        ("hr", "taken", ()),
        ("employee", "requested", ()),
        ("finance", "requested", ()),
    ],
)
def test_a_request_is_shown_with_the_steps_of_the_role_from_its_state(requests, role, state, steps):
    assert shown(requests, [leave(1, "U1", state)], state, role) == [("L1", steps)]


@pytest.mark.parametrize(
    ("role", "state", "steps"),
    [
        ("employee", "requested", ("cancelled",)),
        ("employee", "approved", ()),
        ("employee", "taken", ()),
        ("hr", "requested", ("cancelled",)),  # neither approves nor rejects their own
        ("hr", "approved", ()),
        ("manager", "requested", ()),
    ],
)
def test_ones_own_request_is_shown_with_ones_own_steps_alone(requests, role, state, steps):
    (found,) = own_requests(requests, [leave(1, "U2", state)], role=role)
    assert (found.key, found.steps) == (("L1",), steps)


class Buttons(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag == "button" and said.get("name") == "to":
            self.found.append((said["aria-label"], said["value"]))


def test_a_page_has_a_button_for_each_step_and_none_for_ones_own(page_of, requests):
    rows = [leave(1, "U1"), leave(2, "U2")]
    one = page_of("manager")
    columns = [it for it in shown_of(one.reader(requests)) if it.name in ("request_id", "status")]
    waiting = Requests(
        dataset=requests,
        columns=columns,
        state="requested",
        rows=decidable(requests, rows, "requested", role="manager", user_id="U2"),
    )
    page = one.render("approvals", waiting=[waiting], own=[], done="", state="").body.decode()
    assert Buttons(page).found == [("L1: approved", "approved"), ("L1: rejected", "rejected")]
    assert '<input type="hidden" name="key.request_id" value="L1">' in page
    assert "L2" not in page


# --- in what order


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("hr", "requested_at"),
        ("manager", "requested_at"),
        ("finance", "start_date"),  # does not see when it was asked
    ],
)
def test_requests_are_in_the_order_in_which_they_were_asked(page_of, requests, role, expected):
    reader = page_of(role).reader(requests)
    assert sorting(reader, "") == [("sort", expected)]
    assert sorting(reader, "-") == [("sort", f"-{expected}")]


def requests_of(line):
    """Requests with two dates, of a role that has the rights of *line*."""
    text = {"logicalType": "string", "required": True}
    fields = [
        {"name": "id", **text, "primaryKey": True},
        field("who", "string", required=True),
        field("status", "string", required=True),
        field("first", "date", required=True),
        field("last", "date", required=True),
    ]
    steps = [{"from": "requested", "to": "approved", "roles": ["hr"]}]
    approval = {"field": "status", "begins": "requested", "steps": steps}
    access = [{"role": "hr", "operations": ["read"], "rows": "all", **line}]
    return contract_of(
        fields=fields, custom={"subject": "who", "approval": approval, "access": access}
    ).dataset


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({}, [("sort", "first")]),
        ({"masked": ["first"]}, [("sort", "last")]),  # a masked date has no order
        ({"masked": ["first", "last"]}, []),
        ({"fields": ["id", "who", "status"]}, []),
    ],
)
def test_requests_are_in_the_order_of_the_first_date_that_is_in_the_clear(page_of, line, expected):
    assert sorting(page_of("hr").reader(requests_of(line)), "") == expected


# --- asking


def test_who_asks_says_what_its_role_may_write_and_no_more():
    dataset = requests_of({"operations": ["insert"], "fields": ["id", "who", "status", "first"]})
    assert [it.name for it in open_fields(dataset, "hr")] == ["first"]


def test_who_asks_says_neither_key_nor_state_nor_what_a_step_fills_in(requests):
    assert [it.name for it in open_fields(requests, "employee")] == [
        "leave_type",
        "start_date",
        "end_date",
        "days",
        "reason",
    ]
    assert all(it.logical_type is not LogicalType.TIMESTAMP for it in open_fields(requests, "hr"))


def test_each_reason_stands_at_every_field_that_it_names():
    reasons = [
        {"field": "start_date, end_date", "reason": "ends before it starts"},
        {"field": "end_date", "reason": "is no date"},
        {"field": "", "reason": "was asked before"},
    ]
    assert reasons_by_field(reasons) == {
        "start_date": ["ends before it starts"],
        "end_date": ["ends before it starts", "is no date"],
        "": ["was asked before"],
    }
    assert reasons_by_field(()) == {}
