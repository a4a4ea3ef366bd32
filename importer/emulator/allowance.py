"""How many requests may arrive: a strict limit on any rolling window, and how it stands."""

from __future__ import annotations

from collections import deque

from importer.emulator.rate_headers import Told


class Allowance:
    """A strict limit on requests in any rolling window; refused requests do not count.

    Args:
        rate: how many, and the length of the window in seconds; None: no limit.
    """

    def __init__(self, rate: tuple[int, float] | None) -> None:
        self._count, self._per_s = rate or (0, 0.0)
        self._passed: deque[float] = deque(maxlen=self._count)

    def wait_s(self, now_s: float) -> float:
        """Take a place for a request that arrives now; above 0: refused, and how long until one is free."""
        if not self._count:
            return 0.0
        if self._free(now_s) == 0:
            return self._per_s - (now_s - self._passed[0])
        self._passed.append(now_s)
        return 0.0

    def told(self, now_s: float) -> Told | None:
        """How the limit stands; None: there is none."""
        if not self._count:
            return None
        free = self._free(now_s)
        oldest_s = self._passed[0] if self._passed else now_s
        return Told(self._count, free, self._per_s - (now_s - oldest_s), self._per_s)

    def _free(self, now_s: float) -> int:
        while self._passed and now_s - self._passed[0] >= self._per_s:
            self._passed.popleft()
        return self._count - len(self._passed)
