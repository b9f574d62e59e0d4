"""How large a row of JSON may be. Checked before the row is built."""

from __future__ import annotations

#: A shorter row is decoded at once: whatever it holds takes little memory.
SMALL = 2**16
#: Characters of a row.
MOST_CHARACTERS = 4 * 2**20
#: Values of a row, those inside its objects and arrays included.
MOST_VALUES = 100_000
#: Objects and arrays inside one another.
MOST_DEPTH = 100
#: Different names of the objects of a file.
MOST_NAMES = 10_000

TOO_DEEP = f"is nested more than {MOST_DEPTH} deep"
TOO_LONG = f"is longer than {MOST_CHARACTERS // 2**20} MiB"
TOO_MUCH = f"holds more than {MOST_VALUES:,} values"
