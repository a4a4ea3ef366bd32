"""A slot counts from the moment at which its request leaves, however long its connection took."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.core.outcomes import Reply, Verdict
from importer.delivery import Breaker, BreakerRules, StopSwitch, StrictLimiter, Window
from tests.effort import examples
from tests.lab.virtual_time import VirtualClock, run_virtual
from tests.unit.delivery.starting import largest_window, start


def departures(
    limits: Sequence[tuple[int, float]], requests: int, *, held_s: Callable[[int], float], workers: int = 64
) -> list[float]:
    """The moments at which requests leave, when the one with that number needs so long for its connection."""
    left: list[float] = []

    async def main() -> None:
        clock = VirtualClock()
        limiter = StrictLimiter([Window(*limit) for limit in limits], clock, StopSwitch())
        numbers = iter(range(requests))

        async def worker() -> None:
            for number in numbers:
                slot = await limiter.reserve()
                await clock.sleep(held_s(number))
                slot.depart()
                left.append(clock.monotonic())
                slot.answered()

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(worker())

    run_virtual(main)
    return left


@pytest.mark.parametrize("rate", [10, 100, 1_000])
def test_requests_that_are_held_up_together_and_leave_together_are_not_too_many(rate: int) -> None:
    def held_s(number: int) -> float:
        """The first connections all take until the same moment."""
        return max(0.0, 0.9 - number / rate)

    left = departures([(rate, 1.0)], rate * 4, held_s=held_s)

    assert largest_window(left, 1.0) <= rate


@settings(max_examples=examples(30), deadline=None)
@given(rate=st.integers(1, 60), seed=st.integers(0, 1_000), longest_s=st.sampled_from([0.01, 0.3, 3.0]))
def test_no_order_of_departures_ever_overfills_a_window(rate: int, seed: int, longest_s: float) -> None:
    rng = random.Random(seed)
    held = [rng.choice((0.0, rng.uniform(0.0, longest_s))) for _ in range(rate * 4)]
    left = departures([(rate, 1.0), (rate * 3, 5.0)], rate * 4, held_s=held.__getitem__)

    assert len(left) == rate * 4
    assert largest_window(left, 1.0) <= rate
    assert largest_window(left, 5.0) <= rate * 3


@pytest.mark.parametrize("rate", [10, 100, 1_000])
def test_98_percent_are_used_although_connections_have_to_be_made_first(rate: int) -> None:
    """The first thirty-two take 40 ms to connect, and every request a millisecond to be written."""
    left = departures([(rate, 1.0)], rate * 10, held_s=lambda number: 0.041 if number < 32 else 0.001)

    assert (len(left) - 1) / (left[-1] - left[0]) >= 0.98 * rate


def test_a_slot_that_is_given_back_was_never_taken() -> None:
    async def main() -> tuple[dict[str, object], bool]:
        stop = StopSwitch()
        limiter = StrictLimiter([Window(100, 1.0), Window(3, 86_400.0)], VirtualClock(), stop, max_wait_s=60.0)
        for _ in range(20):
            slot = await limiter.reserve()
            slot.give_back()
            slot.give_back()
            slot.depart()
        for _ in range(3):
            await start(limiter)
        return limiter.receipt(), stop.requested

    receipt, stopped = run_virtual(main)
    assert receipt["requests"] == 3
    assert not stopped


def test_what_is_given_back_is_not_on_record_either() -> None:
    charged: list[int] = []

    class Record:
        async def charge(self, starts: int) -> float:
            charged.append(starts)
            return 0.0

    async def main() -> None:
        limiter = StrictLimiter([Window(10, 60.0)], VirtualClock(), StopSwitch())
        limiter.remember(Record().charge, [])
        for _ in range(5):
            (await limiter.reserve()).give_back()
        (await limiter.reserve()).answered()
        await limiter.give_back()

    run_virtual(main)
    assert sum(charged) == 1


def test_whoever_waits_for_the_whole_allowance_that_is_held_goes_on_when_it_has_left() -> None:
    async def main() -> float:
        clock = VirtualClock()
        limiter = StrictLimiter([Window(1, 1.0)], clock, StopSwitch())
        slot = await limiter.reserve()
        waiting = asyncio.create_task(start(limiter))
        await clock.sleep(30.0)
        slot.answered()
        await waiting
        return clock.monotonic()

    assert run_virtual(main) == pytest.approx(31.0, abs=0.1)


def test_a_probe_that_gives_its_slot_back_leaves_probing_to_the_next_one() -> None:
    async def main() -> float:
        clock, stop = VirtualClock(), StopSwitch()
        breaker = Breaker(stop, BreakerRules(faults=1, probe_s=1.0, answer_s=60.0))
        limiter = StrictLimiter([Window(100, 1.0)], clock, stop)
        limiter.breaker = breaker
        breaker.answered(Reply(Verdict.RETRY, error_code="unavailable"), clock.monotonic())
        (await limiter.reserve()).give_back()
        await start(limiter)
        return clock.monotonic()

    assert run_virtual(main) == pytest.approx(1.0, abs=0.1)


# ------------------------------------------------------------------ on the way


def journeys(
    rate: int, requests: int, *, arrives: Callable[[float], float], takes_s: Callable[[int], float], workers: int = 64
) -> tuple[list[float], list[float]]:
    """When requests leave and arrive; each is answered so long after it has arrived."""
    left: list[float] = []
    arrived: list[float] = []

    async def main() -> None:
        clock = VirtualClock()
        limiter = StrictLimiter([Window(rate, 1.0)], clock, StopSwitch())
        numbers = iter(range(requests))

        async def worker() -> None:
            for number in numbers:
                slot = await limiter.reserve()
                slot.depart()
                left.append(clock.monotonic())
                arrived.append(arrives(left[-1]))
                await clock.sleep(arrived[-1] - clock.monotonic() + takes_s(number))
                slot.answered()

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(worker())

    run_virtual(main)
    return left, sorted(arrived)


@pytest.mark.parametrize("rate", [10, 100, 1_000])
@pytest.mark.parametrize(("stall_s", "use"), [(0.03, 0.98), (0.06, 0.97)])
def test_what_a_busy_server_sees_late_and_at_once_is_not_too_much(rate: int, stall_s: float, use: float) -> None:
    """Every 1.7 s the server stands still: what was sent meanwhile arrives together when it goes on."""

    def arrives(left_s: float) -> float:
        return left_s + 0.001 + max(0.0, stall_s - (left_s + 0.7) % 1.7)

    left, arrived = journeys(rate, rate * 12, arrives=arrives, takes_s=lambda _: 0.001, workers=256)

    assert largest_window(arrived, 1.0) <= rate
    assert (len(left) - 1) / (left[-1] - left[0]) >= use * rate


@pytest.mark.parametrize("seed", [8, 12, 16, 18, 36])
def test_a_server_that_pauses_again_and_again_does_not_see_too_much_either(seed: int) -> None:
    """A tenth of the time nothing arrives, and what was sent meanwhile comes at once: the rate is not used up then."""
    rng = random.Random(seed)
    stalls, moment = list[tuple[float, float]](), 0.5
    while moment < 60.0:
        begin = moment + rng.expovariate(1.0 / 0.7)
        moment = begin + rng.uniform(0.0, 0.13)
        stalls.append((begin, moment))

    def arrives(left_s: float) -> float:
        return next((end for begin, end in stalls if begin <= left_s < end), left_s) + 0.0005

    _, arrived = journeys(100, 1_200, arrives=arrives, takes_s=lambda _: rng.uniform(0.0, 0.003))

    assert largest_window(arrived, 1.0) <= 100


@pytest.mark.parametrize("rate", [10, 100, 1_000])
def test_answers_that_take_very_different_times_leave_98_percent_of_the_allowance(rate: int) -> None:
    rng = random.Random(rate)
    times_s = [rng.lognormvariate(-3.0, 1.0) for _ in range(rate * 12)]
    left, _ = journeys(rate, rate * 12, arrives=lambda left_s: left_s, takes_s=times_s.__getitem__, workers=512)

    assert (len(left) - 1) / (left[-1] - left[0]) >= 0.98 * rate


@pytest.mark.parametrize("latency_s", [0.05, 0.95, 1.0, 5.0])
def test_slow_answers_leave_98_percent_of_the_allowance(latency_s: float) -> None:
    left, _ = journeys(50, 1_000, arrives=lambda left_s: left_s, takes_s=lambda _: latency_s, workers=400)

    assert (len(left) - 1) / (left[-1] - left[0]) >= 0.98 * 50
    assert largest_window(left, 1.0) <= 50


@settings(max_examples=examples(40), deadline=None)
@given(moments=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=80), count=st.integers(1, 5))
def test_a_window_counts_the_same_in_any_order(moments: list[float], count: int) -> None:
    unsorted, sorted_ = Window(count, 1.0), Window(count, 1.0)
    for moment in moments:
        unsorted.preload(moment, 1)
    for moment in sorted(moments):
        sorted_.preload(moment, 1)

    for now in (3.0, 3.5, 4.0):
        assert unsorted.ready_at(now) == pytest.approx(sorted_.ready_at(now), abs=0.001)
