"""The emulator's own rate limit: how it is written, what it lets through, and the headers that announce it.

Limits are written as `10/s`, or several with commas between them: `10/s, 300/min, 20000/day`. All of them hold, in any
rolling window. Nothing here waits.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Mapping
from typing import Literal, NamedTuple

Rates = tuple[tuple[int, float], ...]
"""Each as a count, and the length of its window in seconds."""

RateHeaders = Literal["off", "ietf", "draft", "x", "x-epoch"]
"""`off`: none. `ietf`: `RateLimit` with `RateLimit-Policy`. `draft`: `RateLimit-Limit` and its like, as earlier drafts
had them. `x`: the same with `X-`. `x-epoch`: its reset is a point in time, in seconds since the epoch."""

_RATE = re.compile(r"(\d{1,9})\s*/\s*(s|sec|second|m|min|minute|h|hour|d|day)", re.IGNORECASE)
_UNIT_S = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_UNITS = {1.0: "s", 60.0: "min", 3_600.0: "h", 86_400.0: "day"}


def parse_rates(text: str) -> Rates:
    """Read one limit or several.

    Raises:
        ValueError: a part is not a rate, or allows nothing.
    """
    return tuple(_rate(part.strip()) for part in text.split(","))


def _rate(text: str) -> tuple[int, float]:
    match = _RATE.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise ValueError(f"{text!r} is not a rate; write it like 10/s or 600/min, several with commas between them")
    return int(match[1]), _UNIT_S[match[2][0].lower()]


def written_rates(rates: Rates) -> str:
    """Write limits as `parse_rates` reads them."""
    return ", ".join(f"{count}/{_UNITS[per_s]}" for count, per_s in rates)


class LimitState(NamedTuple):
    """The state of one limit.

    Args:
        limit: requests in a window.
        reset_s: seconds until the next request may pass.
        window_s: the window, in seconds.
    """

    limit: int
    remaining: int
    reset_s: float
    window_s: float

    def headers(self, spelling: RateHeaders, epoch_s: float) -> Mapping[str, str]:
        """Write the limit as headers.

        Args:
            epoch_s: seconds since the epoch, on the server's clock.
        """
        reset = math.ceil(max(self.reset_s, 0.0))
        if spelling == "off":
            return {}
        if spelling == "ietf":
            policy = f'"default";q={self.limit};w={math.ceil(self.window_s)}'
            return {"RateLimit": f'"default";r={self.remaining};t={reset}', "RateLimit-Policy": policy}
        prefix = "" if spelling == "draft" else "X-"
        values = {"Limit": self.limit, "Remaining": self.remaining, "Reset": reset}
        if spelling == "x-epoch":
            values["Reset"] = math.ceil(epoch_s + self.reset_s)
        return {f"{prefix}RateLimit-{name}": str(value) for name, value in values.items()}


class RateLimit:
    """Strict limits on requests in any rolling window; all of them hold, and refused requests do not count.

    Args:
        rates: the limits; none: everything passes.
    """

    def __init__(self, rates: Rates) -> None:
        self._limits = [_Limit(count, per_s) for count, per_s in rates]

    def wait_s(self, now_s: float) -> float:
        """Count a request that arrives now; above 0: it is refused, and could pass after this many seconds."""
        wait_s = max((limit.wait_s(now_s) for limit in self._limits), default=0.0)
        if not wait_s:
            for limit in self._limits:
                limit.passed.append(now_s)
        return wait_s

    def at(self, now_s: float) -> LimitState | None:
        """The state of the limit with the smallest share left; None: there is no limit."""
        states = [limit.at(now_s) for limit in self._limits]
        return min(states, key=lambda one: one.remaining / one.limit, default=None)


class _Limit:
    """One limit, and when the requests of its window passed."""

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
