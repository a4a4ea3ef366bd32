"""The rate that finds itself, told of one answer after another; and what it remembers of them."""

from __future__ import annotations

import pytest

from importer.delivery import Governor
from importer.delivery.borne import Borne
from importer.records import RateHint, Reply, Verdict

THROTTLED = Reply(Verdict.RETRY, http_status=429, error_code="rate_limited", message="Slower, please.")


def test_a_rate_that_is_used_by_nobody_does_not_grow() -> None:
    governor = Governor(1_000.0)
    for second in range(20):
        governor.answered(Reply(Verdict.ACCEPT, "c", 201, took_s=0.1), second + 0.4, second + 0.5)

    assert governor.per_s == 5.0


def test_one_burst_of_429_is_one_cut() -> None:
    governor = Governor(100.0)
    for number in range(30):
        governor.answered(THROTTLED._replace(took_s=0.5), 10.0, 10.5 + number / 100)

    assert governor.cuts == 1
    assert governor.per_s == pytest.approx(3.5)


def test_what_look_ups_take_is_not_held_against_creates() -> None:
    governor = Governor(100.0)
    for number in range(200):
        kind, took_s = ("find", 2.0) if 80 < number < 160 else ("create", 0.05)
        governor.answered(Reply(Verdict.ACCEPT, took_s=took_s), number / 10, number / 10 + took_s, kind)

    assert governor.eases == 0


def test_a_reset_is_no_window_once_much_of_the_allowance_is_used() -> None:
    governor = Governor(100.0)
    governor.answered(Reply(Verdict.ACCEPT, allowance=RateHint(600, remaining=0, reset_s=5.0)), 0.0, 0.1)
    assert (governor.told_per_s, governor.take_used_up_s(), governor.take_used_up_s()) == (None, 5.0, 0.0)
    governor.answered(
        THROTTLED._replace(retry_after_s=1.0, allowance=RateHint(600, remaining=0, reset_s=5.0)), 0.1, 0.2
    )
    assert governor.take_used_up_s() == 0.0  # the server says how long in so many words
    governor.answered(Reply(Verdict.ACCEPT, allowance=RateHint(600, remaining=590, reset_s=60.0)), 0.2, 0.3)
    assert governor.told_per_s == pytest.approx(9.5)
    governor.answered(Reply(Verdict.ACCEPT, allowance=RateHint(1_000, remaining=5, reset_s=1.0, window_s=10.0)), 0.4, 1)

    assert governor.told_per_s == pytest.approx(95.0)


def test_what_was_borne_is_remembered_in_little_memory_however_long_it_takes() -> None:
    borne = Borne()
    for second in range(20_000):
        borne.add(float(second))
        borne.add(second + 0.5)

    assert borne.per_s(60.0) == pytest.approx(2.0, rel=0.02)
    assert len(borne._begins) <= 4_096  # what it is for


def test_a_burst_counts_with_the_pause_that_it_cost() -> None:
    borne = Borne()
    for minute in range(3):
        for number in range(600):
            borne.add(minute * 60.0 + number / 100)

    assert borne.per_s(1.0) == pytest.approx(100.0, rel=0.05)
    assert borne.per_s(50.0) == pytest.approx(10.0, rel=0.05)


def test_of_a_run_shorter_than_asked_about_the_whole_is_the_measure() -> None:
    borne = Borne()
    assert borne.per_s(1.0) == 0.0
    for number in range(5):
        borne.add(100.0 + number / 10)

    assert borne.per_s(1.0) == 5.0
    assert borne.per_s(10.0) == 0.5
