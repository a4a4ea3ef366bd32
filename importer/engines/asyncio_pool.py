"""A bounded pool of tasks on one event loop, fed chunk by chunk; as many records are in flight as are of use.

A feeder claims records in chunks, so that the journal marks many of them with one commit while the workers are still
busy with the chunk before. Chunks are as large as it takes to hide a commit and no larger, since what is claimed is in
doubt after a crash. No worker takes a record while others still wait for their turn at the target: what is in flight
follows rate times latency by itself.

A record that only waits for time to pass releases its worker: another one takes its place meanwhile. When it comes back
it waits for a place like all others.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Generic, Protocol, TypeVar

from importer.core.ports import Settle, Take, Work

Task = TypeVar("Task")
Result = TypeVar("Result")

_LARGEST = 8
"""Records in a chunk at most, per worker."""

_PLENTY = 4
"""A chunk holds several times what was used while the one before was claimed: it comes long before that runs out."""

_WAITING_LIMIT = 64
"""Records that may have released their worker, per worker; any more keep theirs."""


class Room(Protocol):
    """Knows whether one more record in work could be of use (`StrictLimiter`)."""

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
        self._waiting = self._surplus = 0
        self._start_worker: Callable[[], None] = _nothing

    @property
    def max_in_flight(self) -> int:
        return self._workers * (1 + 2 * _LARGEST + _WAITING_LIMIT)

    async def run(self, take: Take[Task], work: Work[Task, Result], settle: Settle[Result]) -> None:
        self._places = asyncio.Semaphore(self._workers)
        self._waiting = self._surplus = 0
        supply = _Supply[Task](self._smallest, _LARGEST * self._workers, self._room)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(supply.feed(take), name="feeder")
                self._start_worker = lambda: _start_task(group, self._work(supply, work, settle))
                for _ in range(self._workers):
                    self._start_worker()
        except ExceptionGroup as failures:
            # Workers fail together and for one reason: the first one is enough.
            raise failures.exceptions[0] from None

    async def _work(self, supply: _Supply[Task], work: Work[Task, Result], settle: Settle[Result]) -> None:
        # The loop takes no turn between two records: a busy worker costs it nothing but its waits.
        while (record := await supply.next()) is not None:
            async with self._places:
                settle(await work(record))
            if self._surplus:
                self._surplus -= 1
                return

    @asynccontextmanager
    async def worker_released(self) -> AsyncIterator[None]:
        """While the block lasts, the current record needs no place: another one is worked on meanwhile."""
        if self._waiting >= _WAITING_LIMIT * self._workers:
            yield
            return
        self._waiting += 1
        self._places.release()
        self._start_worker()
        yield  # an error in the block ends the run: no record comes back to a place then
        self._waiting -= 1
        self._surplus += 1
        await self._places.acquire()


def _nothing() -> None:
    """No run is on, so no worker is started."""


def _start_task(group: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> None:
    group.create_task(work, name="worker")


class _Supply(Generic[Task]):
    """Records between the journal and the workers: one chunk is handed out while the next is claimed.

    Args:
        smallest, largest: records in a chunk.
        room: whether one more record in work could be of use; None: always.
    """

    def __init__(self, smallest: int, largest: int, room: Room | None) -> None:
        self._smallest = smallest
        self._largest = largest
        self._room = room
        self._turn = asyncio.Lock()
        self._chunk: deque[Task] = deque()
        self._chunks: asyncio.Queue[Sequence[Task]] = asyncio.Queue()
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._used = 0
        self._is_over = False

    async def feed(self, take: Take[Task]) -> None:
        """Claim chunks until there are no more; the last one is empty."""
        size: int = self._smallest
        records: Sequence[Task] | None = None
        while records is None or records:
            await self._wanted.wait()
            self._wanted.clear()
            before = self._used
            records = await take(size)
            size = max(self._smallest, min(self._largest, _PLENTY * (self._used - before)))
            self._chunks.put_nowait(records)

    async def next(self) -> Task | None:
        """Wait until one more record is of use, and take it; None at the end."""
        while not (self._chunk and self._has_room):
            if self._is_over:
                return None
            async with self._turn:  # one at a time, in their order
                await self._wait()
        self._used += 1
        return self._chunk.popleft()

    @property
    def _has_room(self) -> bool:
        return self._room is None or self._room.has_room

    async def _wait(self) -> None:
        """Wait for whatever is missing first: records, or room for one more."""
        if self._chunk:
            if self._room is not None:
                await self._room.room()
        elif not self._is_over:
            self._chunk.extend(await self._chunks.get())
            self._is_over = not self._chunk
            self._wanted.set()
