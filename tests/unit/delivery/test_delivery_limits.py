"""Several limits at once, quotas that outlast a process, and work that is only taken on when it is of use."""

from __future__ import annotations

import asyncio
import math
import random
import sys
from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.core.errors import StoppingError
from importer.core.outcomes import Outcome, Record, Reply, Verdict
from importer.core.states import RowState
from importer.delivery import Backoff, Breaker, BreakerRules, Feedback, StopSwitch, StrictLimiter, Window
from importer.engines import AsyncioPool
from importer.runs.wiring import SystemClock
from tests.effort import examples
from tests.lab.virtual_time import VirtualClock, run_virtual
from tests.unit.delivery.starting import largest_window, start


def starts_under(limits: Sequence[tuple[int, float]], requests: int, *, workers: int = 32) -> list[float]:
    """The moments at which `requests` requests start, as fast as the limits allow."""
    starts: list[float] = []

    async def main() -> None:
        clock = VirtualClock()
        limiter = StrictLimiter([Window(*limit) for limit in limits], clock, StopSwitch())

        async def worker() -> None:
            while len(starts) < requests:
                await start(limiter)
                starts.append(clock.monotonic())

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(worker())

    run_virtual(main)
    return starts[:requests]


def test_every_one_of_several_limits_holds_and_the_tightest_is_used_to_the_full() -> None:
    starts = starts_under([(10, 1.0), (300, 60.0), (900, 3_600.0)], 1_200)

    assert [largest_window(starts, per_s) for per_s in (1.0, 60.0, 3_600.0)] == [10, 300, 900]
    assert starts[-1] < 3_600.0 * 1.02 + 60.0
    in_the_first_minute = sum(start < 60.0 for start in starts)
    assert in_the_first_minute == 300
    assert starts[299] == pytest.approx(30.0, rel=0.02)  # the shortest limit sets the pace, the longer ones are quotas


@pytest.mark.parametrize(("count", "per_s"), [(20_000, 86_400.0), (100_000, 86_400.0), (5_000, 60.0)])
def test_a_long_window_is_kept_in_a_few_thousand_entries(count: int, per_s: float) -> None:
    window = Window(count, per_s)
    moment, spacing_s = 0.0, per_s / count / 2.0
    for _ in range(count):
        assert window.ready_at(moment) <= moment
        window.add(moment)
        moment += spacing_s

    assert window.ready_at(moment) > moment
    assert len(window._pieces) <= 4_200
    assert sys.getsizeof(window._pieces) < 300_000


@settings(max_examples=examples(60), deadline=None)
@given(
    count=st.integers(1, 40),
    per_s=st.sampled_from([0.5, 1.0, 60.0]),
    gaps=st.lists(st.floats(0.0, 1.0), min_size=50, max_size=300),
)
def test_no_order_of_arrivals_ever_overfills_a_window(count: int, per_s: float, gaps: list[float]) -> None:
    window, starts, now = Window(count, per_s), list[float](), 0.0
    for arrival in accumulate(gap * per_s / 20.0 for gap in gaps):
        now = max(now, arrival)
        now = max(now, window.ready_at(now))
        window.add(now)
        starts.append(now)

    assert largest_window(starts, per_s) <= count
    assert largest_window(starts, per_s) <= window.largest <= count


def test_the_receipt_has_what_was_allowed_used_and_paused() -> None:
    async def main() -> dict[str, object]:
        clock = VirtualClock()
        limiter = StrictLimiter([Window(10, 1.0), Window(15, 60.0)], clock, StopSwitch())
        backoff = Backoff(1.0, 60.0, random.Random(1))
        feedback = Feedback(limiter, Breaker(limiter.stop, BreakerRules()), backoff, clock=clock, emit=lambda _: None)
        for asked_s in (2.0, 1.0):
            feedback.answered(Reply(Verdict.REJECT, error_code="rate_limited", retry_after_s=asked_s), 0.0)
        for _ in range(20):
            await start(limiter)
        return feedback.receipt()

    receipt = run_virtual(main)
    assert receipt["allowance"] == "10/s, 15/min"
    assert receipt["requests"] == 20
    assert receipt["pauses"] == {"rate_limited": 1}
    assert receipt["paused_s"] == pytest.approx(2.0)
    assert receipt["largest"] == {"in any second": 10, "in any minute": 15}
    assert receipt["achieved_per_s"] == pytest.approx(19 / 60.4, rel=0.02)


