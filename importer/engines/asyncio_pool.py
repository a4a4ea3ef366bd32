"""A bounded pool on one event loop that takes on as much as is needed, fed through a bounded queue.

A feeder takes records in lots, so that the journal marks many of them with one commit while the
workers are still busy with the lot before. Nothing is taken that no worker has room for, and no worker is
begun while the ones before it still wait for their turn: what is in flight follows rate times latency by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from importer.ports import Deliver, Settle, Take
from importer.records import Record


class AsyncioPool:
    """Implements `ports.Engine` with tasks.

    Args:
        workers: records worked on at once, at most.
        room: returns when one more record in work could be of use; None: always.
    """

    def __init__(self, workers: int, room: Callable[[], Awaitable[None]] | None = None) -> None:
        self._workers = workers
        self._room = room
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
                group.create_task(self._hand_out(queue, group, deliver, settle), name="foreman")
        except ExceptionGroup as failures:
            # Workers fail together and for one reason: the first says it all.
            raise failures.exceptions[0] from None

    async def _feed(self, queue: asyncio.Queue[Record | None], take: Take) -> None:
        while records := await take(self._ahead):
            for record in records:
                await queue.put(record)
        await queue.put(None)

    async def _hand_out(
        self, queue: asyncio.Queue[Record | None], group: asyncio.TaskGroup, deliver: Deliver, settle: Settle
    ) -> None:
        """Begin a worker for each record, as soon as one is free and needed."""
        free = asyncio.Semaphore(self._workers)
        while True:
            await free.acquire()
            if self._room is not None:
                await self._room()
            record = await queue.get()
            if record is None:
                return
            group.create_task(_work(record, deliver, settle, free), name="worker")


async def _work(record: Record, deliver: Deliver, settle: Settle, free: asyncio.Semaphore) -> None:
    outcome = await deliver(record)
    await asyncio.shield(settle(outcome))
    free.release()
