"""Asks a run to stop at a moment: the end of its window, or the time to be done by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from importer.core.ports import Clock
from importer.delivery.stops import StopSwitch

_PIECE_S = 30.0
"""The wall clock may be set while we wait, so a long wait is slept in pieces."""


@asynccontextmanager
async def closing_at(moment: float | None, stop: StopSwitch, clock: Clock, message: str) -> AsyncIterator[None]:
    """Request a stop for the reason `window` when the moment comes while the block runs.

    Args:
        moment: seconds since the epoch; None: never.
        message: one sentence for people.
    """
    if moment is None:
        yield
        return
    watch = asyncio.create_task(_close(moment, stop, clock, message), name="closing")
    try:
        yield
    finally:
        watch.cancel()


async def _close(moment: float, stop: StopSwitch, clock: Clock, message: str) -> None:
    while (left_s := moment - clock.now()) > 0:
        await clock.sleep(min(left_s, _PIECE_S))
    stop.request("window", message)
