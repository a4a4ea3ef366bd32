"""The run's allowance: never more request starts than any of its limits allows in any rolling window, and no less.

Two parts, since each alone fails. An `AsyncLimiter(N, T)` is a bucket: it lets 2N-1 starts into one
window (measured: 199 for 100/s); with a bucket of one it is strict but loses a tenth of 1,000/s to timer
granularity. So a small bucket spreads the starts, and logs of the last starts keep every window strict: a
start waits until it fits into each of them. The shortest window is spread; longer ones are quotas.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from aiolimiter import AsyncLimiter

from importer.delivery.account import Account, name_of
from importer.delivery.stops import StopSwitch
from importer.delivery.underway import HeldSlot, UnderWay
from importer.delivery.windows import GUARD_S, Window
from importer.errors import StoppingError
from importer.ports import Clock
from importer.records import Reply

__all__ = ["GUARD_S", "Gate", "StartLedger", "StrictLimiter"]

LASTING_S = 60.0
"""Windows of this length and more outlast a process: what earlier ones started is still in them."""

_CHECK_S = 1.0
"""A long wait is slept in pieces of this length, so that a stop is noticed within one."""

_LONG_S = 0.1
"""A wait beyond this can be cut short when what held it ends."""

_BUCKET_S = 0.02
"""The small bucket holds what the rate allows in this time, at least two: it evens out late timers.

