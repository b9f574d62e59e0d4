"""Messages of the server, without the values of rows that they quote."""

from __future__ import annotations

import re

#: PostgreSQL puts names between double quotes, and values too. What follows one of these words is a name.
_NAMED = (
    "aggregate|attribute|column|constraint|cursor|database|domain|enum|extension|function|index|language|macro|"
    "model|operator|parameter|policy|relation|role|rule|schema|sequence|source|table|test|trigger|type|view"
)
_QUOTED = re.compile(rf'(?:\b(?P<kind>{_NAMED}) )?"(?P<quoted>[^"\n]*)"', re.IGNORECASE)
#: Key (user_id)=(…) already exists; Failing row contains (…); COPY t, line 3: "…". LINE 3: quotes the statement,
#: with a caret below it.
_WHOLE_LINE = re.compile(r"^\s*((DETAIL|CONTEXT|WHERE)\s*:.*|LINE \d+: .*(\n\s*\^\s*)?)$", re.MULTILINE)


def without_values(text: str) -> str:
    """
    Return a message of PostgreSQL, or of a tool that passes one on, with every quoted value as "…".

    Names are kept: text quoted after a word such as *column* is a name.
    """
    return _QUOTED.sub(_keep_names, _WHOLE_LINE.sub("", text)).strip()


def _keep_names(found: re.Match[str]) -> str:
    return found[0] if found["kind"] else '"…"'
