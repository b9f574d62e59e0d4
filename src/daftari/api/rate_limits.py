"""How often somebody may ask: a token bucket each, in the memory of this process."""

from __future__ import annotations

import time
from collections import OrderedDict

from daftari.errors import TooManyRequests

_MOST_KNOWN = 10_000


class RateLimits:
    """
    *rate* a second for each of those who ask, and *burst* at once. A rate of 0 is no limit.

    Each process counts by itself. Whom nothing was heard of for longest is forgotten first, and begins anew.
    """

    def __init__(self, rate: float, burst: float, *, what: str = "requests") -> None:
        self._rate, self._burst, self._what = rate, burst, what
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str, *, at: float | None = None) -> None:
        """
        Count one more of *who*, *at* a moment of a clock in seconds; by default the monotonic one.

        Raises:
            TooManyRequests: it was one too many. That is not counted.
        """
        if self._rate <= 0:
            return
        at = time.monotonic() if at is None else at
        left, since = self._left.pop(who, (self._burst, at))
        left = min(self._burst, left + (at - since) * self._rate)
        if left < 1:
            self._left[who] = (left, at)
            raise TooManyRequests((1 - left) / self._rate, what=self._what)
        self._left[who] = (left - 1, at)
        if len(self._left) > _MOST_KNOWN:
            self._left.popitem(last=False)
