"""What a caller hears of a write does not depend on values that their role sees masked."""

from dataclasses import replace

import pytest
from tests.db.test_approval import Office, fill

from daftari.contract.access.role_permissions import permissions_of
from daftari.contract.model import Access, Operation, RowScope
from daftari.errors import AccessRefused, ContractError


@pytest.fixture
def office(filled, tmp_path, reference):
    with filled(fill, tmp_path) as (conn, _):
        yield Office(conn, tmp_path, reference)


@pytest.mark.parametrize("net", ["33300", "33301", "1"])
def test_a_part_of_a_masked_sum_is_refused_before_it_is_judged(office, net):
    change = {"user_id": "U3", "month": "2026-01-01", "net": net}
    with pytest.raises(AccessRefused, match="may not update net"):
        raise office.answer("data_engineer", "salaries", change, is_partial=True)


@pytest.mark.parametrize("who", ["U3", "U4", "U5"])
def test_a_guess_of_a_masked_person_is_never_answered_by_unchanged(office, who):
    change = {"expense_id": "E4", "user_id": who}
    assert office.write("data_engineer", None, "expenses", change, is_partial=True).status == "updated"


def test_a_change_that_names_no_masked_field_is_answered_as_ever(office):
    change = {"expense_id": "E4", "supplier": "Text Book Centre"}
    assert office.write("data_engineer", None, "expenses", change, is_partial=True).status == "unchanged"


PAY = {
    "user_id": "U3", "month": "2026-01-01", "basic": "40000", "allowances": "0", "gross": "40000", "paye": "4000",
    "nssf": "1000", "shif": "1100", "housing_levy": "600", "deductions": "0", "net": "33300",
    "bank_account": "01-001-0123456791",
}  # fmt: skip


@pytest.mark.parametrize("changes", [{}, {"paye": "3000", "net": "34300"}])
def test_a_whole_row_with_masked_figures_is_answered_the_same_whether_they_are_right_or_wrong(
    office, changes
):
    outcome = office.write("data_engineer", None, "salaries", PAY | changes)
    assert (outcome.status, outcome.reasons[0]["rule"]) == ("quarantined", "not_taken")


def _writes(role, fields=(), masked=()):
    return (
        Access(role=role, operations=(Operation.READ,), rows=RowScope.ALL, masked=masked),
        Access(role=role, operations=(Operation.UPDATE,), rows=RowScope.ALL, fields=fields),
    )


def test_a_contract_that_lets_a_role_update_what_tells_a_masked_value_is_refused(reference):
    salaries = reference.dataset("salaries")[1].dataset
    permissions_of(replace(salaries, access=_writes("clerk", ("bank_account",), ("gross",))))
    with pytest.raises(ContractError, match="may update net, which a constraint compares"):
        permissions_of(replace(salaries, access=_writes("clerk", ("net",), ("gross",))))
    leave = reference.dataset("leave_requests")[1].dataset
    lines = (
        Access(
            role="clerk",
            operations=(Operation.READ, Operation.INSERT),
            rows=RowScope.ALL,
            masked=("user_id",),
        ),
    )
    with pytest.raises(ContractError, match="reads user_id masked"):
        permissions_of(replace(leave, access=lines))
