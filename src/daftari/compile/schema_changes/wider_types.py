"""Whether a changed type or check still accepts everything that it accepted before."""

from __future__ import annotations

import re

from daftari.compile.tables.objects import Constraint

#: Each type holds every value of the types before it.
_WIDENINGS = {
    ("smallint", "integer"), ("smallint", "bigint"), ("integer", "bigint"), ("integer", "numeric"),
    ("bigint", "numeric"), ("smallint", "numeric"), ("uuid", "text"),
}  # fmt: skip
#: Affects the order of text, not its values.
_COLLATION = re.compile(r" collate .*", re.IGNORECASE)
_SIZED = re.compile(r"(numeric|character varying)(?:\((\d+)(?:,(\d+))?\))?")
_BOUND = re.compile(r"(<=|>=|<|>) \(?'?(-?[\d.:-]+)")


def is_wider(wanted: str, live: str) -> bool:
    """Whether the type *wanted* holds every value of *live*, both as PostgreSQL prints them."""
    wanted, live = _COLLATION.sub("", wanted), _COLLATION.sub("", live)
    if (
        wanted == live
        or (live, wanted) in _WIDENINGS
        or (wanted == "text" and live.startswith("character varying"))
    ):
        return True
    new, old = _SIZED.fullmatch(wanted), _SIZED.fullmatch(live)
    if not new or not old or new[1] != old[1]:
        return False
    if new[2] is None or old[2] is None:
        return new[2] is None
    scale, old_scale = int(new[3] or 0), int(old[3] or 0)
    return scale >= old_scale and int(new[2]) - scale >= int(old[2]) - old_scale


def is_looser(wanted: Constraint, live: Constraint) -> bool:
    """
    Whether every row that passed still passes: two checks differ only in their bounds, or a unique constraint is
    checked later.
    """
    if wanted.definition.lower() == f"{live.definition.lower()} deferrable":
        return True
    if _BOUND.sub(r"\1", wanted.definition) != _BOUND.sub(r"\1", live.definition):
        return False
    pairs = zip(_BOUND.findall(wanted.definition), _BOUND.findall(live.definition), strict=True)
    return all(
        _sortable(new) <= _sortable(old) if sign.startswith(">") else _sortable(new) >= _sortable(old)
        for (sign, new), (_, old) in pairs
    )


def _sortable(bound: str) -> tuple[float, str]:
    """Compare numbers by value, dates and times by text."""
    try:
        return float(bound), ""
    except ValueError:
        return 0.0, bound
