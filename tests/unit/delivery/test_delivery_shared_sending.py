"""Workers that send together, each with its own limiter and breaker, over a ledger that may be out of reach."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from importer.core.errors import JournalError
from importer.core.outcomes import Outcome, Reply, Verdict
from importer.core.states import RowState
from importer.delivery import Backoff, Breaker, BreakerRules, Feedback, StopSwitch, StrictLimiter, Thresholds, Window
from importer.delivery.reconcile import Looks
from importer.delivery.sharing import Allowed, Limit, Moment, Participant, Report, SharedSending, exchange
from tests.lab.virtual_time import VirtualClock, run_virtual
from tests.unit.delivery.starting import largest_window

SOUND, BROKEN = Reply(Verdict.ACCEPT, http_status=201), Reply(Verdict.RETRY, http_status=503, message="Down.")
BACK_OFF = Reply(Verdict.RETRY, http_status=429, retry_after_s=5.0)


@dataclass
class Ledger:
    """The state of one account; its clock is not the workers'."""

    count: int = 100
    text: str | None = None
    unreachable: set[str] = field(default_factory=set)

    async def exchange(self, report: Report) -> Allowed:
        clock = VirtualClock()
        await clock.sleep(0.003)
        if report.worker in self.unreachable:
            await clock.sleep(2.0)
            raise JournalError("The journal cannot be reached.")
        moment = Moment(clock.monotonic() + 5_000.0)
        self.text, allowed = exchange(self.text, report, moment, [Limit(self.count, 1.0)])
        await clock.sleep(0.003)
        return allowed


class Worker:
    """Sends as much as it may, as soon as it may; its clock is ahead of the others' by some seconds."""

    def __init__(self, ledger: Ledger, number: int, sending: str = "run") -> None:
        self.clock, self.stop = VirtualClock(), StopSwitch()
        self.limiter = StrictLimiter([Window(ledger.count, 1.0)], self.clock, self.stop)
        breaker = Breaker(self.stop, BreakerRules(faults=3, give_up_s=20.0))
        backoff = Backoff(0.5, 10.0, random.Random(number))
        self.feedback = Feedback(self.limiter, breaker, backoff, clock=self.clock, emit=lambda _: None)
        self.thresholds = Thresholds(self.stop, max_errors=5)
        self.answer: Callable[[], Reply] = lambda: SOUND
        self.starts: list[float] = []
        self.link = SharedSending(
            ledger.exchange,
            self.limiter,
            self.clock,
            lambda: self.clock.monotonic() + 30.0 * number,
            Participant(f"{sending}{number:02}", sending, begins=number == 0),
        )
        self.link.thresholds, self.link.looks = self.thresholds, Looks([0.0, 5.0])

    async def send(self) -> None:
        while True:
            slot = await self.limiter.reserve()
            slot.depart()
            self.starts.append(slot.left_s)
            slot.answered()
            self.feedback.answered(self.answer(), 0.0)

    async def work(self, *, idles: bool = False) -> None:
        async with self.link:
            await asyncio.gather(*(self.send() for _ in range(3))) if not idles else await asyncio.Event().wait()


Plot = Callable[[list[Worker], Ledger, list[asyncio.Task[None]]], Coroutine[Any, Any, None]]


