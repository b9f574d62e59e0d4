"""Records from a request body: a JSON object, a JSON list or JSON Lines, read by the reader of files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from daftari.contract.model import Dataset
from daftari.operations.write.write_requests import MOST_RECORDS
from daftari.rows.intake.records import NotARecord, Record
from daftari.rows.json_rows.reader import JsonRow, begins_array, only_row, rows_of_array, rows_of_lines
from daftari.rows.json_rows.text import JsonError
from daftari.rows.json_rows.values import Faulty

_LINES = ("application/x-ndjson", "application/jsonl", "application/ndjson")
_PIECE = 2**16
#: A larger body is read in a thread.
_SHORT = 2**14


async def read_records(body: bytes, content_type: str, dataset: Dataset) -> tuple[Sequence[Record], bool]:
    """Read a body as `read_body` does; no other caller waits for a large one."""
    if len(body) <= _SHORT:
        return read_body(body, content_type, dataset)
    return await run_in_threadpool(read_body, body, content_type, dataset)


def read_body(body: bytes, content_type: str, dataset: Dataset) -> tuple[Sequence[Record], bool]:
    """
    Return the records, and whether they are a batch.

    Raises:
        HTTPException: the body is not JSON, or holds too many records.
    """
    try:
        rows, is_batch = _rows(body, content_type.partition(";")[0].strip().lower())
        names = {field.name for field in dataset.fields}
        records = [_record(row, names) for row in islice(rows, MOST_RECORDS + 1)]
    except JsonError as error:
        place = f"line {error.line}, column {error.column}"
        raise HTTPException(400, f"The body is not valid JSON ({place}): {error}") from None
    if len(records) > MOST_RECORDS:
        raise HTTPException(
            413, f"more than {MOST_RECORDS:,} records; expected {MOST_RECORDS:,} or fewer in one request"
        )
    if not records:
        raise HTTPException(422, "The body holds no record; expected one or more")
    if not is_batch:
        _require_one(records[0])
    return records, is_batch


def _rows(body: bytes, kind: str) -> tuple[Iterator[JsonRow], bool]:
    if kind in _LINES:
        return rows_of_lines(_pieces(body)), True
    if kind not in ("application/json", ""):
        raise HTTPException(415, "Content-Type: expected application/json or application/x-ndjson")
    if begins_array(_pieces(body)):
        return rows_of_array(_pieces(body)), True
    return iter([only_row(_pieces(body))]), False


def _require_one(record: Record) -> None:
    """Refuse a body that is no record, or holds what JSON does not have."""
    if isinstance(record, NotARecord):
        raise HTTPException(
            400, f"The body is not valid JSON for a record: it {record.reason}; expected one JSON object"
        )
    for name, value in record.items():
        if isinstance(value, Faulty) and value.is_not_json:
            raise HTTPException(400, f"The body is not valid JSON: {name} {value.reason}")


def _record(row: JsonRow, names: set[str]) -> Record:
    """Return the record of *row*; of one with unknown names only the first of these, which refuses the request."""
    if row.values is None:
        return NotARecord(reason=row.reason)
    if row.values.keys() <= names:
        return row.values
    return {next(name for name in row.values if name not in names): None}


def _pieces(body: bytes) -> Iterator[bytes]:
    return (body[at : at + _PIECE] for at in range(0, len(body), _PIECE))
