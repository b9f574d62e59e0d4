"""What a request was told is kept in few words, and told again in all of them."""

from hypothesis import given
from hypothesis import strategies as st

from daftari.operations.write.write_requests import RecordOutcome, kept_answer, to_keep

REASONS = st.sampled_from([(), ({"rule": "fee.minimum", "field": "fee", "reason": "is below 0"},)])
OUTCOMES = st.builds(RecordOutcome, status=st.sampled_from(["inserted", "quarantined"]), reasons=REASONS)


@given(st.lists(OUTCOMES))
def test_every_outcome_is_told_again_in_its_place(outcomes):
    answer = kept_answer(7, to_keep(outcomes))
    assert (answer.run_id, answer.is_repeated) == (7, True)
    assert list(answer.outcomes) == outcomes


def test_a_thousand_that_are_alike_are_kept_once():
    assert to_keep([RecordOutcome(status="inserted")] * 1000) == {
        "outcomes": [{"status": "inserted", "reasons": (), "times": 1000}]
    }


def test_what_was_kept_of_each_alone_is_told_too():
    kept = {"outcomes": [{"status": "inserted", "reasons": []}, {"status": "updated", "reasons": []}]}
    assert [it.status for it in kept_answer(1, kept).outcomes] == ["inserted", "updated"]
