"""A source mapping for the file that a new pipeline was made from."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from daftari.contract.draft_contract import ColumnProfile, TableProfile, field_names

#: The key of a dataset whose file has none.
ROW_KEY = "row_key"


@dataclass(frozen=True, kw_only=True)
class FileLayout:
    """What is known of the file, beside its columns."""

    name: str  #: of the file
    sheet: str | None = None
    header_row: int | None = None  #: as stated; None: a load finds it by itself


def mapping_text(profile: TableProfile, dataset: str, layout: FileLayout) -> str:
    """Return a source mapping: each field from its column, with the formats that the values leave open."""
    names = field_names(column.name for column in profile.columns)
    columns = [column for column in profile.columns if column.name != ROW_KEY]
    fields = CommentedMap()
    if len(columns) < len(profile.columns):
        headers = [Quoted(column.name) for column in columns]
        fields[ROW_KEY] = {"digest": {"of": headers, "occurrence": True}}
        fields.yaml_set_comment_before_after_key(
            ROW_KEY, before="No column identifies a row: a digest of its content does.", indent=2
        )
    for column in columns:
        fields[names[column.name]] = _source(column)
        if column.format or column.decimal:
            fields.yaml_set_comment_before_after_key(
                names[column.name], before="A guess, because the values leave it open: check it.", indent=2
            )
    document = CommentedMap(
        dataset=dataset,
        source="State who sends it",
        match=[*_globs(layout.name), Quoted(f"{dataset}.sample.csv")],
    )
    if layout.sheet is not None:
        document["sheet"] = Quoted(layout.sheet)
    if layout.header_row is not None:
        document["header_row"] = layout.header_row
    document["fields"] = fields
    document.yaml_set_start_comment(
        f"Maps the publisher's file to the fields of {dataset};"
        f" `daftari load {dataset} FILE --explain` shows the result."
    )
    return _dumped(document)


def _source(column: ColumnProfile) -> Any:
    """Return the source of a field: its column, with what the values leave open."""
    source: dict[str, Any] = {"from": Quoted(column.name)}
    if column.format:
        source["format"] = Quoted(column.format)
    if column.decimal:
        source |= {
            "decimal": Quoted(column.decimal),
            "thousands": Quoted("," if column.decimal == "." else "."),
        }
    if column.null_words:
        source["null_words"] = [Quoted(word) for word in column.null_words]
    return source if len(source) > 1 else source["from"]


def _globs(name: str) -> list[str]:
    """Return the globs of the file's own name and of its later editions: march-2026.csv, march-2027.csv."""
    end = "".join(f".{part}" for part in name.split(".")[1:])
    stem = name.removesuffix(end).rstrip("0123456789-_. ")
    own = name.replace("[", "[[]")
    later = f"{stem.replace('[', '[[]')}*{end}" if stem else own
    return [Quoted(glob) for glob in dict.fromkeys([own, later])]


def _dumped(document: CommentedMap) -> str:
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 200
    text = StringIO()
    yaml.dump(document, text)
    return text.getvalue()
