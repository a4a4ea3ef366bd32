"""The crash laboratory: the real delivery, the real journal, a hostile world, and a process that dies anywhere.

One seed is one story: a handful of rows, a world with misfortunes, and lives of the importer that end by a
kill at a random turn, by their own stop, or by being done. It goes on until a life ends with nothing left to
do; then every promise is checked.

Some worlds are too hard for exactly once: creates that are committed later than every look, lists that lag more than
every look. There a customer may be doubled, and the promise is that its row says so.

Others are hard on the memory: tails of the log vanish, workspaces are copied (`tests.lab.memory`), and the same rows
are imported again, in the middle of it, by another name of the host and with another key.

Some rows have steps after their create (`tests.lab.steps`): the same kills and misfortunes meet them, and each is done
once and ends.

    python -m tests.lab --seeds 5000            many stories
    python -m tests.lab --seed 4711             one story, with its schedule
    python -m tests.lab --target club           the stories of another target
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from importer.core.batches import CheckedBatch, DuplicateVerdict
from importer.core.contract import Contract
from importer.core.events import Event
from importer.core.frames import raw_batch
from importer.core.outcomes import Record
from importer.core.ports import Claims
from importer.core.results import RowResult
from importer.core.states import FINAL_STATES, RowState, balance
from importer.core.step_tasks import PlannedStep
from importer.core.steps import LOOKED_UP_STEPS, Step, StepState
from importer.delivery import (
    AdaptiveRate,
    Asking,
    Backoff,
    Breaker,
    BreakerRules,
    Canary,
    Deliver,
    Feedback,
    FollowUp,
    Matcher,
    Outcomes,
    Patience,
    SecondLooks,
    Stamps,
    StopSwitch,
    StrictLimiter,
    Thresholds,
    Window,
)
from importer.engines import AsyncioPool
from importer.journal import Journal, Replay, RunDelivery, RunHeader, RunToSend, same_server
from importer.runs.pipeline import Delivery, Steps
from tests.lab.kinds import KINDS, STAMP
from tests.lab.memory import MISFORTUNES, Memory
from tests.lab.step_target import LabStepTarget
from tests.lab.steps import StepServer, brought, flaws, left_to_do, planned
from tests.lab.virtual_time import Killed, VirtualClock, VirtualLoop, abandon
from tests.lab.world import Weather, World

LOOKS_AFTER_S = (0.0, 2.0, 8.0, 30.0)
LOOK_AGAIN_AFTER_S = 30.0
MAX_LIVES = 60
MAX_KILLS = 12
NEXT_NIGHT_S = 24 * 3_600.0
"""When rows that were sent again are looked at for the last time."""
FOLLOW_UP_S = (0.0, 60.0, 600.0)
"""How long a life waits for outcomes."""


NAMES = (
    ("http://localhost:8080", "key-a"),
    ("HTTP://LocalHost:8080/", "key-a"),
    ("http://127.0.0.1:8080/v1/", "key-a"),
    ("http://[::1]:8080/v1", "key-b"),
)
"""Addresses of the one server, and API keys of the one account."""


class BrokenPromise(AssertionError):  # noqa: N818  # it is what it says
    """A seed that loses a row, creates one twice, or reports something untrue."""


def doubled(story: Story) -> int:
    """How many rows are at the server more than once."""
    return sum(count > 1 for count in story.world.per_name().values())


@dataclass(slots=True)
class Story:
    """One seed's world, journal and settings."""

    seed: int
    folder: Path
    looks_after_s: tuple[float, ...] = LOOKS_AFTER_S
    _: KW_ONLY
    kind: str = "rocketkor"
    warns: bool = True
    looks_again: bool = True
    remembers: bool = True
    url: str = ""
    steps_look_after_s: tuple[float, ...] = LOOKS_AFTER_S
    rng: random.Random = field(init=False)
    world: World = field(init=False)
    rows: int = field(init=False)
    concurrency: int = field(init=False)
    breaker_faults: int = field(init=False)
    auto: bool = field(init=False)
    canary: int = field(init=False)
    seen: dict[str, Any] = field(default_factory=dict)
    """What the canary of earlier lives has met: the journal keeps it in the real thing."""
    clock_s: float = 0.0
    kills: int = 0
    lives: int = 0
    stamps: Stamps = field(init=False)
    misfortune: str = field(init=False)
    """What befalls the workspace when the process dies."""
    other_name: tuple[str, str] | None = field(init=False)
    """By which name and key the same rows are imported again, in the middle of it; None: they are not."""
    memory: Memory = field(init=False)
    runs: list[int] = field(default_factory=list)
    dice: random.Random = field(init=False)
    """Of the steps alone."""
    server: StepServer = field(init=False)
    after: list[dict[str, Any]] = field(default_factory=list)
    """To each row what it brings for the steps after its create; empty: the story has no steps."""
    plan: list[list[PlannedStep]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)  # not a secret: a schedule
        self.rows = self.rng.randint(1, 9)
        self.concurrency = self.rng.choice((1, 2, 3, 8))
        self.breaker_faults = self.rng.choice((2, 3, 6))
        self.auto = self.rng.random() < 0.3
        self.canary = self.rng.choice((0, 2, 5))
        self.world = World(random.Random(self.rng.random()), _weather(self.rng), KINDS[self.kind])
        self.stamps = self._stamps()
        fates = random.Random(f"memory {self.seed}")  # of its own: the other stories stay as they are
        self.misfortune = fates.choice(MISFORTUNES) if fates.random() < 0.3 else ""
        self.other_name = fates.choice(NAMES) if fates.random() < 0.2 else None
        self.memory = Memory(
            self.folder,
            self.misfortune,
            fates,
            lambda what: _broken(self, what),
            checks=self.remembers,
            url=self.url,
        )
        self._plan_steps()

    def _plan_steps(self) -> None:
        self.dice = random.Random(f"steps {self.seed}")  # of its own, likewise
        weather = self.world.weather
        self.server = StepServer(random.Random(self.dice.random()), min(weather.lag_s, 5.0), weather.late_s)
        if self.dice.random() < 0.6:
            self.after = [brought(ordinal, self.dice) for ordinal in range(self.rows)]
            self.plan = [list(planned(ordinal, one, self.dice)) for ordinal, one in enumerate(self.after)]

    def _stamps(self) -> Stamps:
        return Stamps(Matcher(self.world.kind.contract.bodies, STAMP))

    def play(self) -> list[list[RowResult]]:
        """Live, die and resume until nothing is left to do; returns the rows of each run as results would show them."""
        try:
            self._begin(NAMES[0])
            if self.other_name is not None and not self._live_through(lives=self.rng.randint(1, 3)):
                self._begin(self.other_name)
                self._live_through()
                self._live_through(self.runs[0])
            self._live_through()
            check_warnings(self, self._results())
            if self.looks_again:
                self._next_night()
            check_steps(self)
            return self._results()
        finally:
            self.memory.close()

    def _begin(self, name: tuple[str, str]) -> None:
        self.runs.append(_prepare(self.memory.journal, self, name))
        self.seen = {}

    def _live_through(self, run: int | None = None, lives: int = MAX_LIVES) -> bool:
        """Live until a run is done, or so many lives; whether it is done."""
        for _ in range(lives):
            if self._live(run or self.runs[-1]):
                return True
        if lives == MAX_LIVES:
            raise BrokenPromise(f"seed {self.seed}: not done after {lives} lives")
        return False

    def _results(self) -> list[list[RowResult]]:
        return [list(self.memory.journal.replay(run).results()) for run in self.runs]

    def _live(self, run: int) -> bool:
        """One life of the process; whether it ended with nothing left to do."""
        self.lives += 1
        doomed = self.kills < MAX_KILLS and self.rng.random() < 0.85
        kill_at = self.rng.randint(2, self.rng.choice((20, 60, 200))) if doomed else None
        loop = VirtualLoop(self.clock_s, kill_at)
        try:
            done = loop.run_until_complete(self._deliver(self.memory.journal, run))
        except Killed:
            self.kills += 1
            self.world.say(loop.time(), "KILLED")
            self.world.importer_died(loop.time())
            self.server.importer_died(loop.time())
            done = False
        finally:
            self.clock_s = loop.time() + self.rng.choice((0.0, 0.1, 30.0))
            abandon(loop)
        if not done:
            self.memory.process_died()
        return done

    async def _deliver(self, journal: Journal, run: int) -> bool:
        clock, stop = VirtualClock(), StopSwitch()
        journal.runs.reopen(run, (RowState.UNSENT, RowState.UNKNOWN, RowState.FAILED))
        rows = _rows_of(journal, run, self.world.kind.contract, clock)
        canary = Canary(rows, self.canary, stop, before=self.seen) if self.canary else None
        steps = journal.steps(run)
        steps.reopen({StepState.FAILED, StepState.DIFFERS})
        steps.reopen({StepState.UNKNOWN}, LOOKED_UP_STEPS)
        await self._delivery(canary or rows, rows, clock, stop).run()
        self.seen = canary.seen() if canary else {}
        if self.looks_again:
            await self._looks(rows, clock, stop).run()
        await rows.flush()
        if self.plan:
            await self._do_steps(rows, clock, stop)
        await rows.finish()
        states = journal.runs.counts(run)
        open_states = (RowState.UNSENT, RowState.UNKNOWN, RowState.FAILED)
        left = sum(states.get(state, 0) for state in open_states)
        rows_done = not left or (self.lives > 3 and left == _told_by_id(journal.replay(run)))
        return rows_done and not (self.plan and left_to_do(steps, journal.replay(run).results(), self.server))

    async def _do_steps(self, rows: RunDelivery, clock: VirtualClock, stop: StopSwitch) -> None:
        """Do every step, and wait for outcomes for a while."""
        limiter = StrictLimiter([Window(20, 1.0)], clock, stop, max_wait_s=600.0)
        backoff = Backoff(0.5, 10.0, self.dice)
        rules = BreakerRules(faults=self.breaker_faults, probe_s=0.5, give_up_s=45.0, answer_s=5.0)
        feedback = Feedback(limiter, Breaker(stop, rules), backoff, clock=clock, emit=_ignore)
        engine = AsyncioPool(self.concurrency, limiter)
        target = LabStepTarget(self.world, self.rng, limiter, self.server, self.dice)
        patience = Patience(4, self.steps_look_after_s, backoff, max_spared=6)
        asking = Asking(target, patience, feedback, stop, clock)
        follow_up = FollowUp(asking, target, self.world.kind.contract.bodies, STAMP, engine.worker_released)
        steps = Steps(rows, engine, follow_up, follow_up.progress, stop, _ignore, drain_s=20.0)
        await steps.run(dict.fromkeys(Step, self.rows))
        await rows.flush()
        outcomes = Outcomes(rows.next_due, steps.look_at_due, asking.rest, stop, clock)
        await outcomes.wait(clock.now() + self.dice.choice(FOLLOW_UP_S))

    def _next_night(self) -> None:
        """Look again at every row that was sent again, long after everything has happened."""
        self.clock_s += NEXT_NIGHT_S
        self.world.catch_up(self.clock_s)
        for run in self.runs:
            loop = VirtualLoop(self.clock_s)
            try:
                loop.run_until_complete(self._look_again(self.memory.journal, run))
            finally:
                abandon(loop)

    async def _look_again(self, journal: Journal, run: int) -> None:
        clock, stop = VirtualClock(), StopSwitch()
        rows = _rows_of(journal, run, self.world.kind.contract, clock)
        await self._looks(rows, clock, stop).run()
        await rows.flush()

    def _looks(self, rows: RunDelivery, clock: VirtualClock, stop: StopSwitch) -> SecondLooks:
        limiter = StrictLimiter([Window(20, 1.0)], clock, stop)
        backoff = Backoff(0.5, 10.0, self.rng)
        feedback = Feedback(limiter, Breaker(stop, BreakerRules()), backoff, clock=clock, emit=_ignore)
        asking = self._asking(limiter, backoff, feedback, clock)
        engine = AsyncioPool(self.concurrency, limiter)
        return SecondLooks(asking, rows, self.stamps, LOOK_AGAIN_AFTER_S, engine, _ignore)

    def _asking(self, limiter: StrictLimiter, backoff: Backoff, feedback: Feedback, clock: VirtualClock) -> Asking:
        patience = Patience(4, self.looks_after_s, backoff, max_spared=6)
        target = LabStepTarget(self.world, self.rng, limiter, self.server, self.dice)
        return Asking(target, patience, feedback, limiter.stop, clock)

    def _delivery(self, claims: Claims, memory: RunDelivery, clock: VirtualClock, stop: StopSwitch) -> Delivery:
        limiter = StrictLimiter([Window(20, 1.0), Window(200, 60.0)], clock, stop, max_wait_s=600.0)
        backoff = Backoff(0.5, 10.0, self.rng)
        feedback = Feedback(
            limiter,
            Breaker(stop, BreakerRules(faults=self.breaker_faults, probe_s=0.5, give_up_s=45.0, answer_s=5.0)),
            backoff,
            adaptive=AdaptiveRate(limiter.ceiling_per_s) if self.auto else None,
            clock=clock,
            emit=_ignore,
        )
        engine = AsyncioPool(self.concurrency, limiter)
        self.stamps = self._stamps()
        kept = memory if self.warns else _Careless()
        asking = self._asking(limiter, backoff, feedback, clock)
        deliver = Deliver(asking, self.stamps, kept, Thresholds(stop), engine.worker_released)
        return Delivery(claims, engine, deliver, stop, _ignore, drain_s=20.0)


