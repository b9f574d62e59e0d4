"""The PostgreSQL types that a governed field may have, and the logical type of each."""

from __future__ import annotations

import re

from daftari.contract.model import LogicalType

_NUMERIC = re.compile(r"numeric\((\d{1,4}),(\d{1,4})\)")
_VARCHAR = re.compile(r"varchar\((\d{1,8})\)")

_LOGICAL = {
    "text": LogicalType.STRING,
    "varchar": LogicalType.STRING,
    "uuid": LogicalType.STRING,
    "smallint": LogicalType.INTEGER,
    "integer": LogicalType.INTEGER,
    "bigint": LogicalType.INTEGER,
    "numeric": LogicalType.NUMBER,
    "double precision": LogicalType.NUMBER,
    "boolean": LogicalType.BOOLEAN,
    "date": LogicalType.DATE,
    "time": LogicalType.TIME,
    "timestamp": LogicalType.TIMESTAMP,
    "timestamptz": LogicalType.TIMESTAMP,
    "jsonb": LogicalType.OBJECT,
}

#: For messages.
ALLOWED = (
    "text, varchar(n), uuid, smallint, integer, bigint, numeric, numeric(p,s), double precision, "
    "boolean, date, time, timestamp, timestamptz, jsonb"
)

_LONGEST_VARCHAR = 10_485_760
_MOST_DIGITS = 1000


def is_physical_type(text: str) -> bool:
    """Whether *text* is one of ALLOWED, in lower case and this spelling."""
    if number := _NUMERIC.fullmatch(text):
        precision, scale = int(number[1]), int(number[2])
        return 1 <= precision <= _MOST_DIGITS and scale <= precision
    if length := _VARCHAR.fullmatch(text):
        return 1 <= int(length[1]) <= _LONGEST_VARCHAR
    return text in _LOGICAL and text != "varchar"


def logical_type_of(text: str) -> LogicalType | None:
    """Return the logical type of the physical type *text*; None if unknown."""
    return _LOGICAL.get(text.split("(")[0].strip().lower())


def serves(text: str, logical: LogicalType) -> bool:
    """Whether a field of type *logical* may be stored as the physical type *text*."""
    served = logical_type_of(text)
    if logical is LogicalType.ARRAY:
        return served is LogicalType.OBJECT
    if logical is LogicalType.NUMBER:
        return served in (LogicalType.NUMBER, LogicalType.INTEGER)
    return served is logical
