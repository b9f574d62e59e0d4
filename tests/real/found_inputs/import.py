"""What is right for first contracts that are made from files."""

from __future__ import annotations

import re

from daftari.contract.reader.read import read_contract


def fields(ran):
    """The type of each field, `required` and `key` where it is, and the remarks beside it."""
    assert ran.last.exit_code == 0, ran.last.err
    dataset = read_contract(ran.last.out, source="new").dataset
    return {
        it.name: " ".join([it.logical_type.value, *["required"] * it.required, *["key"] * it.is_key])
        for it in dataset.fields
    }


def remarks(ran):
    """The comments beside each field, by its name."""
    parts = re.split(r"^ +- name: (\w+)\n", ran.last.out.split("    properties:\n")[1], flags=re.MULTILINE)
    found = {
        name: re.findall(r"^ +# (.*)$", text, flags=re.MULTILINE)
        for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }
    return {name: lines for name, lines in found.items() if lines}


def import_1(ran):
    assert fields(ran) == {
        "ref": "string required key",
        "supplier": "string required",
        "paid_on": "date required",
        "amount": "number required",
    }
    assert "# Left out: 1 total row, line 5.\n" in ran.last.out


def import_2(ran):
    assert fields(ran) == {
        "ref": "string required key",
        "supplier": "string required",
        "paid_on": "date",
        "amount": "number required",
    }
    assert remarks(ran) == {
        "paid_on": ["The word '#REF!' stands in 1 row in place of a value: declare it in null_words."],
        "amount": ["19 of 20 values read as numbers; the other 1 would be rejected."],
    }


def import_3(ran):
    assert ran.last.exit_code == 20
    assert ran.last.out == ""
    assert "looks like a row, not a header" in ran.last.err
    assert "--header-row 0" in ran.last.err
    assert "Achieng" not in ran.last.err


def import_4(ran):
    assert fields(ran) == {"item_id": "string required key", "amount": "number required"}
    assert remarks(ran) == {"amount": ["Written with an exponent, as in 9.9E-9: 1 of 3 values."]}


def import_5(ran):
    assert fields(ran) == {"item_id": "string required key", "amount": "number"}
    assert remarks(ran) == {
        "amount": ["The word 'UNKNOWN' stands in 6 rows in place of a value: declare it in null_words."]
    }


def import_6(ran):
    assert fields(ran) == {"item_id": "string required key", "amount": "number required"}
    assert "# Left out: the header again, 1 time.\n# Left out: 1 total row, line 6.\n" in ran.last.out


def import_7(ran):
    assert fields(ran) == {
        "receipt_id": "string required key",
        "sum": "number required",
        "quantity": "integer required",
    }
    assert remarks(ran) == {
        "quantity": [
            "The dot before three digits is ambiguous; by the file's other columns it groups thousands."
        ]
    }


def import_8(ran):
    assert fields(ran) == {"depot_id": "string required key", "pieces": "integer required"}
    assert remarks(ran)["pieces"][0].startswith("The dot before three digits is ambiguous")


def import_9(ran):
    found = fields(ran)
    assert found["deed"] == "string required"
    assert found["signed"] == "date required" or remarks(ran)["signed"][0].startswith(
        "Its values look like dates"
    )
