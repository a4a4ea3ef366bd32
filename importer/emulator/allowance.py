"""How many requests may arrive: strict limits on any rolling window, and how they stand."""

from __future__ import annotations

from collections import deque

from importer.emulator.rate_headers import LimitState
from importer.emulator.rates import Rates


class Allowance:
    """Strict limits on requests in any rolling window, all of which hold; refused requests do not count.

    Args:
        rates: the limits; none: everything passes.
    """

    def __init__(self, rates: Rates) -> None:
        self._limits = [_Limit(count, per_s) for count, per_s in rates]

    def wait_s(self, now_s: float) -> float:
        """Take a place for a request that arrives now; above 0: refused, and how long until one is free."""
        wait_s = max((limit.wait_s(now_s) for limit in self._limits), default=0.0)
        if not wait_s:
            for limit in self._limits:
                limit.passed.append(now_s)
        return wait_s

    def at(self, now_s: float) -> LimitState | None:
        """How the limit stands of which the smallest share is left; None: there is none."""
        stands = [limit.at(now_s) for limit in self._limits]
        return min(stands, key=lambda one: one.remaining / one.limit, default=None)


class _Limit:
    """One of them."""

    def __init__(self, count: int, per_s: float) -> None:
        self._count, self._per_s = count, per_s
        self.passed: deque[float] = deque(maxlen=count)

    def wait_s(self, now_s: float) -> float:
        return 0.0 if self._free(now_s) else self._per_s - (now_s - self.passed[0])

    def at(self, now_s: float) -> LimitState:
        free = self._free(now_s)
        oldest_s = self.passed[0] if self.passed else now_s
        return LimitState(self._count, free, self._per_s - (now_s - oldest_s), self._per_s)

    def _free(self, now_s: float) -> int:
        while self.passed and now_s - self.passed[0] >= self._per_s:
            self.passed.popleft()
        return self._count - len(self.passed)
