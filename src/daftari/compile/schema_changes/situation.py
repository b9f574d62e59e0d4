"""What the changes of a database are worked out from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from daftari.compile.schema_changes.differences import Objects
from daftari.compile.tables.objects import Identity


@dataclass(frozen=True, kw_only=True)
class Situation:
    """The inputs of a plan."""

    wanted: Objects  #: as the contracts define it
    live: Objects
    views: Mapping[Identity, Sequence[str]]  #: the views of each column
    #: access that the contracts in force give: who loses it misses something
    given: Set[Identity] = frozenset()
