"""Many workers that send one run, in virtual time: each with the real limiter, pool, delivery and link, over the real
ledger and a model of the shared journal, in a world in which workers die, stop for a while, and are cut off.

One seed is one story: some seconds in which things happen, and some in which nothing does. Then every promise is
checked: each row exactly once, or said not to be; never more than the rate in any rolling window at the server; nearly
all of the rate used while nothing happens; and what one worker is asked to pause, all pause within a second.

What varies from seed to seed are the rate, the size of lots, the slowest answers, the faults and whom they befall; nine
in ten are shorter (`length`): the same faults in less time, and fewer rows under way. The run has as many rows as are
sent up to the end of the calm.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from importer.core.errors import JournalError
from importer.delivery import StopSwitch, StrictLimiter, Window
from importer.delivery.sharing import LASTS_S, Allowed, Limit, Moment, Participant, Report, SharedSending
from importer.delivery.sharing.ledger import answer
from importer.delivery.sharing.state import State, read_state, state_text
from tests.lab.length import Length, length_of
from tests.lab.lots import Lots
from tests.lab.promises import BrokenTogetherError, check, name_of
from tests.lab.virtual_time import VirtualClock, VirtualLoop, abandon
from tests.lab.worker import KIND, Fate, Worker, now_s
from tests.lab.world import Weather, World, travel

__all__ = ["BrokenTogetherError", "Story", "play_together"]

CALM_WITHIN_S = 20.0
LOOK_S = 0.1
DRAIN_S = 240.0
FULL_AFTER_S = 3.0
"""Whoever begins uses all of its share after so long: others have less first, and their windows forget what they used;
and its limiter has three seconds' worth of lateness to spend."""
LEDGERS_CLOCK_S = 7_000.0
WINDOW_S = 1.0
MOST_TURNS = 20_000_000
Ledger = Callable[[State, Report, Moment, Sequence[Limit]], tuple[State, Allowed]]


@dataclass
class Story:
    """One seed."""

    seed: int
    workers: int = 64
    ledger: Ledger = answer
    length: Length = field(init=False)
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
    disturbed_until: float = 0.0
    undisturbed: tuple[float, float] = (0.0, 0.0)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.length = length_of(self.seed)
        self.dice = random.Random(f"together {self.seed}")
        self.rate = self.dice.choice(self.length.rates)
        likely, down_at = self.dice.choice((0.0, 0.002, 0.01)), self.length.begin_s + 2.0
        down = ((down_at, down_at + self.dice.choice((1.0, 3.0))),) if self.dice.random() < 0.2 else ()
        weather = Weather(
            storm_s=self.length.storm_ends_at,
            drop_before=likely, drop_after=likely, fault_before=likely, fault_after=likely, hang_after=likely,
            hang_before=0.0, throttle=likely / 3, token=0.0, find_fault=0.05,
            lag_s=self.dice.choice((0.0, 3.0)), slowest_s=self.dice.choice(self.length.slowest_s), outages=down,
        )  # fmt: skip
        self.world = World(random.Random(self.dice.random()), weather, KIND)
        rows_of_lot = max(1, self.rate // self.dice.choice(self.length.lots_per_s))
        self.lots = Lots(lambda: VirtualClock.EPOCH_S + now_s(), _payload, rows_of_lot)

    def say(self, what: str) -> None:
        """Note something for the schedule that a failing seed prints."""
        self.log.append(f"{now_s():9.3f}  {what}")

    @property
    def lines(self) -> int:
        """How many rows a worker has under way: what its part of the rate needs, however slow the target is."""
        return max(self.length.least_lines, 4 * self.rate // self.workers)

    @property
    def is_measured(self) -> bool:
        """Whether nothing happened for long enough."""
        begin, end = self.undisturbed
        return end >= begin + self.length.calm_s

    # ------------------------------------------------------------------ the ledger

    def exchange(self, report: Report) -> Allowed:
        """Answer a report, by a clock that is nobody else's."""
        moment = Moment(LEDGERS_CLOCK_S + now_s(), self.server)
        self.state, allowed = self.ledger(self.state, report, moment, [Limit(self.rate, WINDOW_S)])
        if report.is_open or self.state.prober:
            self._disturb(now_s())
        return allowed

    def _disturb(self, until_s: float) -> None:
        """Know that some workers have no share that they could use, and others theirs."""
        self.disturbed_until = max(self.disturbed_until, until_s)

    async def restart_ledger(self) -> None:
        """Start the ledger's server anew, without what was written last."""
        await travel(self.length.begin_s + self.dice.uniform(0.0, self.length.storm_s))
        before = state_text(self.state)
        await travel(self.dice.choice((0.0, 0.5)))
        self.say("the ledger's server was started anew")
        self.state, self.server = read_state(before), "second"
        self._disturb(now_s() + LASTS_S + WINDOW_S)
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
        await self._measure()
        self.lots.is_endless = False
        ends_at = now_s() + DRAIN_S
        while self.lots.left and now_s() < ends_at:
            self._raise_failures()
            await travel(0.5)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _measure(self) -> None:
        """Let the calm pass. It begins anew with everybody who comes back, or begins, and has its share only then."""
        await travel(self.length.calm_from)
        begin, gives_up_at = now_s(), now_s() + CALM_WITHIN_S
        while now_s() < min(begin + self.length.calm_s, gives_up_at):
            await travel(LOOK_S)
            begin = max(begin, self.disturbed_until + FULL_AFTER_S)
        self.undisturbed = begin, now_s()

    def _raise_failures(self) -> None:
        for task in self.tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def _fate(self) -> Fate:
        """Most workers are spared: in every story a handful is not."""
        fate, dice = Fate(), self.dice
        at = self.length.begin_s + dice.uniform(0.0, self.length.storm_s)
        what = dice.choices(("", "dies", "stopped", "without ledger", "without target"), (72, 10, 6, 6, 6))[0]
        span = (at, min(at + dice.choice((0.3, 2.0, 5.0, 9.0)), self.length.storm_ends_at + self.length.late_s))
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
        self._disturb(now_s())
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
        limiter = StrictLimiter([Window(self.rate, WINDOW_S)], clock, StopSwitch())

        async def ask(report: Report) -> Allowed:
            await travel(0.002)
            return self.exchange(report)

        async with SharedSending(ask, limiter, clock, clock.monotonic, Participant("run", "r", begins=True)):
            await asyncio.Event().wait()


def _payload(ordinal: int) -> bytes:
    return KIND.payload(name_of(ordinal), f"p{ordinal}@example.com", "", f"{ordinal:032x}")


def play_together(seed: int, workers: int = 64, ledger: Ledger = answer) -> Story:
    """Play one seed and check it.

    Args:
        ledger: the lab proves itself by breaking with one that forgets.
    """
    story = Story(seed, workers, ledger)
    loop = VirtualLoop(most_turns=MOST_TURNS, is_closed_world=True)
    try:
        loop.run_until_complete(story.play())
    finally:
        abandon(loop)
    check(story)
    return story
