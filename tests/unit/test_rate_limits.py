"""How often somebody may ask: moments are given, no test waits for one."""

import pytest

from daftari.api.rate_limits import RateLimits
from daftari.errors import TooManyRequests


def test_as_many_as_the_burst_are_let_through_at_once_and_no_more():
    limits = RateLimits(10, 3)
    for _ in range(3):
        limits.take("a", at=5.0)
    with pytest.raises(TooManyRequests) as raised:
        limits.take("a", at=5.0)
    assert raised.value.seconds == 1


def test_what_was_refused_is_not_counted_and_time_brings_more():
    limits = RateLimits(10, 1)
    limits.take("a", at=0.0)
    for moment in (0.01, 0.05, 0.09):
        with pytest.raises(TooManyRequests):
            limits.take("a", at=moment)
    limits.take("a", at=0.11)


def test_each_has_a_limit_of_its_own():
    limits = RateLimits(1, 1)
    limits.take("a", at=0.0)
    limits.take("b", at=0.0)
    with pytest.raises(TooManyRequests):
        limits.take("a", at=0.5)


def test_nobody_saves_up_more_than_the_burst():
    limits = RateLimits(1, 2)
    limits.take("a", at=0.0)
    limits.take("a", at=1000.0)
    limits.take("a", at=1000.0)
    with pytest.raises(TooManyRequests):
        limits.take("a", at=1000.0)


def test_a_rate_of_0_is_no_limit():
    limits = RateLimits(0, 0)
    for _ in range(1000):
        limits.take("a", at=0.0)


def test_those_who_are_known_do_not_grow_without_end():
    limits = RateLimits(1, 1)
    for number in range(20_000):
        limits.take(str(number), at=0.0)
    assert len(limits._left) <= 10_000  # what it holds is the point
