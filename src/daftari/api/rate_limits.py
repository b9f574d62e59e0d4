"""Rate limits: a token bucket for each caller, in the memory of this process."""

from __future__ import annotations

import time
from collections import OrderedDict

from daftari.errors import TooManyRequests

_MOST_KNOWN = 10_000


class RateLimits:
    """
    Allow each caller *rate* requests a second and *burst* at once. A rate of 0 means no limit.

    Each process counts separately. The caller that was idle the longest is forgotten first and starts again.
    """

    def __init__(self, rate: float, burst: float, *, what: str = "requests") -> None:
        self._rate, self._burst, self._what = rate, burst, what
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str, *, at: float | None = None) -> None:
        """
        Count a request of *who*, *at* a clock time in seconds; default: the monotonic clock.

        Raises:
            TooManyRequests: the limit is reached. This request is not counted.
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
