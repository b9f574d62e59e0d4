"""Control totals: what a sender states about a file, what was found in it, and the differences."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from daftari.errors import MappingError


@dataclass(frozen=True, kw_only=True)
class ControlTotals:
    rows: int | None = None
    sums: AbstractMapping[str, Decimal] = field(default_factory=dict)  #: by field, or by column of the file


@dataclass(frozen=True, kw_only=True)
class TotalDifference:
    """One stated figure that differs from the file."""

    what: str  #: "rows", or a field or column
    stated: Decimal | int
    found: Decimal | int | None  #: None: no such sum

    def __str__(self) -> str:
        if self.found is None:
            return f"sum of {self.what}: stated {self.stated:,}, but the file has no such number column"
        what = "rows" if self.what == "rows" else f"sum of {self.what}"
        return (
            f"{what}: stated {self.stated:,}, found {self.found:,} (difference {self.found - self.stated:,})"
        )


def reconcile(stated: ControlTotals, found: ControlTotals) -> list[TotalDifference]:
    """Compare exactly; empty if everything stated was found."""
    differences = []
    if stated.rows is not None and stated.rows != found.rows:
        differences.append(TotalDifference(what="rows", stated=stated.rows, found=found.rows))
    for what, figure in stated.sums.items():
        actual = found.sums.get(what)
        if actual is None or actual != figure:
            differences.append(TotalDifference(what=what, stated=figure, found=actual))
    return differences


def read_manifest(text: str, source: str) -> dict[str, ControlTotals]:
    """
    Read what a manifest states about each file, by file name.

    A CSV manifest has the columns `file` and `rows`, and one for each sum; a YAML one maps each file to
    `rows` and `sums`.

    Raises:
        MappingError: it is neither, or a figure is not a number.
    """
    if source.lower().endswith(".csv"):
        return _from_csv(text, source)
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise MappingError(f"{source}: not valid YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(document, dict) or not all(isinstance(one, dict) for one in document.values()):
        raise MappingError(
            f"{source}: not a manifest; expected file names with `rows` and `sums`",
            hint="For one file write `march.csv: {rows: 120, sums: {amount: '1500.00'}}`.",
        )
    return {
        str(name): ControlTotals(
            rows=None if one.get("rows") is None else int(_figure(one["rows"], source, f"{name}: rows")),
            sums={
                str(what): _figure(figure, source, f"{name}: {what}")
                for what, figure in (one.get("sums") or {}).items()
            },
        )
        for name, one in document.items()
    }


def _from_csv(text: str, source: str) -> dict[str, ControlTotals]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    if "file" not in (reader.fieldnames or ()):
        raise MappingError(f"{source}:1: not a manifest; expected a column `file` in its header")
    found = {}
    for line, row in enumerate(reader, start=2):
        figures = {
            name: _figure(value, source, f"line {line}: {name}")
            for name, value in row.items()
            if name and name != "file" and value
        }
        rows = figures.pop("rows", None)
        found[row["file"]] = ControlTotals(rows=None if rows is None else int(rows), sums=figures)
    return found


def _figure(value: object, source: str, where: str) -> Decimal:
    try:
        return Decimal(str(value).replace(",", "").strip())
    except InvalidOperation:
        raise MappingError(f"{source}: {where} is not a number") from None
