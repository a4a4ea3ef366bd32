"""A bounded pool on one event loop that takes on as much as is needed, fed lot by lot.

A feeder takes records in lots, so that the journal marks many of them with one commit while the
workers are still busy with the lot before. Lots are as large as it takes to hide a commit and no larger, since what is
taken is in doubt after a crash. No worker is begun while the ones before it still wait for their turn: what is
in flight follows rate times latency by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from importer.ports import Deliver, Settle, Take
from importer.records import Record

_LARGEST = 8
"""A lot holds at most so many records per worker."""

_PLENTY = 4


class AsyncioPool:
    """Implements `ports.Engine` with tasks.

    Args:
        workers: records worked on at once, at most.
        room: returns when one more record in work could be of use; None: always.
    """

    def __init__(self, workers: int, room: Callable[[], Awaitable[None]] | None = None) -> None:
        self._workers = workers
        self._room = room
        self._smallest = max(1, workers // 2)

    @property
    def max_in_flight(self) -> int:
        return self._workers + 2 * _LARGEST * self._workers

    async def run(self, take: Take, deliver: Deliver, settle: Settle) -> None:
        supply = _Supply(self._smallest, _LARGEST * self._workers)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(supply.feed(take), name="feeder")
                group.create_task(self._hand_out(supply, group, deliver, settle), name="foreman")
        except ExceptionGroup as failures:
            # Workers fail together and for one reason: the first says it all.
            raise failures.exceptions[0] from None

    async def _hand_out(self, supply: _Supply, group: asyncio.TaskGroup, deliver: Deliver, settle: Settle) -> None:
        """Begin a worker for each record, as soon as one is free and needed."""
        free = asyncio.Semaphore(self._workers)
        while records := await supply.lot():
            for record in records:
                await free.acquire()
                if self._room is not None:
                    await self._room()
                supply.used += 1
                group.create_task(_work(record, deliver, settle, free), name="worker")


class _Supply:
    """Lots on their way from the journal to the workers: one is handed out while the next is taken.

    Args:
        smallest, largest: records in a lot.
    """

    def __init__(self, smallest: int, largest: int) -> None:
        self._smallest = smallest
        self._largest = largest
        self._next: asyncio.Queue[Sequence[Record]] = asyncio.Queue()
        self._wanted = asyncio.Event()
        self._wanted.set()
        self.used = 0
        """Records handed out, told by the foreman."""

    async def feed(self, take: Take) -> None:
        """Take lots until there are no more; the empty one at the end says so."""
        size, records = self._smallest, None
        while records is None or records:
            await self._wanted.wait()
            self._wanted.clear()
            before = self.used
            records = await take(size)
            # Several times what went out meanwhile: the next lot comes long before this one runs out.
            size = max(self._smallest, min(self._largest, _PLENTY * (self.used - before)))
            self._next.put_nowait(records)

    async def lot(self) -> Sequence[Record]:
        """Wait for the next lot; empty at the end."""
        records = await self._next.get()
        self._wanted.set()
        return records


async def _work(record: Record, deliver: Deliver, settle: Settle, free: asyncio.Semaphore) -> None:
    outcome = await deliver(record)
    await asyncio.shield(settle(outcome))
    free.release()
