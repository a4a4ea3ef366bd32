"""Delivery: many records at once, inside an allowance, until a stop. Asynchronous; never blocks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from importer.core.events import Event
from importer.core.outcomes import Outcome, Record, Reply


class Slot(Protocol):
    """One request start of the allowance: kept from others until a whole window after the request has arrived."""

    def depart(self) -> None:
        """The first byte leaves now; harmless when called again.

        Raises:
            ShareEndedError: it must not leave any more; the slot is given back.
        """
        ...

    def answered(self) -> None:
        """The answer begins to come in, or none will: the request has arrived by now; harmless when called again."""
        ...

    def give_back(self) -> None:
        """Nothing was tried: the slot counts as never taken; harmless after `depart`."""
        ...


class Limiter(Protocol):
    """The run's allowance of request starts, shared by all workers and all kinds of request."""

    async def reserve(self, *, finishing: bool = False) -> Slot:
        """Wait until one request may start, however long its connection then takes.

        Args:
            finishing: the request only finishes what was begun (a look-up, a token for it), so it may
                start although the run is stopping.

        Raises:
            StoppingError: the run is stopping, and this request would begin something new, or could not start in
                the time that is left.
        """
        ...

    def learn(self, reply: Reply, /) -> None:
        """Take the answer to a request that no row made, a token exchange: the pool learns from it, too."""
        ...


class Clock(Protocol):
    """Time, passed in so that tests can own it."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Wait."""
        ...


class Stop(Protocol):
    """The only thing that flows upstream beside pull: a read-only flag."""

    @property
    def requested(self) -> bool:
        """Whether no further record may be taken."""
        ...

    @property
    def reason(self) -> str:
        """Why: `sigint`, `max_errors`, `access`, …; empty while not requested."""
        ...

    async def wait(self) -> None:
        """Wait until a stop is requested."""
        ...


class Events(Protocol):
    """Receives events. Must not block and must not raise."""

    def __call__(self, event: Event, /) -> None:
        """Take one event."""
        ...


Task = TypeVar("Task")
Result = TypeVar("Result")

Take = Callable[[int], Awaitable[Sequence[Task]]]
"""Up to this many claimed records, or steps of them; empty when none is left or the run stops."""

Work = Callable[[Task], Awaitable[Result]]
"""One record or step becomes one outcome, however many attempts that takes."""


Deliver = Work[Record, Outcome]

Settle = Callable[[Result], None]
"""Record an outcome. Never waits, so no cancellation comes between what happened and its record."""


class Engine(Protocol):
    """Many records at once, or steps of them. Knows no HTTP, no journal, no retry."""

    @property
    def max_in_flight(self) -> int:
        """How many records it may hold: this bounds the rows in doubt after a crash."""
        ...

    def worker_released(self) -> AbstractAsyncContextManager[None]:
        """Give the place of the record in hand to another one while the block lasts: it only waits for time to pass."""
        ...

    async def run(self, take: Take[Task], work: Work[Task, Result], settle: Settle[Result]) -> None:
        """Work on every record that `take` gives and settle each at most once.

        A record that was taken and not settled (the engine was cancelled) is in doubt.
        """
        ...
