"""Small tables of text, taken the way a file's rows are taken."""

import polars as pl

from daftari.contract.model import Dataset, Field, LogicalType
from daftari.rows.formats.inference import infer_styles
from daftari.rows.formats.parse import ParsedRows, to_rows
from daftari.rows.intake.block import Block
from daftari.rows.mapping.column_plan import ColumnPlan, resolve_columns
from daftari.rows.mapping.mapping import Mapping


def field(name, kind="string", physical=None, *, required=False, key=False, unique=False):
    return Field(
        name=name,
        logical_type=LogicalType(kind),
        physical_type=physical,
        required=required or key,
        unique=unique,
        key_position=1 if key else None,
    )


def dataset(*fields, name="d"):
    return Dataset(name=name, fields=fields)


def block(columns, *, first_line=2):
    """A block of *columns*: header to cells, where None is an empty cell."""
    cells = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String()))
    lines = pl.Series("line", range(first_line, first_line + cells.height), dtype=pl.Int64)
    return Block(cells=cells, lines=lines)


def plan_of(columns, fields, mapping=None) -> ColumnPlan:
    mapping = Mapping.model_validate({"dataset": "d", **(mapping or {})})
    plan = resolve_columns(mapping, tuple(columns), dataset(*fields), file="f.csv")
    return infer_styles(plan, [block(columns)])


def rows_of(columns, fields, mapping=None) -> ParsedRows:
    """Take *columns* the whole way: resolve, settle, type."""
    return to_rows(plan_of(columns, fields, mapping), block(columns), dataset(*fields))


def column_of(texts, kind, physical=None, **source):
    """Read one column of *texts* as *kind*, in the styles that it shows or *source* declares."""
    rows = rows_of(
        {"x": list(texts)}, [field("x", kind, physical)], {"fields": {"x": {"from": "x", **source}}}
    )
    return rows.values["x"].to_list()
