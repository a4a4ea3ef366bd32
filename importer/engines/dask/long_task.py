"""One long task on each worker of a cluster, as they come and go; what it does is nobody's business here.

Dask starts the tasks, and nothing else: what came of one is found elsewhere, whatever its future says or fails to say.
So a worker, or the scheduler, may be killed at any time. A task that has ended is started again, since there may be
more to do later; on a worker that cannot do it only after a while, which doubles as long as it cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from time import monotonic

from importer.core.errors import TryLaterError, UsageError
from importer.engines.dask.connection import Cluster, Connection
from importer.engines.dask.sealed import Peer, Sealed, sealed
from importer.engines.dask.worker import answer, work_long

_AGAIN_S, _LONGEST_AGAIN_S = 3.0, 60.0
"""A worker that said why it cannot is asked again after this time."""
_ANSWER_S = 30.0
"""How long workers have for the first question: one that loads the program for the first time takes seconds."""
_END_S = 5.0


@dataclass(slots=True)
class _Place:
    """A worker.

    Args:
        task: None: it has none.
        again_s: when it may get one, monotonic seconds.
        rests_s: how long it is left alone, when it says next that it cannot.
    """

    task: Future[str] | None = None
    again_s: float = 0.0
    rests_s: float = _AGAIN_S


@dataclass(slots=True)
class LongTask:
    """Keeps a task on each worker, from `start` to `close`.

    Args:
        question: asked of each worker before anything else: a sentence says why it cannot do the task.
        task: is to be safe to run again, and to end by itself once there is no more to do.
        look_s: how often it is looked for workers without a task, in seconds.

    Attributes:
        workers: how many workers there are, as far as is known.
    """

    cluster: Cluster
    question: Callable[[], str]
    task: Callable[[], str]
    look_s: float = 1.0
    workers: int = field(default=0, init=False)
    _refusals: dict[str, str] = field(default_factory=dict, init=False)
    _places: dict[str, _Place] = field(default_factory=dict, init=False)
    _stack: ExitStack = field(default_factory=ExitStack, init=False)
    _connection: Connection | None = field(default=None, init=False)
    _over: Event = field(default_factory=Event, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)
    _keeper: Thread | None = field(default=None, init=False)

    def check(self) -> None:
        """Connect to the cluster, and ask its workers. Blocks.

        Raises:
            UsageError: the cluster cannot be used, or one of its workers cannot do the task.
            TryLaterError: nobody answers.
        """
        self._connection = self._stack.enter_context(self.cluster.connected(None))
        require_able(self._connection, self.question)

    def start(self) -> None:
        """Have a task on each worker from now on."""
        self._keeper = Thread(target=self._keep, args=(sealed(self.task),), name="dask", daemon=True)
        self._keeper.start()

    def refused(self) -> Mapping[str, str]:
        """What workers said since this was asked last: to the address of each why it cannot do the task."""
        with self._lock:
            found, self._refusals = self._refusals, {}
        return found

    def close(self) -> None:
        """Leave the cluster. Tasks that have not ended go on: what they do has an end of its own."""
        self._over.set()
        if self._keeper is not None:
            self._keeper.join(_END_S)
        with suppress(Exception):
            self._stack.close()

    # ------------------------------------------------------------------ the thread that keeps them

    def _keep(self, task: Sealed) -> None:
        while not self._over.wait(self.look_s):
            with suppress(Exception):  # whatever Dask raises: it is gone, or going, and may come back
                self._look(self._connected(), task)

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_over:
            self.workers, self._connection = 0, None
            self._places.clear()
            self._stack.close()
            with suppress(TryLaterError):
                self._connection = self._stack.enter_context(self.cluster.connected(None))
        if self._connection is None:
            raise TryLaterError("The scheduler is gone.")
        return self._connection

    def _look(self, connection: Connection, task: Sealed) -> None:
        found = connection.places()
        self.workers = len(found)
        for place in [one for one in self._places if one not in found]:
            gone = self._places.pop(place).task
            if gone is not None:
                gone.cancel()
        for place in found:
            self._look_at(connection, place, self._places.setdefault(place, _Place()), task)

    def _look_at(self, connection: Connection, name: str, place: _Place, task: Sealed) -> None:
        if place.task is not None and place.task.done():
            said = _said(place.task)
            place.task = None
            if said:
                place.again_s = monotonic() + place.rests_s
                place.rests_s = min(_LONGEST_AGAIN_S, place.rests_s * 2.0)
                with self._lock:
                    self._refusals[name] = said
        if place.task is None and monotonic() >= place.again_s:
            place.task = connection.submit(work_long, Peer.here(None), task, worker=name)


def require_able(connection: Connection, question: Callable[[], str]) -> None:
    """Ask every worker a question.

    Args:
        question: as of `LongTask`.

    Raises:
        UsageError: one of them cannot do the task.
    """
    answers = connection.ask_all(answer, Peer.here(None), sealed(question), wait_s=_ANSWER_S)
    for place, said in answers.items():
        if said.exception() is None and said.result():
            raise UsageError(f"The Dask worker {place} cannot send: {said.result()}")


def _said(task: Future[str]) -> str:
    """What a task that has ended said; of one that was lost nothing is to be said."""
    try:
        return task.result()
    except (Exception, CancelledError):  # noqa: BLE001  # lost with its worker or scheduler
        return ""
