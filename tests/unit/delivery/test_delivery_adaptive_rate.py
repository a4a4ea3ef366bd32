"""The adaptive rate, given one answer after another; and what it keeps of them."""

from __future__ import annotations

import pytest

from importer.core.outcomes import RateHint, Reply, Verdict
from importer.delivery import AdaptiveRate
from importer.delivery.adaptive_rate import SustainedRate

THROTTLED = Reply(Verdict.RETRY, http_status=429, error_code="rate_limited", message="Slower, please.")


def test_a_rate_that_is_not_used_does_not_grow() -> None:
    adaptive = AdaptiveRate(1_000.0)
    for second in range(20):
        adaptive.answered(Reply(Verdict.ACCEPT, "c", 201, took_s=0.1), second + 0.4, second + 0.5)

    assert adaptive.per_s == 5.0


def test_one_burst_of_429_is_one_cut() -> None:
    adaptive = AdaptiveRate(100.0)
    for number in range(30):
        adaptive.answered(THROTTLED._replace(took_s=0.5), 10.0, 10.5 + number / 100)

    assert adaptive.cuts == 1
    assert adaptive.per_s == pytest.approx(3.5)


def test_what_look_ups_take_is_not_held_against_creates() -> None:
    adaptive = AdaptiveRate(100.0)
    for number in range(200):
        kind, took_s = ("find", 2.0) if 80 < number < 160 else ("create", 0.05)
        adaptive.answered(Reply(Verdict.ACCEPT, took_s=took_s), number / 10, number / 10 + took_s, kind)

    assert adaptive.eases == 0


def test_a_reset_is_not_a_window_once_much_of_the_allowance_is_used() -> None:
    adaptive = AdaptiveRate(100.0)
    adaptive.answered(Reply(Verdict.ACCEPT, allowance=RateHint(600, remaining=0, reset_s=5.0)), 0.0, 0.1)
    assert (adaptive.hinted_per_s, adaptive.take_used_up_s(), adaptive.take_used_up_s()) == (None, 5.0, 0.0)
    adaptive.answered(
        THROTTLED._replace(retry_after_s=1.0, allowance=RateHint(600, remaining=0, reset_s=5.0)), 0.1, 0.2
    )
    assert adaptive.take_used_up_s() == 0.0  # the server says how long in so many words
    adaptive.answered(Reply(Verdict.ACCEPT, allowance=RateHint(600, remaining=590, reset_s=60.0)), 0.2, 0.3)
    assert adaptive.hinted_per_s == pytest.approx(9.5)
    adaptive.answered(Reply(Verdict.ACCEPT, allowance=RateHint(1_000, remaining=5, reset_s=1.0, window_s=10.0)), 0.4, 1)

    assert adaptive.hinted_per_s == pytest.approx(95.0)


def test_sustained_rates_are_kept_in_little_memory_however_long_a_run_takes() -> None:
    rate = SustainedRate()
    for second in range(20_000):
        rate.add(float(second))
        rate.add(second + 0.5)

    assert rate.per_s(60.0) == pytest.approx(2.0, rel=0.02)
    assert len(rate._begins) <= 4_096  # what it is for


def test_a_burst_counts_with_the_pause_that_it_cost() -> None:
    rate = SustainedRate()
    for minute in range(3):
        for number in range(600):
            rate.add(minute * 60.0 + number / 100)

    assert rate.per_s(1.0) == pytest.approx(100.0, rel=0.05)
    assert rate.per_s(50.0) == pytest.approx(10.0, rel=0.05)


def test_of_a_run_shorter_than_asked_about_the_whole_is_the_measure() -> None:
    rate = SustainedRate()
    assert rate.per_s(1.0) == 0.0
    for number in range(5):
        rate.add(100.0 + number / 10)

    assert rate.per_s(1.0) == 5.0
    assert rate.per_s(10.0) == 0.5