def test_a_quota_that_is_used_up_for_longer_than_anybody_waits_ends_the_run_for_today() -> None:
    async def main() -> tuple[StopSwitch, float]:
        clock, stop = VirtualClock(), StopSwitch()
        limiter = StrictLimiter([Window(100, 1.0), Window(5, 86_400.0)], clock, stop, max_wait_s=3_600.0)
        for _ in range(5):
            await start(limiter)
        with pytest.raises(StoppingError):
            await start(limiter)
        return stop, clock.monotonic()

    stop, moment = run_virtual(main)
    assert stop.reason == "quota"
    assert "24 h 0" in stop.message
    assert moment < 1.0


def test_a_pause_that_the_server_asks_for_is_kept_up_to_that_patience() -> None:
    async def main() -> str:
        stop = StopSwitch()
        limiter = StrictLimiter([Window(100, 1.0)], VirtualClock(), stop, max_wait_s=3_600.0)
        limiter.pause(3_599.0)
        await start(limiter)
        assert not stop.requested
        limiter.pause(7_200.0)
        with pytest.raises(StoppingError):
            await start(limiter)
        return stop.reason

    assert run_virtual(main) == "quota"


class Record_(list[int]):  # noqa: N801
    """A ledger of starts that forgets nothing."""

    async def charge(self, starts: int) -> float:
        self.append(starts)
        return 0.0


def test_starts_are_on_record_before_they_happen_and_what_was_not_used_is_given_back() -> None:
    async def main() -> tuple[Record_, int]:
        clock, ledger, begun = VirtualClock(), Record_(), 0
        limiter = StrictLimiter([Window(10, 1.0), Window(1_000, 86_400.0)], clock, StopSwitch())
        limiter.remember(ledger.charge, [])
        for begun in range(1, 14):
            await start(limiter)
            assert sum(ledger) >= begun
        await limiter.give_back()
        return ledger, begun

    ledger, begun = run_virtual(main)
    assert sum(ledger) == begun
    assert max(ledger) <= 10


def test_starts_of_earlier_processes_count_in_the_windows_that_outlast_them() -> None:
    async def main() -> list[float]:
        clock, starts = VirtualClock(), list[float]()
        limiter = StrictLimiter([Window(10, 1.0), Window(30, 60.0), Window(50, 3_600.0)], clock, StopSwitch())
        limiter.remember(Record_().charge, [(4_000.0, 1_000), (100.0, 15), (50.0, 20)])
        for _ in range(15):
            await start(limiter)
            starts.append(clock.monotonic())
        return starts

    starts = run_virtual(main)
    assert starts[9] == pytest.approx(0.8, abs=0.1)  # 10 left of the minute's 30
    assert starts[10] == pytest.approx(10.0, abs=0.1)  # then what is 50 s old leaves it
    assert starts[14] < 11.0


def test_a_limit_lowered_below_what_was_used_already_waits_until_enough_has_left_the_window() -> None:
    window = Window(10, 60.0)
    for age in (50.0, 40.0, 30.0):
        window.preload(100.0 - age, 8)

    assert window.ready_at(100.0) == pytest.approx(120.0, abs=0.1)
    assert window.largest == 0


# ------------------------------------------------------------------ concurrency follows need


def play_pool(rate: int, latency_s: float, cap: int, records: int) -> tuple[float, int, int]:
    """Deliver through a pool: the rate reached, the most requests under way, the most records held."""
    ends: list[float] = []
    waiting = [Record(i, i + 2, f"k{i}", b"{}") for i in range(records)]
    state = {"now": 0, "most": 0, "held": 0, "most_held": 0}

    async def main() -> None:
        clock = VirtualClock()
        limiter = StrictLimiter([Window(rate, 1.0)], clock, StopSwitch())

        async def take(limit: int) -> Sequence[Record]:
            lot, waiting[:] = waiting[:limit], waiting[limit:]
            return lot

        async def deliver(record: Record) -> Outcome:
            state["held"] += 1
            state["most_held"] = max(state["most_held"], state["held"])
            await start(limiter)
            state["now"] += 1
            state["most"] = max(state["most"], state["now"])
            await clock.sleep(latency_s)
            state["now"] -= 1
            state["held"] -= 1
            return Outcome(record.ordinal, record.key, RowState.CREATED)

        def settle(outcome: Outcome) -> None:
            ends.append(clock.monotonic())

        await AsyncioPool(cap, limiter).run(take, deliver, settle)

    run_virtual(main)
    return (records - 1) / (ends[-1] - ends[0]), state["most"], state["most_held"]


