"""The rate limit: in any rolling window no more requests than allowed reach the server, and hardly fewer.

Two parts, since each alone fails. `aiolimiter.AsyncLimiter` spaces the requests evenly, but as a leaky bucket it lets
up to 2N - 1 of them into one window (measured: 199 for 100/s). A sliding window log (`Window`) is strict, but lets
them go in bursts. So every request is spaced first, and then waits until it fits into every window.

The life of a request: it waits in line and gets its slot (`reserve`); it leaves once it has a connection (`depart`);
it arrives some time before its answer is here (`answered`). Windows keep a place for slots that have not left yet.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any

from aiolimiter import AsyncLimiter

from importer.core.errors import StoppingError
from importer.core.outcomes import Reply
from importer.core.ports import Clock
from importer.delivery.breaker import Breaker
from importer.delivery.sliding_window import Window
from importer.delivery.slots import HeldSlot, Lateness
from importer.delivery.stops import StopSwitch

_USUALLY_UNUSED = 0.03  # of the shortest window; what is unused beyond adds to that: a busy machine delays much
_ANSWER_S = 1.0  # for so long an answer is waited for before its request counts: no window has forgotten it by then

_BUCKET_S = 0.02  # the bucket holds what the rate allows in this time, at least two: it makes up for late timers
_CATCHING_UP = 1.02  # at the full rate the bucket is so much faster: windows alone limit, and a lost moment is made up
_QUEUE_S = 0.02  # requests that should wait in line: what the rate allows in this time, so that no slot goes unused
LONG_WINDOW_S = 60.0  # windows of this length and more outlast a process
_CHECK_S = 1.0  # a long wait is slept in pieces of this length, so that a stop is noticed within one
_SHORT_S = 0.1  # a wait beyond this ends early when what it waited for changes


Charge = Callable[[int], Awaitable[float]]
"""Returns 0 once this many further requests are on record, or for how many seconds they are refused. A negative number
gives back."""


class StrictLimiter:
    """The one place where requests wait for their slot, shared by all workers. Implements `ports.Limiter`.

    Args:
        windows: the limits; every one of them holds. The shortest is spaced, longer ones are quotas.
        stop: when it is requested, only what finishes begun work still gets a slot.
        max_wait_s: a longer wait for a quota or a server's pause stops the run instead, in seconds.
        drain_s: how long a stopping run lasts: what would have to wait longer is refused, whatever it is, in seconds.

    Attributes:
        limit_per_s: what the shortest window allows, in requests per second, whatever part of it may be used now.
        breaker: asked before every request; None: there is none.
        learn: takes the answers to requests that no row made (token exchanges).
        may_start: asked before every request; while it says no, everything waits.
        in_force: asked before every request, and when it leaves: whether the counts of the windows still hold.
        paused_until: the end of the longest pause that was asked for, monotonic seconds.
        changed: set it when something that requests wait for may have ended.
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
        self.windows = tuple(sorted(windows, key=lambda window: window.per_s))
        self.limit_per_s = self.ceiling_per_s = self.windows[0].limit / self.windows[0].per_s
        self._pace_per_s = self.ceiling_per_s
        self.stop, self.paused_until = stop, 0.0
        self._clock, self._max_wait_s, self._drain_s = clock, max_wait_s, drain_s
        self.breaker: Breaker | None = None
        self.learn: Callable[[Reply], None] = _ignore
        self.may_start: Callable[[], bool] = _always
        self.in_force: Callable[[], bool] = _always
        self._charge: Charge | None = None
        self._credit, self._credit_lasts_s, self._charged_at, self._refused_until = 0, math.inf, 0.0, 0.0
        self._line, self._turn, self.changed = asyncio.Lock(), asyncio.Lock(), asyncio.Event()
        self._waiting = self._reserved = self._in_flight = self._most_in_flight = self._requests = 0
        self._first_s = self._last_s = 0.0
        self._under_way: dict[HeldSlot, None] = {}
        self._lateness = Lateness(self.ceiling_per_s)
        self.set_pace(self.ceiling_per_s)

    def set_pace(self, per_s: float) -> None:
        """Space requests at this rate, in requests per second; never above what the shortest window allows."""
        self._pace_per_s = per_s
        per_s = min(per_s, self.ceiling_per_s)
        size = max(2.0, per_s * _BUCKET_S)
        self._bucket = AsyncLimiter(size, size / (per_s * _CATCHING_UP if per_s == self.ceiling_per_s else per_s))
        self._space_s = _CHECK_S if per_s * _CHECK_S < 1.0 else None  # faster ones never wait for long
        self._deep = 2 + math.ceil(per_s * _QUEUE_S)
        counted = self.windows[-1:] if self._credit_lasts_s < math.inf else self.windows
        self._lot = max(1, math.ceil(min(per_s, *(window.count / 100 for window in counted))))

    def set_counts(self, counts: Sequence[int]) -> None:
        """Change how many requests the short windows may hold, the shortest first; 0: nothing starts.

        What they hold already counts: where that is more, nothing starts until enough has left them.
        """
        before = [window.count for window in self.short_windows]
        for window, count in zip(self.short_windows, counts, strict=True):
            window.count = count
        if counts and counts[0] and list(counts) != before:
            self.ceiling_per_s = counts[0] / self.windows[0].per_s
            self._lateness.set_rate(self.ceiling_per_s)
            self.set_pace(self._pace_per_s)
        self.changed.set()

    @property
    def short_windows(self) -> Sequence[Window]:
        """Those that a process sees the whole of, the shortest first."""
        return [window for window in self.windows if window.per_s < LONG_WINDOW_S]

    @property
    def used(self) -> tuple[int, ...]:
        """How many requests every short window holds, with those that have a slot."""
        now = self._clock.monotonic()
        return tuple(window.held(now) + self._reserved for window in self.short_windows)

    @property
    def waiting(self) -> int:
        """How many requests wait for a slot."""
        return self._waiting

    @property
    def in_flight(self) -> int:
        """How many requests have a slot, and no answer yet."""
        return self._reserved + self._in_flight

    # ------------------------------------------------------------------ waiting

    async def reserve(self, *, finishing: bool = False) -> HeldSlot:
        """Wait until one request may start; what finishes begun work passes the line of those that would begin some."""
        self._waiting += 1
        try:
            async with nullcontext() if finishing else self._line, self._turn:
                await self._space(finishing=finishing)
                await self._fit(finishing=finishing)
                while not self.may_start():
                    self._refuse_when_stopping(finishing=False)
                    await self._nap(_CHECK_S)
                self._credit -= 1
                self._reserved += 1
                if self.breaker is not None:
                    self.breaker.started(self._clock.monotonic())
                return HeldSlot(self)
        finally:
            self._waiting -= 1
            self.changed.set()

    async def _space(self, *, finishing: bool) -> None:
        while True:
            self._refuse_when_stopping(finishing=finishing)
            try:
                async with asyncio.timeout(self._space_s):
                    return await self._bucket.acquire()
            except TimeoutError:
                continue

    async def _fit(self, *, finishing: bool) -> None:
        while (wait_s := await self._wait_s()) > 0:
            if wait_s > self._max_wait_s:
                self.stop.request("quota", _too_long(wait_s))
            self._refuse_when_stopping(finishing=finishing and wait_s <= self._drain_s)
            await (self._nap(min(wait_s, _CHECK_S)) if wait_s > _SHORT_S else self._clock.sleep(wait_s))

    async def _wait_s(self) -> float:
        """For how long nothing can start yet; 0 or less: the next request fits, and is on record."""
        wait_s = self._ready_at() - self._clock.monotonic()
        if wait_s > 0 or self._charge is None or self._has_credit():
            return wait_s
        await self._put_on_record(self._charge)
        return self._ready_at() - self._clock.monotonic()

    def _ready_at(self) -> float:
        now = self._clock.monotonic()
        if not self.in_force():
            return now + _CHECK_S
        self._count_overdue(now)
        fits_at = max(window.ready_at(now, self._reserved) for window in self.windows)
        return max(fits_at, self.paused_until, self._refused_until, self.breaker.ready_at() if self.breaker else 0.0)

    def _has_credit(self) -> bool:
        return self._credit > 0 and self._clock.monotonic() - self._charged_at <= self._credit_lasts_s

    async def _put_on_record(self, charge: Charge) -> None:
        await self.give_back()
        asked_at = self._clock.monotonic()
        refused_s = await charge(self._lot)
        if refused_s > 0:
            self._refused_until = self._clock.monotonic() + refused_s
        else:
            self._credit, self._charged_at = self._lot, asked_at

    def _refuse_when_stopping(self, *, finishing: bool) -> None:
        if self.stop.requested and not finishing:
            raise StoppingError

    async def _nap(self, delay_s: float) -> None:
        self.changed.clear()
        try:
            async with asyncio.timeout(delay_s):
                await self.changed.wait()
        except TimeoutError:
            pass

    @property
    def has_room(self) -> bool:
        """Whether fewer requests than needed are in line; a run that stops takes on what is left, to end it."""
        return self._waiting < self._deep or self.stop.requested

    async def room(self) -> None:
        """Wait until there is room: whoever takes on work asks first."""
        while not self.has_room:
            await self._nap(_CHECK_S)

    # ------------------------------------------------------------------ slots

    def departed(self, slot: HeldSlot) -> float:
        """Count a request from now on; returns the moment, monotonic seconds."""
        now = self._clock.monotonic()
        self._count_overdue(now)
        self._under_way[slot] = None
        self._reserved -= 1
        for window in self.windows:
            window.add(now)
        unused = self.windows[0].unused(self._reserved) - _USUALLY_UNUSED
        self._lateness.departed(max(0.0, unused) * self.windows[0].per_s)
        self._first_s, self._last_s = self._first_s if self._requests else now, now
        self._requests += 1
        self._in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self._in_flight)
        self.changed.set()
        return now

    def answered(self, slot: HeldSlot) -> None:
        """The answer to a request begins to come in, or will not come: it has arrived."""
        took_s = self._clock.monotonic() - slot.left_s
        if slot in self._under_way:
            self._arrived(slot, took_s)
        self._lateness.answered(took_s)
        self._in_flight -= 1

    def given_back(self) -> None:
        """A slot was not needed after all."""
        self._reserved -= 1
        self._credit += 1
        if self.breaker is not None:
            self.breaker.withdrawn()
        self.changed.set()

    def _arrived(self, slot: HeldSlot, took_s: float) -> None:
        """Count a request from when it arrived at the latest."""
        del self._under_way[slot]
        if (late_s := self._lateness.of(took_s)) > 0:
            for window in self.windows:
                window.move(slot.left_s, slot.left_s + late_s)

    def _count_overdue(self, now: float) -> None:
        longest_s = min(_ANSWER_S, self.windows[0].per_s)
        while self._under_way and now - (slot := next(iter(self._under_way))).left_s >= longest_s:
            self._arrived(slot, now - slot.left_s)

    # ------------------------------------------------------------------ what holds all requests back

    def pause(self, delay_s: float) -> float:
        """Let nothing start for `delay_s` seconds from now; a shorter pause never cuts a longer one.

        Returns:
            By how many seconds that is longer than the pause that lasts already.
        """
        now = self._clock.monotonic()
        before, self.paused_until = max(now, self.paused_until), max(now + delay_s, self.paused_until)
        return max(0.0, self.paused_until - before)

    # ------------------------------------------------------------------ across processes

    @property
    def outlasts_a_process(self) -> bool:
        """Whether requests of earlier processes may still be in a window."""
        return self.windows[-1].per_s >= LONG_WINDOW_S

    def remember(
        self, charge: Charge, earlier: Iterable[tuple[float, int]], *, credit_lasts_s: float = math.inf
    ) -> None:
        """Put requests on record before they start, and count those of earlier processes in the long windows.

        Args:
            earlier: how many seconds ago at least, and how many.
            credit_lasts_s: what is on record has to start within this time, in seconds; else it is given back.
        """
        self._charge, self._credit_lasts_s = charge, credit_lasts_s
        self.set_pace(self._pace_per_s)
        for age_s, count in earlier:
            for window in self.windows:
                if window.per_s >= LONG_WINDOW_S:
                    self._preload(window, age_s, count)

    def follow(self, age_s: float) -> None:
        """Start after another run, whose last request, this many seconds ago, may have filled the short windows."""
        for window in self.windows:
            if window.per_s < LONG_WINDOW_S:
                self._preload(window, age_s, window.count)

    def _preload(self, window: Window, age_s: float, count: int) -> None:
        if age_s < window.per_s:
            window.preload(self._clock.monotonic() - max(0.0, age_s), count)

    async def give_back(self) -> None:
        """At the end of a run: take off the record what was charged and not used."""
        if self._charge is not None and self._credit > 0:
            credit, self._credit = self._credit, 0
            await self._charge(-credit)

    def receipt(self) -> dict[str, Any]:
        """What was allowed and what was used, in JSON types, for the report."""
        span_s = self._last_s - self._first_s
        return {
            "allowance": ", ".join(map(str, self.windows)),
            "requests": self._requests,
            "seconds": round(span_s, 3),
            "achieved_per_s": round((self._requests - 1) / span_s, 3) if span_s > 0 else float(self._requests),
            "most_in_flight": self._most_in_flight,
            "largest": {f"in any {window.length}": window.largest for window in self.windows},
        }


def _ignore(_: Reply) -> None:
    """Nobody learns from it."""


def _always() -> bool:
    return True


def _too_long(wait_s: float) -> str:
    hours, minutes = divmod(math.ceil(wait_s / 60), 60)
    return f"The allowance is used up for the next {hours} h {minutes:02} min; the run can be resumed then."
