"""
What a line that is no row says of itself: the words of totals and of notes.

A word alone decides nothing, since a supplier may be called Total. `total_rows` also looks at the rest of the line.
Patterns are for polars: lower and upper case are the same, and a cell is compared without invisible characters.
"""

from __future__ import annotations

import polars as pl

from daftari.rows.formats.numbers import CURRENCIES

#: English, Swahili, French, Portuguese.
_TOTAL = (
    r"(?:(?:sub|grand)?[ -]?totals?|t o t a l(?: s)?|tot\.|Σ|sums?|(?:ma)?jumla|majumuisho"
    r"|sous[ -]?tota(?:l|ux)|tota(?:ux|is)|subtotais"
    r"|montant total|somme|valor total|soma)"
)
_BEFORE = (
    r"(?:(?:the|grand|overall|net|gross|final|sub|page|running|daily|weekly|monthly|quarterly|yearly|annual"
    r"|invoice|report|control|combined|jumla) )*"
)
_KINDS = "kuu|ndogo|g[ée]n[ée]ra(?:l|ux)|gera(?:l|is)|partiel|parcial|cumul[ée]"
_WHAT = (
    "amounts?|payments?|paid|due|expenditures?|expenses?|costs?|sp(?:end|ent)|values?|net|gross|rows|records|lines"
    "|carried|brought|this|per|for|of|in|as|to date|until|at|kwa|ya|za|wa|hadi|pour|des?|du|d[ao]s?"
    "|january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|q[1-4]|week|month|quarter|year|fy"
)
_CODES = "|".join(sorted({code for codes in CURRENCIES.values() for code in codes if code.isalpha()}))
_AFTER = rf"(?: (?:{_KINDS}))*(?: ?\(?(?:{_CODES})\)?| (?:{_WHAT})\b.*| ?\(?[0-9].*)?"

#: The cell is a total word, with no more than what qualifies one: a currency, a month, `for …`.
TOTAL_LABEL = rf"(?i)^[^\w(]*{_BEFORE}{_TOTAL}{_AFTER}[^\w]*$"
#: A total word begins or ends the cell: `Finance Total`, but also `Total Kenya`.
PERHAPS_TOTAL = rf"(?i)^[^\w]*{_TOTAL}\b|\b{_TOTAL}[^\w]*$"

#: The cell names what is computed from rows, and is no total: a balance, an average, a count.
SUMMARY_LABEL = (
    r"(?i)^[^\w(]*(?:(?:opening|closing|ending|starting|running|final|net|bank|cash)? ?bal(?:ance|\.)?"
    r"(?: ?(?:b/?[fd]|c/?[fd]|brought forward|carried forward))?|(?:brought|carried) (?:forward|down)|b/[fd]|c/[fd]"
    r"|averages?|avg\.?|mean|median|count|variance|salio|wastani|solde(?: (?:initial|final|d'ouverture))?"
    r"|moyenne|saldo(?: (?:inicial|final|anterior))?|m[ée]dia)(?: (?:as at|as of|at|on|for) .*)?[^\w]*$"
)

_NOTES = (
    r"notes?|n\.?b\.?|remarks?|comments?|sources?|prepared|compiled|approved|authori[sz]ed|checked|reviewed|verified|signed"
    r"|signature|submitted by|received by|generated|printed|exported|extracted|downloaded|report|end of|page|run date"
    r"|completion time|disclaimer|confidential|copyright|imetayarishwa|imeandaliwa|imeidhinishwa|chanzo|tanbihi|sahihi"
    r"|pr[ée]par[ée]|approuv[ée]|fonte|preparado|aprovado|nota"
)
#: Text below a table: who prepared it, where it is from, rules of dashes, lines to sign on, what database clients add.
NOTE = (
    rf"(?i)^(?:(?:{_NOTES})\b|[*†‡©]|[-=_.*#+|]{{3,}}$|[\w ]{{1,25}}: ?[-_.…]{{3,}}"
    r"|\(?[0-9,]+ rows?(?: affected| selected| returned| in set)?\b.*)"
)


def bare_text(text: pl.Expr) -> pl.Expr:
    """Return a cell without invisible characters, and with single spaces."""
    return text.str.replace_all(r"\p{Cf}", "").str.replace_all(r"\s+", " ").str.strip_chars()
