"""A heart that beats in the event loop: how long it misses a beat is how long the loop was blocked."""

from __future__ import annotations

import asyncio
import time

_BEAT_S = 0.005


class Heart:
    """Remembers the longest wait beyond its time."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def beat(self) -> None:
        """Beat until cancelled."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(_BEAT_S)  # noqa: TID251  # a stopwatch
            self.longest_s = max(self.longest_s, time.perf_counter() - before - _BEAT_S)
