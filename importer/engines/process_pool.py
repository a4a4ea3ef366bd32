"""A process pool: one function over many items, in order, in this process and in workers.

Workers are fresh interpreters, one per further core, with pipes of their own. They only make things quicker: where one
cannot be started, or dies, this process does its share. They end with their pipe, so they never outlive this process,
however it ends. Judges nothing itself.

Tried instead, on 300,000 rows: `concurrent.futures`, whose workers run the caller's main module once more, so that a
script that merely calls the library starts itself again, and inherit the API's secret; 18 % more processor time. loky,
whose workers go on when this process is killed, beside two more processes that track resources; 26 % more.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Self, TypeVar

from importer.engines.worker import Task, Worker

T = TypeVar("T")
U = TypeVar("U")

ALONE = 4
"""Items that this process does before it starts workers: starting them takes longer than that."""
AHEAD = 3
"""Items that a worker is given at once, so that it has the next one when it is done with one."""
_SILENCE_S = 60.0
"""A worker that has work and sends nothing for so long is not waited for: it may have been stopped, or starved."""


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ProcessPool:
    """The processes that share the work. Used as a context manager.

    Args:
        processes: at most this many, this one included; 1 means no others.
        alone: items that this process does before it starts others.
        patience_s: how long it waits for those to be ready; 0: work goes on, and they join in when they are.
    """

    def __init__(self, processes: int, *, alone: int = ALONE, patience_s: float = 0.0) -> None:
        self._processes = processes
        self._alone = alone
        self._patience_s = patience_s
        self._workers: list[Worker] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers, which frees their memory; they are started again when there is work for them."""
        for worker in self._workers or ():
            worker.channel.close()
        for worker in self._workers or ():
            worker.end()
        self._workers = None

    def start(self) -> None:
        """Start the workers now, for work that is sure to be enough for them."""
        if self._workers is not None:
            return
        self._workers = _started(self._processes - 1)
        for worker in list(self._workers) if self._patience_s else ():
            if not worker.ready and worker.channel.reading.poll(self._patience_s):
                self._receive(0)

    def map(self, jobs: Iterable[tuple[Callable[[T], U], T]], *, alone: int | None = None) -> Iterator[tuple[T, U]]:
        """Do work on items.

        Args:
            jobs: the work (picklable) and an item each; the same work is the same object.
            alone: items that this process does before it starts others; None: as the pool was made with.

        Yields:
            Every item with its result, in order; an exception of the work is raised here, as soon as it is met.
        """
        tasks: deque[Task[T, U]] = deque()
        for number, (work, item) in enumerate(jobs):
            if number == (self._alone if alone is None else alone):
                self.start()
            task = Task(work, item)
            tasks.append(task)
            self._assign(task)
            yield from _finished(tasks)
            while len(tasks) > self._most:
                self._await(tasks[0])
                yield from _finished(tasks)
        while tasks:
            self._await(tasks[0])
            yield from _finished(tasks)

    @property
    def kind(self) -> str:
        return "processes"

    @property
    def workers(self) -> int:
        """How many workers there are at the moment."""
        return len(self._workers or ())

    @property
    def _most(self) -> int:
        """Items in work at most: this bounds the memory."""
        return (AHEAD + 1) * len(self._workers or ()) + 1

    def _assign(self, task: Task[T, U]) -> None:
        """Give a task to a worker that has room, or do it here."""
        self._receive(0)
        for worker in sorted(self._workers or (), key=lambda one: len(one.tasks)):
            if worker.ready and len(worker.tasks) < AHEAD:
                try:
                    worker.give(task)
                except OSError:
                    self._lose(worker)
                return
        task.finish(task.work(task.item))

    def _await(self, task: Task[T, U]) -> None:
        while not task.done:
            if not self._receive(_SILENCE_S):
                self._lose(next(worker for worker in self._workers or () if task in worker.tasks))

    def _receive(self, timeout_s: float) -> bool:
        """Wait for messages of the workers, and take them; False when there was none."""
        channels: dict[Connection, Worker] = {worker.channel.reading: worker for worker in self._workers or ()}
        readable = wait(channels, timeout_s) if channels else []
        for reading in readable:
            worker = channels[reading]  # type: ignore[index]  # `wait` gives back what it was given
            try:
                worker.take()
            except (OSError, EOFError):
                self._lose(worker)
        return bool(readable)

    def _lose(self, worker: Worker) -> None:
        """Do here what a dead worker had been given; an error that killed it is then raised here."""
        assert self._workers is not None  # noqa: S101  # there was one: for the type checker
        self._workers.remove(worker)
        worker.channel.close()
        worker.end()
        for task in worker.tasks:
            task.finish(task.work(task.item))


def _finished(tasks: deque[Task[T, U]]) -> Iterator[tuple[T, U]]:
    while tasks and tasks[0].done:
        task = tasks.popleft()
        yield task.item, task.result  # type: ignore[misc]  # done: there is a result


def _started(count: int) -> list[Worker]:
    """Start workers; as many as the system allows."""
    workers: list[Worker] = []
    with suppress(OSError):
        for _ in range(count if sys.executable else 0):
            workers.append(Worker.start())  # noqa: PERF401  # those before a failure are kept
    return workers
