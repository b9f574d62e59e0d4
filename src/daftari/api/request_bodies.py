"""Records from a request body: a JSON object, a JSON list or JSON Lines. Numbers keep their digits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NoReturn

from starlette.exceptions import HTTPException

from daftari.operations.write.write_requests import MOST_RECORDS, Record

_LINES = ("application/x-ndjson", "application/jsonl", "application/ndjson")


def read_records(body: bytes, content_type: str) -> tuple[Sequence[Record], bool]:
    """
    Return the records, and whether they are a batch. An item that is not an object is None in its place.

    Raises:
        HTTPException: the body is not JSON, or holds too many records.
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
        raise HTTPException(400, "The body is not a JSON object; expected a record or a list of records")
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
    raise ValueError("NaN and Infinity are not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that names a field twice: the intended value is unknown."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found
