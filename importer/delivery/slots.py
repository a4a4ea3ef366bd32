"""The slot of one request, and by how much later than it left a request counts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from importer.core.errors import ShareEndedError

if TYPE_CHECKING:
    from importer.delivery.rate_limit import StrictLimiter

_LATE_S = 0.006  # by so much requests may count later than they left, on average: 0.6 % of a rate per second
_LATE_SAVED_S = 3.0  # what is not needed of that is saved up for bad moments: what this many seconds bring
_FORGETTING = 1.01  # by this factor a request the quickest answer is forgotten: the way may have become longer


class Lateness:
    """By how much later than it left a request counts, because its answer came late. Pure.

    A server counts arrivals, and what a busy machine or network holds up arrives together. But a request was held up
    no longer than its answer came later than the quickest ones. Answers differ for other reasons, too, and that would
    cost much of the rate: hence the budget.
    """

    def __init__(self, per_s: float) -> None:
        self._most_s = self._budget_s = _budget_s(per_s)
        self._quickest_s: float | None = None

    def set_rate(self, per_s: float) -> None:
        """Save no more from now on than this rate brings."""
        self._most_s = _budget_s(per_s)
        self._budget_s = min(self._budget_s, self._most_s)

    def departed(self, unused_s: float) -> None:
        """Earn what one request may be late, and what is unused of the shortest window, in seconds."""
        self._budget_s = min(self._budget_s + _LATE_S + unused_s, self._most_s)

    def of(self, took_s: float) -> float:
        """Spend on a request that was answered after this many seconds, or was not answered for so long."""
        late_s = min(max(0.0, took_s - (self._quickest_s or 0.0)), self._budget_s)
        self._budget_s -= late_s
        return late_s

    def answered(self, took_s: float) -> None:
        """Learn how quick answers can be."""
        self._quickest_s = took_s if self._quickest_s is None else min(took_s, self._quickest_s * _FORGETTING)


def _budget_s(per_s: float) -> float:
    return _LATE_S * max(1.0, per_s * _LATE_SAVED_S)


class HeldSlot:
    """The slot of one request. Implements `ports.Slot`; `left_s` is when it left, monotonic seconds."""

    __slots__ = ("_limiter", "left_s")

    def __init__(self, limiter: StrictLimiter) -> None:
        self._limiter: StrictLimiter | None = limiter
        self.left_s = math.inf

    def depart(self) -> None:
        if self._limiter is not None and self.left_s == math.inf:
            if not self._limiter.in_force():
                self.give_back()
                raise ShareEndedError
            self.left_s = self._limiter.departed(self)

    def answered(self) -> None:
        limiter, self._limiter = self._limiter, None
        if limiter is not None:
            if self.left_s == math.inf:
                self.left_s = limiter.departed(self)
            limiter.answered(self)

    def give_back(self) -> None:
        if self._limiter is not None and self.left_s == math.inf:
            limiter, self._limiter = self._limiter, None
            limiter.given_back()
