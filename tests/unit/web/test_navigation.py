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
        "Overview", "Approvals", "Calendar", "Reports", "Load a file", "Refused rows", "Runs", "Incidents",
    ],
    "hr": ["Overview", "Approvals", "Calendar", "Reports", "Load a file", "Refused rows", "Runs", "Incidents"],
    "auditor": [
        "Overview", "Calendar", "Reports", "Runs", "Audit trail", "Access review", "Incidents", "Privacy desk",
    ],
    "dpo": [
        "Overview", "Calendar", "Reports", "Runs", "Audit trail", "Access review", "Incidents", "Privacy desk",
    ],
    "data_engineer": [
        "Overview", "Approvals", "Calendar", "Reports", "Load a file", "Refused rows", "Runs", "Incidents",
    ],
    "stranger": EVERYBODYS,
}  # fmt: skip


def menu(visit):
    return [name for _, name in navigation(visit)]


@pytest.mark.parametrize("role", MENUS)
def test_each_role_is_offered_the_pages_that_are_for_it(visit, role):
    assert menu(visit(role)) == MENUS[role]


def test_a_token_that_only_reads_is_offered_nothing_to_write(visit):
    assert menu(visit("hr", writes=False)) == [
        it for it in MENUS["hr"] if it not in ("Approvals", "Load a file", "Refused rows")
    ]


def test_a_token_of_one_dataset_is_offered_that_one_alone(visit):
    one = visit("hr", datasets=("departments",))
    assert [it.dataset.name for it in one.contracts] == ["departments"]
    assert menu(one) == ["Overview", "Reports", "Load a file", "Refused rows", "Runs"]


def test_who_is_no_person_asks_for_nothing(visit):
    assert "Approvals" not in menu(visit("employee", user_id=None))


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
def test_the_menu_marks_the_page_that_one_is_on(visit, path, address, here):
    assert is_here(visit("hr", path), address) is here


def test_the_page_around_every_page_shows_the_menu_and_who_is_signed_in(visit):
    page = visit("employee", "/incidents").page("incidents").body.decode()
    assert '<a href="/incidents" aria-current="page">Incidents</a>' in page
    assert '<a href="/approvals">Approvals</a>' in page
    assert "/audit" not in page
    assert "<span>employee · U2</span>" in page


# --- datasets

#: What each role has of each dataset: reads rows, reads all rows, adds, corrects, asks, decides.
RIGHTS = [
    ("employee", "expenses", "reads asks"),
    ("employee", "leave_requests", "reads asks"),
    ("employee", "departments", "reads reads_all"),
    ("employee", "salaries", "reads"),
    ("manager", "expenses", "reads decides"),
    ("manager", "leave_requests", "reads decides"),
    ("manager", "salaries", ""),
    ("finance", "expenses", "reads reads_all adds mends asks decides"),
    ("finance", "leave_requests", "reads reads_all"),
    ("finance", "salaries", "reads reads_all"),
    ("hr", "expenses", ""),
    ("hr", "leave_requests", "reads reads_all adds mends asks decides"),
    ("hr", "departments", "reads reads_all adds mends"),
    ("auditor", "expenses", "reads reads_all"),
    ("dpo", "expenses", ""),
    ("data_engineer", "leave_requests", "reads reads_all adds mends asks"),
]


@pytest.mark.parametrize(("role", "dataset", "expected"), RIGHTS)
def test_what_a_role_may_do_with_a_dataset_is_what_its_contract_says(visit, service, role, dataset, expected):
    one, about = visit(role), service.datasets[dataset]
    asked = ("reads", "reads_all", "adds", "mends", "asks", "decides")
    assert [name for name in asked if getattr(one, name)(about)] == expected.split()


def test_who_loads_without_seeing_all_corrects_nothing(visit, service):
    contract = contract_of(custom={"access": [{"role": "kiosk", "operations": ["insert"], "rows": "all"}]})
    workspace = replace(service.workspace, contracts=(contract,))
    one = replace(visit("kiosk"), service=Service(service.settings, workspace))
    assert one.contracts == [contract]
    assert menu(one) == ["Overview", "Reports", "Load a file", "Runs"]
    assert (one.adds(contract.dataset), one.mends(contract.dataset)) == (True, False)


def test_a_token_for_other_datasets_decides_nothing(visit, service):
    assert not visit("manager", datasets=("departments",)).decides(service.datasets["expenses"])


def test_who_sees_others_rows_beside_their_own_states_a_purpose(visit):
    lines = [{"role": "nurse", "operations": ["read"], "rows": it} for it in ("own", "all")]
    dataset = contract_of(custom={"access": lines, "subject": "visit_id"}).dataset
    assert visit("nurse").reader(dataset).context.purpose is None


@pytest.mark.parametrize("role", ["hr", "stranger"])
def test_a_dataset_that_is_not_for_a_role_is_refused_as_one_that_is_not_there(visit, role):
    refusals = []
    for name in ("expenses", "nothing"):
        with pytest.raises(AccessRefused) as raised:
            visit(role).contract(name)
        refusals.append(str(raised.value))
    assert refusals == ["This dataset does not exist, or your role may not see it."] * 2


def test_datasets_are_in_the_order_of_their_names(visit):
    assert [it.dataset.name for it in visit("employee").contracts] == [
        "departments",
        "expenses",
        "incidents",
        "leave_requests",
        "roles",
        "salaries",
        "users",
    ]


def test_only_what_the_workspace_calls_overseers_oversees(visit):
    assert [role for role in MENUS if visit(role).oversees] == ["auditor", "dpo"]


@pytest.mark.parametrize(
    ("role", "purpose", "expected"),
    [
        ("employee", None, "looking at my own records"),
        ("employee", "a claim", "a claim"),
        ("hr", None, None),  # who sees others says what for
    ],
)
def test_who_sees_their_own_rows_alone_needs_to_state_no_purpose(visit, service, role, purpose, expected):
    reader = visit(role).reader(service.datasets["leave_requests"], purpose)
    assert reader.context.purpose == expected


@pytest.mark.parametrize(
    ("role", "has"),
    [("employee", True), ("manager", True), ("hr", True), ("auditor", True), ("stranger", False)],
)
def test_a_calendar_is_for_who_sees_whose_days_they_are(visit, service, role, has):
    assert has_calendar(visit(role), service.datasets["leave_requests"]) is has
    assert not has_calendar(visit(role), service.datasets["expenses"])
