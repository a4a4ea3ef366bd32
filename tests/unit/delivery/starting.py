"""Requests that leave and are answered at once, and how many of them a window holds."""

from __future__ import annotations

from collections.abc import Sequence

from importer.delivery import StrictLimiter


async def start(limiter: StrictLimiter, *, finishing: bool = False) -> float:
    """Make one request that is answered at once; returns the moment when it left, monotonic seconds."""
    slot = await limiter.reserve(finishing=finishing)
    slot.answered()
    return slot.left_s


def largest_window(starts: Sequence[float], window_s: float) -> int:
    """The most starts in any window [t, t + window)."""
    first, largest = 0, 0
    for last, moment in enumerate(starts):
        while starts[first] <= moment - window_s:
            first += 1
        largest = max(largest, last - first + 1)
    return largest
