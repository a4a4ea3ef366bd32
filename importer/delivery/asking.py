"""Questions to the target that change nothing: repeated like any other request, never decide how a row ends.

`Deliver` and the second looks share it, so that both count tries and report answers to the pool in one way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from importer.core.errors import StoppingError
from importer.core.outcomes import Found, Record, Reply, Verdict
from importer.core.ports import Clock, Finder, Target
from importer.delivery.attempts import Attempts
from importer.delivery.backoff import Backoff
from importer.delivery.stops import StopSwitch


class Pool(Protocol):
    """What the whole pool learns from one worker's answers (`Feedback`)."""

    @property
    def held(self) -> bool:
        """Whether the target is down for everybody."""
        ...

    def answered(self, reply: Reply, duration_s: float, kind: str) -> None:
        """Learn from one reply to a `create` or `find`; nothing starts while the pool pauses for it."""
        ...


class CreatesAndFinds(Target, Finder, Protocol):
    """A target that can also look customers up."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long.

    Args:
        max_attempts: creates that may be tried for one row in one pass, and tries of one look-up.
        looks_after_s: when a row in doubt is looked up: seconds after the end of the request that left the doubt.
        backoff: draws the pauses between tries.
        max_spared: tries on top that are not the row's own doing: refused to everybody (429, 503), or made while
            the target was down. What bounds them in time is the breaker.
    """

    max_attempts: int
    looks_after_s: Sequence[float]
    backoff: Backoff
    max_spared: int = 100


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks, and asks again."""

    target: CreatesAndFinds
    patience: Patience
    pool: Pool
    stop: StopSwitch
    clock: Clock

    async def find(self, attempts: Attempts, form: Record | None = None) -> Found:
        """Look a row up once, and note it among its attempts.

        Args:
            form: as what it may have been sent; None: as it is.
        """
        return await self._ask(lambda: self.target.find(form or attempts.record), attempts)

    async def get(self, customer_id: str) -> Found:
        """Read one customer."""
        return await self._ask(lambda: self.target.get(customer_id), None)

    async def _ask(self, question: Callable[[], Awaitable[Found]], attempts: Attempts | None) -> Found:
        tries = spared = 0
        while True:
            started_at, started = self.clock.now(), self.clock.monotonic()
            try:
                found = await question()
            except StoppingError:
                return Found(failure=_NO_TIME)
            duration_s = self.clock.monotonic() - started
            reply = found.failure or Reply(Verdict.ACCEPT, allowance=found.allowance, took_s=found.took_s)
            if attempts is not None:
                attempts.add("find", reply, started_at=started_at, duration_s=duration_s)
            is_spared = self.is_spared(reply)
            self.answered("find", reply, duration_s)
            if found.failure is None:
                return found
            tries, spared = tries + (not is_spared), spared + is_spared
            if reply.verdict is Verdict.ABORT:
                self.stop.request("access", reply.message)
            if reply.verdict in _HOPELESS or self.stop.requested:
                return found
            if tries >= self.patience.max_attempts or spared >= self.patience.max_spared:
                return found
            if (reply.shared or not is_spared) and reply.retry_after_s is None:
                await self.rest(self.patience.backoff.pause_s(max(tries, spared)))

    def is_spared(self, reply: Reply) -> bool:
        """Whether this try is not the row's own doing."""
        passing = reply.verdict in _PASSING
        return reply.throttled or reply.overloaded or (passing and (reply.shared or self.pool.held))

    def answered(self, kind: str, reply: Reply, duration_s: float) -> None:
        """Report an answer to the pool; a token exchange was reported once already, and no row made it."""
        if not reply.shared:
            self.pool.answered(reply, duration_s, kind)

    async def rest(self, delay_s: float) -> None:
        """Wait, but not past the moment when the run is asked to stop."""
        try:
            async with asyncio.timeout(delay_s):
                await self.stop.wait()
        except TimeoutError:
            pass


_NO_TIME = Reply(Verdict.RETRY, error_code="stopped_in_doubt")
_PASSING = (Verdict.RETRY, Verdict.IN_DOUBT)
_HOPELESS = (Verdict.ABORT, Verdict.REJECT, Verdict.DUPLICATE)