With a bucket of one, timers that are a millisecond late cost 8 % of 100/s (measured)."""

_CATCHING_UP = 1.02
"""At the full rate the bucket is so much faster, and the windows alone keep it strict: what a late moment cost is made
up for within the next ones."""

_QUEUE_S = 0.02
"""Requests that should wait for their slot: what the rate allows in this time, so that none goes unused."""


class Gate(Protocol):
    """What may hold every request back (`Breaker`)."""

    def ready_at(self) -> float:
        """The monotonic moment before which nothing may start; 0 for no such moment."""
        ...

    def started(self, now: float) -> None:
        """One request has its slot, and starts as soon as it has a connection."""
        ...

    def withdrawn(self) -> None:
        """The request that got its slot last is not made after all."""
        ...


class StartLedger(Protocol):
    """Where starts are remembered beyond this process, for windows that outlast it."""

    async def charge(self, starts: int) -> None:
        """Return once so many further starts are on record; a negative number gives back."""
        ...


class StrictLimiter:
    """The one place where requests wait for their slot, shared by all workers. Implements `ports.Limiter`.

    Args:
        windows: the limits; every one of them holds.
        clock: time.
        stop: when it is requested, only what finishes begun work still starts.
        max_wait_s: a longer wait for a quota or a server's pause stops the run instead, in seconds.
        drain_s: how long a stopping run lasts: what cannot start in that time is refused although it would
            finish begun work, in seconds.
    """

    def __init__(
        self,
        windows: Sequence[Window],
        clock: Clock,
        stop: StopSwitch,
        *,
        max_wait_s: float = math.inf,
        drain_s: float = math.inf,
    ) -> None:
        self.windows = tuple(windows)
        self._clock = clock
        self.stop = stop
        self._gate: Gate | None = None
        self._learner: Callable[[Reply], None] | None = None
        self._max_wait_s = max_wait_s
        self._drain_s = drain_s
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._finishing = 0
        """Those among them that finish begun work and wait for their turn."""
        self._napping = False
        """Whether the one whose turn it is waits for long."""
        self._moved = asyncio.Event()
        """Set when a request has got its slot or a hold has ended."""
        self._paused_until = 0.0
        self._ledger: StartLedger | None = None
        self._credit = 0
        self._account = Account()
        self._shortest = min(self.windows, key=lambda window: window.per_s)
        self._under_way = UnderWay(sorted(self.windows, key=lambda window: window.per_s))
        self.set_pace(self._shortest.per_second)

    @property
    def ceiling_per_s(self) -> float:
        """The mean rate of the shortest window, requests per second."""
        return self._shortest.per_second

    def set_pace(self, per_s: float) -> None:
        """Spread starts at this rate, in requests per second; never above what the shortest window allows."""
        per_s = min(per_s, self._shortest.per_second)
        size = max(2.0, per_s * _BUCKET_S)
        full = per_s == self._shortest.per_second
        self._bucket = AsyncLimiter(size, size / (per_s * _CATCHING_UP if full else per_s))
        self._spacing_s = 1.0 / per_s
        self._deep = 2 + math.ceil(per_s * _QUEUE_S)

    # ------------------------------------------------------------------ a slot

    async def acquire(self, *, finishing: bool = False) -> None:
        """Wait until one request may start now; first come, first served."""
        (await self.reserve(finishing=finishing)).answered()

    async def reserve(self, *, finishing: bool = False) -> HeldSlot:
        """Wait until one request may start; its slot is held until it leaves, whenever that is."""
        self._waiting += 1
        try:
            await self._wait_for_turn(finishing=finishing)
            try:
                await self._spread(finishing=finishing)
                await self._fit(finishing=finishing)
                await self._pay()
                return self._hold()
            finally:
                self._turn.release()
        finally:
            self._waiting -= 1
            self._moved.set()

    async def _wait_for_turn(self, *, finishing: bool) -> None:
        """Wait for one's turn, to be released: what finishes begun work goes before what begins some.

        A refusal that a look-up settles may be the one that stops the run.
        """
        self._finishing += finishing
        try:
            await self._turn.acquire()
            while self._finishing and not finishing:  # let it pass, and stand in line again
                self._turn.release()
                await self._clock.sleep(0.0)
                await self._turn.acquire()
        finally:
            self._finishing -= finishing

    async def room(self) -> None:
        """Wait while more requests than needed wait for their slot: whoever takes on work asks first."""
        while not self.has_room:
            await self._nap(_CHECK_S)

    @property
    def has_room(self) -> bool:
        """Whether fewer requests than needed wait for their slot; a run that stops takes on what is left, to end it."""
        return self._waiting < self._deep or self.stop.requested

    async def _spread(self, *, finishing: bool) -> None:
        self._refuse_when_stopping(finishing=finishing)
        while self._spacing_s > _CHECK_S:
            try:
                async with asyncio.timeout(_CHECK_S):
                    await self._bucket.acquire()
            except TimeoutError:
                self._refuse_when_stopping(finishing=finishing)
            else:
                return
        await self._bucket.acquire()

    async def _fit(self, *, finishing: bool) -> None:
        if self._is_clear:
            return
        while (wait_s := self._ready_at() - self._clock.monotonic()) > 0:
            if wait_s > self._max_wait_s:
                self.stop.request("quota", self._too_long(wait_s))
            self._refuse_when_stopping(finishing=finishing and wait_s <= self._drain_s)
            if wait_s > _LONG_S:
                self._napping = True
                await self._nap(min(wait_s, _CHECK_S))
                self._napping = False
            else:
                await self._clock.sleep(wait_s)

    @property
    def _is_clear(self) -> bool:
        """Whether nothing can be in the way: no window that may be full, no pause since the start, no gate."""
        if self._paused_until or (self._gate is not None and self._gate.ready_at()):
            return False
        return all(window.has_space for window in self.windows)

    def _ready_at(self) -> float:
        now, ready_at = self._clock.monotonic(), self._paused_until
        self._under_way.count_overdue(now)
        for window in self.windows:
            ready_at = max(ready_at, window.ready_at(now, self._under_way.since))
        return ready_at if self._gate is None else max(ready_at, self._gate.ready_at())

    async def _pay(self) -> None:
        if self._ledger is not None and not self._credit:
            lot = max(1, math.ceil(min(1.0 / self._spacing_s, *(window.count / 100 for window in self.windows))))
            await self._ledger.charge(lot)
            self._credit = lot

    def _hold(self) -> HeldSlot:
        self._credit -= 1
        for window in self.windows:
            window.hold()
        if self._gate is not None:
            self._gate.started(self._clock.monotonic())
        return HeldSlot(self)

    def departed(self, slot: HeldSlot) -> None:
        """A request with a slot leaves now."""
        now = self._clock.monotonic()
        self._under_way.left(slot, now)
        self._account.started(now)
        self._release()

    def answered(self, slot: HeldSlot) -> None:
        """It has arrived: now every window counts it."""
        self._under_way.answered(slot, self._clock.monotonic())
        self._account.answered()
        self._release()

    def given_back(self) -> None:
        """A slot was not needed after all."""
        for window in self.windows:
            window.give_back()
        self._credit += 1
        if self._gate is not None:
            self._gate.withdrawn()
        self._release()

    def _release(self) -> None:
        """Whoever waits for more than a moment may have waited for this one."""
        if self._napping:
            self._moved.set()

    async def _nap(self, delay_s: float) -> None:
        self._moved.clear()
        try:
            async with asyncio.timeout(delay_s):
                await self._moved.wait()
        except TimeoutError:
            pass

    def _refuse_when_stopping(self, *, finishing: bool) -> None:
        if self.stop.requested and not finishing:
            raise StoppingError

    def _too_long(self, wait_s: float) -> str:
        hours, minutes = divmod(math.ceil(wait_s / 60), 60)
        return f"The allowance is used up for the next {hours} h {minutes:02} min; the run can be resumed then."

    # ------------------------------------------------------------------ holds

    def heed(self, gate: Gate) -> None:
        """From now on, let it hold everything back."""
        self._gate = gate

    def listen(self, learner: Callable[[Reply], None]) -> None:
        """From now on, pass on to it what `learn` is told."""
        self._learner = learner

    def learn(self, reply: Reply) -> None:
        """Hear of the answer to a request that no row made."""
        if self._learner is not None:
            self._learner(reply)

    def pause(self, delay_s: float, reason: str = "") -> float:
        """Let nothing start for `delay_s` seconds from now; a shorter pause never cuts a longer one.

        Returns:
            By how many seconds the pool stands still longer than it would have anyway.
        """
        now = self._clock.monotonic()
        longer_s = max(0.0, now + delay_s - max(now, self._paused_until))
        self._account.paused(longer_s, reason, fresh=now >= self._paused_until)
        self._paused_until = max(self._paused_until, now + delay_s)
        return longer_s

    @property
    def paused_until(self) -> float:
        """The end of the longest pause that was asked for, monotonic seconds."""
        return self._paused_until

    def look_again(self) -> None:
        """A hold may have ended: whoever waits looks again now."""
        self._moved.set()

    # ------------------------------------------------------------------ memory

    @property
    def outlasts_a_process(self) -> bool:
        """Whether a window is so long that starts of earlier processes may still be in it."""
        return any(window.per_s >= LASTING_S for window in self.windows)

    def remember(self, ledger: StartLedger, earlier: Iterable[tuple[float, int]]) -> None:
        """Put every start on record from now on, and count those of earlier processes in the long windows.

        Args:
            earlier: how many seconds ago at least, and how many; the oldest first.
        """
        self._ledger = ledger
        now = self._clock.monotonic()
        for age_s, count in earlier:
            for window in self.windows:
                if window.per_s >= LASTING_S and age_s < window.per_s:
                    window.preload(now - max(0.0, age_s), count)

    def follow(self, age_s: float) -> None:
        """Come after another run that may have used up the short windows, which nobody remembers.

        Args:
            age_s: how many seconds ago it made its last request, at least.
        """
        now = self._clock.monotonic()
        for window in self.windows:
            if age_s < window.per_s < LASTING_S:
                window.preload(now - max(0.0, age_s), window.count)

    async def give_back(self) -> None:
        """At the end of a run: take off the record what was reserved and not started."""
        if self._ledger is not None and self._credit > 0:
            credit, self._credit = self._credit, 0
            await self._ledger.charge(-credit)

    def receipt(self) -> dict[str, Any]:
        """What was allowed and what was used, in JSON types, for the report."""
        return {
            "allowance": ", ".join(map(str, self.windows)),
            **self._account.figures(),
            "largest": {f"in any {name_of(window.per_s)}": window.largest for window in self.windows},
        }

    def __repr__(self) -> str:
        paused = max(0.0, self._paused_until - self._clock.monotonic())
        return f"<StrictLimiter {', '.join(map(str, self.windows))}, {self._waiting} waiting, paused {paused:.1f}s>"
