from __future__ import annotations

import polars as pl
import pytest

from daftari.contract.draft_contract import (
    ColumnProfile,
    ReferenceProfile,
    TableProfile,
    contract_text,
    sql_name_of,
)
from daftari.contract.governable.governable import governable
from daftari.contract.model import LogicalType, Relationship
from daftari.contract.reader.read import read_contract
from daftari.rows.mapping.column_profile import profile_columns


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Net Amount (KES)", "net_amount_kes"),
        ("employeeID", "employee_id"),
        ("NetAmount", "net_amount"),
        ("Établissement", "etablissement"),
        ("2024 total", "n_2024_total"),
        ("", "unnamed"),
        ("数量", "unnamed"),
        ("created_at", "source_created_at"),
        ("xmin", "source_xmin"),
        ("a" * 80, "a" * 63),
        ('x"; drop table y', "x_drop_table_y"),
    ],
)
def test_any_heading_becomes_a_name_that_a_table_may_have(name, expected):
    assert sql_name_of(name) == expected


def of_columns(*columns: ColumnProfile, **changes) -> TableProfile:
    return TableProfile(
        **({"name": "Staff list", "columns": columns, "origin": "staff.csv, 3 rows"} | changes)
    )


def column(name: str, kind: LogicalType = LogicalType.STRING, **known) -> ColumnProfile:
    return ColumnProfile(name=name, logical_type=kind, **known)


def test_what_is_made_lints_clean_and_is_governable_whatever_the_source_calls_things():
    headings = ["Staff No", "staff no", "created_at", "yes", "a: b # c", "[x]", "'", "数", "量", "a\nb"]
    profile = of_columns(*map(column, headings), name="Überstunden 2024: #1")
    contract = read_contract(contract_text(profile), source="c")
    assert governable(contract) == ()
    assert contract.dataset.name == "uberstunden_2024_1"
    names = [field.name for field in contract.dataset.fields]
    assert names[:3] == ["staff_no", "staff_no_2", "source_created_at"]
    assert len(set(names)) == len(headings)


def test_what_is_known_of_a_column_is_in_the_contract_and_the_rest_is_left_to_people():
    profile = of_columns(
        column("Staff No", unique=True, key_position=1),
        column("Status", allowed=("no", "on", "1e3")),
        column("Net Pay", LogicalType.NUMBER, physical_type="numeric(14,2)", required=True),
        column("E-mail"),
        references=(ReferenceProfile(columns=("Status",), target="States", target_columns=("Code",)),),
    )
    text = contract_text(profile)
    key, status, pay, email = read_contract(text, source="c").dataset.fields
    assert (key.name, key.required, key.unique, key.key_position) == ("staff_no", True, True, 1)
    assert status.allowed == ("no", "on", "1e3")  # words, to any reader of YAML
    assert '"no"' in text
    assert (pay.physical_type, pay.required, pay.options.minimum) == ("numeric(14,2)", True, None)
    assert pay.business_name == "Net Pay"  # the heading, by which a load finds it
    assert (pay.classification, email.classification) == ("internal", "personal")
    assert {field.description for field in (key, status, pay, email)} == {"To be described."}
    [relation] = read_contract(text, source="c").dataset.relationships
    assert relation == Relationship(fields=("status",), target="states", target_fields=("code",))


def test_the_text_says_that_it_is_a_beginning():
    assert contract_text(of_columns(column("a"))).startswith(
        "# A draft contract, made from staff.csv, 3 rows.\n# Review it before it governs anything:"
    )


def typed(*values: str | None) -> tuple[str, bool]:
    [profile] = profile_columns(pl.DataFrame({"v": list(values)}, schema={"v": pl.String}))
    return profile.logical_type.value, profile.required


@pytest.mark.parametrize(
    ("values", "kind", "required"),
    [
        (("1", "2", "30"), "integer", True),
        (("1", None, "3"), "integer", False),
        (("1", " ", "3"), "integer", False),
        (("1", "n/a", "3"), "integer", False),  # a word for nothing
        (("1,234", "12,345,678"), "integer", True),
        (("1.5", "2"), "number", True),
        (("3.00", "4.00"), "number", True),
        (("1,234.50", "(7.25)"), "number", True),
        (("0", "1"), "integer", True),  # counts, for all anyone knows
        (("yes", "No"), "boolean", True),
        (("00123", "04560"), "string", True),  # leading zeros are lost in a number
        (("+254700000001", "+254700000002"), "string", True),
        (("12345678901234567890",), "string", True),
        (("2026-01-31", "2026-02-01"), "date", True),
        (("31/01/2026", "01/02/2026"), "date", True),
        (("01/02/2026", "03/04/2026"), "date", True),  # which is the day a mapping must say
        (("2026-01-31T10:00:00Z",), "timestamp", True),
        (("10:30", "23:59"), "time", True),
        (("a", "1", "2"), "string", True),
        ((None, None), "string", False),
        ((), "string", False),
    ],
)
def test_a_column_has_the_narrowest_type_that_all_its_values_have(values, kind, required):
    assert typed(*values) == (kind, required)


def of_cells(**columns: list[str | None]) -> dict[str, ColumnProfile]:
    return {profile.name: profile for profile in profile_columns(pl.DataFrame(columns))}


def test_the_first_unique_column_that_is_called_like_a_key_is_the_key():
    numbers = [str(n) for n in range(30)]
    found = of_cells(amount=numbers, note=[f"n{n}" for n in numbers], claim_id=numbers, user_no=numbers)
    assert [name for name, one in found.items() if one.key_position] == ["claim_id"]
    assert [name for name, one in found.items() if one.unique] == ["claim_id", "user_no"]


def test_a_repeated_or_missing_value_is_in_no_key():
    assert not of_cells(claim_id=["1", "2", "2"])["claim_id"].unique
    assert not of_cells(claim_id=["1", "2", None])["claim_id"].unique


@pytest.mark.parametrize(
    ("values", "rows", "expected"),
    [
        (["b", "a"], 20, ("a", "b")),
        (["b", "a"], 19, ()),  # too few rows to tell
        (["a"], 20, ()),  # a constant is no set
        ([f"v{n}" for n in range(12)], 120, tuple(sorted(f"v{n}" for n in range(12)))),
        ([f"v{n}" for n in range(13)], 1300, ()),
        (["a", "b" * 64], 100, ()),  # longer than a value of an enum may be
        (["1", "2"], 100, ()),  # numbers
    ],
)
def test_few_words_among_many_rows_are_a_closed_set(values, rows, expected):
    repeated = [values[n % len(values)] for n in range(rows)]
    assert of_cells(v=repeated)["v"].allowed == expected


def test_values_are_shown_only_when_asked_for():
    cells = pl.DataFrame({"name": ["Amina", "Otieno"]})
    profile = of_columns(*profile_columns(cells))
    assert "Amina" not in contract_text(profile)
    assert "Amina" in contract_text(of_columns(*profile_columns(cells, examples=True)))
