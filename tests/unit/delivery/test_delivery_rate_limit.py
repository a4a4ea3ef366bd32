"""The allowance: strict in every rolling window, and used to the full."""

from __future__ import annotations

import asyncio

import pytest

from importer.core.errors import StoppingError
from importer.delivery import StopSwitch, StrictLimiter, Window
from tests.lab.virtual_time import VirtualClock, run_virtual
from tests.unit.delivery.starting import largest_window, start


def starts_of(count: int, per_s: float, *, workers: int, requests: int) -> list[float]:
    """The moments at which `requests` requests start."""
    starts: list[float] = []

    async def main() -> None:
        clock = VirtualClock()
        limiter = StrictLimiter([Window(count, per_s)], clock, StopSwitch())

        async def worker() -> None:
            while len(starts) < requests:
                await start(limiter)
                starts.append(clock.monotonic())
                await clock.sleep(0.03)

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(worker())

    run_virtual(main)
    return starts[:requests]


@pytest.mark.parametrize(("count", "per_s"), [(1, 1.0), (10, 1.0), (100, 1.0), (1_000, 1.0), (60, 60.0), (600, 60.0)])
def test_no_rolling_window_ever_holds_more_than_the_rate_allows(count: int, per_s: float) -> None:
    starts = starts_of(count, per_s, workers=64, requests=count * 4 + 7)

    assert largest_window(starts, per_s) <= count


@pytest.mark.parametrize("count", [10, 100, 1_000])
def test_at_least_98_percent_of_the_allowance_is_used(count: int) -> None:
    starts = starts_of(count, 1.0, workers=64, requests=count * 10)

    achieved = (len(starts) - 1) / (starts[-1] - starts[0])
    assert achieved >= 0.98 * count


def test_a_pause_holds_everyone_and_a_shorter_one_does_not_cut_it() -> None:
    async def main() -> float:
        clock = VirtualClock()
        limiter = StrictLimiter([Window(100, 1.0)], clock, StopSwitch())
        limiter.pause(30.0)
        limiter.pause(5.0)
        await start(limiter)
        return clock.monotonic()

    assert run_virtual(main) == pytest.approx(30.0, abs=0.01)


def test_a_stopping_run_begins_nothing_new_but_finishes_what_it_began() -> None:
    async def main() -> None:
        stop = StopSwitch()
        limiter = StrictLimiter([Window(100, 1.0)], VirtualClock(), stop)
        stop.request("sigint")
        await start(limiter, finishing=True)
        with pytest.raises(StoppingError):
            await start(limiter)

    run_virtual(main)


def test_a_stop_is_noticed_in_the_middle_of_a_long_pause() -> None:
    async def main() -> float:
        clock, stop = VirtualClock(), StopSwitch()
        limiter = StrictLimiter([Window(100, 1.0)], clock, stop)
        limiter.pause(3_600.0)
        asyncio.get_running_loop().call_later(7.0, stop.request, "sigterm")
        with pytest.raises(StoppingError):
            await start(limiter)
        return clock.monotonic()

    assert run_virtual(main) < 9.0


def test_a_cancelled_waiter_leaves_its_turn_to_the_next() -> None:
    async def main() -> int:
        clock = VirtualClock()
        limiter = StrictLimiter([Window(1, 1.0)], clock, StopSwitch())
        await start(limiter)
        waiting = [asyncio.create_task(start(limiter)) for _ in range(3)]
        await clock.sleep(0.1)
        waiting[0].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return sum(not task.cancelled() for task in waiting)

    assert run_virtual(main) == 2


def test_nothing_starts_while_it_may_not_and_what_is_left_of_a_run_that_stops_is_refused_then() -> None:
    async def main() -> float:
        clock, stop = VirtualClock(), StopSwitch()
        limiter = StrictLimiter([Window(100, 1.0)], clock, stop)
        limiter.may_start = lambda: clock.monotonic() >= 7.5
        await start(limiter)
        started = clock.monotonic()
        limiter.may_start = lambda: False
        stop.request("signal", "stopped")
        with pytest.raises(StoppingError):
            await limiter.reserve(finishing=True)
        return started

    assert 7.5 <= run_virtual(main) < 9.0
