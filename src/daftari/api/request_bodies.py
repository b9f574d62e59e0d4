"""The records of a request's body: JSON, one or a list, or JSON Lines. Numbers keep the digits they came with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NoReturn

from starlette.exceptions import HTTPException

from daftari.operations.write.requests import MOST_RECORDS, Record

_LINES = ("application/x-ndjson", "application/jsonl", "application/ndjson")


def read_records(body: bytes, content_type: str) -> tuple[Sequence[Record], bool]:
    """
    Return the records, and whether they came as a batch; what is no object is None in its place.

    Raises:
        HTTPException: the body is no JSON, or holds more records than one request may.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind in _LINES:
        found: list[Any] = [_line(line) for line in body.splitlines() if line.strip()]
        is_batch = True
    elif kind in ("application/json", ""):
        document = _document(body)
        is_batch = isinstance(document, list)
        found = document if isinstance(document, list) else [document]
    else:
        raise HTTPException(415, "Content-Type: expected application/json or application/x-ndjson")
    if len(found) > MOST_RECORDS:
        raise HTTPException(413, f"{len(found):,} records; expected {MOST_RECORDS:,} or fewer in one request")
    if not found:
        raise HTTPException(422, "The body holds no record; expected one or more")
    records = [_record(one) for one in found]
    if not is_batch and records[0] is None:
        raise HTTPException(400, "The body is no JSON object; expected a record or a list of records")
    return records, is_batch


def _record(value: Any) -> Record:
    return value if isinstance(value, dict) else None


def _line(line: bytes) -> Any:
    try:
        return _parse(line)
    except (ValueError, RecursionError):
        return None


def _document(body: bytes) -> Any:
    try:
        return _parse(body)
    except (ValueError, RecursionError) as error:
        where = (
            f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise HTTPException(400, f"The body is not valid JSON{where}") from None


def _parse(text: bytes) -> Any:
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_once)


def _refuse(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that names a field twice: which of the values was meant cannot be known."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found
