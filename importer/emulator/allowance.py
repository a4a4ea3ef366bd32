"""How many requests may arrive: a strict limit on any rolling window, and the headers that tell of it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping


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

    def headers(self, now_s: float) -> Mapping[str, str]:
        """Tell the limit, the free places and the seconds until the next one, in both spellings in use."""
        if not self._count:
            return {}
        oldest_s = self._passed[0] if self._passed else now_s
        values = {
            "Limit": str(self._count),
            "Remaining": str(self._free(now_s)),
            "Reset": str(max(math.ceil(self._per_s - (now_s - oldest_s)), 0)),
        }
        return {f"{prefix}RateLimit-{name}": value for prefix in ("", "X-") for name, value in values.items()}

    def _free(self, now_s: float) -> int:
        while self._passed and now_s - self._passed[0] >= self._per_s:
            self._passed.popleft()
        return self._count - len(self._passed)
