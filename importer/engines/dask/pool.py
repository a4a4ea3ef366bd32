"""One function over many items, in order, on the workers of a Dask cluster; it judges nothing itself.

A task may run twice, or never: what counts is the result that came back first, and what does not come back is done in
this process. So nothing is lost with a worker or a scheduler, Dask's own verdict on a task does not matter, and every
wait has an end. A task that is overdue is not taken back: it keeps its place at a worker that hangs, which is given no
other one then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar, cast

from importer.engines.dask.connection import Cluster, Connection
from importer.engines.dask.sealed import Sealed, opened, sealed
from importer.engines.dask.worker import work_on

T = TypeVar("T")
U = TypeVar("U")

AHEAD = 2
"""Tasks under way for each worker, so that it has the next one when it is done with one; this bounds the memory."""
TOGETHER = 4
"""Items in a task at most: each task costs Dask, here and in its worker, as much as checking hundreds of rows."""
_FEW = 32
"""Tasks grow by one item after so many: the first ones of a short source reach all workers."""
_SILENCE_S = 60.0
"""A task that is under way for so long is done in this process: its worker may have been stopped, or starved."""
_LOOK_S = 0.25
"""How often a wait looks at whether it still makes sense."""


@dataclass(slots=True)
class _Task(Generic[T, U]):
    """Some items, and where they are.

    Args:
        handed_out: None: to nobody.
        until: when it is overdue, by the monotonic clock.
    """

    work: Callable[[T], U]
    items: Sequence[T]
    handed_out: Future[Sealed | None] | None
    until: float


@dataclass(frozen=True, slots=True, eq=False)
class Each(Generic[T, U]):
    """Does work on several items, one after the other."""

    work: Callable[[T], U]

    def __call__(self, items: Sequence[T]) -> list[U]:
        """Do it."""
        return list(map(self.work, items))


class DaskPool:
    """The workers of a cluster. Implements `engines.Pool`; used as a context manager.

    Args:
        secret: the workspace's, which the workers have; it is left out of what they are sent. None: there is none.
        stopping: whether the run is to end, so that nothing is waited for.
        alone: items that this process does before it starts the cluster.
        silence_s: after how long an item is overdue, in seconds.
    """

    def __init__(
        self,
        cluster: Cluster,
        secret: bytes | None,
        stopping: Callable[[], bool],
        *,
        alone: int = 0,
        silence_s: float = _SILENCE_S,
    ) -> None:
        self._cluster, self._secret, self._stopping = cluster, secret, stopping
        self._alone, self._silence_s = alone, silence_s
        self._peer = cluster.peer(secret)
        self._stack = ExitStack()
        self._connection: Connection | None = None
        self._overdue: list[Future[Sealed | None]] = []
        self._sent: tuple[object, Sealed] | None = None

    def start(self) -> None:
        """Connect to the cluster; errors as of `Cluster.connected`."""
        if self._connection is None:
            self._connection = self._stack.enter_context(self._cluster.connected(self._secret))

    def close(self) -> None:
        self._overdue.clear()  # whoever leaves a scheduler is owed nothing more
        self._connection = None
        self._stack.close()

    def map(self, jobs: Iterable[tuple[Callable[[T], U], T]]) -> Iterator[tuple[T, U]]:
        tasks: deque[_Task[T, U]] = deque()
        for work, items in self._together(jobs):
            while tasks and len(tasks) + self._hung() >= self._most:
                yield from self._finished(tasks.popleft())
            tasks.append(self._task(work, items))
            while tasks and _is_ready(tasks[0]):
                yield from self._finished(tasks.popleft())
        while tasks:
            yield from self._finished(tasks.popleft())

    def _together(self, jobs: Iterable[tuple[Callable[[T], U], T]]) -> Iterator[tuple[Callable[[T], U], Sequence[T]]]:
        """Put items together that are of the same work; one by one where there is nobody yet to hand them to."""
        of: Callable[[T], U] | None = None
        items: list[T] = []
        for number, (work, item) in enumerate(jobs):
            if number == self._alone:
                self.start()
            if of is not None and items and work is not of:
                yield of, items
                items = []
            of = work
            items.append(item)
            if len(items) >= (min(TOGETHER, 1 + number // _FEW) if self.workers else 1):
                yield work, items
                items = []
        if of is not None and items:
            yield of, items

    @property
    def kind(self) -> str:
        return "dask"

    @property
    def workers(self) -> int:
        return self._connection.workers if self._connection is not None else 0

    @property
    def _most(self) -> int:
        """Tasks under way at most."""
        return AHEAD * self.workers

    def _hung(self) -> int:
        """How many tasks are overdue: each of them keeps its place."""
        self._overdue = [one for one in self._overdue if not one.done()]
        return len(self._overdue)

    def _task(self, work: Callable[[T], U], items: Sequence[T]) -> _Task[T, U]:
        handed_out = None
        if self._connection is not None and self._hung() < self._most:
            handed_out = self._connection.submit(work_on, self._peer, self._sealed(work), sealed(items))
        return _Task(work, items, handed_out, monotonic() + self._silence_s)

    def _sealed(self, work: Callable[[Any], Any]) -> Sealed:
        if self._sent is None or self._sent[0] is not work:
            self._sent = work, sealed(Each(work), self._secret)
        return self._sent[1]

    def _finished(self, task: _Task[T, U]) -> Iterator[tuple[T, U]]:
        """Wait for the results of a task, or do its items here; an exception of the work is raised then."""
        result = self._received(task)
        results = map(task.work, task.items) if result is None else cast("list[U]", opened(result))
        yield from zip(task.items, results, strict=True)

    def _received(self, task: _Task[Any, Any]) -> Sealed | None:
        future = task.handed_out
        if future is None:
            return None
        while not future.done():
            if monotonic() >= task.until or self._stopping() or not self._most:
                self._overdue.append(future)
                return None
            wait([future], _LOOK_S)
        try:
            return future.result()
        except (Exception, CancelledError):  # noqa: BLE001  # a dead worker, a lost scheduler, a fault of Dask's
            return None


def _is_ready(task: _Task[Any, Any]) -> bool:
    return task.handed_out is None or task.handed_out.done()
