"""Real time: the one clock that is passed in everywhere."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime


class SystemClock:
    """Real time. Implements `ports.Clock`.

    Monotonic time is the system's own: uvloop's does not move while the loop is busy, just when requests leave.
    """

    def now(self) -> float:
        return time.time()  # noqa: TID251  # this is the clock that is passed in

    monotonic = staticmethod(time.monotonic)

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)  # noqa: TID251

    def pause(self, delay_s: float) -> None:
        """Wait in a thread of its own, off the event loop."""
        time.sleep(delay_s)  # noqa: TID251


def today() -> date:
    """The date, in UTC."""
    return datetime.fromtimestamp(SystemClock().now(), UTC).date()
