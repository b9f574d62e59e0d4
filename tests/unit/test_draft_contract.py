from __future__ import annotations

import re

import polars as pl
import pytest

from daftari.contract.draft_contract import (
    ColumnProfile,
    ReferenceProfile,
    TableProfile,
    contract_text,
    is_personal_of,
    sql_name_of,
)
from daftari.contract.governable.governable import governable
from daftari.contract.model import LogicalType, Relationship
from daftari.contract.reader.read import read_contract
from daftari.rows.profile.column_profile import profile_columns, trimmed


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
    [profile] = profile_columns(trimmed(pl.DataFrame({"v": list(values)}, schema={"v": pl.String}))).columns
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
    return {profile.name: profile for profile in profile_columns(pl.DataFrame(columns)).columns}


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
    found = of_cells(status=repeated, v=repeated)
    assert found["status"].allowed == expected
    assert found["v"].allowed == ()  # its name does not say that its values are kinds
    assert any("if they are a closed set" in remark for remark in found["v"].remarks) == bool(expected)


def test_values_are_shown_only_when_asked_for():
    cells = pl.DataFrame({"town": ["Kisumu", "Nakuru"]})
    assert "Kisumu" not in contract_text(of_columns(*profile_columns(cells).columns))
    assert "Kisumu" in contract_text(of_columns(*profile_columns(cells, examples=True).columns))


#: header, values: no value of these may be in a contract, whatever is asked for
OF_PERSONS = [
    ("Buyer", ["Amina Otieno", "Brian Mwangi", "Wanjiku Kamau"]),
    ("buyer", ["AMINA OTIENO", "Kamau, Wanjiku", "Mr. Zuberi Komba"]),
    ("Status", ["Amina", "Otieno", "Zuberi"]),
    ("Handled by", ["amina", "brian"]),
    ("Jina", ["Zuberi Komba", "Rukia Salehe"]),
    ("Name", ["Zuberi Komba", "Rukia Salehe"]),
    ("Simu", ["0712345678", "0722 345 678", "+254 733 345678"]),
    ("Contact", ["254712345678", "2.54712E+11"]),
    ("Barua", ["amina@example.org", "brian@example.co.ke"]),
    ("Remarks", ["write to amina@example.org", "paid"]),
    ("KRA", ["A001234567B", "P051234567Z"]),
    ("ID No", ["23456789", "34567890"]),
    ("Account Number", ["0123456789", "0123456780"]),
    ("gender", ["F", "M"]),
]


@pytest.mark.parametrize(("header", "values"), OF_PERSONS)
def test_a_column_about_persons_is_personal_and_none_of_its_values_is_written(header, values):
    rows = [values[n % len(values)] for n in range(200)]
    profiled = profile_columns(pl.DataFrame({header: rows}), examples=True)
    text = contract_text(of_columns(*profiled.columns, remarks=profiled.remarks))
    assert "classification: personal" in text
    assert [value for value in values if re.search(rf"\b{re.escape(value)}\b", text.replace("F/M", ""))] == []


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("account_code", ["4100", "4200", "5100"]),
        ("Department name", ["Finance", "Human Resources", "Operations"]),
        ("Supplier", ["Alpha Ltd", "Kilima Stores", "Grace Enterprises", "TotalEnergies"]),
        ("product_name", ["Printer paper", "Toner", "Rose water"]),
        ("Amount", ["712345678", "123456", "98765432"]),
        ("Budget class", ["Salaries", "Travel", "Rent"]),
        ("salary_grade", ["A", "B", "C"]),
        ("name", ["Alpha Ltd", "Beta Company Limited", "Kilima Stores"]),
        ("paid_on", ["2026-03-01", "2026-03-02"]),
    ],
)
def test_a_column_about_something_else_is_not_personal(header, values):
    [profile] = profile_columns(pl.DataFrame({header: values * 20})).columns
    assert (profile.personal, is_personal_of(profile)) == ("", False)


