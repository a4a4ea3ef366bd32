"""A limiter whose counts change: a share of the rate, which grows, shrinks and ends."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.core.errors import ShareEndedError
from importer.delivery import StopSwitch, StrictLimiter, Window
from tests.effort import examples
from tests.lab.virtual_time import VirtualClock, run_virtual
from tests.unit.delivery.starting import largest_window, start


def starts_with(
    limits: Sequence[tuple[int, float]], changes: Sequence[tuple[float, Sequence[int]]], until_s: float
) -> list[float]:
    """The moments at which requests start, when the counts change at these moments."""
    starts: list[float] = []

    async def main() -> None:
        clock = VirtualClock()
        limiter = StrictLimiter([Window(*limit) for limit in limits], clock, StopSwitch())
        for moment, counts in changes:
            if not moment:
                limiter.set_counts(counts)
            asyncio.get_running_loop().call_later(moment, limiter.set_counts, counts)

        async def worker() -> None:
            while True:
                starts.append(await start(limiter))

        workers = [asyncio.create_task(worker()) for _ in range(8)]
        await clock.sleep(until_s)
        for one in workers:
            one.cancel()

    run_virtual(main)
    return starts


def within(starts: Sequence[float], begin: float, end: float) -> list[float]:
    return [moment for moment in starts if begin <= moment < end]


def test_a_share_that_grows_is_used_at_once_and_one_that_shrinks_counts_what_was_used_before() -> None:
    starts = starts_with([(100, 1.0)], [(3.0, [10]), (6.0, [100])], 10.0)

    assert largest_window(within(starts, 3.0, 6.0), 1.0) <= 10
    assert not within(starts, 3.01, 3.85)  # ninety too many have to leave first
    assert len(within(starts, 4.0, 6.0)) >= 19
    assert len(within(starts, 6.0, 10.0)) >= 4 * 97


def test_nothing_starts_with_an_empty_share_and_whoever_waits_begins_as_soon_as_there_is_one() -> None:
    starts = starts_with([(100, 1.0)], [(0.0, [0]), (3.3, [50])], 4.0)

    assert starts[0] == pytest.approx(3.3, abs=0.01)


@settings(max_examples=examples(20), deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_change_of_the_counts_ever_lets_a_window_hold_more_than_counts_now(seed: int) -> None:
    dice = random.Random(seed)
    limits, moment, changes = [(20, 1.0), (30, 2.0)], 0.0, [(0.0, (20, 30))]
    for _ in range(8):
        moment += dice.choice([0.1, 0.5, 1.5])
        changes.append((moment, (dice.randint(0, 20), dice.randint(0, 30))))
    starts = starts_with(limits, changes, moment + 1.0)

    for place, (_, per_s) in enumerate(limits):
        for now in starts:
            count = [counts[place] for at, counts in changes if at <= now][-1]
            assert sum(now - per_s < one <= now for one in starts) <= count


def test_nothing_starts_while_the_share_is_not_in_force() -> None:
    async def main() -> float:
        clock = VirtualClock()
        limiter = StrictLimiter([Window(100, 1.0)], clock, StopSwitch())
        limiter.in_force = lambda: clock.monotonic() >= 2.5
        asyncio.get_running_loop().call_later(2.5, limiter.changed.set)
        return await start(limiter)

    assert run_virtual(main) == pytest.approx(2.5, abs=0.01)


def test_what_has_its_slot_and_meets_the_end_of_the_share_does_not_leave() -> None:
    async def main() -> tuple[int, int, tuple[int, ...]]:
        limiter = StrictLimiter([Window(100, 1.0)], VirtualClock(), StopSwitch())
        slot = await limiter.reserve()
        before = limiter.in_flight
        limiter.in_force = lambda: False
        with pytest.raises(ShareEndedError):
            slot.depart()
        slot.answered()
        return before, limiter.in_flight, limiter.used

    assert run_virtual(main) == (1, 0, (0,))


def started_by(charge: Callable[[int], float], *, pause_s: float = 0.0) -> list[float]:
    """When three requests start, with a ledger that refuses; after the first one there is a pause."""

    async def answer(starts: int) -> float:
        return charge(starts)

    async def main() -> list[float]:
        limiter = StrictLimiter([Window(10, 1.0), Window(1_000, 3_600.0)], VirtualClock(), StopSwitch())
        limiter.remember(answer, [], credit_lasts_s=1.0)
        first = await start(limiter)
        limiter.pause(pause_s)
        return [first, await start(limiter), await start(limiter)]

    return run_virtual(main)


def test_what_the_ledger_refuses_waits_and_asks_again_when_it_was_told_to() -> None:
    answers = iter([40.0, 0.0])

    starts = started_by(lambda _: next(answers))

    assert starts[0] == pytest.approx(40.0, abs=0.1)
    assert starts[2] < 40.5


def test_what_is_on_record_and_does_not_start_soon_is_given_back_and_put_on_record_anew() -> None:
    charged: list[int] = []

    def charge(starts: int) -> float:
        charged.append(starts)
        return 0.0

    starts = started_by(charge, pause_s=30.0)

    assert starts[1] >= 30.0
    assert charged == [10, -9, 10]
