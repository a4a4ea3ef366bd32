"""The run's allowance: never more than N request starts in any rolling window, and no less than it allows.

Two parts, since each alone fails. An `AsyncLimiter(N, T)` is a bucket: it lets 2N-1 starts into one
window (measured: 199 for 100/s); with a bucket of one it is strict but loses a tenth of 1,000/s to timer
granularity. So a small bucket spreads the starts, and a log of the last N starts keeps every window
strict: a start waits until the N-th one before it has left the window.
"""

from __future__ import annotations

import asyncio
from collections import deque

from aiolimiter import AsyncLimiter

from importer.errors import StoppingError
from importer.ports import Clock, Stop

GUARD_S = 0.015
"""Added to every window: what travel times may differ by, so that the server's window is strict too.

At one second it costs 1.5 % of the allowance."""

_STOP_CHECK_S = 1.0
"""A long pause is slept in pieces of this length, so that a stop is noticed within one."""

_BUCKET_S = 0.01
"""The small bucket holds what the rate allows in this time; it evens out late timers at high rates."""


class StrictLimiter:
    """At most `count` starts in any rolling window of `per_s` seconds, shared by all workers.

    Args:
        count: starts allowed in a window.
        per_s: the window, in seconds.
        clock: time.
        stop: when it is requested, only what finishes begun work still starts.
    """

    def __init__(self, count: int, per_s: float, clock: Clock, stop: Stop) -> None:
        self.count = count
        self.per_s = per_s
        self._clock = clock
        self._stop = stop
        self._turn = asyncio.Lock()
        self._starts: deque[float] = deque(maxlen=count)
        self._paused_until = 0.0
        bucket = max(1.0, count * _BUCKET_S / per_s)
        self._bucket = AsyncLimiter(bucket, bucket * per_s / count)

    async def acquire(self, *, finishing: bool = False) -> None:
        """Wait until one request may start now; first come, first served."""
        async with self._turn:
            self._refuse_when_stopping(finishing=finishing)
            await self._bucket.acquire()
            while (wait_s := self._ready_at() - self._clock.monotonic()) > 0:
                self._refuse_when_stopping(finishing=finishing)
                await self._clock.sleep(min(wait_s, _STOP_CHECK_S))
            self._starts.append(self._clock.monotonic())

    def _refuse_when_stopping(self, *, finishing: bool) -> None:
        if self._stop.requested and not finishing:
            raise StoppingError

    def pause(self, delay_s: float) -> None:
        """Let nothing start for `delay_s` seconds from now; a shorter pause never cuts a longer one."""
        self._paused_until = max(self._paused_until, self._clock.monotonic() + delay_s)

    def _ready_at(self) -> float:
        if len(self._starts) < self.count:
            return self._paused_until
        return max(self._paused_until, self._starts[0] + self.per_s + GUARD_S)

    def __repr__(self) -> str:
        paused = max(0.0, self._paused_until - self._clock.monotonic())
        return f"<StrictLimiter {self.count}/{self.per_s:g}s, {len(self._starts)} in the log, paused {paused:.1f}s>"