HARDSHIPS = ((150.0, 5.0, True), (0.0, 120.0, True), (0.0, 5.0, False), (150.0, 120.0, True), (60.0, 60.0, False))
"""How late creates may be committed, how much lists lag, both in seconds, and whether metadata is kept."""


def _told_by_id(replay: Replay) -> int:
    """Rows of which a person is told which customers they could be: no further life of the importer changes that."""
    return sum(bool(one.candidates) for one in replay.results() if one.state is RowState.UNKNOWN)


def _ignore(event: Event) -> None:
    """The lab listens to the world, not to the importer."""


async def _inline(work: Callable[[], Any]) -> Any:
    """Commit in the loop itself, one turn later: a kill can fall before the commit and after it."""
    await asyncio.sleep(0)  # noqa: TID251  # a turn, not a wait
    result = work()
    await asyncio.sleep(0)  # noqa: TID251
    return result


class _Careless:
    """A memory that keeps nothing: the lab has to notice."""

    async def sends_again(self, record: Record) -> None:
        assert record

    async def has_owner(self, customer_id: str) -> bool:
        return not customer_id


RunBlocking = Callable[[Callable[[], Any]], Awaitable[Any]]


def _weather(rng: random.Random) -> Weather:
    if rng.random() < 0.15:
        return Weather(storm_s=0.0)
    late_s, lag_s, keeps_metadata = rng.choice(HARDSHIPS) if rng.random() < 0.4 else (0.0, 5.0, True)
    return Weather(
        late_s=late_s,
        lag_s=lag_s,
        keeps_metadata=keeps_metadata,
        storm_s=rng.choice((20.0, 60.0, 300.0)),
        enforce=rng.random() < 0.6,
        outages=tuple(_outages(rng)),
        create_outages=tuple(_outages(rng)),
    )


