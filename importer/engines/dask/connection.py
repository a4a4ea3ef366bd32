"""A connection to a Dask scheduler: every question has a limit of time, and its libraries print nothing here."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.util import find_spec
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from importer.core.distribution import how_to_install
from importer.core.errors import UsageError
from importer.engines.dask.sealed import Peer

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")

ANSWER_S = 5.0
"""A scheduler that says nothing for so long is taken to be gone; it may come back."""
_LOOK_S = 1.0
"""How often workers are counted."""
_REST = 9.0
"""How many times as long as such a look took it is at least until the next one: a scheduler may hang."""
_SETTINGS = {
    "distributed.admin.large-graph-warning-threshold": "1TiB",  # a batch of a wide file
    "distributed.admin.low-level-log-length": 0,  # Dask keeps the last 1,000 messages, rows and all, for who debugs it
}
_LIBRARIES = ("distributed", "tornado", "bokeh")
_NOTHING = logging.CRITICAL + 1


@contextmanager
def quiet() -> Iterator[None]:
    """Have Dask log and warn of nothing in this process: its messages may show arguments and results of tasks."""
    import dask  # noqa: PLC0415  # a second, and only for whoever uses it
    import distributed  # noqa: F401, PLC0415  # sets its logging up when it is loaded

    warnings.filterwarnings("ignore", module=r"(distributed|tornado)\b")

    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in _LIBRARIES]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(_NOTHING)
    try:
        with dask.config.set(_SETTINGS):
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


class Connection:
    """The workers behind one scheduler.

    Args:
        client: is closed with this.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False)
        self._look_at = 0.0
        self._count = 0

    def identity(self) -> dict[str, Any]:
        """What the scheduler says of itself and its workers.

        Raises:
            OSError, TimeoutError: it says nothing.
        """
        found: dict[str, Any] = self._ask(self._client.scheduler.identity(n_workers=-1))
        return found

    @property
    def workers(self) -> int:
        """How many workers there are: 0 also where the scheduler is gone, as far as is known."""
        began = monotonic()
        if began >= self._look_at:
            self._count = self._counted()
            now = monotonic()
            self._look_at = now + max(_LOOK_S, _REST * (now - began))
        return self._count

    def _counted(self) -> int:
        if not self.is_open:
            return 0
        try:
            return int(self._ask(self._client.scheduler.identity(n_workers=0))["n_workers"])
        except Exception:  # noqa: BLE001  # whatever Dask raises: it is gone, or going
            return 0

    def pause(self) -> None:
        """Wait until workers are counted again."""
        Event().wait(_LOOK_S)

    def submit(self, work: Callable[..., T], *arguments: object, worker: str = "") -> Future[T] | None:
        """Hand work out; None where there is nobody to take it.

        Args:
            worker: the address of the only worker that may do it; empty: any.
        """
        options: dict[str, Any] = {"workers": [worker]} if worker else {}
        try:
            handed_out: Future[T] = self._executor.submit(work, *arguments, **options)
        except Exception:  # noqa: BLE001  # whatever Dask raises: it is gone, or going
            return None
        return handed_out

    def ask_all(self, question: Callable[..., T], *arguments: object, wait_s: float) -> dict[str, Future[T]]:
        """Put a question to every worker; gives those futures, by the worker's address, that have an answer in time.

        Args:
            wait_s: how long they have, in seconds; the first of them has twice as long again, where all are slow.
        """
        asked = {place: self.submit(question, *arguments, worker=place) for place in self.places()}
        handed_out = [one for one in asked.values() if one is not None]
        answers = wait(handed_out, wait_s).done or wait(handed_out, 2 * wait_s, FIRST_COMPLETED).done
        return {place: answer for place, answer in asked.items() if answer is not None and answer in answers}

    def places(self) -> list[str]:
        """The addresses of the workers; none also where the scheduler is gone, as far as is known."""
        if not self.is_open:
            return []
        try:
            return list(self.identity()["workers"])
        except Exception:  # noqa: BLE001  # whatever Dask raises: it is gone, or going
            return []

    @property
    def is_open(self) -> bool:
        """Whether the scheduler is there, as far as is known; it may come back until `is_over`."""
        return bool(self._client.status == "running")

    @property
    def is_over(self) -> bool:
        """Whether the scheduler was given up: only another connection finds it again."""
        return self._client.status in {"closing", "closed"}

    def _ask(self, question: Coroutine[Any, Any, T]) -> T:
        """Wait for an answer, but not for ever."""
        asked = asyncio.run_coroutine_threadsafe(question, self._client.loop.asyncio_loop)
        try:
            return asked.result(ANSWER_S)
        finally:
            asked.cancel()

    def close(self) -> None:
        """Leave; harmless when done twice."""
        with suppress(Exception):
            self._client.close(timeout=ANSWER_S)


class Cluster(Protocol):
    """Workers that can be connected to."""

    def peer(self, secret: bytes | None) -> Peer:
        """This process, as its workers are asked by it; `secret` as of `connected`."""
        ...

    def connected(self, secret: bytes | None) -> AbstractContextManager[Connection]:
        """Have a connection for the length of a block.

        Args:
            secret: of the workspace, which the workers need; None: there is none.

        Raises:
            UsageError: it is not one that rows may be sent to.
            TryLaterError: nobody answers.
        """
        ...


def require_dask() -> None:
    """Refuse to go on where Dask is not installed.

    Raises:
        UsageError: it is not.
    """
    if any(find_spec(name) is None for name in ("dask", "distributed", "cryptography")):
        raise UsageError("The engine 'dask' needs a library that is not installed.", how_to_install("dask"))
