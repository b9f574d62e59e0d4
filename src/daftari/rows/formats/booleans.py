"""Words for true and false."""

from __future__ import annotations

import polars as pl

#: English, Swahili, French and Portuguese, as people and spreadsheets write them.
TRUE = ("true", "t", "yes", "y", "1", "1.0", "on", "ndiyo", "kweli", "oui", "vrai", "sim", "verdadeiro")
FALSE = ("false", "f", "no", "n", "0", "0.0", "off", "hapana", "uongo", "non", "faux", "não", "nao", "falso")


def read_booleans(text: pl.Series) -> pl.Series:
    """Read *text* as Boolean, in any case; null if it is neither word."""
    words = text.str.to_lowercase()
    is_true = words.is_in(TRUE)
    return is_true.set((~(is_true | words.is_in(FALSE))).fill_null(False), None)
