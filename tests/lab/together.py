"""Many workers that send one run, in virtual time: each with the real limiter, pool, delivery and link, over the real
ledger and a model of the shared journal, in a world in which workers die, stop for a while, and are cut off.

One seed is one story: some seconds in which things happen, and some in which nothing does. Then every promise is
checked: each row exactly once, or said not to be; never more than the rate in any rolling window at the server; nearly
all of the rate used while nothing happens; and what one worker is asked to pause, all pause within a second.
"""

from __future__ import annotations

import asyncio
import math
import random
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from importer.core.errors import JournalError
from importer.core.events import Event
from importer.core.outcomes import Claimed, Found, Outcome, Record, Reply, Verdict
from importer.core.states import RowState
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
from importer.delivery.rate_limit import HeldSlot
from importer.delivery.sharing import Allowed, Limit, Moment, Participant, Report, SharedSending
from importer.delivery.sharing.ledger import answer
from importer.delivery.sharing.state import State, read_state, state_text
from importer.engines import AsyncioPool
from importer.runs.pipeline import Delivery
from tests.lab.kinds import KINDS, STAMP
from tests.lab.lots import RENEWED_S, TRUSTED_S, Lots
from tests.lab.target import LabTarget
from tests.lab.virtual_time import VirtualClock, VirtualLoop, abandon
from tests.lab.world import Weather, World, body_of, travel

LOOKS_AFTER_S = (0.0, 2.0, 8.0)
BEGIN_S, STORM_S, SETTLE_S, CALM_S = 3.0, 7.0, 8.0, 5.0
MEASURED_S = 3.0
DRAIN_S = 240.0
LEDGERS_CLOCK_S = 7_000.0
USED = 0.95
WITHIN_S = 1.0
NEVER = (math.inf, math.inf)
MOST_TURNS = 20_000_000
KIND = KINDS["rocketkor"]


Ledger = Callable[[State, Report, Moment, Sequence[Limit]], tuple[State, Allowed]]


class BrokenTogetherError(AssertionError):
    """A seed in which many workers together do what they must not."""


class LabClock(VirtualClock):
    """A clock that is wrong by some seconds."""

    def __init__(self, wrong_by_s: float) -> None:
        self._wrong_by_s = wrong_by_s

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