def _outages(rng: random.Random) -> Iterator[tuple[float, float]]:
    """Some stories have moments, or minutes, in which nobody answers, or no create succeeds."""
    begin = 0.0
    for _ in range(rng.choice((0, 0, 1, 3))):
        begin += rng.uniform(0.0, 20.0)
        yield begin, (begin := begin + rng.choice((1.0, 15.0, 200.0)))


def _prepare(journal: Journal, story: Story, name: tuple[str, str]) -> int:
    scope, run_id = _scope(journal, *name), f"lab{len(story.runs)}"
    header = RunHeader(run_id, scope, "lab", "lab.csv", "lab.csv", "", "", dry_run=False, started_at=0.0)
    run = journal.runs.begin(header).run
    intake = journal.intake(run, story.world.kind.contract)
    numbers = range(2, story.rows + 2)
    raw = raw_batch(0, numbers, ([str(number) for number in numbers],))
    intake.load(raw)
    payloads = [_payload(story, ordinal) for ordinal in range(story.rows)]
    keys = [_key(ordinal) for ordinal in range(story.rows)]
    after = [json.dumps(one).encode() for one in story.after]
    intake.record(CheckedBatch(raw, payloads, keys, [""] * story.rows, after=after))
    intake.judged(DuplicateVerdict())
    journal.steps(run).plan([step for steps in story.plan for step in steps])
    return run


