"""A bounded pool of workers on one event loop, fed through a bounded queue.

A feeder takes records in lots, so that the journal marks many of them with one commit while the
workers are still busy with the lot before. Nothing is taken that no worker has room for.
"""

from __future__ import annotations

import asyncio

from importer.ports import Deliver, Settle, Take
from importer.records import Record


class AsyncioPool:
    """Implements `ports.Engine` with tasks.

    Args:
        workers: records worked on at once.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._ahead = max(1, workers // 2)
        """Records that wait, already claimed, for a worker: half a pool hides a commit. As many again may join them."""

    @property
    def max_in_flight(self) -> int:
        return self._workers + 2 * self._ahead

    async def run(self, take: Take, deliver: Deliver, settle: Settle) -> None:
        queue: asyncio.Queue[Record | None] = asyncio.Queue(self._ahead)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._feed(queue, take), name="feeder")
                for number in range(self._workers):
                    group.create_task(_work(queue, deliver, settle), name=f"worker-{number}")
        except ExceptionGroup as failures:
            # Workers fail together and for one reason: the first says it all.
            raise failures.exceptions[0] from None

    async def _feed(self, queue: asyncio.Queue[Record | None], take: Take) -> None:
        while records := await take(self._ahead):
            for record in records:
                await queue.put(record)
        for _ in range(self._workers):
            await queue.put(None)


async def _work(queue: asyncio.Queue[Record | None], deliver: Deliver, settle: Settle) -> None:
    while (record := await queue.get()) is not None:
        outcome = await deliver(record)
        await asyncio.shield(settle(outcome))
