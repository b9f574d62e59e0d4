"""Work done ahead of its consumer: in order, no further ahead than told, and gone when nobody wants it."""

from __future__ import annotations

import threading
from itertools import count, islice

import pytest

from daftari.io.load.prefetch import prefetch


class Spoilt(Exception):
    pass


def until_spoilt(items):
    yield from items
    raise Spoilt


def test_items_come_in_order():
    assert list(prefetch(iter(range(100)), depth=3)) == list(range(100))


def test_nothing_is_nothing():
    assert list(prefetch([])) == []


def test_an_error_comes_after_the_items_before_it():
    found = []

    with pytest.raises(Spoilt):
        for item in prefetch(until_spoilt([1, 2, 3])):
            found.append(item)

    assert found == [1, 2, 3]


def test_an_item_may_be_an_error_or_false():
    items = [None, 0, False, Spoilt()]

    assert list(prefetch(items)) == items


def test_a_consumer_that_stops_stops_the_work():
    made = []

    def items():
        for number in count():
            made.append(number)
            yield number

    found = prefetch(items(), depth=2)
    taken = list(islice(found, 3))
    found.close()
    after = len(made)

    assert taken == [0, 1, 2]
    assert after <= 3 + 2 + 1  # taken, waiting, and the one at hand
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]
    assert len(made) == after


def test_a_consumer_that_fails_stops_the_work():
    with pytest.raises(Spoilt):
        for _ in prefetch(count()):
            raise Spoilt

    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_the_work_is_done_while_the_consumer_is_busy():
    second_is_made = threading.Event()

    def items():
        yield 1
        second_is_made.set()
        yield 2

    for item in prefetch(items(), depth=1):
        assert item == 2 or second_is_made.wait(timeout=5)
