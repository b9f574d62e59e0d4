"""Why a row is rejected that kept every rule: a rule's id, the fields it is about, and the words for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Refusal:
    rule: str
    reason: str
    fields: tuple[str, ...] = ()  #: none: the row as a whole, which its key names


NAMES_NOTHING = "names nothing that exists"
#: Where the contract rejects a known key with other content.
CONTRADICTS = Refusal(rule="conflict", reason="contradicts the row that is there under its key")
#: Of a row that the caller may not write, or that clashes with one that the caller may not see.
NOT_TAKEN = Refusal(
    rule="not_taken", reason="is not taken: it is not yours to write, or does not agree with another row"
)
#: Of a row that the caller sees.
NO_STEP = Refusal(
    rule="approval",
    reason=(
        "takes a step that its contract does not give you, or that names who took it, and you are nobody by name"
    ),
)
