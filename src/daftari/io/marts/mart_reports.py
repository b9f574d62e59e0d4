"""How a mart is shown as a report: its model's file, under `config.meta.daftari.report`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection, sql
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from daftari.contract.platform import MARTS
from daftari.errors import ContractError, Fault

#: A row of a mart in a report: a cell for each described column.
Row = tuple[Any, ...]
CHARTS = ("lines", "bars")


@dataclass(frozen=True, kw_only=True)
class Report:
    """One mart as people see it."""

    mart: str
    pipeline: str
    title: str
    description: str
    chart: str  #: lines: of *value* over *along*; bars: one for each of *along*, longest first
    along: str  #: the column of the x axis
    value: str
    by: str | None = None  #: one line for each of its values
    per: tuple[
        str, ...
    ] = ()  #: columns for which a reader picks one value, because sums over several are meaningless
    columns: dict[str, str]  #: the described columns of the mart, in their order

    @property
    def names(self) -> frozenset[str]:
        """The columns whose values are names: a year is one, although it is a number."""
        return frozenset((self.along, *self.per, *([self.by] if self.by else [])))


def read_reports(folder: Path, root: Path) -> Iterator[Report]:
    """
    Yield the reports of the pipeline in *folder*.

    Raises:
        ContractError: the definition of one is wrong.
    """
    for path in sorted(folder.glob("transform/*.yml")):
        try:
            document = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
        except (YAMLError, UnicodeDecodeError):
            continue  # `read_readers` has reported it
        for model in (document or {}).get("models") or []:
            said = ((model.get("config") or {}).get("meta") or {}).get("daftari") or {}
            if "report" in said:
                yield _report(model, said["report"], folder.name, path.relative_to(root).as_posix())


def _report(model: dict[str, Any], said: Any, pipeline: str, source: str) -> Report:
    columns = {it["name"]: str(it.get("description", "")).strip() for it in model.get("columns") or []}
    per = said.get("per", []) if isinstance(said, dict) else []
    named = (
        [said.get(it) for it in ("along", "value", "by") if said.get(it)] if isinstance(said, dict) else []
    )
    is_sound = (
        isinstance(said, dict)
        and isinstance(said.get("title"), str)
        and said.get("chart") in CHARTS
        and {"along", "value"} <= set(said)
        and set(said) <= {"title", "chart", "along", "value", "by", "per"}
        and isinstance(per, list)
        and all(it in columns for it in [*named, *per])
    )
    if not is_sound:
        fault = Fault(
            source=source,
            line=0,
            place=f"models.{model.get('name')}.config.meta.daftari.report",
            found="something else",
            expected=f"title, chart ({' or '.join(CHARTS)}), along, value and optionally by, per: described columns",
        )
        raise ContractError.from_faults([fault])
    return Report(
        mart=str(model["name"]),
        pipeline=pipeline,
        title=said["title"],
        description=str(model.get("description", "")).strip(),
        chart=said["chart"],
        along=said["along"],
        value=said["value"],
        by=said.get("by"),
        per=tuple(per),
        columns=columns,
    )


def is_built(conn: Connection[Any], mart: str) -> bool:
    row = conn.execute("select to_regclass(%s) is not null", [f"{MARTS}.{mart}"]).fetchone()
    return bool(row and row[0])


def choices(conn: Connection[Any], report: Report, column: str) -> list[str]:
    """Return the values of a column of *per*, the most frequent first, then the latest; in the caller's role."""
    statement = sql.SQL(
        "select {0}::text from {1} group by {0} order by count(*) desc, {0} desc limit 500"
    ).format(sql.Identifier(column), _mart(report))
    found = conn.execute(statement)
    return [value for (value,) in found if value is not None]


def rows_of(conn: Connection[Any], report: Report, picked: dict[str, str], limit: int) -> list[Row]:
    """Return the rows of a mart for the picked values, in the caller's role. Numbers that are names become text."""
    conditions = [
        sql.SQL("{}::text = {}").format(sql.Identifier(n), sql.Literal(v)) for n, v in picked.items()
    ]
    statement = sql.SQL("select {} from {} where {} order by {} limit {}").format(
        sql.SQL(", ").join(map(sql.Identifier, report.columns)),
        _mart(report),
        sql.SQL(" and ").join([sql.SQL("true"), *conditions]),
        sql.SQL(", ").join(sql.Identifier(it) for it in (report.along, report.by) if it),
        sql.Literal(limit),
    )
    named = [name in report.names for name in report.columns]
    return [
        tuple(
            str(it) if is_name and isinstance(it, int) else it for it, is_name in zip(row, named, strict=True)
        )
        for row in conn.execute(statement)
    ]


def _mart(report: Report) -> sql.Identifier:
    return sql.Identifier(MARTS, report.mart)
