"""What a limiter did: requests, the rate they came to, pauses and their reasons. Pure; decides nothing."""

from __future__ import annotations

from collections import Counter
from typing import Any


class Account:
    """One limiter's requests and pauses."""

    def __init__(self) -> None:
        self._requests = 0
        self._in_flight = self._most_in_flight = 0
        self._first = self._last = 0.0
        self._pauses: Counter[str] = Counter()
        self._paused_s = 0.0

    def started(self, now: float) -> None:
        """Count a request that leaves now, monotonic seconds."""
        if not self._requests:
            self._first = now
        self._requests += 1
        self._last = now
        self._in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self._in_flight)

    def answered(self) -> None:
        """Count one less in flight."""
        self._in_flight -= 1

    def paused(self, longer_s: float, reason: str, *, fresh: bool) -> None:
        """Count a pause.

        Args:
            longer_s: by how much it is longer than one that lasts already, in seconds.
            fresh: whether none lasts already.
        """
        self._pauses[reason or "asked_for"] += fresh and longer_s > 0
        self._paused_s += longer_s

    def figures(self) -> dict[str, Any]:
        """Give what was counted, in JSON types."""
        span_s = self._last - self._first
        return {
            "requests": self._requests,
            "seconds": round(span_s, 3),
            "achieved_per_s": round((self._requests - 1) / span_s, 3) if span_s > 0 else float(self._requests),
            "most_in_flight": self._most_in_flight,
            "pauses": dict(+self._pauses),
            "paused_s": round(self._paused_s, 3),
        }


def name_of(seconds: float) -> str:
    """Name the length of a window."""
    names = {1.0: "second", 60.0: "minute", 3_600.0: "hour", 86_400.0: "day"}
    return names.get(seconds) or f"{seconds:g} s"
