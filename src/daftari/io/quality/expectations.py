"""
Runs checks on PostgreSQL with Great Expectations: one context, one connection, one batch per table.

Great Expectations returns only counts. For failed checks it is then asked for the keys of some rows, but only for key
fields whose values may be shown. Its other results do not leave this module: an answer holds counts, those keys, and
a reason without values.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from typing import Any

from psycopg import Connection
from sqlalchemy import URL

from daftari.compile.quality.expectations import ROW_COUNT, Check, Measure, Suite
from daftari.compile.quality.verdicts import CheckAnswer, admits
from daftari.io.database.messages import without_values

MOST_KEYS = 20
_SLOWEST_SECONDS = 600
_ROWS_ID = "rows"
_COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0, "exclude_unexpected_values": True}


@dataclass(frozen=True, kw_only=True)
class SuiteAnswers:
    rows: int | None  #: of the table; None when they could not be counted
    answers: tuple[CheckAnswer, ...]  #: one for each check of the suite, in its order


def open_expectations(conn: Connection[Any]) -> Any:
    """
    Return `ask`: Great Expectations with its own connection to the database of *conn*.

    It can only read there. Takes seven seconds, nearly all of them to import Great Expectations.
    """
    with _quiet():
        import great_expectations as gx
        from great_expectations.data_context.types.base import (
            DataContextConfig,
            InMemoryStoreBackendDefaults,
            ProgressBarsConfig,
        )

        kept_nowhere = DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        )
        context = gx.get_context(project_config=kept_nowhere, mode="ephemeral")
        return context.data_sources.add_sql("database", connection_string=_address(conn))


def ask_suite(source: Any, suite: Suite) -> SuiteAnswers:
    """Return the result of each check of *suite*. A check that cannot be run has no count."""
    with _quiet():
        asset = source.add_query_asset(suite.dataset, query=suite.query)
        batch = asset.add_batch_definition_whole_table("all").get_batch()
        return _answers(batch, suite)


def _answers(batch: Any, suite: Suite) -> SuiteAnswers:
    results = _validate(batch, suite.checks, _COUNTS)
    rows = _number(results[_ROWS_ID])
    answers = [_answer(check, results[check.id], rows or 0) for check in suite.checks]
    failing = [
        check
        for check, answer in zip(suite.checks, answers, strict=True)
        if (check.measure is Measure.FAILING_ROWS or check.keys_kwargs)
        and answer.number
        and not admits(check.limit, answer.number)
    ]
    keys = _keys(batch, suite, failing) if failing and suite.shown_key else {}
    with_keys = tuple(replace(answer, keys=keys.get(answer.check, ())) for answer in answers)
    return SuiteAnswers(rows=rows, answers=with_keys)


def _keys(batch: Any, suite: Suite, failing: Sequence[Check]) -> dict[str, tuple[Mapping[str, str], ...]]:
    asked = {
        "result_format": "COMPLETE",
        "partial_unexpected_count": MOST_KEYS,
        "exclude_unexpected_values": True,
        "unexpected_index_column_names": list(suite.shown_key),
        "return_unexpected_index_query": False,
    }
    asking = [replace(check, kwargs=check.keys_kwargs or check.kwargs) for check in failing]
    results = _validate(batch, asking, asked)
    return {check.id: _keys_of(suite, results[check.id].result) for check in failing}


def _keys_of(suite: Suite, result: Mapping[str, Any]) -> tuple[Mapping[str, str], ...]:
    """The keys of some failing rows, in either of Great Expectations' two forms."""
    rows: list[Mapping[str, Any]] = result.get("details", {}).get("unexpected_rows", [])
    for columns in result.get("unexpected_index_list") or ():
        values = zip(*(columns[name] for name in suite.shown_key), strict=True)
        rows = [*rows, *(dict(zip(suite.shown_key, key, strict=True)) for key in values)]
    shown = [{name: str(row[name]) for name in suite.shown_key if name in row} for row in rows]
    return tuple(key for key in shown if key)[:MOST_KEYS]


def _validate(batch: Any, checks: Sequence[Check], result_format: Mapping[str, Any]) -> dict[str, Any]:
    from great_expectations.core import ExpectationSuite
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    asked = [
        ExpectationConfiguration(type=ROW_COUNT, kwargs={"min_value": 0}, meta={"check": _ROWS_ID}),
        *(
            ExpectationConfiguration(
                type=check.expectation, kwargs=dict(check.kwargs), meta={"check": check.id}
            )
            for check in checks
        ),
    ]
    found = batch.validate(
        ExpectationSuite(name="suite", expectations=asked), result_format=dict(result_format)
    )
    return {result.expectation_config.meta["check"]: result for result in found.results}


def _answer(check: Check, result: Any, rows: int) -> CheckAnswer:
    number = _number(result)
    if number is None:
        return CheckAnswer(check=check.id, error=_error(result))
    if check.measure is Measure.VALUE:
        return CheckAnswer(check=check.id, tested=1, number=number)
    counted = result.result.get("element_count")
    tested = rows if counted is None else counted - (result.result.get("missing_count") or 0)
    return CheckAnswer(check=check.id, tested=tested, number=number)


def _number(result: Any) -> int | None:
    """The number of failing rows, or of all rows; None when the database gave no answer."""
    found = result.result.get("unexpected_count", result.result.get("observed_value"))
    return int(found) if isinstance(found, int) else None


def _error(result: Any) -> str:
    """The first line of the server's message. The rest quotes the statement and its parameters."""
    faults = result.exception_info or {}
    each = [faults] if "exception_message" in faults else list(faults.values())
    said = [str(fault["exception_message"]) for fault in each if fault.get("exception_message")]
    return without_values(said[0].splitlines()[0]) if said else "no answer"


def _address(conn: Connection[Any]) -> str:
    info = conn.info
    options = f"-c default_transaction_read_only=on -c statement_timeout={_SLOWEST_SECONDS}s -c timezone=UTC"
    given = {name: value for name, value in info.get_parameters().items() if name.startswith("ssl")}
    address = URL.create(
        "postgresql+psycopg",
        username=info.user,
        password=info.password or None,
        database=info.dbname,
        query={**given, "host": info.host, "port": str(info.port), "options": options},
    )
    # Great Expectations replaces a dollar sign by a setting
    return address.render_as_string(hide_password=False).replace("$", "%24")


@contextmanager
def _quiet() -> Iterator[None]:
    """Great Expectations prints hints to standard output, where results go."""
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