@dataclass
class Story:
    """One seed."""

    seed: int
    workers: int = 64
    ledger: Ledger = answer
    dice: random.Random = field(init=False)
    rate: int = field(init=False)
    world: World = field(init=False)
    lots: Lots = field(init=False)
    state: State = field(default_factory=State)
    server: str = "first"
    arrivals: list[tuple[float, str]] = field(default_factory=list)
    pauses: list[tuple[float, float, str]] = field(default_factory=list)
    fates: dict[str, Fate] = field(default_factory=dict)
    deaths: int = 0
    restarts: int = 0
    calm_from: float = BEGIN_S + STORM_S + SETTLE_S
    undisturbed: tuple[float, float] = (0.0, 0.0)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(f"together {self.seed}")
        self.rate = self.dice.choice((10, 40, 64, 100))
        likely, down_at = self.dice.choice((0.0, 0.002, 0.01)), BEGIN_S + 2.0
        down = ((down_at, down_at + self.dice.choice((1.0, 3.0))),) if self.dice.random() < 0.2 else ()
        weather = Weather(
            storm_s=BEGIN_S + STORM_S,
            drop_before=likely, drop_after=likely, fault_before=likely, fault_after=likely, hang_after=likely,
            hang_before=0.0, throttle=likely / 3, token=0.0, find_fault=0.05,
            lag_s=self.dice.choice((0.0, 3.0)), outages=down,
        )  # fmt: skip
        self.world = World(random.Random(self.dice.random()), weather, KIND)
        self.lots = Lots(lambda: VirtualClock.EPOCH_S + _now())
        self._load(max(2, self.rate // self.dice.choice((10, 20))))

    def _load(self, rows_of_lot: int) -> None:
        """Load enough for everybody to have some up to the end of the calm."""
        rows = int(self.rate * (self.calm_from + CALM_S)) + self.workers * rows_of_lot
        payloads = [KIND.payload(_name(one), f"p{one}@example.com", "", f"{one:032x}") for one in range(rows)]
        self.lots.add(payloads, rows_of_lot)

    def say(self, what: str) -> None:
        """Note something for the schedule that a failing seed prints."""
        self.log.append(f"{_now():9.3f}  {what}")

    @property
    def lines(self) -> int:
        """How many rows a worker has under way: what its part of the rate needs, however slow the target is."""
        return max(8, 4 * self.rate // self.workers)

    @property
    def is_measured(self) -> bool:
        """Whether everybody had something to send for long enough while nothing happened."""
        return self.undisturbed[1] - self.undisturbed[0] >= MEASURED_S

    # ------------------------------------------------------------------ the ledger

    def exchange(self, report: Report) -> Allowed:
        """Answer a report, by a clock that is nobody else's."""
        moment = Moment(LEDGERS_CLOCK_S + _now(), self.server)
        self.state, allowed = self.ledger(self.state, report, moment, [Limit(self.rate, 1.0)])
        return allowed

    async def restart_ledger(self) -> None:
        """Start the ledger's server anew, without what was written last."""
        await travel(BEGIN_S + self.dice.uniform(0.0, STORM_S))
        before = state_text(self.state)
        await travel(self.dice.choice((0.0, 0.5)))
        self.say("the ledger's server was started anew")
        self.state, self.server = read_state(before), "second"
        self.restarts += 1

    # ------------------------------------------------------------------ the story

    async def play(self) -> None:
        """Let it happen, up to the last row."""
        self.tasks.append(asyncio.create_task(self._coordinate(), name="coordinator"))
        await travel(0.2)
        for number in range(self.workers):
            self._start(f"w{number:02}", self._fate())
        if self.dice.random() < 0.2:
            self.tasks.append(asyncio.create_task(self.restart_ledger()))
        await travel(self.calm_from)
        begin = _now()
        while _now() < begin + CALM_S and self.lots.has_free:
            await travel(0.1)
        self.undisturbed = begin, _now()
        ends_at = _now() + DRAIN_S
        while self.lots.left and _now() < ends_at:
            self._raise_failures()
            await travel(0.5)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def _raise_failures(self) -> None:
        for task in self.tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def _fate(self) -> Fate:
        """Most workers are spared: in every story a handful is not."""
        fate, dice = Fate(), self.dice
        at = BEGIN_S + dice.uniform(0.0, STORM_S)
        what = dice.choices(("", "dies", "stopped", "without ledger", "without target"), (72, 10, 6, 6, 6))[0]
        span = (at, min(at + dice.choice((0.3, 2.0, 5.0, 9.0)), BEGIN_S + STORM_S + 2.0))
        match what:
            case "dies":
                fate.dies_at = at
            case "stopped":
                fate.stopped = span
            case "without ledger":
                fate.without_ledger = span
            case "without target":
                fate.without_target = span
            case _:
                pass
        return fate

    def _start(self, name: str, fate: Fate) -> None:
        self.fates[name] = fate
        self.tasks.append(asyncio.create_task(self._run(Worker(self, name, fate)), name=name))

    async def _run(self, worker: Worker) -> None:
        """Send until nothing is left; whoever dies, or lost its lease, is started again as another one."""
        again = False
        try:
            await worker.run()
        except* JournalError:
            self.say(f"{worker.name} lost its lease")
            again = True
        if worker.stop.requested:
            self.say(f"{worker.name} stopped: {worker.stop.reason} {worker.stop.message}")
        if again or worker.is_dead:
            await travel(1.0)
            self._start(f"{worker.name}'", Fate())

    async def _coordinate(self) -> None:
        """Open the sending, and have nothing to send."""
        clock = VirtualClock()
        limiter = StrictLimiter([Window(self.rate, 1.0)], clock, StopSwitch())

        async def ask(report: Report) -> Allowed:
            await travel(0.002)
            return self.exchange(report)

        async with SharedSending(ask, limiter, clock, clock.monotonic, Participant("run", "r", begins=True)):
            await asyncio.Event().wait()


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
        return _now() >= self._fate.dies_at

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
        await travel(max(0.0, self._fate.dies_at - _now()))
        self.story.deaths += 1
        self.story.say(f"{self.name} dies")
        self._died.set()
        sending.cancel()

    async def _send(self) -> None:
        await self.outside()
        self.story.lots.renew(self.name, first=True)
        self._trusted_until = _now() + TRUSTED_S
        self.limiter.may_start = self._may_start
        who = Participant(self.name, "r")
        link = SharedSending(self._ask, self.limiter, self.clock, self._ticks, who)
        renewing = asyncio.create_task(self._renew())
        try:
            async with link:
                parts, link.thresholds = self._parts()
                await parts.run()
                await self._flush()
        finally:
            renewing.cancel()
        self.story.lots.give_back(self.name)

    def _parts(self) -> tuple[Delivery, Thresholds]:
        backoff = Backoff(0.5, 10.0, self._dice)
        rules = BreakerRules(faults=8, probe_s=0.5, give_up_s=120.0, answer_s=5.0)
        feedback = Feedback(self.limiter, Breaker(self.stop, rules), backoff, clock=self.clock, emit=self._heard)
        engine = AsyncioPool(self.story.lines, self.limiter)
        asking = Asking(WorkerTarget(self), Patience(4, LOOKS_AFTER_S, backoff, 20), feedback, self.stop, self.clock)
        thresholds = Thresholds(self.stop)
        stamps = Stamps(Matcher(KIND.contract.bodies, STAMP))
        deliver = Deliver(asking, stamps, self, thresholds, engine.worker_released)
        return Delivery(self, engine, deliver, self.stop, _ignore, drain_s=20.0), thresholds

    def _heard(self, event: Event) -> None:
        if event.name == "paused" and not self.is_dead:
            self.story.pauses.append((_now(), event.data["seconds"], self.name))

    # ------------------------------------------------------------------ the ways out

    async def outside(self) -> None:
        """Come through only while this process runs."""
        if self.is_dead:
            await asyncio.Event().wait()
        begin, end = self._fate.stopped
        if begin <= _now() < end:
            await travel(end - _now())

    def _is_cut_off(self, span: tuple[float, float]) -> bool:
        return span[0] <= _now() < span[1]

    async def _ask(self, report: Report) -> Allowed:
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
        return _now() + self._wrong_by_s

    def _may_start(self) -> bool:
        if self._has_lost:
            raise JournalError("Another program has taken over.")
        return _now() < self._trusted_until

    async def _renew(self) -> None:
        while True:
            await travel(RENEWED_S)
            await self.outside()
            if not self._is_cut_off(self._fate.without_ledger):
                asked = _now()
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
        if begin <= _now() < end:
            await travel(end - _now())
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
        self.story.arrivals.append((_now(), self.name))

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


def _name(ordinal: int) -> str:
    return f"Ada{ordinal}"


def _now() -> float:
    return asyncio.get_running_loop().time()


def _ignore(_: Event) -> None:
    """Nobody listens."""


# --------------------------------------------------------------------------- promises


def check(story: Story) -> None:
    """Hold the story to its promises.

    Raises:
        BrokenTogetherError: with the seed, and what happened in it.
    """
    for flaw in (*_rows(story), *_rate(story), *_pauses(story)):
        schedule = "\n".join(story.log + [f"{name}: {fate}" for name, fate in story.fates.items() if fate != Fate()])
        replay = f"python -m tests.lab --workers {story.workers} --seed {story.seed}"
        raise BrokenTogetherError(f"seed {story.seed}: {flaw}\nreplay: {replay}\n{schedule}")


def _rows(story: Story) -> Iterator[str]:
    """Each row is at the server once, or the journal says what it may be."""
    at_server = story.world.per_name()
    ids = {one.customer_id: KIND.name(one.body) for one in story.world.customers}
    for ordinal, row in enumerate(story.lots.rows):
        number, outcome = at_server[_name(ordinal)], row.outcome
        if outcome is None:
            yield f"row {ordinal} has not ended"
        elif number > 1 and ordinal not in story.lots.resent:
            yield f"row {ordinal} was created {number} times, and nothing is said"
        elif outcome.state is RowState.CREATED and ids.get(outcome.customer_id) != _name(ordinal):
            yield f"row {ordinal} carries the id of another customer, or none"
        elif number and outcome.state not in {RowState.CREATED, RowState.UNKNOWN}:
            yield f"row {ordinal} exists and is called {outcome.state}"
        elif not number and outcome.state in {RowState.CREATED, RowState.EXISTING}:
            yield f"row {ordinal} is {outcome.state} and was never created"


def _rate(story: Story) -> Iterator[str]:
    moments = sorted(moment for moment, _ in story.arrivals)
    for place, moment in enumerate(moments):
        number = place + 1 - bisect_left(moments, moment - 1.0 + 1e-9)
        if number > story.rate:
            yield f"{number} requests within a second at {moment:.3f}, and {story.rate} are allowed"
            return
    begin, end = story.undisturbed
    if story.is_measured and (used := _used(moments, begin, end - 1.0) / story.rate) < USED:
        yield f"{used:.1%} of the rate were used from {begin:.1f} to {end:.1f}"


def _used(moments: list[float], begin: float, end: float) -> float:
    """The requests in a second, as the mean of what is counted when the time begins up to a second later.

    Workers with one request a second each make them in bunches, which must not matter.
    """
    counted = sum(min(max(one - begin, 0.0), 1.0) - min(max(one - end, 0.0), 1.0) for one in moments)
    return counted / (end - begin)


def _pauses(story: Story) -> Iterator[str]:
    for began, seconds, name in story.pauses:
        for moment, other in story.arrivals:
            in_it = began + WITHIN_S < moment < began + seconds - 0.01
            if in_it and not _are_excused(story, name, other, began, moment):
                yield f"{other} starts at {moment:.3f}; {name} was asked at {began:.3f} to pause for {seconds:.1f} s"
                return


def _are_excused(story: Story, name: str, other: str, began: float, moment: float) -> bool:
    """Whether one of them could not reach the ledger meanwhile."""
    return story.fates[name].touches(began, began + WITHIN_S) or story.fates[other].touches(began, moment)


def play_together(seed: int, workers: int = 64, ledger: Ledger = answer) -> Story:
    """Play one seed and check it.

    Args:
        ledger: the lab proves itself by breaking with one that forgets.
    """
    story = Story(seed, workers, ledger)
    loop = VirtualLoop(most_turns=MOST_TURNS)
    try:
        loop.run_until_complete(story.play())
    finally:
        abandon(loop)
    check(story)
    return story
