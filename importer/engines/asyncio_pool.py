"""A bounded pool on one event loop that takes on as much as is needed, fed lot by lot.

A feeder takes records in lots, so that the journal marks many of them with one commit while the
workers are still busy with the lot before. Lots are as large as it takes to hide a commit and no larger, since what is
taken is in doubt after a crash. No worker takes a record while others still wait for their turn at the target: what is
in flight follows rate times latency by itself.

A record that only waits for time to pass steps aside: another worker takes its place meanwhile, and on its way back it
waits for a place like everybody else.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from importer.core.outcomes import Record
from importer.core.ports import Deliver, Settle, Take

_LARGEST = 8
"""A lot holds at most so many records per worker."""

_PLENTY = 4

_ASIDE = 64
"""Records that may have stepped aside, per worker: what is beyond waits in its place."""


class Room(Protocol):
    """Who knows whether one more record in work could be of use (`StrictLimiter`)."""

    @property
    def has_room(self) -> bool:
        """Whether it could be now."""
        ...

    async def room(self) -> None:
        """Wait until it could be."""
        ...


class AsyncioPool:
    """Implements `ports.Engine` with tasks.

    Args:
        workers: records worked on at once, at most.
        room: whether one more record in work could be of use; None: always.
    """

    def __init__(self, workers: int, room: Room | None = None) -> None:
        self._workers = workers
        self._room = room
        self._smallest = max(1, workers // 2)
        self._places = asyncio.Semaphore(workers)
        self._aside = self._surplus = 0
        self._hire: Callable[[], None] = _nobody

    @property
    def max_in_flight(self) -> int:
        return self._workers * (1 + 2 * _LARGEST + _ASIDE)

    async def run(self, take: Take, deliver: Deliver, settle: Settle) -> None:
        supply = _Supply(self._smallest, _LARGEST * self._workers, self._room)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(supply.feed(take), name="feeder")
                self._hire = lambda: _start(group, self._work(supply, deliver, settle))
                for _ in range(self._workers):
                    self._hire()
        except ExceptionGroup as failures:
            # Workers fail together and for one reason: the first says it all.
            raise failures.exceptions[0] from None

    async def _work(self, supply: _Supply, deliver: Deliver, settle: Settle) -> None:
        # No turn of the loop lies between two records: a busy worker costs the loop nothing but its waits.
        while (record := await supply.next()) is not None:
            async with self._places:
                settle(await deliver(record))
            if self._surplus:
                self._surplus -= 1
                return

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        """While the block lasts, the record in hand needs no place: another one is worked on in its stead."""
        if self._aside >= _ASIDE * self._workers:
            yield
            return
        self._aside += 1
        self._places.release()
        self._hire()
        yield  # what ends the block with an error ends the run: nobody comes back to a place then
        self._aside -= 1
        self._surplus += 1
        await self._places.acquire()


def _nobody() -> None:
    """No run is on, so nobody is needed."""


def _start(group: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> None:
    group.create_task(work, name="worker")


class _Supply:
    """Records on their way from the journal to the workers: one lot is handed out while the next is taken.

    Args:
        smallest, largest: records in a lot.
        room: whether one more record in work could be of use; None: always.
    """

    def __init__(self, smallest: int, largest: int, room: Room | None) -> None:
        self._smallest = smallest
        self._largest = largest
        self._room = room
        self._turn = asyncio.Lock()
        self._lot: deque[Record] = deque()
        self._lots: asyncio.Queue[Sequence[Record]] = asyncio.Queue()
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._used = 0
        self._is_over = False

    async def feed(self, take: Take) -> None:
        """Take lots until there are no more; the empty one at the end says so."""
        size, records = self._smallest, None
        while records is None or records:
            await self._wanted.wait()
            self._wanted.clear()
            before = self._used
            records = await take(size)
            # Several times what went out meanwhile: the next lot comes long before this one runs out.
            size = max(self._smallest, min(self._largest, _PLENTY * (self._used - before)))
            self._lots.put_nowait(records)

    async def next(self) -> Record | None:
        """Wait until one more record is of use, and take it; None at the end."""
        while not (self._lot and self._has_room):
            if self._is_over:
                return None
            async with self._turn:  # one at a time, in their order
                await self._wait()
        self._used += 1
        return self._lot.popleft()

    @property
    def _has_room(self) -> bool:
        return self._room is None or self._room.has_room

    async def _wait(self) -> None:
        """Wait for whatever is missing first: records, or room for one more."""
        if self._lot:
            if self._room is not None:
                await self._room.room()
        elif not self._is_over:
            self._lot.extend(await self._lots.get())
            self._is_over = not self._lot
            self._wanted.set()
