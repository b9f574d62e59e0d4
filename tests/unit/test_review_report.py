"""The report of a review is one page that stands alone, whatever names stand in it."""

import re
from datetime import UTC, date, datetime

import pytest

from daftari.compile.review import HeldAccess, Reach
from daftari.io.review.report import as_html
from daftari.io.review.reviews import Review, ReviewEntry, review_digest

NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
REACH = Reach(relation="ops.teams", privileges=("select",), columns=("team",), rows=1200)


def review(**changed):
    accesses = [
        HeldAccess(
            kind="membership", grantee="<b>amina</b>", object="reader", through=("reader",), reach=(REACH,)
        ),
        HeldAccess(kind="attribute", grantee="otieno", object="superuser", through=("no policy holds it",)),
    ]
    entries = (
        ReviewEntry(entry_no=1, access=accesses[0], is_new=True, decision="keep", decided_by="dpo", decided_at=NOW,
              reason="pays the staff", outcome="kept"),
        ReviewEntry(entry_no=2, access=accesses[1], is_new=False, outcome="left: another has to"),
    )  # fmt: skip
    facts = {
        "review_id": 3, "quarter": "2026q4", "deadline": date(2026, 12, 1), "started_at": NOW, "started_by": "ops",
        "closed_at": NOW, "closed_by": "ops", "digest": "ab12", "entries": entries,
    }  # fmt: skip
    return Review(**{**facts, **changed})


def test_it_has_each_entry_with_what_was_decided_and_what_came_of_it():
    page = as_html(review(), is_as_attested=True, now=NOW, time_zone="Africa/Nairobi")
    assert "ops.teams: select of team; 1,200 rows" in page
    assert "keep by dpo, 2026-11-01 12:00 EAT: pays the staff" in page
    assert "left: another has to" in page
    assert "1 kept, 0 revoked, 1 left to do, 1 never decided" in page


def test_a_name_is_text_and_no_markup():
    page = as_html(review(), is_as_attested=True, now=NOW, time_zone="Africa/Nairobi")
    assert "<b>amina</b>" not in page
    assert "&lt;b&gt;amina&lt;/b&gt;" in page


def test_it_needs_nothing_from_outside_and_runs_nothing():
    page = as_html(review(), is_as_attested=True, now=NOW, time_zone="Africa/Nairobi")
    assert not re.search(r"<(script|link|img|iframe)|https?://|url\(", page)


def test_one_that_was_changed_since_says_so():
    assert "does not attest this review" in as_html(
        review(), is_as_attested=False, now=NOW, time_zone="Africa/Nairobi"
    )


def test_the_digest_is_of_all_but_the_closing():
    plain = review_digest(review())
    assert plain == review_digest(review(closed_by="another", digest=None))
    assert plain != review_digest(review(quarter="2026q3"))
    assert plain != review_digest(review(entries=review().entries[:1]))


@pytest.mark.parametrize(
    ("zone", "shown"), [("Africa/Nairobi", "2026-11-01 12:00 EAT"), ("America/Lima", "2026-11-01 04:00 -05")]
)
def test_its_times_are_in_the_workspaces_zone_and_say_so(zone, shown):
    assert f"keep by dpo, {shown}: pays the staff" in as_html(
        review(), is_as_attested=True, now=NOW, time_zone=zone
    )
