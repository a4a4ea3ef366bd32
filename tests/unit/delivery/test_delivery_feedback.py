"""What answers teach the whole pool: pauses, the breaker, and the rate that finds itself."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from importer.core.errors import StoppingError
from importer.core.events import Event
from importer.core.outcomes import Found, Outcome, RateHint, Record, Reply, Verdict
from importer.core.states import RowState
from importer.customers.bodies import CustomerBodies
from importer.delivery import (
    AdaptiveRate,
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
from importer.engines import AsyncioPool
from tests.lab.virtual_time import VirtualClock, run_virtual
from tests.unit.delivery.starting import largest_window, start

THROTTLED = Reply(Verdict.RETRY, http_status=429, error_code="rate_limited", message="Slower, please.")
DOWN = Reply(Verdict.RETRY, error_code="connect_failed", message="Nobody answers.")
LOST = Reply(Verdict.IN_DOUBT, error_code="timeout", message="No answer came in time.")
UNAVAILABLE = Reply(Verdict.IN_DOUBT, http_status=503, error_code="unavailable", message="Off-line.")

RULES = BreakerRules(faults=5, probe_s=1.0, give_up_s=120.0, answer_s=10.0)


@dataclass
class Server:
    """A target with a capacity, outages and a latency that grows with its load; counts what it is asked."""

    limiter: StrictLimiter
    capacity: float = 1e9
    window_s: float = 1.0
    latency_s: float = 0.05
    outages: Sequence[tuple[float, float]] = ()
    create_outages: Sequence[tuple[float, float]] = ()
    refusal: Reply = THROTTLED
    retry_after_s: float | None = None
    measured: bool = True
    find_s: float = 0.0
    header: Callable[[int, float], RateHint] | None = None
    queueing_above: int | None = None
    loses_every: int = 0
    starts: list[float] = field(default_factory=list)
    refused: int = 0
    finds: int = 0
    _window: deque[float] = field(default_factory=deque)
    _under_way: int = 0
    _sent: int = 0

    async def send(self, record: Record) -> Reply:
        await start(self.limiter)
        loop = asyncio.get_running_loop()
        began = loop.time()
        self.starts.append(began)
        self._under_way += 1
        judged = self._lost() or self._judge(began)
        extra = 0.0
        if self.queueing_above is not None:
            extra = max(0, self._under_way - self.queueing_above) * 0.05
        await VirtualClock().sleep(self.latency_s + extra)
        self._under_way -= 1
        if judged is not None:
            return judged._replace(took_s=loop.time() - began if self.measured else None)
        hint = self._hint(loop.time())
        reply = Reply(Verdict.ACCEPT, customer_id=f"c{record.ordinal}", http_status=201, allowance=hint)
        return reply._replace(took_s=loop.time() - began) if self.measured else reply

    def _lost(self) -> Reply | None:
        """Every so manieth answer to a create does not come."""
        self._sent += 1
        return LOST if self.loses_every and self._sent % self.loses_every == 0 else None

    def _judge(self, now: float) -> Reply | None:
        if any(begin <= now < end for begin, end in self.outages):
            return DOWN
        if any(begin <= now < end for begin, end in self.create_outages):
            return UNAVAILABLE
        while self._window and self._window[0] <= now - self.window_s:
            self._window.popleft()
        if len(self._window) >= self.capacity:
            self.refused += 1
            return self.refusal._replace(retry_after_s=self.retry_after_s)
        self._window.append(now)
        return None

    def _hint(self, now: float) -> RateHint | None:
        """What is left, and the seconds until the oldest start has left the window."""
        if self.header is None:
            return None
        left = int(self.capacity) - len(self._window)
        return self.header(left, self._window[0] + self.window_s - now if self._window else 0.0)

    async def find(self, record: Record) -> Found:
        await start(self.limiter, finishing=True)
        began = asyncio.get_running_loop().time()
        self.starts.append(began)
        self.finds += 1
        await VirtualClock().sleep(self.find_s)
        return Found(took_s=asyncio.get_running_loop().time() - began if self.measured else None)

    async def get(self, customer_id: str) -> Found:
        raise AssertionError(f"nothing is read back here: {customer_id}")

    async def aclose(self) -> None:
        """Nothing is open."""


class NoMemory:
    """Keeps nothing, and knows nobody."""

    async def sends_again(self, record: Record) -> None:
        assert record

    async def has_owner(self, customer_id: str) -> bool:
        return not customer_id


@dataclass
class Played:
    server: Server
    states: dict[RowState, int]
    stop: StopSwitch
    events: list[Event]
    feedback: Feedback
    elapsed_s: float

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]


def play(
    rows: int,
    *,
    rate: int = 100,
    auto: bool = False,
    concurrency: int = 16,
    rules: BreakerRules = RULES,
    attempts: int = 4,
    max_wait_s: float = 3_600.0,
    looks_after_s: Sequence[float] = (0.0, 0.5),
    **server: object,
) -> Played:
    """Deliver rows to a server through everything that delivery has, in virtual time."""
    stop, events, states = StopSwitch(), list[Event](), dict[RowState, int]()

    async def main() -> Played:
        clock, rng = VirtualClock(), random.Random(7)
        limiter = StrictLimiter([Window(rate, 1.0)], clock, stop, max_wait_s=max_wait_s)
        backoff = Backoff(1.0, 60.0, rng)
        feedback = Feedback(
            limiter,
            Breaker(stop, rules),
            backoff,
            adaptive=AdaptiveRate(limiter.ceiling_per_s) if auto else None,
            clock=clock,
            emit=events.append,
        )
        other = Server(limiter, **server)  # type: ignore[arg-type]  # the names of its own fields
        pool = AsyncioPool(concurrency, limiter)
        asking = Asking(other, Patience(attempts, looks_after_s, backoff), feedback, stop, clock)
        stamps = Stamps(Matcher(CustomerBodies(), "importKey"))
        deliver = Deliver(asking, stamps, NoMemory(), Thresholds(stop), pool.worker_released)
        waiting = [Record(i, i + 2, f"k{i}", b"{}") for i in range(rows)]

        async def take(limit: int) -> Sequence[Record]:
            if stop.requested:
                return ()
            lot, waiting[:] = waiting[:limit], waiting[limit:]
            return lot

        def settle(outcome: Outcome) -> None:
            states[outcome.state] = states.get(outcome.state, 0) + 1

        await pool.run(take, deliver, settle)
        states.setdefault(RowState.UNSENT, 0)
        states[RowState.UNSENT] += len(waiting)
        return Played(other, states, stop, events, feedback, clock.monotonic())

    return run_virtual(main)


# ------------------------------------------------------------------ rows in doubt


def test_rows_that_wait_for_their_looks_do_not_delay_others_and_the_rate_is_used() -> None:
    """A fifth of all answers is lost, and each of these rows waits for 30 s; there are four workers."""
    played = play(2_000, rate=20, concurrency=4, attempts=20, looks_after_s=(0.0, 2.0, 8.0, 30.0), loses_every=5)
    starts = [at for at in played.server.starts if at < 100.0]

    assert played.states == {RowState.CREATED: 2_000, RowState.UNSENT: 0}
    assert len(starts) >= 0.98 * 20 * 100


# ------------------------------------------------------------------ pauses


@pytest.mark.parametrize("measured", [True, False], ids=["the target measures", "it does not"])
def test_a_storm_of_429_without_a_word_fails_no_row_and_the_pool_backs_off_further_and_further(measured: bool) -> None:
    played = play(40, capacity=0, outages=(), measured=measured, rules=BreakerRules(give_up_s=100.0))
    pauses = [event.data["seconds"] for event in played.named("paused")]

    assert played.stop.reason == "breaker"
    assert "demand for fewer" in played.stop.message
    assert played.states == {RowState.UNSENT: 40}
    assert 100.0 <= played.elapsed_s < 250.0
    assert len(played.server.starts) < 300
    assert pauses[0] <= 1.0
    assert max(pauses) > 15.0


def test_retry_after_holds_everybody_for_at_least_that_long() -> None:
    played = play(60, rate=100, capacity=10, retry_after_s=3.0, concurrency=8)

    assert played.states[RowState.CREATED] == 60
    refusals = [event for event in played.events if event.name == "request_done" and event.data["status"] == 429]
    assert refusals
    bursts = [later - earlier for earlier, later in pairwise(played.server.starts)]
    assert sum(gap >= 2.9 for gap in bursts) == len(played.named("paused"))
    assert played.feedback.receipt()["pauses"] == {"rate_limited": len(played.named("paused"))}


def test_a_server_that_sends_everybody_home_for_the_day_ends_the_run_for_now() -> None:
    played = play(20, capacity=5, retry_after_s=50_000.0)

    assert played.stop.reason == "quota"
    assert played.states[RowState.CREATED] == 5
    assert played.states[RowState.UNSENT] == 15


@pytest.mark.parametrize("refusal", [THROTTLED, UNAVAILABLE], ids=["429", "503"])
def test_a_retry_after_of_nothing_does_not_switch_the_backing_off_off(refusal: Reply) -> None:
    played = play(300, rate=400, capacity=20, concurrency=4, refusal=refusal, retry_after_s=0.0)

    assert played.states == {RowState.CREATED: 300, RowState.UNSENT: 0}
    assert played.named("paused")
    assert played.server.refused < 300


@pytest.mark.parametrize("asked_s", [0.25, 1.0, 3.0])
def test_a_wait_that_the_server_names_again_and_again_is_lengthened_but_within_reason(asked_s: float) -> None:
    played = play(40, capacity=0, retry_after_s=asked_s, rules=BreakerRules(give_up_s=100.0))
    pauses = [event.data["seconds"] for event in played.named("paused")]

    assert played.stop.reason == "breaker"
    assert played.states == {RowState.UNSENT: 40}
    assert asked_s <= min(pauses)
    assert asked_s < max(pauses) <= 8.0 * asked_s


def test_a_503_without_a_word_holds_the_pool_back_and_costs_no_row_its_attempts() -> None:
    played = play(300, rate=300, capacity=20, concurrency=16, refusal=UNAVAILABLE, attempts=1)

    assert played.states == {RowState.CREATED: 300, RowState.UNSENT: 0}
    assert played.server.refused < 600
    assert played.feedback.receipt()["pauses"]["unavailable"] > 5


# ------------------------------------------------------------------ the breaker


def test_an_outage_is_sat_out_with_single_probes_and_costs_no_row() -> None:
    played = play(400, outages=[(1.0, 31.0)])
    probes = [start for start in played.server.starts if 2.5 <= start < 31.0]

    assert played.states[RowState.CREATED] == 400
    assert not played.stop.requested
    assert [event.name for event in played.events if event.name.startswith("breaker")] == [
        "breaker_opened",
        "breaker_closed",
    ]
    assert 3 <= len(probes) <= 6
    assert all(later - earlier >= 1.9 for earlier, later in pairwise(probes))
    assert played.feedback.receipt()["breaker_openings"] == 1


def test_an_outage_of_creates_alone_is_sat_out_although_every_look_up_works() -> None:
    played = play(200, create_outages=[(1.0, 31.0)])
    probes = [start for start in played.server.starts if 4.0 <= start < 31.0]

    assert played.states == {RowState.CREATED: 200, RowState.UNSENT: 0}
    assert played.feedback.receipt()["breaker_openings"] == 1
    assert played.server.finds > 16
    assert len(probes) < 40


def test_creates_that_stay_away_are_given_up_in_a_bounded_time_although_every_look_up_works() -> None:
    played = play(200, create_outages=[(1.0, 1e9)], rules=replace(RULES, faults=20))

    assert played.stop.reason == "breaker"
    assert "times in a row" in played.stop.message
    assert played.elapsed_s <= 130.0
    assert RowState.FAILED not in played.states
    assert played.states[RowState.UNSENT] > 80


def test_look_ups_that_work_again_end_an_outage_in_which_only_they_failed() -> None:
    breaker = Breaker(StopSwitch(), BreakerRules(faults=2))
    for moment in range(2):
        breaker.answered(DOWN, float(moment), "find")
    assert breaker.is_open
    breaker.answered(Reply(Verdict.ACCEPT), 3.0, "find")

    assert not breaker.is_open


def test_a_sound_look_up_lets_the_next_request_probe_at_once_while_creates_are_down() -> None:
    breaker = Breaker(StopSwitch(), BreakerRules(faults=2))
    for moment in range(2):
        breaker.answered(UNAVAILABLE, float(moment), "create")
    breaker.started(5.0)
    breaker.answered(Reply(Verdict.ACCEPT), 5.5, "find")
    assert (breaker.is_open, breaker.ready_at()) == (True, 5.5)
    breaker.started(5.6)
    breaker.answered(Reply(Verdict.ACCEPT, "c", 201), 5.7, "create")

    assert (breaker.is_open, breaker.ready_at()) == (False, 0.0)


def test_once_the_target_is_back_everybody_goes_on_at_once() -> None:
    played = play(200, outages=[(1.0, 1.9)])

    assert played.states[RowState.CREATED] == 200
    assert played.elapsed_s < 6.0


def test_a_target_that_stays_away_is_given_up_in_a_bounded_time_with_the_rest_unsent() -> None:
    played = play(400, outages=[(1.0, 1e9)])

    assert played.stop.reason == "breaker"
    assert "times in a row" in played.stop.message
    assert "Nobody answers" in played.stop.message
    assert 120.0 <= played.elapsed_s <= 125.0
    assert played.states[RowState.UNSENT] > 250
    assert RowState.FAILED not in played.states


def test_a_target_that_never_gave_one_sound_answer_is_given_up_sooner() -> None:
    played = play(50, outages=[(0.0, 1e9)])

    assert played.stop.reason == "breaker"
    assert 10.0 <= played.elapsed_s <= 14.0


def test_a_probe_that_gets_no_answer_is_followed_by_another() -> None:
    breaker = Breaker(StopSwitch(), BreakerRules(faults=1, probe_s=1.0, give_up_s=600.0, answer_s=10.0))
    breaker.answered(DOWN, 100.0)
    assert breaker.is_open
    assert breaker.ready_at() == pytest.approx(101.0)
    breaker.started(101.0)
    assert breaker.ready_at() == pytest.approx(111.0)
    breaker.answered(DOWN._replace(took_s=5.0), 102.0)  # a late answer to a request from before: no probe's
    assert breaker.ready_at() == pytest.approx(111.0)
    breaker.answered(DOWN._replace(took_s=1.5), 102.5)
    assert breaker.ready_at() == pytest.approx(104.5)
    breaker.started(104.5)
    breaker.answered(THROTTLED._replace(took_s=0.1), 104.6)
    assert breaker.ready_at() == 0.0  # closed: it is alive


@pytest.mark.parametrize(
    ("reply", "opens"),
    [
        (UNAVAILABLE, True),
        (DOWN, True),
        (DOWN._replace(http_status=503), True),
        (THROTTLED, False),
        (Reply(Verdict.REJECT, http_status=422), False),
        (Reply(Verdict.DUPLICATE, http_status=409), False),
        (Reply(Verdict.ACCEPT, "c", 201), False),
    ],
)
def test_what_counts_as_a_fault(reply: Reply, opens: bool) -> None:
    breaker = Breaker(StopSwitch(), BreakerRules(faults=3))
    for moment in range(3):
        breaker.answered(reply, float(moment))

    assert breaker.is_open is opens


def test_a_stop_is_noticed_while_the_breaker_is_open() -> None:
    async def main() -> float:
        clock, stop = VirtualClock(), StopSwitch()
        limiter = StrictLimiter([Window(10, 1.0)], clock, stop)
        breaker = Breaker(stop, BreakerRules(faults=1, probe_s=50.0))
        limiter.breaker = breaker
        breaker.answered(DOWN, clock.monotonic())
        asyncio.get_running_loop().call_later(3.0, stop.request, "sigint")
        with pytest.raises(StoppingError):
            await start(limiter)
        return clock.monotonic()

    assert run_virtual(main) < 4.5


# ------------------------------------------------------------------ the rate that finds itself


def test_auto_finds_the_rate_that_a_server_can_take_and_stays_below_the_ceiling() -> None:
    played = play(6_000, rate=200, auto=True, concurrency=64, capacity=60)
    auto = played.feedback.receipt()["auto"]
    late = [start for start in played.server.starts if start > 30.0]

    assert played.states[RowState.CREATED] == 6_000
    assert 45 <= auto["found_per_s"] <= 66
    assert auto["cuts_after_429"] > 0
    assert (len(late) - 1) / (late[-1] - late[0]) >= 0.75 * 60
    assert played.server.refused < 0.05 * len(played.server.starts)
    assert largest_window(played.server.starts, 1.0) <= 200


def test_without_failures_auto_climbs_to_its_ceiling_and_never_above() -> None:
    played = play(4_000, rate=80, auto=True, concurrency=64)
    late = [start for start in played.server.starts if start > 15.0]

    assert largest_window(played.server.starts, 1.0) <= 80
    assert (len(late) - 1) / (late[-1] - late[0]) >= 0.95 * 80
    assert played.feedback.receipt()["auto"]["cuts_after_429"] == 0


def test_auto_begins_low() -> None:
    played = play(200, rate=500, auto=True, concurrency=64)

    assert sum(start < 1.0 for start in played.server.starts) <= 8


def by_ietf(left: int, reset_s: float) -> RateHint:
    return RateHint(limit=50, remaining=left, reset_s=reset_s, window_s=1.0)


def test_auto_follows_the_headers_before_any_request_is_refused() -> None:
    played = play(3_000, rate=500, auto=True, concurrency=64, capacity=50, header=by_ietf)

    assert played.server.refused <= 5
    assert played.feedback.receipt()["auto"]["told_by_headers_per_s"] == pytest.approx(47.5)
    late = [start for start in played.server.starts if start > 20.0]
    assert (len(late) - 1) / (late[-1] - late[0]) >= 0.9 * 50


def test_auto_eases_off_when_latency_rises() -> None:
    played = play(4_000, rate=1_000, auto=True, concurrency=200, queueing_above=10)
    auto = played.feedback.receipt()["auto"]

    assert auto["cuts_for_latency"] > 0
    assert auto["last_per_s"] < 500


def test_a_503_cuts_the_rate_as_a_429_does() -> None:
    played = play(2_000, rate=200, auto=True, concurrency=64, capacity=40, refusal=UNAVAILABLE)
    auto = played.feedback.receipt()["auto"]

    assert played.states[RowState.CREATED] == 2_000
    assert auto["cuts_after_429"] > 0
    assert 25 <= auto["found_per_s"] <= 44


def test_waiting_for_a_slot_is_not_latency() -> None:
    """Every tenth create fails and is looked up: at an even 50 ms nothing ever becomes slower."""
    faults = [(number / 2, number / 2 + 0.05) for number in range(1, 60)]
    played = play(600, rate=200, auto=True, create_outages=faults, find_s=0.05)

    assert played.server.finds > 10
    assert played.feedback.receipt()["auto"]["cuts_for_latency"] == 0


def test_a_burst_before_a_long_pause_is_not_what_was_found() -> None:
    """600 a minute, as many as come at once: what it bears is ten a second."""
    played = play(
        1_500, rate=700, auto=True, concurrency=32, capacity=600, window_s=60.0, retry_after_s=60.0, attempts=1
    )

    assert played.states[RowState.CREATED] == 1_500
    assert 8.0 <= played.feedback.receipt()["auto"]["found_per_s"] <= 13.0


def test_an_allowance_that_is_used_up_is_waited_for_before_anybody_is_refused() -> None:
    def header(left: int, reset_s: float) -> RateHint:
        return RateHint(limit=40, remaining=left, reset_s=reset_s)

    played = play(300, rate=500, auto=True, concurrency=1, capacity=40, window_s=5.0, header=header)

    assert (played.states[RowState.CREATED], played.server.refused) == (300, 0)
    assert played.feedback.receipt()["auto"]["told_by_headers_per_s"] == pytest.approx(7.6, rel=0.05)


# ------------------------------------------------------------------ token exchanges


def feedback_for(stop: StopSwitch, events: list[Event]) -> tuple[StrictLimiter, Feedback]:
    limiter = StrictLimiter([Window(100, 1.0)], VirtualClock(), stop)
    backoff = Backoff(1.0, 60.0, random.Random(1))
    return limiter, Feedback(limiter, Breaker(stop, RULES), backoff, clock=VirtualClock(), emit=events.append)


def test_an_exchange_that_has_to_wait_holds_the_pool_and_is_reported() -> None:
    async def main() -> tuple[float, list[Event]]:
        events: list[Event] = []
        limiter, _ = feedback_for(StopSwitch(), events)
        limiter.learn(UNAVAILABLE._replace(verdict=Verdict.RETRY, retry_after_s=7.0, took_s=0.1, shared=True))
        await start(limiter)
        return VirtualClock().monotonic(), events

    moment, events = run_virtual(main)
    assert moment == pytest.approx(7.0, abs=0.1)
    assert [event.data["kind"] for event in events if event.name == "request_done"] == ["token"]
    assert [event.data["seconds"] for event in events if event.name == "paused"] == [7.0]


def test_five_failed_exchanges_in_a_row_count_for_all_who_waited_for_them() -> None:
    stop = StopSwitch()
    breaker = Breaker(stop, replace(RULES, faults=20))
    for number in range(5):
        assert not breaker.is_open
        breaker.answered(DOWN._replace(shared=True), number * 1.0, "token")

    assert breaker.is_open


def test_a_probe_that_only_got_a_token_leaves_the_next_one_to_the_row_that_waited_for_it() -> None:
    async def main() -> tuple[float, bool]:
        limiter, feedback = feedback_for(StopSwitch(), [])
        for _ in range(RULES.faults):
            limiter.learn(DOWN._replace(shared=True))
        assert feedback.held
        await start(limiter)
        limiter.learn(Reply(Verdict.ACCEPT, http_status=200, took_s=0.0))
        await start(limiter)
        feedback.answered(Reply(Verdict.ACCEPT, customer_id="c", http_status=201, took_s=0.0), 0.0)
        return VirtualClock().monotonic(), feedback.held

    moment, held = run_virtual(main)
    assert not held
    assert moment == pytest.approx(RULES.probe_s, abs=0.1)


@pytest.mark.parametrize("met", [None, DOWN, THROTTLED])
def test_a_breaker_that_was_open_for_others_alone_closes_with_theirs(met: Reply | None) -> None:
    breaker = Breaker(StopSwitch(), RULES)
    breaker.open_to_probe(1.0)
    breaker.started(1.1)
    breaker.answered(Reply(Verdict.ACCEPT), 1.2, "find")
    breaker.started(1.3)
    if met is not None:
        breaker.answered(met, 1.4)

    breaker.probe_now(2.0)

    assert breaker.has_opened is (met is DOWN)