def _scope(journal: Journal, base_url: str, api_key: str) -> str:
    """Where import keys are unique: a new key is somebody's question, and the answer is that it is the same account."""
    server, accounts = same_server(base_url), journal.accounts(b"lab")
    found = accounts.match(server, "", f"{server}#key-{api_key}", api_key)
    scope = found.scope or found.candidates[0].scope
    accounts.bind(server, api_key, scope)
    return scope


def _rows_of(journal: Journal, run: int, contract: Contract, clock: VirtualClock) -> RunDelivery:
    scope = journal.runs.find(dict(journal.runs.ids())[run]).header.scope
    return journal.delivery(RunToSend(run, scope, contract), clock.now, run_blocking=_inline)


def _name(ordinal: int) -> str:
    """What tells a row's customers at the server, metadata or not."""
    return f"Ada{ordinal}"


def _key(ordinal: int) -> str:
    return f"{ordinal:032x}"


def _payload(story: Story, ordinal: int) -> bytes:
    """Rows share email addresses, as families do; every other story has external ids."""
    external_id = f"X-{ordinal}" if story.seed % 2 else ""
    return story.world.kind.payload(_name(ordinal), f"family{ordinal % 3}@example.com", external_id, _key(ordinal))


def check_warnings(story: Story, runs: list[list[RowResult]]) -> None:
    """Before the last look: whoever is at the server twice is not called created without a warning.

    Raises:
        BrokenPromise: a row is.
    """
    at_server = story.world.per_name()
    warned = {
        result.ordinal for results in runs for result in results if any(w.code == "sent_again" for w in result.warnings)
    }
    for result in (result for results in runs for result in results):
        if at_server[_name(result.ordinal)] > 1 and result.state is RowState.CREATED and result.ordinal not in warned:
            _broken(story, f"row {result.ordinal} was created twice and nothing is said")