def test_identity_numbers_beside_names_are_personal_without_a_name_that_says_so():
    cells = pl.DataFrame(
        {
            "Mwalimu": ["Amina Otieno", "Brian Mwangi", "Chebet Koech"],
            "Nambari": ["23456789", "34567890", "12345678"],
            "Kiasi": ["1200", "1300", "1400"],
        }
    )
    assert [bool(one.personal) for one in profile_columns(cells).columns] == [True, True, False]


#: values, type, the start of the remark
DOUBTED = [
    (
        ["1"] * 83 + ["x1 y"] * 17,
        "integer",
        "83 of 100 values read as whole numbers; the other 17 would be rejected",
    ),
    (
        ["1"] * 79 + [f"x{n} y" for n in range(21)],
        "string",
        "79 of 100 values read as whole numbers; kept as text",
    ),
    (["1.5", "2.5", "UNKNOWN"] * 4, "number", "The word 'UNKNOWN' stands in 4 rows in place of a value"),
    (
        ["1.5", "2.5", "awaiting"] * 4,
        "number",
        "8 of 12 values read as numbers; the other 4 would be rejected",
    ),
    (["2026-03-01"] * 19 + ["#REF!"], "date", "The word '#REF!' stands in 1 row in place of a value"),
    (["2026-03-01"] * 19 + ["soon"], "date", "19 of 20 values read as dates; the other 1 would be rejected"),
    (["01/02/2026", "03/04/2026"], "date", "No single style reads all of its dates"),
    (["1.000", "12.000"], "integer", "The dot before three digits is ambiguous"),
    (["1.500", "12.250"], "number", "The dot before three digits is ambiguous"),
    (["1,500", "12,250"], "integer", "The comma before three digits is ambiguous"),
    (["78.8", "2.8e-14", "400"], "number", "Written with an exponent, as in 9.9E-9: 1 of 3 values"),
    (["the 14 of September 2012", "the 3 of March 2013"], "string", "Its values look like dates"),
    (["R-1", "R-2"], "string", ""),
    (["R1", "R22"], "string", ""),
    (["R 1.50", "R 22.00"], "number", ""),
    (["KES 1.50", "KES 22.00"], "number", ""),
]


@pytest.mark.parametrize(("values", "kind", "remark"), DOUBTED)
def test_a_type_is_that_of_the_majority_and_the_others_are_counted(values, kind, remark):
    [profile] = profile_columns(pl.DataFrame({"v": values})).columns
    assert profile.logical_type.value == kind
    assert [one.startswith(remark) for one in profile.remarks] == ([True] if remark else [])


def test_an_identifier_is_text_unless_every_value_fits():
    found = of_cells(post_ref=["1"] * 99 + ["CO118"], other=["1"] * 99 + ["CO118"])
    assert [one.logical_type.value for one in found.values()] == ["string", "integer"]


def test_an_identity_number_is_no_key():
    found = of_cells(**{"ID No": ["23456789", "34567890"], "Claim No": ["1", "2"]})
    assert [name for name, one in found.items() if one.key_position] == ["Claim No"]


def test_a_decimal_mark_of_one_column_reads_the_dots_of_another():
    found = of_cells(sum=["28,00", "134,49"], quantity=["1.234", "2.500"], weight=["1,234", "2,500"])
    assert [one.logical_type.value for one in found.values()] == ["number", "integer", "number"]
    assert found["quantity"].remarks == (
        "The dot before three digits is ambiguous; by the file's other columns it groups thousands.",
    )


@pytest.mark.parametrize(
    ("cells", "remark"),
    [
        ({"id": ["1", "2"], "code": ["a", "b"]}, "Key: 'id'. Also unique: 'code'."),
        ({"depot": ["a", "b"]}, "No key is stated. Unique in this file: 'depot'."),
        (
            {"depot": ["a", "a", "b"], "day": ["1", "2", "1"]},
            "No key is stated. Unique together in this file: 'depot' with 'day'.",
        ),
        ({"depot": ["a", "a"]}, "No key is stated, and no column or pair of columns is unique in this file."),
    ],
)
def test_candidates_for_a_key_are_named_or_a_digest_is_proposed(cells, remark):
    remarks = profile_columns(pl.DataFrame(cells)).remarks
    assert remarks[0].startswith(remark)
    assert ("digest" in " ".join(remarks)) == ("Key:" not in remark)
