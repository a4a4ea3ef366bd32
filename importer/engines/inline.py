"""One record after the other, in the caller's task: the engine that is easiest to reason about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from importer.core.ports import Deliver, Settle, Take


class Inline:
    """Implements `ports.Engine` with a single record in flight."""

    @property
    def max_in_flight(self) -> int:
        return 1

    async def run(self, take: Take, deliver: Deliver, settle: Settle) -> None:
        while records := await take(1):
            for record in records:
                settle(await deliver(record))

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        """Nobody else works here: who waits, waits in place."""
        yield
