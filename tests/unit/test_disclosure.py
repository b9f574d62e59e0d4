"""A rejection never tells a caller whether a row that it may not see exists."""

from dataclasses import replace

from tests.small_contracts import TEAMS, TRIPS

from daftari.contract.model import Access, Operation, RowScope
from daftari.operations.write.disclosure import disclosed_reason, hidden_rules
from daftari.rows.rules.references import reference_rule
from daftari.rows.rules.rejection import NAMES_REJECTED, NOT_TAKEN

RULE = reference_rule(TRIPS.relationships[0])
FIELD = TRIPS.relationships[0].fields[0]


def told_to(*lines):
    known = {"teams": replace(TEAMS, access=lines), "trips": TRIPS}
    return disclosed_reason(RULE, FIELD, "refers to no row", hidden_rules(TRIPS, known, "driver"))


def test_who_sees_every_referenced_row_is_told_the_rule_and_its_field():
    line = Access(role="driver", operations=(Operation.READ,), rows=RowScope.ALL)
    assert told_to(line) == (RULE, FIELD, "refers to no row")


def test_who_does_not_is_told_what_a_policy_tells_and_not_even_the_field():
    expected = (NOT_TAKEN.rule, ", ".join(TRIPS.key), NOT_TAKEN.reason)
    assert told_to() == expected
    assert told_to(Access(role="driver", operations=(Operation.READ,), rows=RowScope.OWN)) == expected
    assert FIELD not in TRIPS.key


def test_where_a_rule_is_hidden_so_is_the_field_of_the_cause():
    cause = f"{NAMES_REJECTED}: the cause is line 3 ({FIELD})"
    known = {"teams": replace(TEAMS, access=()), "trips": TRIPS}
    told = disclosed_reason(
        "leader.reference_rejected", "leader", cause, hidden_rules(TRIPS, known, "driver")
    )
    assert told == ("leader.reference_rejected", "leader", NAMES_REJECTED)