@pytest.mark.parametrize(
    ("rate", "latency_s", "cap"), [(10, 0.05, 64), (10, 5.0, 64), (100, 0.05, 64), (100, 5.0, 600), (1_000, 0.05, 100)]
)
def test_the_rate_is_reached_at_any_latency_and_no_more_is_in_flight_than_that_takes(
    rate: int, latency_s: float, cap: int
) -> None:
    per_s, most, most_held = play_pool(rate, latency_s, cap, records=max(rate * 12, 200))

    assert per_s >= 0.98 * rate
    need = rate * latency_s
    burst = 2 + rate * 0.02
    assert most <= math.ceil(need * 1.1) + burst
    assert most_held <= math.ceil(need * 1.1) + 2 * burst + 4  # a few wait for their slot


def test_a_cap_below_the_need_is_kept() -> None:
    per_s, most, _ = play_pool(100, 5.0, 50, records=300)

    assert most == 50
    assert 9.0 < per_s < 13.0


# ------------------------------------------------------------------ on a real loop


_BEAT_S = 0.005
_PUNCTUAL_S = 0.002


async def stalls(clock: SystemClock, until: asyncio.Event) -> float:
    """The seconds that this machine took from the loop: by how much a steady beat came late."""
    late_s = 0.0
    while not until.is_set():
        before = clock.monotonic()
        await clock.sleep(_BEAT_S)
        over_s = clock.monotonic() - before - _BEAT_S
        late_s += over_s if over_s > _PUNCTUAL_S else 0.0
    return late_s


async def real_starts(rate: int, *, seconds: float) -> tuple[list[float], float]:
    """The moments at which requests start, in real time; and the seconds in which nothing could have started."""
    starts: list[float] = []
    clock, done = SystemClock(), asyncio.Event()
    limiter = StrictLimiter([Window(rate, 1.0)], clock, StopSwitch())

    async def worker() -> None:
        while len(starts) < rate * seconds:
            starts.append(await start(limiter))  # a look at the clock here would be late where the machine is busy

    watching = asyncio.create_task(stalls(clock, done))
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(worker())
    done.set()
    return starts, await watching


@pytest.mark.xdist_group("real_time")
@pytest.mark.parametrize("rate", [10, 100, 1_000])
async def test_on_a_real_loop_the_allowance_is_strict_and_at_least_98_percent_of_it_are_used(rate: int) -> None:
    """Strict always; full in the best of three tries, in the time that a busy machine leaves."""
    reached = []
    for _ in range(3):
        starts, stalled_s = await real_starts(rate, seconds=2.5)
        assert largest_window(starts, 1.0) <= rate
        reached.append((len(starts) - 1) / (starts[-1] - starts[0] - stalled_s))
        if reached[-1] >= 0.98 * rate:
            return
    pytest.fail(f"only {reached} of {rate}/s")


def test_what_finishes_begun_work_goes_before_what_begins_some() -> None:
    clock, order = VirtualClock(), list[str]()

    async def ask(limiter: StrictLimiter, name: str, *, finishing: bool) -> None:
        await start(limiter, finishing=finishing)
        order.append(name)

    async def main() -> None:
        limiter = StrictLimiter([Window(1, 1.0)], clock, StopSwitch())
        creates = [asyncio.create_task(ask(limiter, f"create {n}", finishing=False)) for n in range(5)]
        await clock.sleep(0.5)
        look = asyncio.create_task(ask(limiter, "look", finishing=True))
        await asyncio.gather(*creates, look)

    run_virtual(main)
    assert order.index("look") <= 3
    assert [name for name in order if name != "look"] == sorted(name for name in order if name != "look")


def test_a_first_request_that_is_cancelled_does_not_delay_the_others() -> None:
    clock = VirtualClock()

    async def main() -> int:
        limiter = StrictLimiter([Window(1, 1.0)], clock, StopSwitch())
        creates = [asyncio.create_task(start(limiter)) for _ in range(4)]
        await clock.sleep(0.5)
        look = asyncio.create_task(start(limiter, finishing=True))
        await clock.sleep(0.1)
        look.cancel()
        async with asyncio.timeout(10):
            return len(await asyncio.gather(*creates))

    assert run_virtual(main) == 4


@pytest.mark.parametrize(("age_s", "begins_at"), [(0.0, 1.0), (0.7, 0.3), (1.2, 0.0)])
def test_a_run_after_another_begins_when_the_short_windows_are_empty(age_s: float, begins_at: float) -> None:
    clock = VirtualClock()

    async def main() -> float:
        limiter = StrictLimiter([Window(10, 1.0), Window(1_000, 86_400.0)], clock, StopSwitch())
        limiter.follow(age_s)
        began = clock.monotonic()
        await start(limiter)
        return clock.monotonic() - began

    assert run_virtual(main) == pytest.approx(begins_at, abs=0.1)
