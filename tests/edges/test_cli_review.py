"""daftari review and daftari reveal at the terminal: what they say, and their exit codes."""

from __future__ import annotations

import stat
import uuid

import pytest


@pytest.fixture
def visitor(clinic):
    """A login with a grant that no contract gives."""
    clinic.load("V1,2026-03-01,A,Wanjiku,10,asthma")
    name = f"visitor_{uuid.uuid4().hex[:6]}"
    clinic.conn.execute(
        f"create role {name} login; grant usage on schema ops to {name}; grant select on ops.visits to {name}"
    )
    yield name
    clinic.conn.execute(f"drop owned by {name}; drop role {name}")


def number_of(review, grantee):
    return next(it["entry_no"] for it in review["entries"] if it["access"]["grantee"] == grantee)


def keep_others(daftari, review, visitor, own):
    others = [
        str(it["entry_no"]) for it in review["entries"] if it["access"]["grantee"] not in (visitor, own)
    ]
    if others:
        assert daftari("review", "decide", "keep", *others, "--reason", "not of this test").exit_code == 0


def test_a_review_goes_from_its_start_to_its_report(daftari, clinic, visitor):
    review = daftari(
        "review", "start", "--quarter", "2026Q4", "--deadline", "2026-01-01", "--output", "json"
    ).json
    number = number_of(review, visitor)
    said = daftari("review", "show", "--open")
    assert said.lines[0].startswith(f"Access review {review['review_id']}, 2026q4: ")
    assert all(len(line) <= 80 for line in said.lines[1:])
    keep_others(daftari, review, visitor, clinic.conn.info.user)

    decided = daftari("review", "decide", "revoke", str(number), "--reason", "left in October")
    assert decided.lines == [f"{number}: revoke grant of ops.visits for {visitor}"]
    tried = daftari("review", "close", "--dry-run")
    assert f'would run: revoke all on ops.visits from "{visitor}"' in tried.lines
    closed = daftari("review", "close", "--report", "review.html")
    assert f'ran: revoke all on ops.visits from "{visitor}"' in closed.lines
    assert closed.lines[-1] == "wrote review.html"
    page = (clinic.folder / "review.html").read_text("utf-8")
    assert visitor in page and "left in October" in page
    assert daftari("review", "show").exit_code == 0


def test_what_was_changed_since_is_an_error_and_in_the_report(daftari, clinic, visitor):
    review = daftari("review", "start", "--deadline", "2026-01-01", "--output", "json").json
    keep_others(daftari, review, visitor, clinic.conn.info.user)
    daftari("review", "close")
    clinic.conn.execute("alter table daftari.access_review_entry disable trigger all")
    clinic.conn.execute("update daftari.access_review_entry set outcome = 'kept'")

    shown = daftari("review", "show")
    assert shown.exit_code == 60
    assert "does not match the audit" in shown.err
    assert daftari("review", "report", "review.html").exit_code == 60
    assert "does not attest this review" in (clinic.folder / "review.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show",), 64, "review: none exists yet"),
        (("close",), 64, "review: none is open"),
        (
            ("start", "--quarter", "autumn"),
            3,
            "--quarter autumn: is not a quarter; expected one such as 2026q4",
        ),
        (("decide", "perhaps", "1"), 3, "review decide: 'perhaps'; expected keep or revoke"),
        (("decide", "keep"), 3, "review decide: nothing to decide on"),
    ],
)
def test_what_a_user_does_wrong_is_one_line_with_an_exit_code(daftari, words, code, said):
    found = daftari("review", *words)
    assert found.exit_code == code
    assert found.err.startswith(f"error: {said}")


def test_revealing_writes_a_file_for_its_owner_alone_and_over_none(daftari, clinic):
    clinic.load("V1,2026-03-01,A,Wanjiku,10,asthma")
    asked = ["reveal", "visits", "visit_id", "fee", "--purpose", "a question", "--where", "visit_id=V1"]
    user = clinic.conn.info.user
    said = daftari(*asked, "--as", user, "--to", "out.csv")
    assert said.lines[0] == "wrote out.csv: 1 row, readable by its owner only"
    path = clinic.folder / "out.csv"
    assert path.read_bytes() == b"\xef\xbb\xbfvisit_id,fee\r\nV1,10.00\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = daftari(*asked, "--as", user, "--to", "out.csv")
    assert (again.exit_code, again.err.splitlines()[0]) == (
        3, "error: --to out.csv: exists already; expected a new file",
    )  # fmt: skip
    odd = daftari(
        "reveal", "visits", "fee", "--purpose", "x", "--as", user, "--to", "b.csv", "--where", "fee"
    )
    assert odd.err.splitlines()[0] == "error: --where fee: has no =; expected FIELD=VALUE"
    assert not (clinic.folder / "b.csv").exists()
