"""A first mart of a new pipeline: its records counted, and one number added up, by month or by kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daftari.contract.model import Dataset, Field, LogicalType

_COUNTED = (LogicalType.NUMBER, LogicalType.INTEGER)


@dataclass(frozen=True, kw_only=True)
class DraftMart:
    name: str
    sql: str
    schema: str  #: the YAML of its columns and tests


def draft_mart(dataset: Dataset, readers: Sequence[str]) -> DraftMart:
    """Return the mart for *readers*: by month of the first date, else by the first closed set, else of all records."""
    usable = [field for field in dataset.fields if not field.is_confidential and not field.is_key]
    dated = next((it for it in usable if it.logical_type in (LogicalType.DATE, LogicalType.TIMESTAMP)), None)
    kinds = next((it for it in usable if it.allowed), None)
    number = next((it for kind in _COUNTED for it in usable if it.logical_type is kind), None)
    if dated is not None:
        return _Mart(dataset, readers, number, group=dated, column="month").made()
    if kinds is not None:
        column = f"{kinds.name}_kind" if kinds.name in ("records", "total") else kinds.name
        return _Mart(dataset, readers, number, group=kinds, column=column).made()
    return _Mart(dataset, readers, number, group=None, column="").made()


@dataclass(frozen=True)
class _Mart:
    dataset: Dataset
    readers: Sequence[str]
    number: Field | None
    group: Field | None
    column: str  #: the name of the group in the mart

    def made(self) -> DraftMart:
        return DraftMart(name=self.name, sql=self._sql(), schema="\n".join(self._schema()) + "\n")

    @property
    def name(self) -> str:
        return f"{self.dataset.name}_by_{self.column}"[:60] if self.group else f"{self.dataset.name}_in_all"

    @property
    def _grain(self) -> str:
        if self.group is None:
            return "One row for all records."
        return f"One row for each {self.column} that has a record; records without {self.group.name} are left out."

    def _sql(self) -> str:
        lines = [f"-- Grain: {self._grain[0].lower()}{self._grain[1:]}"]
        columns = ["count(*) as records"]
        if self.number is not None:
            columns.append(f"sum({_quoted(self.number.name)}) as total")
        if self.group is not None:
            lines.append(f"{{{{ config(indexes=[{{'columns': ['{self.column}'], 'unique': true}}]) }}}}")
            columns.insert(0, f"{self._grouped()} as {_quoted(self.column)}")
        lines += ["", "select", ",\n".join(f"    {column}" for column in columns)]
        lines.append(f"from {{{{ ref('stg_{self.dataset.name}') }}}}")
        if self.group is not None:
            lines += [f"where {_quoted(self.group.name)} is not null", "group by 1"]
        return "\n".join(lines) + "\n"

    def _grouped(self) -> str:
        assert self.group is not None
        name = _quoted(self.group.name)
        match self.group.logical_type:
            case LogicalType.DATE:
                return f"cast(date_trunc('month', cast({name} as timestamp)) as date)"
            case LogicalType.TIMESTAMP:
                return (
                    f"cast(date_trunc('month', {name} at time zone '{{{{ var(\"time_zone\") }}}}') as date)"
                )
            case _:
                return f"cast({name} as text)"

    def _schema(self) -> list[str]:
        lines = [
            "version: 2",
            "",
            "models:",
            f"  - name: {self.name}",
            f"    description: Number of records of {self.dataset.name}. {self._grain}",
            "    config:",
            "      meta:",
            f"        daftari: {{readers: [{', '.join(self.readers)}]}}",
            "    columns:",
        ]
        if self.group is not None:
            is_month = self.column == "month"
            lines += [
                f"      - name: {self.column}",
                f"        description: {'First day of the month' if is_month else f'The {self.column}'}.",
                f"        data_type: {'date' if is_month else 'text'}",
                "        constraints: [{type: not_null}]",
                "        data_tests: [not_null, unique]",
            ]
        least = 0 if self.group is None else 1
        lines += [
            "      - name: records",
            "        description: Number of records.",
            "        data_type: bigint",
            "        constraints: [{type: not_null}]",
            "        data_tests:",
            "          - not_null",
            "          - in_range:",
            f"              arguments: {{minimum: {least}}}",
        ]
        if self.number is not None:
            lines += [
                "      - name: total",
                f"        description: Sum of {self.number.name}; null where no record has one.",
                "        data_type: numeric",
            ]
        return lines + self._unit_test()

    def _unit_test(self) -> list[str]:
        given, expected = self._cases()
        return [
            "",
            "unit_tests:",
            f"  - name: records_are_counted_in_{self.name}",
            f"    model: {self.name}",
            "    given:",
            f"      - input: ref('stg_{self.dataset.name}')",
            "        rows:",
            *(f"          - {{{row}}}" for row in given),
            "    expect:",
            "      rows:",
            *(f"        - {{{row}}}" for row in expected),
        ]

    def _cases(self) -> tuple[list[str], list[str]]:
        """Return rows of the dataset, and what they are in the mart: two of one group, one of another."""
        groups = ("", "", "")
        marts: tuple[str, ...] = ("",)
        if self.group is not None and self.column == "month":
            at = " 12:00:00+00" if self.group.logical_type is LogicalType.TIMESTAMP else ""
            groups = tuple(f'{self.group.name}: "2026-{day}{at}"' for day in ("03-01", "03-30", "04-02"))  # type: ignore[assignment]
            marts = ("month: 2026-03-01", "month: 2026-04-01")
        elif self.group is not None:
            first, second = self.group.allowed[:2]
            groups = tuple(f"{self.group.name}: {_text(it)}" for it in (first, first, second))  # type: ignore[assignment]
            marts = (f"{self.column}: {_text(first)}", f"{self.column}: {_text(second)}")
        numbers = [f"{self.number.name}: {n}" if self.number else "" for n in (1, 2, 4)]
        key = self.dataset.key[0] if self.dataset.key and not (self.group or self.number) else None
        keys = [f"{key}: {_text('K-1')}" if key else ""] * 3
        given = [", ".join(filter(None, row)) for row in zip(groups, numbers, keys, strict=True)]
        counts = [(2, 3), (1, 4)] if self.group is not None else [(3, 7)]
        expected = [
            ", ".join(filter(None, (mart, f"records: {rows}", f"total: {total}" if self.number else "")))
            for mart, (rows, total) in zip(marts, counts, strict=True)
        ]
        return given, expected


def _quoted(name: str) -> str:
    return f'"{name}"'


def _text(value: str) -> str:
    """Return *value* as YAML, in quotes."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