def play(workers: int, plot: Plot, *, count: int = 100, idle: int = 0) -> list[Worker]:
    """Let workers send, the last ones without anything to send, while something happens."""

    async def main() -> list[Worker]:
        ledger = Ledger(count)
        made = [Worker(ledger, number) for number in range(workers)]
        tasks = [asyncio.create_task(one.work(idles=place >= workers - idle)) for place, one in enumerate(made)]
        await plot(made, ledger, tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return made

    return run_virtual(main)


def starts_of(workers: list[Worker], begin: float = 0.0, end: float = 1e9) -> list[float]:
    return sorted(moment for one in workers for moment in one.starts if begin <= moment < end)


async def for_10_s(*_: Any) -> None:
    await VirtualClock().sleep(10.0)


@pytest.mark.parametrize(
    ("workers", "count", "idle"),
    [(3, 100, 0), (3, 400, 2), (20, 100, 5)],
)
def test_all_together_keep_the_rate_and_use_at_least_95_percent_of_it(workers: int, count: int, idle: int) -> None:
    made = play(workers, for_10_s, count=count, idle=idle)

    starts = starts_of(made)
    assert largest_window(starts, 1.0) <= count
    assert len([moment for moment in starts if 4.0 <= moment < 10.0]) >= 0.95 * count * 6


def test_without_the_ledger_the_share_runs_out_and_with_it_the_worker_goes_on_at_once() -> None:
    async def plot(_: list[Worker], ledger: Ledger, __: Any) -> None:
        await VirtualClock().sleep(5.0)
        ledger.unreachable.add("run01")
        await VirtualClock().sleep(15.0)
        ledger.unreachable.clear()
        await VirtualClock().sleep(6.0)

    made = play(2, plot)

    assert starts_of(made[1:], 6.0, 7.5)
    assert not starts_of(made[1:], 8.01, 20.0)
    assert len(starts_of(made[:1], 11.0, 19.0)) >= 0.95 * 100 * 8
    assert len(starts_of(made, 24.0, 26.0)) >= 0.95 * 100 * 2
    assert largest_window(starts_of(made), 1.0) <= 100


def test_what_one_is_asked_to_pause_all_pause_within_a_second_and_no_longer() -> None:
    async def plot(workers: list[Worker], *_: Any) -> None:
        await VirtualClock().sleep(4.0)
        answers = iter([BACK_OFF])
        workers[2].answer = lambda: next(answers, SOUND)
        await VirtualClock().sleep(8.0)

    made = play(4, plot)

    paused_at = next(moment for moment in made[2].starts if moment >= 4.0)
    assert not starts_of(made, paused_at + 1.0, paused_at + 4.9)
    assert len(starts_of(made, paused_at + 5.5, paused_at + 7.5)) >= 0.95 * 100 * 2 * 0.9


def test_a_stop_and_the_errors_of_one_are_those_of_all() -> None:
    async def plot(workers: list[Worker], *_: Any) -> None:
        await VirtualClock().sleep(2.0)
        for number in range(6):
            workers[number % 2].thresholds.settled(Outcome(number, f"k{number}", RowState.REJECTED))
        await VirtualClock().sleep(1.5)

    made = play(3, plot, idle=3)

    assert [one.stop.reason for one in made] == ["max_errors"] * 3


def test_how_late_one_has_seen_a_customer_appear_makes_the_others_look_for_longer() -> None:
    async def plot(workers: list[Worker], *_: Any) -> None:
        await VirtualClock().sleep(2.0)
        workers[1].link.looks.arrived(40.0)
        await VirtualClock().sleep(1.0)
        assert [one.link.looks.times_s for one in workers] == [(0.0, 5.0, 80.0)] * 3

    play(3, plot, idle=1)


def test_while_the_target_is_down_one_request_at_a_time_is_made_and_then_all_go_on() -> None:
    async def plot(workers: list[Worker], *_: Any) -> None:
        await VirtualClock().sleep(4.0)
        for one in workers:
            one.answer = lambda: BROKEN
        await VirtualClock().sleep(10.0)
        for one in workers:
            one.answer = lambda: SOUND
        await VirtualClock().sleep(14.0)

    made = play(4, plot)

    assert len(starts_of(made, 6.0, 14.0)) <= 8
    assert len(starts_of(made, 26.0, 28.0)) >= 0.95 * 100 * 2
    assert not any(one.stop.requested for one in made)


@pytest.mark.parametrize("cut_off", [{1}, {0, 1, 2}])
def test_workers_that_alone_are_cut_off_from_the_target_give_up_alone(cut_off: set[int]) -> None:
    async def plot(workers: list[Worker], *_: Any) -> None:
        await VirtualClock().sleep(4.0)
        for number in cut_off:
            workers[number].answer = lambda: BROKEN
        await VirtualClock().sleep(50.0)

    made = play(5, plot)

    assert [one.stop.reason for one in made] == ["breaker" if number in cut_off else "" for number in range(5)]
    assert len(starts_of(made, 8.0, 48.0)) >= (0.9 if len(cut_off) == 1 else 0.7) * 100 * 40


def test_whoever_comes_since_nobody_reaches_the_target_sends_and_the_others_leave_soon() -> None:
    async def plot(workers: list[Worker], ledger: Ledger, tasks: list[asyncio.Task[None]]) -> None:
        await VirtualClock().sleep(4.0)
        for one in workers:
            one.answer = lambda: BROKEN
        await VirtualClock().sleep(5.0)
        reached.append(workers[0].link.is_reached)
        program.append(Worker(ledger, 9, "run"))
        tasks.append(asyncio.create_task(program[0].work()))
        await VirtualClock().sleep(16.0)
        reached.append(workers[0].link.is_reached)

    reached, program = list[bool](), list[Worker]()
    made = play(9, plot, idle=0)

    assert reached == [False, True]
    assert [one.stop.reason for one in (*made, *program)] == [*["breaker"] * 9, ""]
    assert len(starts_of(program, 15.0, 25.0)) >= 0.8 * 100 * 10
    assert largest_window(starts_of(made + program), 1.0) <= 100


def test_whoever_ends_frees_its_share_for_the_others() -> None:
    async def plot(_: list[Worker], __: Ledger, tasks: list[asyncio.Task[None]]) -> None:
        await VirtualClock().sleep(5.0)
        tasks[1].cancel()
        await VirtualClock().sleep(5.0)

    made = play(2, plot)

    assert len(starts_of(made, 7.0, 10.0)) >= 0.95 * 100 * 3
    assert largest_window(starts_of(made), 1.0) <= 100


def test_where_another_sending_begins_the_one_before_stops_and_never_begins_again() -> None:
    async def plot(_: list[Worker], ledger: Ledger, tasks: list[asyncio.Task[None]]) -> None:
        await VirtualClock().sleep(3.0)
        later.append(Worker(ledger, 0, "another"))
        tasks.append(asyncio.create_task(later[0].work()))
        await VirtualClock().sleep(9.0)

    later: list[Worker] = []
    made = play(2, plot)

    assert [one.stop.reason for one in made] == ["superseded", "superseded"]
    assert not later[0].stop.requested
    assert len(starts_of(later, 9.0, 12.0)) >= 0.95 * 100 * 3
    assert largest_window(starts_of(made + later), 1.0) <= 100


def test_a_fault_of_the_program_in_an_exchange_ends_the_sending_at_once() -> None:
    async def main() -> float:
        worker = Worker(Ledger(), 0)
        worker.link._exchange = broken
        with pytest.raises(ZeroDivisionError):
            async with asyncio.timeout(60.0):
                await worker.work()
        return worker.clock.monotonic()

    async def broken(_: Report) -> Allowed:
        raise ZeroDivisionError

    assert run_virtual(main) < 5.0
