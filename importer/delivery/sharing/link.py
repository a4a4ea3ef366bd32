"""Sends together with other workers: says about twice a second how this one is, and does what it may.

Without an answer the share runs out, and nothing starts; it goes on with the next answer. Never speaks to the ledger
itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from importer.core.errors import ImporterError
from importer.core.ports import Clock
from importer.delivery.rate_limit import StrictLimiter
from importer.delivery.reconcile import Looks
from importer.delivery.sharing.messages import Allowed, Breaking, Report, StopReason
from importer.delivery.stops import StopSwitch, Thresholds

Exchange = Callable[[Report], Awaitable[Allowed]]
"""Takes a report to the ledger. Raises ImporterError where that cannot be reached."""

_INTERVAL_S = 0.4
_PIECE_S = 0.1
"""Between two looks for something that the others have to know at once."""
_HELD_S = 2.0
"""For so long a breaker is held after every answer that says so: longer than an interval."""
_LEAVE_S = 5.0
_PAUSE_STEP_S = 0.001


@dataclass(frozen=True, slots=True)
class Participant:
    """Who sends.

    Args:
        name: no other worker has it.
        sending: what all of them send, as of `Report`.
        begins: whether this one opens it.
    """

    name: str
    sending: str
    begins: bool = False


class SharedSending:
    """Used as a context manager around all that one worker sends; nothing starts before the first answer.

    Args:
        ticks: seconds that go on while the host sleeps.

    Attributes:
        thresholds: counts what the others have settled as well; None: there is none.
        looks: those for rows in doubt, which last longer where another worker has seen a customer appear late.
        is_reached: whether others send that are not known to be cut off from the target, by the newest answer.
    """

    def __init__(
        self,
        exchange: Exchange,
        limiter: StrictLimiter,
        clock: Clock,
        ticks: Callable[[], float],
        who: Participant,
    ) -> None:
        self.thresholds: Thresholds | None = None
        self.looks = Looks(())
        self.is_reached = True
        self._exchange, self._limiter, self._clock, self._ticks = exchange, limiter, clock, ticks
        self._who = who
        self._number = self._applied = 0
        self._ends_at = -1.0
        self._pause_known_until = limiter.paused_until
        self._closings: int | None = None
        self._breaking: Breaking = "closed"
        self._reported = self._urgent()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._limiter.in_force = self._in_force
        self._limiter.set_counts([0] * len(self._limiter.short_windows))
        self._task = asyncio.create_task(self._go_on(), name="sharing")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the share back, if the ledger can be reached; nothing starts any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._ends_at = -1.0
        with suppress(ImporterError, TimeoutError):
            async with asyncio.timeout(_LEAVE_S):
                self._learn(await self._exchange(self._report(leaves=True)))

    def _in_force(self) -> bool:
        if self._task is not None and self._task.done():
            self._task.result()  # raises what it met, which is a fault of the program: nobody may wait for it
        return self._ticks() < self._ends_at

    @property
    def _stop(self) -> StopSwitch:
        return self._limiter.stop

    # ------------------------------------------------------------------ asking

    async def _go_on(self) -> None:
        while True:
            began = self._clock.monotonic()
            with suppress(ImporterError):  # the share runs out meanwhile
                await self._ask()
            while self._clock.monotonic() - began < _INTERVAL_S:
                await self._clock.sleep(_PIECE_S)
                if self._has_news():
                    break

    async def _ask(self) -> None:
        asked_at, paused_until, urgent = self._ticks(), self._limiter.paused_until, self._urgent()
        allowed = await self._exchange(self._report())
        self._reported = urgent
        self._pause_known_until = max(self._pause_known_until, paused_until)
        self._apply(allowed, asked_at)

    def _has_news(self) -> bool:
        return self._was_asked_to_pause() or self._reported != self._urgent()

    def _urgent(self) -> tuple[str, bool, bool]:
        """What the ledger has to know at once: a stop, whether the breaker is open, and a wait without a share."""
        is_empty = not all(window.count for window in self._limiter.short_windows)
        return self._stop.reason, self._has_opened(), is_empty and self._limiter.waiting > 0

    def _was_asked_to_pause(self) -> bool:
        """Whether there is a pause that the ledger does not know: what comes from it must not go back to it."""
        return self._limiter.paused_until > self._pause_known_until + _PAUSE_STEP_S

    def _has_opened(self) -> bool:
        return self._limiter.breaker is not None and self._limiter.breaker.has_opened

    def _report(self, *, leaves: bool = False) -> Report:
        self._number += 1
        pause_s = self._limiter.paused_until - self._clock.monotonic() if self._was_asked_to_pause() else 0.0
        settled, bad = self.thresholds.own if self.thresholds is not None else (0, 0)
        return Report(
            self._who.name,
            self._who.sending,
            self._number,
            self._applied,
            used=self._limiter.used,
            waiting=self._limiter.waiting,
            in_flight=self._limiter.in_flight,
            pause_s=max(0.0, pause_s),
            settled=settled,
            bad=bad,
            latest_s=self.looks.latest_s,
            stop=StopReason(self._stop.reason, self._stop.message),
            is_open=self._has_opened(),
            begins=self._who.begins and not self._applied,
            leaves=leaves,
        )

    # ------------------------------------------------------------------ what it may do

    def _apply(self, allowed: Allowed, asked_at: float) -> None:
        self._applied, self._ends_at = allowed.number, asked_at + allowed.lasts_s
        self._limiter.set_counts(allowed.counts)
        if allowed.pause_s > 0:
            self._pause_known_until = max(self._pause_known_until, self._clock.monotonic() + allowed.pause_s)
            self._limiter.pause(allowed.pause_s)
        if allowed.stop.reason:
            self._stop.request(*allowed.stop)
        self._learn(allowed)
        if self.thresholds is not None:
            self.thresholds.count_others(allowed.settled, allowed.bad)
        self.is_reached = allowed.is_reached
        self._break(allowed)
        self._limiter.changed.set()

    def _learn(self, allowed: Allowed) -> None:
        self.looks.arrived(allowed.latest_s)

    def _break(self, allowed: Allowed) -> None:
        breaker, now = self._limiter.breaker, self._clock.monotonic()
        closings, self._closings = self._closings, allowed.closings
        before, self._breaking = self._breaking, allowed.breaking
        if breaker is None:
            return
        breaker.hold(now + _HELD_S if allowed.breaking == "held" else 0.0)
        breaker.know_alone(now, is_alone=allowed.breaking == "alone")
        if allowed.breaking == "probes" != before:
            breaker.open_to_probe(now)
        elif closings not in {None, allowed.closings}:
            breaker.probe_now(now)