def check(story: Story, runs: list[list[RowResult]]) -> None:
    """Hold the story to its promises.

    Raises:
        BrokenPromise: with the seed and the schedule of the world.
    """
    at_server = story.world.per_name()
    named = {
        result.ordinal
        for results in runs
        for result in results
        if result.state is RowState.UNKNOWN and result.candidates and story.world.weather.is_hard
    }
    for results in runs:
        _check_rows(story, [result for result in results if result.ordinal not in named], at_server)
        _check_all(story, results)


def _check_rows(story: Story, results: list[RowResult], at_server: Counter[str]) -> None:
    """Each row is one customer, and carries its id."""
    by_id = {one.customer_id: story.world.kind.name(one.body) for one in story.world.customers}
    for result in results:
        number = at_server[_name(result.ordinal)]
        if number > 1:
            _broken(story, f"row {result.ordinal} was created {number} times")
        if number == 0:
            _broken(story, f"row {result.ordinal} is {result.state} and was never created")
        if result.state is not RowState.CREATED and not _may_be_called_existing(story, result):
            _broken(story, f"row {result.ordinal} exists and is called {result.state}")
        if by_id.get(result.customer_id) != _name(result.ordinal):
            _broken(story, f"row {result.ordinal} carries the id of another customer")


def _check_all(story: Story, results: list[RowResult]) -> None:
    """Every row is there, once and in its place."""
    counts = {"read": story.rows, **Counter(result.state.value for result in results)}
    if not balance(counts, FINAL_STATES):
        _broken(story, f"the counts do not balance: {counts}")
    if [result.ordinal for result in results] != list(range(story.rows)):
        _broken(story, "the results are not in source order")


