"""The page on source mappings names every key, and no other; its example is a mapping."""

import re
from pathlib import Path

from daftari.rows.mapping.mapping import FieldSource, Mapping
from daftari.rows.mapping.mapping_reader import read_mapping

PAGE = (Path(__file__).parents[2] / "docs/reference/mapping.md").read_text("utf-8")


def rows_of_section(heading):
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def keys_of(model, *internal):
    return {field.alias or name for name, field in model.model_fields.items() if name not in internal}


def test_every_key_of_a_mapping_is_on_the_page():
    assert rows_of_section("The file") == keys_of(Mapping, "name")


def test_every_key_of_a_field_is_on_the_page():
    assert rows_of_section("A field") == keys_of(FieldSource, "otherwise")


def test_the_example_can_be_read():
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    mapping = read_mapping(example[1], "example.yaml")
    assert mapping.fields["department_code"].lookup == {"4100": "FIN", "4300": "ICT"}
