"""One worker of the lab that sends together with others: its clocks, its ways out, and what is real."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from importer.core.errors import JournalError
from importer.core.events import Event
from importer.core.outcomes import Claimed, Found, Outcome, Record, Reply, Verdict
from importer.delivery import (
    Asking,
    Backoff,
    Breaker,
    BreakerRules,
    Deliver,
    Feedback,
    Matcher,
    Patience,
    Stamps,
    StopSwitch,
    StrictLimiter,
    Thresholds,
    Window,
)
from importer.delivery.sharing import Allowed, Participant, Report, SharedSending
from importer.delivery.slots import HeldSlot
from importer.engines import AsyncioPool
from importer.runs.pipeline import Delivery
from tests.lab.kinds import KINDS, STAMP
from tests.lab.lots import RENEWED_S, TRUSTED_S
from tests.lab.target import LabTarget
from tests.lab.virtual_time import VirtualClock
from tests.lab.world import body_of, travel

if TYPE_CHECKING:
    from tests.lab.together import Story

KIND = KINDS["rocketkor"]
LOOKS_AFTER_S = (0.0, 2.0, 8.0)
NEVER = (math.inf, math.inf)


def now_s() -> float:
    """Seconds of the story."""
    return asyncio.get_running_loop().time()


class LabClock(VirtualClock):
    """A clock that is wrong by some seconds. It is read so often that it knows its loop."""

    def __init__(self, wrong_by_s: float) -> None:
        self._wrong_by_s = wrong_by_s
        self.monotonic = asyncio.get_running_loop().time  # type: ignore[method-assign]

    def now(self) -> float:
        return super().now() + self._wrong_by_s


@dataclass(slots=True)
class Fate:
    """What befalls one worker: moments in seconds of the story."""

    dies_at: float = math.inf
    stopped: tuple[float, float] = NEVER
    without_ledger: tuple[float, float] = NEVER
    without_target: tuple[float, float] = NEVER

    def touches(self, begin: float, end: float) -> bool:
        """Whether anything befalls it in this time that keeps it from hearing of others."""
        spans = (self.stopped, self.without_ledger, (self.dies_at, math.inf))
        return any(span[0] < end and span[1] + 4.0 > begin for span in spans)


class Worker:
    """One worker process: its clocks, its ways to the ledger and to the target, and what is real.

    Whoever is dead does nothing more at any of its ways out; whoever is stopped does it later.
    """

    def __init__(self, story: Story, name: str, fate: Fate) -> None:
        self.story, self.name, self._fate = story, name, fate
        self._dice = random.Random(f"{story.seed} {name}")
        self._wrong_by_s = self._dice.uniform(-30.0, 30.0)
        self.clock, self.stop = LabClock(self._wrong_by_s), StopSwitch()
        self.limiter = StrictLimiter([Window(story.rate, 1.0)], self.clock, self.stop, max_wait_s=600.0)
        self._trusted_until, self._has_lost = 0.0, False
        self._unsaid: list[Outcome] = []
        self._died = asyncio.Event()

    @property
    def is_dead(self) -> bool:
        return self.clock.monotonic() >= self._fate.dies_at

    async def run(self) -> None:
        """Send lots until none is left.

        Raises:
            JournalError: the lease is over.
        """
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._send())
            dying = group.create_task(self._die(sending))
            sending.add_done_callback(lambda _: dying.cancel())

    async def _die(self, sending: asyncio.Task[None]) -> None:
        if self._fate.dies_at == math.inf:
            return
        await travel(max(0.0, self._fate.dies_at - self.clock.monotonic()))
        self.story.deaths += 1
        self.story.say(f"{self.name} dies")
        self._died.set()
        sending.cancel()

    async def _send(self) -> None:
        await self.outside()
        self.story.lots.renew(self.name, first=True)
        self._trusted_until = self.clock.monotonic() + TRUSTED_S
        self.limiter.may_start = self._may_start
        who = Participant(self.name, "r")
        link = SharedSending(self._ask, self.limiter, self.clock, self._ticks, who)
        renewing = asyncio.create_task(self._renew())
        try:
            async with link:
                await self._parts(link).run()
                await self._flush()
        finally:
            renewing.cancel()
        self.story.lots.give_back(self.name)

    def _parts(self, link: SharedSending) -> Delivery:
        backoff = Backoff(0.5, 10.0, self._dice)
        rules = BreakerRules(faults=8, probe_s=0.5, give_up_s=120.0, answer_s=5.0)
        feedback = Feedback(self.limiter, Breaker(self.stop, rules), backoff, clock=self.clock, emit=self._heard)
        engine = AsyncioPool(self.story.lines, self.limiter)
        asking = Asking(WorkerTarget(self), Patience(4, LOOKS_AFTER_S, backoff, 20), feedback, self.stop, self.clock)
        link.thresholds = thresholds = Thresholds(self.stop)
        stamps = Stamps(Matcher(KIND.contract.bodies, STAMP))
        deliver = Deliver(asking, stamps, self, thresholds, engine.worker_released)
        link.looks = deliver.reconcile.looks
        return Delivery(self, engine, deliver, self.stop, _ignore, drain_s=20.0)

    def _heard(self, event: Event) -> None:
        if event.name == "paused" and not self.is_dead:
            self.story.pauses.append((self.clock.monotonic(), event.data["seconds"], self.name))

    # ------------------------------------------------------------------ the ways out

    async def outside(self) -> None:
        """Come through only while this process runs."""
        if self.is_dead:
            await asyncio.Event().wait()
        begin, end = self._fate.stopped
        if begin <= self.clock.monotonic() < end:
            await travel(end - self.clock.monotonic())

    def _is_cut_off(self, span: tuple[float, float]) -> bool:
        return span[0] <= self.clock.monotonic() < span[1]

    async def _ask(self, report: Report) -> Allowed:
        if self.is_dead:
            raise JournalError("Nobody asks.")  # at once: the next one is not to wait for this one to give up
        await self.outside()
        await travel(self._dice.choice((0.001, 0.004, 0.02)))
        if self._is_cut_off(self._fate.without_ledger):
            await travel(self._dice.choice((0.5, 2.0)))
            raise JournalError("The journal cannot be reached.")
        allowed = self.story.exchange(report)
        await travel(self._dice.choice((0.001, 0.004, 0.02)))
        if self._is_cut_off(self._fate.without_ledger):
            raise JournalError("The journal cannot be reached.")
        await self.outside()
        return allowed

    def _ticks(self) -> float:
        return self.clock.monotonic() + self._wrong_by_s

    def _may_start(self) -> bool:
        if self._has_lost:
            raise JournalError("Another program has taken over.")
        return self.clock.monotonic() < self._trusted_until

    async def _renew(self) -> None:
        while True:
            await travel(RENEWED_S)
            await self.outside()
            if not self._is_cut_off(self._fate.without_ledger):
                asked = self.clock.monotonic()
                try:
                    self.story.lots.renew(self.name)
                    self._trusted_until = asked + TRUSTED_S
                    self._write()
                except JournalError:
                    self._has_lost = True
                    return

    async def _at_journal(self) -> None:
        """Reach the journal, however long that takes; whoever comes too late is refused there."""
        await self.outside()
        await travel(0.003)
        begin, end = self._fate.without_ledger
        if begin <= self.clock.monotonic() < end:
            await travel(end - self.clock.monotonic())
        await self.outside()

    # ------------------------------------------------------------------ ports.Claims and ports.Memory

    async def claim(self, limit: int) -> Claimed:
        while True:
            await self._at_journal()
            self._write()
            claimed = self.story.lots.claim(self.name, limit)
            if claimed or self.stop.requested or not self.story.lots.left:
                return claimed
            await travel(0.5)

    def settle(self, outcome: Outcome) -> None:
        self._unsaid.append(outcome)
        if self.is_dead or any(map(self._is_cut_off, (self._fate.stopped, self._fate.without_ledger))):
            return
        self._write()

    def _write(self) -> None:
        """Write what has gathered, in one commit."""
        outcomes, self._unsaid = self._unsaid, []
        for outcome in outcomes:
            self.story.lots.settle(self.name, outcome)

    async def _flush(self) -> None:
        await self._at_journal()
        self._write()

    async def sends_again(self, record: Record) -> None:
        await self._at_journal()
        self.story.lots.sends_again(self.name, record.ordinal)

    async def has_owner(self, customer_id: str) -> bool:
        await self._at_journal()
        rows = self.story.lots.rows
        return any(row.outcome is not None and row.outcome.customer_id == customer_id for row in rows)

    # ------------------------------------------------------------------ the target

    async def before_departure(self) -> None:
        """A connection takes a moment; whoever is stopped or dead then leaves later or never."""
        await travel(self._dice.choice((0.0, 0.0, 0.002, 0.05)))
        await self.outside()

    def departs(self, slot: HeldSlot) -> None:
        """Note what arrives at the server."""
        slot.depart()
        self.story.arrivals.append((self.clock.monotonic(), self.name))

    @property
    def is_cut_off_from_target(self) -> bool:
        return self._is_cut_off(self._fate.without_target)

    @property
    def dice(self) -> random.Random:
        return self._dice

    @property
    def ahead_s(self) -> float:
        """How far the target's clock is ahead of this worker's."""
        return -self._wrong_by_s


class WorkerTarget(LabTarget):
    """The lab's target, as one worker reaches it."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker.story.world, worker.dice, worker.limiter)
        self._worker = worker

    @property
    def server_ahead_s(self) -> float | None:
        """As of `ports.Timekeeper`."""
        return self._worker.ahead_s

    async def send(self, record: Record) -> Reply:
        slot = await self._limiter.reserve()
        try:
            await self._worker.before_departure()
            self._worker.departs(slot)  # type: ignore[arg-type]
            async with asyncio.timeout(4.0):
                if self._worker.is_cut_off_from_target:
                    return await self._lost(record)
                reply = await self._create(record)
            await self._worker.outside()
            return reply
        except (TimeoutError, ConnectionError) as error:
            return KIND.failure_reply(error)
        finally:
            slot.answered()

    async def _lost(self, record: Record) -> Reply:
        """What was on its way when the way broke may have arrived."""
        if self._worker.dice.random() < 0.05:
            self._world.commit(body_of(record.payload), self._now())
            raise ConnectionResetError
        await travel(0.1)
        return Reply(Verdict.RETRY, error_code="connect_failed", message="Nobody answers.")

    async def find(self, record: Record) -> Found:
        slot = await self._limiter.reserve(finishing=True)
        try:
            await self._worker.before_departure()
            self._worker.departs(slot)  # type: ignore[arg-type]
            if self._worker.is_cut_off_from_target:
                await travel(0.1)
                return Found(failure=Reply(Verdict.RETRY, error_code="connect_failed", message="Nobody answers."))
            found = await self._find(record)
            await self._worker.outside()
            return found
        except ConnectionError as error:
            return Found(failure=KIND.failure_reply(error))
        finally:
            slot.answered()


def _ignore(_: Event) -> None:
    """Nobody listens."""
