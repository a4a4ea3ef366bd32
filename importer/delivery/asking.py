"""Questions to the target that change nothing: repeated like any other request, never decide how a row ends.

`Deliver` and the second looks share it, so that both count tries and report answers to the pool in one way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from importer.core.errors import StoppingError
from importer.core.outcomes import Found, Record, Reply, Verdict
from importer.core.ports import Clock, Finder, Target
from importer.delivery.attempts import Attempts
from importer.delivery.backoff import Backoff
from importer.delivery.stops import StopSwitch

Answer = TypeVar("Answer")


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

    async def until_answered(self, question: Callable[[], Awaitable[Answer | Reply]]) -> Answer | Reply:
        """Ask for something of the whole account, as often as it makes sense; a reply says why there is no answer."""
        tries = Tries(self)
        while True:
            try:
                answer = await question()
            except StoppingError:
                return _NO_TIME
            if not isinstance(answer, Reply):
                return answer
            tries.saw(answer)
            self.answered("find", answer, answer.took_s or 0.0)
            if not await tries.may_go_on(answer):
                return answer

    async def _ask(self, question: Callable[[], Awaitable[Found]], attempts: Attempts | None) -> Found:
        tries = Tries(self)
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
            tries.saw(reply)
            self.answered("find", reply, duration_s)
            if found.failure is None or not await tries.may_go_on(reply):
                return found

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


class Tries:
    """How often one thing was asked for in this pass, and whether it may be once more."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._tries = self._spared = 0
        self._is_spared = False

    def saw(self, reply: Reply) -> None:
        """Count a try, before the pool learns of its answer."""
        self._is_spared = self._asking.is_spared(reply)
        self._tries, self._spared = self._tries + (not self._is_spared), self._spared + self._is_spared

    async def may_go_on(self, reply: Reply) -> bool:
        """Wait as long as it makes sense after a try that failed; False: no other makes sense."""
        asking, patience = self._asking, self._asking.patience
        if reply.verdict is Verdict.ABORT:
            asking.stop.request("access", reply.message)
        if reply.verdict in _HOPELESS or asking.stop.requested:
            return False
        if self._tries >= patience.max_attempts or self._spared >= patience.max_spared:
            return False
        if (reply.shared or not self._is_spared) and reply.retry_after_s is None:
            await asking.rest(patience.backoff.pause_s(max(self._tries, self._spared)))
        return True


_NO_TIME = Reply(Verdict.RETRY, error_code="stopped_in_doubt")
_PASSING = (Verdict.RETRY, Verdict.IN_DOUBT)
_HOPELESS = (Verdict.ABORT, Verdict.REJECT, Verdict.DUPLICATE)
