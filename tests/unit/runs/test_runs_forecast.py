"""The forecast before anything is sent."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.runs.forecast import Workload, duration, forecast, per_second
from importer.runs.hours import Hours

ZONE = ZoneInfo("Europe/Berlin")
HOURS = Hours(zone=ZONE)
TWO, SIX = (datetime(2026, 11, 23, hour, tzinfo=ZONE).timestamp() for hour in (2, 6))
AT_25 = ((25, 1.0),)


def test_it_says_which_rate_would_be_enough() -> None:
    found = forecast(Workload(creates=446_399), AT_25, HOURS, now=TWO, deadline=SIX)

    assert not found.in_time
    assert "446,400 requests take about 4 h 58 min at 25/s." in found.text
    assert "It will not finish by 06:00 at 25/s, needs 31/s." in found.text
    assert found.text.endswith("What is left then goes on next time.")
    assert found.as_json()["needed_per_s"] == 31.0


def test_it_says_when_it_will_be_done() -> None:
    found = forecast(Workload(creates=89_999, known=10), AT_25, HOURS, now=TWO, deadline=SIX)

    assert found.in_time
    assert found.text == "90,000 requests take about 60 min at 25/s. It will finish by 06:00, at about 03:00."


def test_it_says_which_share_of_the_days_requests_that_is() -> None:
    daily = (*AT_25, (20_000, 86_400.0))

    assert "and make 55% of the day's 20,000." in forecast(Workload(9_999, used=1_000), daily, HOURS, now=TWO).text
    over = forecast(Workload(19_999, used=1_000), daily, HOURS, now=TWO)
    assert (over.in_time, over.quota_share) == (False, 1.05)


def test_a_day_with_too_few_requests_left_is_not_in_time() -> None:
    daily = (*AT_25, (20_000, 86_400.0))
    found = forecast(Workload(19_999, used=1_000), daily, HOURS, now=TWO, deadline=SIX)

    assert found.text == (
        "20,000 requests take about 13 min at 25/s, and make 105% of the day's 20,000. Only 19,000 of those are left:"
        " it will not finish. What is left then goes on next time."
    )
    assert "Only 0 of those are left" in forecast(Workload(1, used=20_001), daily, HOURS, now=TWO).text
    assert forecast(Workload(0, known=9, used=20_001), daily, HOURS, now=TWO, deadline=SIX).in_time


def test_rows_in_doubt_cost_look_ups_and_known_ones_nothing() -> None:
    assert forecast(Workload(10, known=90, looks=6), AT_25, HOURS, now=TWO).requests == 17
    assert forecast(Workload(0, known=90), AT_25, HOURS, now=TWO).requests == 0


@given(st.integers(1, 10_000_000), st.integers(1, 1_000), st.integers(1, 86_400))
def test_the_needed_rate_is_just_enough(creates: int, count: int, left_s: int) -> None:
    found = forecast(Workload(creates), ((count, 1.0),), HOURS, now=TWO, deadline=TWO + left_s)

    assert found.needed_per_s is not None
    assert found.in_time == (found.seconds <= left_s + 1e-6)
    written = per_second(found.needed_per_s, up=True).removesuffix("/s").replace(",", "")
    assert float(written) >= found.needed_per_s - 1e-6


@pytest.mark.parametrize(
    ("rate", "up", "text"),
    [
        (25.0, False, "25/s"),
        (30.2, True, "31/s"),
        (17.5, False, "18/s"),
        (1.5, False, "1.5/s"),
        (2.0, False, "2/s"),
        (0.25, False, "0.25/s"),
        (1_200.4, True, "1,201/s"),
        (10.0, False, "10/s"),
    ],
)
def test_rates_are_rounded_for_people(rate: float, up: bool, text: str) -> None:
    assert per_second(rate, up=up) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.1, "1 s"), (119, "119 s"), (121, "2 min"), (7_199, "120 min"), (7_260, "2 h 01 min")]
)
def test_durations_are_rounded_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text
