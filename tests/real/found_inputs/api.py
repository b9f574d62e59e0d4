"""What is right for what is sent to the API."""

import csv
import io
import os
from pathlib import Path

from daftari.compile.quality.suites import suite
from daftari.io.workspace.files import read_workspace


def _problem(step):
    """The status of a refusal, and its fields with their reasons."""
    return step.status, [f"{it['field']} {it['reason']}" for it in step.json["errors"]]


def _stored(ran, key, columns="expense_id"):
    return ran.query(f"select {columns} from ops.expenses where expense_id like %s order by expense_id", key)


def api_1(ran):
    assert _problem(ran.last) == (422, ["supplier is not valid text (U+D83D alone)"])
    assert _stored(ran, "AP-SU") == []


def api_2(ran):
    assert ran.steps[0].status == 201
    assert _problem(ran.last) == (422, ["description is not valid text (U+DC00 alone)"])
    assert _stored(ran, "LU-1", "description") == [(None,)]


def api_3(ran):
    assert ran.last.status == 200
    assert [it["status"] for it in ran.last.json["records"]] == ["inserted", "quarantined", "inserted"]
    assert _stored(ran, "SB-%") == [("SB-1",), ("SB-3",)]


def api_4(ran):
    assert ran.last.status == 200
    assert (ran.last.json["counts"]["received"], ran.last.json["counts"]["quarantined"]) == (2, 1)
    assert _stored(ran, "SU-%") == [("SU-2",)]


def api_5(ran):
    assert ran.last.status == 200
    assert ran.last.json["counts"]["quarantined"] == 1


def api_6(ran):
    status, (reason,) = _problem(ran.last)
    assert (status, reason[:33]) == (422, "amount cannot be read as a number")
    ((size,),) = ran.query(
        "select max(octet_length(cells::text) + octet_length(preview::text)) from daftari.quarantine"
    )
    assert int(size) < 20_000


def api_7(ran):
    assert ran.last.status == 400


def api_8(ran):
    expected = [
        "supplier is a JSON object, not a single value",
        "description is a JSON array, not a single value",
    ]
    assert _problem(ran.last) == (422, expected)
    assert _stored(ran, "AP-NE") == []


def api_9(ran):
    assert [step.status for step in ran.steps] == [201, 200, 200, 422]
    # Another amount takes the approval of 100 back, and is not paid without one of its own.
    assert _stored(ran, "EA-1", "amount, status, approved_at") == [("99999.00", "submitted", None)]


def api_10(ran):
    assert ran.last.status == 201
    amend = "update ops.expenses set amount = %s where expense_id = 'EA-1' returning expense_id"
    ran.query(amend, 100)  # the case before has raised it
    contract = read_workspace(Path(os.environ["DAFTARI_WORKSPACE"])).dataset("expenses")[1]
    (check,) = (it for it in suite(contract).checks if it.id == "rule.not_claimed_twice")
    alike = ran.query(check.kwargs["unexpected_rows_query"].replace("\\:", ":"))
    ran.query(amend, 99999)
    assert {("EA-1",), ("EA-2",)} <= set(alike)


def api_11(ran):
    assert _problem(ran.last)[0] in (409, 422)
    assert _stored(ran, "EA-1%") == [("EA-1",)]


def api_12(ran):
    assert [step.status for step in ran.steps] == [200, 412]
    assert _stored(ran, "LU-1", "amount") == [("11.00",)]


def api_13(ran):
    assert [step.status for step in ran.steps] == [201, 200]
    (row,) = csv.DictReader(io.StringIO(ran.last.out))
    assert (row["supplier"][:11], row["description"]) == ("=HYPERLINK(", "@SUM(1+1)")
