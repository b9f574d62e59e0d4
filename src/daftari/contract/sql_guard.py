"""
Check that a contract's own SQL is one read-only statement.

The text is untrusted. sqlglot parses it; anything it does not recognise is refused.
"""

from __future__ import annotations

import logging

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

# sqlglot also logs a warning for text that it cannot parse; our message replaces it.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

#: The ODCS placeholders for the table and the column.
PLACEHOLDERS = {"${object}": "daftari_object", "${property}": "daftari_property"}

#: PostgreSQL functions without a class in sqlglot that only compute. Others are refused.
_HARMLESS = {
    "age",
    "btrim",
    "date_part",
    "isfinite",
    "make_date",
    "num_nonnulls",
    "num_nulls",
    "regexp_count",
}

_CHANGES = (
    exp.DML,
    exp.DDL,
    exp.Command,
    exp.Drop,
    exp.Alter,
    exp.Into,
    exp.Lock,
    exp.Set,
    exp.Transaction,
    exp.TruncateTable,
    exp.Pragma,
)


def refusal_to_run(query: str) -> str | None:
    """Return why *query* may not run, to follow the word "found"; None if it is one read-only statement."""
    for placeholder, name in PLACEHOLDERS.items():
        query = query.replace(placeholder, name)
    try:
        statements = [statement for statement in sqlglot.parse(query, read="postgres") if statement]
    except (SqlglotError, RecursionError):
        return "text that does not parse as PostgreSQL"
    if len(statements) != 1:
        return f"{len(statements)} statements"
    statement = statements[0]
    if not isinstance(statement, exp.Query):
        return f"a statement other than select: {statement.key}"
    return next((found for node in statement.walk() if (found := _refusal_of(node))), None)


def _refusal_of(node: exp.Expr) -> str | None:
    # In sqlglot a query is also a kind of DDL or DML; statements that change something are not queries.
    if isinstance(node, _CHANGES) and not isinstance(node, exp.Query):
        return f"{node.key} inside a select"
    if isinstance(node, exp.Anonymous) and node.name.lower() not in _HARMLESS:
        return f"the function {node.name}, which is not known only to read"
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Func):
        return f"the function {node.sql('postgres').split('(')[0]}, which is not known only to read"
    return None
