"""A process pool: one function over many items, in order, in this process and in workers. Knows no rows, no journal.

Workers are fresh interpreters, one per further core, with pipes of their own. They only make things quicker: where one
cannot be started, or dies, this process does its share. They end with their pipe, so they never outlive this process,
however it ends. Neither their command line nor their environment holds anything of ours.

Tried instead, on 300,000 rows: `concurrent.futures`, whose workers run the caller's main module once more, so that a
script that merely calls the library starts itself again, and inherit the API's secret; 18 % more processor time. loky,
whose workers go on when this process is killed, beside two more processes that track resources; 26 % more.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from importer.engines.pipes import Line, pipes

T = TypeVar("T")
U = TypeVar("U")

ALONE = 4
"""Items that this process does without any help: starting workers takes longer than that."""
AHEAD = 3
"""Items that a worker is given at once, so that it has the next one when it is done with one."""
_GRACE_S = 5.0
_SILENCE_S = 60.0
"""A worker that has work and says nothing for so long is not waited for: it may have been stopped, or starved."""
_BOOT = "import sys; sys.path[:] = {path!r}; from importer.engines.worker_process import main; main({read}, {write})"
_PRIVATE = ("ROCKETKOR_", "IMPORTER_")


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(slots=True)
class _Task(Generic[T, U]):
    """One item on its way."""

    work: Callable[[T], U]
    item: T
    result: U | None = None
    done: bool = False

    def finish(self, result: U) -> None:
        self.result, self.done = result, True


@dataclass(slots=True)
class _Worker:
    """Another process, and what it was given to do."""

    process: subprocess.Popen[bytes]
    line: Line
    ready: bool = False
    work: object = None
    tasks: deque[_Task[Any, Any]] = field(default_factory=deque)

    def give(self, task: _Task[Any, Any]) -> None:
        """Hand over a task, and what is to be done where that is new.

        Raises:
            OSError: the worker is gone.
        """
        self.tasks.append(task)
        if self.work is not task.work:
            self.line.send(pickle.dumps(("work", task.work), pickle.HIGHEST_PROTOCOL))
            self.work = task.work
        self.line.send(pickle.dumps(("item", task.item), pickle.HIGHEST_PROTOCOL))

    def take(self) -> None:
        """Take what it has to say: that it is ready, or the next result.

        Raises:
            OSError, EOFError: the worker is gone.
        """
        result = pickle.loads(self.line.receive())  # noqa: S301  # our own process at the other end
        if self.ready:
            self.tasks.popleft().finish(result)
        self.ready = True


class ProcessPool:
    """The processes that share the work. Used as a context manager.

    Args:
        processes: at most so many, this one included; 1 means no others.
        alone: items that this process does before it starts others.
        patience_s: how long it waits for those to be ready; 0: work goes on, and they join in when they are.
    """

    def __init__(self, processes: int, *, alone: int = ALONE, patience_s: float = 0.0) -> None:
        self._processes = processes
        self._alone = alone
        self._patience_s = patience_s
        self._workers: list[_Worker] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers, which frees their memory; they are started again when there is work for them."""
        for worker in self._workers or ():
            worker.line.close()
        for worker in self._workers or ():
            _end(worker.process)
        self._workers = None

    def start(self) -> None:
        """Start the workers now, for work that is sure to be enough for them."""
        if self._workers is None:
            self._start()

    def map(self, jobs: Iterable[tuple[Callable[[T], U], T]], *, alone: int | None = None) -> Iterator[tuple[T, U]]:
        """Do work on items.

        Args:
            jobs: the work (picklable) and an item each; the same work is the same object.
            alone: items that this process does before it starts others; None: as was said at first.

        Yields:
            Every item with its result, in order; an exception of the work is raised here, as soon as it is met.
        """
        tasks: deque[_Task[T, U]] = deque()
        for number, (work, item) in enumerate(jobs):
            if number == (self._alone if alone is None else alone):
                self.start()
            task = _Task(work, item)
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
    def workers(self) -> int:
        """How many workers there are at the moment."""
        return len(self._workers or ())

    def _start(self) -> None:
        self._workers = _started(self._processes - 1)
        for worker in list(self._workers) if self._patience_s else ():
            if not worker.ready and worker.line.reading.poll(self._patience_s):
                self._hear(0)

    @property
    def _most(self) -> int:
        """Items under way at most: this bounds the memory."""
        return (AHEAD + 1) * len(self._workers or ()) + 1

    def _assign(self, task: _Task[T, U]) -> None:
        """Give a task to a worker that has room, or do it here."""
        self._hear(0)
        for worker in sorted(self._workers or (), key=lambda one: len(one.tasks)):
            if worker.ready and len(worker.tasks) < AHEAD:
                try:
                    worker.give(task)
                except OSError:
                    self._lose(worker)
                return
        task.finish(task.work(task.item))

    def _await(self, task: _Task[T, U]) -> None:
        while not task.done:
            if not self._hear(_SILENCE_S):
                self._lose(next(worker for worker in self._workers or () if task in worker.tasks))

    def _hear(self, timeout_s: float) -> bool:
        """Listen to the workers until one of them has something to say; False when none had."""
        lines: dict[Connection, _Worker] = {worker.line.reading: worker for worker in self._workers or ()}
        heard = wait(lines, timeout_s) if lines else []
        for reading in heard:
            worker = lines[reading]  # type: ignore[index]  # `wait` gives back what it was given
            try:
                worker.take()
            except (OSError, EOFError):
                self._lose(worker)
        return bool(heard)

    def _lose(self, worker: _Worker) -> None:
        """Do here what a dead worker had been given; an error that killed it is then raised here."""
        assert self._workers is not None  # noqa: S101  # there was one: for the type checker
        self._workers.remove(worker)
        worker.line.close()
        _end(worker.process)
        for task in worker.tasks:
            task.finish(task.work(task.item))


def _finished(tasks: deque[_Task[T, U]]) -> Iterator[tuple[T, U]]:
    while tasks and tasks[0].done:
        task = tasks.popleft()
        yield task.item, task.result  # type: ignore[misc]  # done: there is a result


def _started(count: int) -> list[_Worker]:
    """Start workers; as many as the system lets us."""
    workers: list[_Worker] = []
    with suppress(OSError):
        for _ in range(count if sys.executable else 0):
            workers.append(_start())  # noqa: PERF401  # those before a failure are kept
    return workers


def _start() -> _Worker:
    with pipes() as (ours, theirs):
        boot = _BOOT.format(path=sys.path, read=theirs.reading.fileno(), write=theirs.writing.fileno())
        process = subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-c", boot],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs.reading.fileno(), theirs.writing.fileno()),
            env={name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)},
        )
        return _Worker(process, ours)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