def check_steps(story: Story) -> None:
    """Every step of every row was done once, and ended; where creates can be doubled, so can steps.

    Raises:
        BrokenPromise: one was not.
    """
    for run in story.runs if not story.world.weather.is_hard else ():
        steps = story.memory.journal.steps(run)
        of_rows = [steps.of_row(ordinal) for ordinal in range(story.rows)]
        if sum(one.entries for one in steps.counts()) != sum(map(len, of_rows)):
            _broken(story, "the counts of the steps do not balance")
        for result, found in zip(story.memory.journal.replay(run).results(), of_rows, strict=True):
            for flaw in flaws(result, found, story.plan[result.ordinal] if story.plan else [], story.server):
                _broken(story, flaw)


def _may_be_called_existing(story: Story, result: RowResult) -> bool:
    """Created by the other run; or refused as a duplicate and equal, and nothing tells who created it."""
    return result.state is RowState.EXISTING and (len(story.runs) > 1 or not story.world.weather.keeps_metadata)


def _broken(story: Story, what: str) -> NoReturn:
    schedule = "\n".join(story.world.log)
    raise BrokenPromise(
        f"seed {story.seed}: {what}\nreplay: python -m tests.lab --target {story.kind} --seed {story.seed}\n{schedule}"
    )


def play_seed(
    seed: int,
    *,
    kind: str = "rocketkor",
    looks_after_s: tuple[float, ...] = LOOKS_AFTER_S,
    warns: bool = True,
    looks_again: bool = True,
    remembers: bool = True,
    steps_look_after_s: tuple[float, ...] = LOOKS_AFTER_S,
    url: str = "",
) -> Story:
    """Play one seed and check it.

    Args:
        kind: the target that is played (`tests.lab.kinds`).
        looks_after_s: the looks of a row in doubt; the lab proves itself by breaking when there are too few.
        warns: keep that rows are sent again; without it, the lab has to break.
        looks_again: look at them again; likewise.
        remembers: ask the journal whether it is whole and the original; likewise.
        steps_look_after_s: the looks of a step in doubt; likewise.
        url: of an empty journal in PostgreSQL; empty: it is a file.
    """
    settings: dict[str, Any] = {"kind": kind, "warns": warns, "looks_again": looks_again, "remembers": remembers}
    settings["url"] = url
    with tempfile.TemporaryDirectory(prefix="lab-", dir=_fast_folder()) as folder:
        story = Story(seed, Path(folder), looks_after_s, steps_look_after_s=steps_look_after_s, **settings)
        check(story, story.play())
    return story


def is_hard(seed: int) -> bool:
    """Whether the world of a seed is too hard for exactly once; nothing is played."""
    with tempfile.TemporaryDirectory(prefix="lab-", dir=_fast_folder()) as folder:
        story = Story(seed, Path(folder))
        story.memory.close()
    return story.world.weather.is_hard


def _fast_folder() -> str | None:
    """Memory, where the system offers it: the lab kills processes, not machines."""
    shared = Path("/dev/shm")
    return str(shared) if shared.is_dir() else None
