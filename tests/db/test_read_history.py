"""The history of one row: every change of it, as far as whoever asks sees the row and its fields."""

import pytest
from tests.served_clinic import opened, visit

from daftari.errors import AccessRefused
from daftari.operations.read.read_history import read_history


@pytest.fixture
def house(filled, tmp_path):
    with opened(filled, tmp_path) as made:
        yield made


def told(house, role="matron", key="V1", **said):
    """What changed, newest first: field, old, new; of the event that brought the row, what it is."""
    events = read_history(house.conn, house.reader(role, **said), [key])
    if events is None:
        return None
    return [
        sorted((it.field, it.old, it.new) for it in event.fields) if event.fields else event.what
        for event in events
    ]


def test_a_row_that_never_changed_was_inserted_by_its_run(house):
    house.post(visit(1))
    (event,) = read_history(house.conn, house.reader(purpose="a test"), ["V1"])
    assert (event.what, event.run_id is not None) == ("inserted", True)


def test_each_change_tells_what_was_and_what_became_and_who_did_it(house):
    house.post(visit(1, fee=1))
    house.post(visit(1, fee=2))
    house.post(visit(1, fee=3, ward="B"))
    events = read_history(house.conn, house.reader(purpose="a test"), ["V1"])
    assert told(house, purpose="a test") == [
        [("fee", "2.00", "3.00"), ("ward", "A", "B")],
        [("fee", "1.00", "2.00")],
        "inserted",
    ]
    assert [it.actor for it in events] == ["test matron", "test matron", None]
    runs = [it.run_id for it in events]
    assert runs == sorted(runs, reverse=True)
    assert len(set(runs)) == 3


def test_the_changes_of_another_row_are_not_in_it(house):
    house.post(visit(1, fee=1), visit(2, fee=1))
    house.post(visit(2, fee=9))
    assert told(house, purpose="a test") == ["inserted"]


def test_a_row_that_is_not_seen_has_no_history_and_neither_has_one_that_is_not_there(house):
    house.post(visit(1, ward="B"))
    assert told(house, "nurse", purpose="a test") is None
    assert told(house, "nurse", key="V9", purpose="a test") is None
    assert told(house, "matron", purpose="a test") == ["inserted"]


def test_a_masked_field_shows_that_it_changed_and_not_what_it_was(house):
    house.post(visit(1, patient="Wanjiku"))
    house.post(visit(1, patient="Achieng"))
    assert told(house, "porter", purpose="a test") == [[("patient", "***", "***")], "inserted"]


def test_who_reads_nothing_of_a_dataset_reads_no_history_of_it(house):
    house.post(visit(1))
    with pytest.raises(AccessRefused):
        told(house, "kiosk")
