"""Lines of a file that are not rows, and headers that are, found without a contract."""

from __future__ import annotations

import io

import polars as pl
import pytest

from daftari.io.delimited.header import Sought, find_layout
from daftari.rows.profile.column_profile import profile_columns, trimmed
from daftari.rows.profile.header_doubt import header_doubt
from daftari.rows.profile.other_lines import without_other_lines


def table(text: str) -> pl.DataFrame:
    return trimmed(pl.read_csv(io.StringIO(text), infer_schema=False))


def left_out(text: str) -> tuple[list[int], list[int]]:
    cells = table(text)
    found = without_other_lines(cells, pl.Series(range(2, cells.height + 2)))
    return list(found.totals), list(found.notes)


ROWS = "ref,supplier,day,amount\nK-1,Alpha,2026-03-01,10.00\nK-2,Beta,2026-03-02,20.50\n"


@pytest.mark.parametrize(
    ("lines", "totals", "notes"),
    [
        ("", [], []),
        (",,,30.50\n", [4], []),  # no word, and the sum
        (",,,31.50\n", [4], []),  # nothing but a number, at the end
        (
            ",,,31.50\nK-3,Gamma,2026-03-03,5.00\nK-4,Gamma,2026-03-03,5.00\nK-5,Gamma,2026-03-03,5.00\n",
            [],
            [],
        ),  # neither
        (",Total,,31.50\n", [4], []),  # a word, whatever it says
        ("Jumla,,,30.50\n", [4], []),
        ("JUMLA KUU:,,,30.50\n", [4], []),
        (",Sous-total,,30.50\n", [4], []),
        (
            ",Subtotal,,30.50\nK-3,Gamma,2026-03-03,5.00\n,Subtotal,,5.00\n,Grand Total,,35.50\n",
            [4, 6, 7],
            [],
        ),
        (",,,30.50\nK-3,Gamma,2026-03-03,5.00\n,,,5.00\n", [4, 6], []),  # since the last total
        ("K-3,Total,2026-03-03,5.00\n", [], []),  # a supplier of that name
        ("K-3,TotalEnergies,,5.00\n", [], []),
        ("K-3,Total Kenya Ltd,,5.00\n", [], []),
        ("K-3,Total,,5.00\n", [], []),  # a row with its own number that lacks a date
        ("Prepared by the accounts office,,,\nPage 1,,,\n", [], [4, 5]),
        ("Total,,,30.50\nPrepared by the accounts office,,,\n", [4], [5]),
    ],
)
def test_totals_and_notes_are_no_rows(lines, totals, notes):
    assert left_out(ROWS + lines) == (totals, notes)


def test_a_total_of_a_narrow_table_is_known_by_its_sum():
    assert left_out("item,amount\na,10\nb,20\nTotal,30\n") == ([4], [])
    assert left_out("item,amount\na,10\nb,20\nTotal,31\n") == ([], [])
    assert left_out("amount\n10\n20\n30\n") == ([], [])


def test_a_total_below_a_sparse_table_is_known_too():
    rows = "".join(f"K-{n},Alpha,,1.00\n" for n in range(300)) + "K-x,Beta,2026-03-01,1.00\n" * 400
    assert left_out("ref,supplier,day,amount\n" + rows + ",,,700.00\n") == ([702], [])
    assert left_out("ref,supplier,day,amount\n" + rows + ",Jumla,,700.00\n") == ([702], [])


def test_lines_of_dashes_are_no_rows():
    cells = table("ref,amount\n---,-----\nK-1,5\n")
    found = without_other_lines(cells, pl.Series([2, 3]))
    assert (found.rules, found.cells.rows()) == ((2,), [("K-1", "5")])


def doubt(text: str) -> str:
    cells = table(text)
    return header_doubt(cells.columns, cells, profile_columns(cells).kinds)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "Achieng Test,FIN,2013-06-10\nBaraka Test,ICT,1979-10-24\n",
            "one column has a date as the values below",
        ),
        (
            "Achieng Test,FIN,11310.00\nBaraka Test,ICT,53428.00\n",
            "one column has a number as the values below",
        ),
        ("K-1,12\nK-2,13\n", "one column has a number as the values below"),
        ("a@example.org,FIN\nb@example.org,ICT\n", "it holds an e-mail address or a phone number"),
        ("0712345678,x\n0722345678,y\n", "it holds an e-mail address or a phone number"),
        ("travel,open,x\nmeals,open,y\ntravel,closed,z\n", "2 columns have a value that occurs again below"),
        ("Amina Otieno,FIN\nBrian Mwangi,ICT\n", "it holds the name of a person, as the values below"),
        ("Amina Otieno,Brian Mwangi\n5,6\n", "its cells are names of persons"),
        ("ref,day,amount\nK-1,2013-06-10,5\n", ""),
        ("item,2024,2025\na,5,6\n", ""),  # years
        ("item,1,2,3\na,5,6,7\n", ""),  # months
        ("item,2026-01-01,2026-02-01\na,5,6\n", ""),  # numbers below dates
        ("Name,Grade\nAmina Otieno,A\n", ""),
        ("code,State\nState,x\n", ""),
    ],
)
def test_a_header_that_looks_like_a_row_is_doubted(text, why):
    assert doubt(text) == why


@pytest.mark.parametrize(
    "query",
    [
        "",
        "SELECT ref, supplier, amount FROM payments;\n",
        "-- payments of March\nselect ref, supplier, amount\nfrom payments\nwhere day > '2026-03-01'\n\n",
        "select\n  p.ref,\n  p.supplier,\n  p.amount\nfrom payments p;\n",
        "SQL> select ref, supplier, amount from payments;\n\n",
        "WITH p AS (\n  SELECT * FROM payments\n)\nSELECT ref, supplier, amount\nFROM p\nORDER BY 1\n",
        "-- written by hand, twice\n",
    ],
)
def test_a_query_above_the_header_is_skipped(query):
    text = query + "ref,supplier,amount\nK-1,Alpha,5\nK-2,Beta,6\n"
    assert find_layout(text, Sought(name="x.csv")).columns == ("ref", "supplier", "amount")


def test_a_line_of_dashes_below_a_header_ends_no_query():
    text = "select a, b\nfrom payments;\nref;amount\n-----;----\nK-1;5\nK-2;6\n"
    assert find_layout(text, Sought(name="x.csv")).columns == ("ref", "amount")


@pytest.mark.parametrize("header", ["Select,Name,Amount", "With VAT,Name,Amount", "Set,From,Amount"])
def test_a_header_that_begins_like_a_query_is_a_header(header):
    assert find_layout(f"{header}\nx,Alpha,5\ny,Beta,6\n", Sought(name="x.csv")).columns == tuple(
        header.split(",")
    )
