"""Which pages and datasets each role is offered, from the contracts of the reference workspace."""

from dataclasses import replace

import pytest
from tests.contracts import contract_of

from daftari.api.service import Service
from daftari.errors import AccessRefused
from daftari.web.calendar import has_calendar
from daftari.web.routes import is_here, navigation

EVERYBODYS = ["Overview", "Reports"]
#: The menu of each role, in its order.
MENUS = {
    # everybody sees all departments, and so the runs that brought them
    "employee": ["Overview", "Approvals", "Calendar", "Reports", "Runs", "Incidents"],
    "manager": ["Overview", "Approvals", "Calendar", "Reports", "Runs", "Incidents"],
    "finance": [
        "Overview", "Approvals", "Calendar", "Reports", "Load a file", "Rejected rows", "Runs", "Incidents",
    ],
    "hr": ["Overview", "Approvals", "Calendar", "Reports", "Load a file", "Rejected rows", "Runs", "Incidents"],
    "auditor": [
        "Overview", "Calendar", "Reports", "Runs", "Audit trail", "Access review", "Incidents", "Privacy desk",
    ],
    "dpo": [
        "Overview", "Calendar", "Reports", "Runs", "Audit trail", "Access review", "Incidents", "Privacy desk",
    ],
    "data_engineer": [
        "Overview", "Approvals", "Calendar", "Reports", "Load a file", "Rejected rows", "Runs", "Incidents",
    ],
    "stranger": EVERYBODYS,
}  # fmt: skip


def menu(page_of):
    return [name for _, name in navigation(page_of)]


@pytest.mark.parametrize("role", MENUS)
def test_each_role_is_offered_the_pages_that_are_for_it(page_of, role):
    assert menu(page_of(role)) == MENUS[role]


def test_a_token_that_only_reads_is_offered_nothing_to_write(page_of):
    assert menu(page_of("hr", writes=False)) == [
        it for it in MENUS["hr"] if it not in ("Approvals", "Load a file", "Rejected rows")
    ]


def test_a_token_of_one_dataset_is_offered_that_one_alone(page_of):
    one = page_of("hr", datasets=("departments",))
    assert [it.dataset.name for it in one.contracts] == ["departments"]
    assert menu(one) == ["Overview", "Reports", "Load a file", "Rejected rows", "Runs"]


def test_who_is_no_person_asks_for_nothing(page_of):
    assert "Approvals" not in menu(page_of("employee", user_id=None))


@pytest.mark.parametrize(
    ("path", "address", "here"),
    [
        ("/", "/", True),
        ("/load", "/load", True),
        ("/load/expenses", "/load", True),
        ("/loads", "/load", False),
        ("/load", "/", False),
        ("/", "/load", False),
        ("/reports", "/load", False),
    ],
)
def test_the_menu_marks_the_page_that_one_is_on(page_of, path, address, here):
    assert is_here(page_of("hr", path), address) is here


def test_the_page_around_every_page_shows_the_menu_and_who_is_signed_in(page_of):
    page = page_of("employee", "/incidents").render("incidents").body.decode()
    assert '<a href="/incidents" aria-current="page">Incidents</a>' in page
    assert '<a href="/approvals">Approvals</a>' in page
    assert "/audit" not in page
    assert "<span>employee · U2</span>" in page


# --- datasets

#: What each role has of each dataset: reads rows, reads all rows, loads, corrects, requests, decides.
RIGHTS = [
    ("employee", "expenses", "read request"),
    ("employee", "leave_requests", "read request"),
    ("employee", "departments", "read read_all"),
    ("employee", "salaries", "read"),
    ("manager", "expenses", "read decide"),
    ("manager", "leave_requests", "read decide"),
    ("manager", "salaries", ""),
    ("finance", "expenses", "read read_all load correct request decide"),
    ("finance", "leave_requests", "read read_all"),
    ("finance", "salaries", "read read_all"),
    ("hr", "expenses", ""),
    ("hr", "leave_requests", "read read_all load correct request decide"),
    ("hr", "departments", "read read_all load correct"),
    ("auditor", "expenses", "read read_all"),
    ("dpo", "expenses", ""),
    ("data_engineer", "leave_requests", "read read_all load correct request"),
]


@pytest.mark.parametrize(("role", "dataset", "expected"), RIGHTS)
def test_what_a_role_may_do_with_a_dataset_is_what_its_contract_says(
    page_of, service, role, dataset, expected
):
    one, about = page_of(role), service.datasets[dataset]
    asked = ("may_read", "may_read_all", "may_load", "may_correct", "may_request", "may_decide")
    assert [name for name in asked if getattr(one, name)(about)] == [f"may_{it}" for it in expected.split()]


def test_who_loads_without_seeing_all_corrects_nothing(page_of, service):
    contract = contract_of(custom={"access": [{"role": "kiosk", "operations": ["insert"], "rows": "all"}]})
    workspace = replace(service.workspace, contracts=(contract,))
    one = replace(page_of("kiosk"), service=Service(service.settings, workspace))
    assert one.contracts == [contract]
    assert menu(one) == ["Overview", "Reports", "Load a file", "Runs"]
    assert (one.may_load(contract.dataset), one.may_correct(contract.dataset)) == (True, False)


def test_a_token_for_other_datasets_decides_nothing(page_of, service):
    assert not page_of("manager", datasets=("departments",)).may_decide(service.datasets["expenses"])


def test_who_sees_others_rows_beside_their_own_states_a_purpose(page_of):
    lines = [{"role": "nurse", "operations": ["read"], "rows": it} for it in ("own", "all")]
    dataset = contract_of(custom={"access": lines, "subject": "visit_id"}).dataset
    assert page_of("nurse").reader(dataset).context.purpose is None


@pytest.mark.parametrize("role", ["hr", "stranger"])
def test_a_dataset_that_is_not_for_a_role_is_refused_as_one_that_is_not_there(page_of, role):
    refusals = []
    for name in ("expenses", "nothing"):
        with pytest.raises(AccessRefused) as raised:
            page_of(role).contract(name)
        refusals.append(str(raised.value))
    assert refusals == ["This dataset does not exist, or your role may not see it."] * 2


def test_datasets_are_in_the_order_of_their_names(page_of):
    assert [it.dataset.name for it in page_of("employee").contracts] == [
        "departments",
        "expenses",
        "incidents",
        "leave_requests",
        "roles",
        "salaries",
        "users",
    ]


def test_only_what_the_workspace_calls_overseers_oversees(page_of):
    assert [role for role in MENUS if page_of(role).may_oversee] == ["auditor", "dpo"]


@pytest.mark.parametrize(
    ("role", "purpose", "expected"),
    [
        ("employee", None, "viewing my own records"),
        ("employee", "a claim", "a claim"),
        ("hr", None, None),  # who sees others says what for
    ],
)
def test_who_sees_their_own_rows_alone_needs_to_state_no_purpose(page_of, service, role, purpose, expected):
    reader = page_of(role).reader(service.datasets["leave_requests"], purpose)
    assert reader.context.purpose == expected


@pytest.mark.parametrize(
    ("role", "has"),
    [("employee", True), ("manager", True), ("hr", True), ("auditor", True), ("stranger", False)],
)
def test_a_calendar_is_for_who_sees_whose_days_they_are(page_of, service, role, has):
    assert has_calendar(page_of(role), service.datasets["leave_requests"]) is has
    assert not has_calendar(page_of(role), service.datasets["expenses"])
