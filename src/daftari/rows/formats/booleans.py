"""Words for true and false."""

from __future__ import annotations

import polars as pl

TRUE = ("true", "t", "yes", "y", "1", "on", "ndiyo")
FALSE = ("false", "f", "no", "n", "0", "off", "hapana")


def read_booleans(text: pl.Series) -> pl.Series:
    """Read *text* as Boolean, in any case; null if it is neither word."""
    words = text.str.to_lowercase()
    is_true = words.is_in(TRUE)
    return is_true.set((~(is_true | words.is_in(FALSE))).fill_null(False), None)
