"""Whether bytes that are not UTF-8 may be Windows-1252, which writes the languages of Western Europe."""

from __future__ import annotations

from pathlib import Path

import numpy as np

#: Of Windows-1252: what hardly occurs in names and sentences, or is no character.
_RARE = np.frombuffer(
    bytes.fromhex("81828384868788898b8d8f9098 9b9d a4a6a8acaf b8".replace(" ", "")), np.uint8
)
_HIGH = 0x80
#: Other scripts have a word of such bytes; Western languages have single ones between ASCII letters.
_MOST_IN_PAIRS, _MOST_RARE = 0.4, 0.25
#: Lower-case letters of Windows-1252; in so few bytes a pair of them says nothing.
_LETTERS, _FEW = 0xE0, 6
_CHUNK_BYTES = 3 * 2**20


def looks_western(path: Path) -> bool:
    """
    Whether the bytes above ASCII stand alone and are common characters of Windows-1252.

    Big5, Shift-JIS, GB18030, Cyrillic and Greek code pages and those of DOS do not look so.
    """
    high = pairs = letters = rare = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            data = np.frombuffer(chunk, np.uint8)
            is_high = data >= _HIGH
            high += int(np.count_nonzero(is_high))
            pairs += int(np.count_nonzero(is_high[1:] & is_high[:-1]))
            is_letter = data >= _LETTERS
            letters += int(np.count_nonzero(is_letter[1:] & is_letter[:-1]))
            rare += int(np.count_nonzero(np.isin(data[is_high], _RARE)))
    if high < _FEW:
        pairs -= letters  # as in créée
    return not high or (pairs / high <= _MOST_IN_PAIRS and rare / high <= _MOST_RARE)
