"""Why the database rejects a row that passed every rule: a rule's id, its fields, and the reason in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Refusal:
    rule: str
    reason: str
    fields: tuple[str, ...] = ()  #: empty: the whole row, named by its key


NAMES_NOTHING = "refers to a row that does not exist"
#: The rest, after a colon, names the line of the cause; so a summary can leave it out.
NAMES_REJECTED = "refers to a row that is rejected"


def without_cause(reason: str) -> str:
    """Return *reason* without the line of the cause, if it names one."""
    return NAMES_REJECTED if reason.startswith(f"{NAMES_REJECTED}:") else reason


#: If the contract rejects an existing key with different content.
CONTRADICTS = Refusal(rule="conflict", reason="contradicts the existing row with the same key")
#: For a change of a row's person that does not bring the row's sealed values, which are bound to the old one.
KEEPS_SEALED = Refusal(
    rule="person", reason="gives an existing row to another person without its sealed fields: send those too"
)
#: For a row that the caller may not write, or that conflicts with one that the caller may not see.
NOT_TAKEN = Refusal(
    rule="not_taken", reason="is rejected: you may not write it, or it conflicts with another row"
)
#: For a row that the caller sees.
NO_STEP = Refusal(
    rule="approval",
    reason=(
        "takes a step that the contract does not permit you, by your role or by what you did in this request before, "
        "or your login is not linked to a person"
    ),
)
#: For a change of a field that a decision covers, or that only a step writes.
DECIDED = Refusal(
    rule="approval.covers",
    reason="may not change: the row is decided already and the decision covers it, or only a step writes it",
)
