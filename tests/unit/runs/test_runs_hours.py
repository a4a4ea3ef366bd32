"""Windows on real clocks: over midnight, and on the nights on which a clock is put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.core.errors import ExitCode, ProfileError, TryLaterError
from importer.profile import Profile
from importer.profile.delivery import DeliverySettings
from importer.runs.hours import Hours, local_zone

BERLIN = "Europe/Berlin"
FORWARD, BACK = (2026, 3, 29), (2026, 10, 25)
"""In Berlin 02:00 becomes 03:00 (01:00 UTC) on the first, 03:00 becomes 02:00 (01:00 UTC) on the second."""


def hours(window: str | None = None, finish_by: str | None = None, zone: str = BERLIN) -> Hours:
    return Hours.of(DeliverySettings.model_validate({"window": window, "finish_by": finish_by, "timezone": zone}))


def at(year: int, month: int, day: int, hour: int, minute: int = 0, *, zone: str = BERLIN, fold: int = 0) -> float:
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def utc(moment: float | None) -> str:
    assert moment is not None
    return f"{datetime.fromtimestamp(moment, UTC):%d %H:%M:%S}"


def test_without_hours_it_is_always_open_and_never_ends() -> None:
    assert hours().opens_at(17.0) == 17.0
    assert hours().ends_at(17.0) is None


@pytest.mark.parametrize(
    ("hour", "opens", "ends"),
    [(21, 22, None), (22, 22, 6), (23, 23, 6), (0, 0, 6), (5, 5, 6), (6, 22, None), (12, 22, None)],
)
def test_a_window_over_midnight(hour: int, opens: int, ends: int | None) -> None:
    now, night = at(2026, 11, 22, hour), hours("22:00-06:00")

    assert datetime.fromtimestamp(night.opens_at(now), ZoneInfo(BERLIN)).hour == opens
    assert (None if ends is None else night.clock(night.ends_at(now) or 0)) == (None if ends is None else "06:00")


def test_a_window_inside_a_day_ends_on_that_day() -> None:
    lunch = hours("12:00-13:30")

    assert lunch.ends_at(at(2026, 11, 22, 12, 15)) == at(2026, 11, 22, 13, 30)
    assert lunch.opens_at(at(2026, 11, 22, 13, 30)) == at(2026, 11, 23, 12)


def test_the_night_of_the_clock_put_forward_is_an_hour_shorter() -> None:
    evening, window = at(2026, 3, 28, 22), hours("22:00-06:00")

    end = window.ends_at(evening)
    assert utc(end) == "29 04:00:00"
    assert end is not None
    assert end - evening == 7 * 3_600


def test_the_night_of_the_clock_put_back_is_an_hour_longer() -> None:
    evening, window = at(2026, 10, 24, 22), hours("22:00-06:00")

    end = window.ends_at(evening)
    assert utc(end) == "25 05:00:00"
    assert end is not None
    assert end - evening == 9 * 3_600


def test_a_time_that_the_clock_skips_is_the_moment_of_the_jump() -> None:
    assert utc(hours("22:00-02:30").ends_at(at(2026, 3, 28, 23))) == "29 01:00:00"
    assert utc(hours("02:30-06:00").opens_at(at(*FORWARD, 1))) == "29 01:00:00"
    assert utc(hours(finish_by="02:30").ends_at(at(*FORWARD, 1))) == "29 01:00:00"


def test_a_time_that_the_clock_shows_twice_is_the_first_of_the_two() -> None:
    assert utc(hours("22:00-02:30").ends_at(at(2026, 10, 24, 23))) == "25 00:30:00"
    assert utc(hours("02:30-06:00").opens_at(at(*BACK, 1))) == "25 00:30:00"
    second = at(*BACK, 2, 40, fold=1)
    assert hours("22:00-02:30").opens_at(second) > second


def test_other_zones_are_put_forward_at_other_moments() -> None:
    new_york = hours("22:00-06:00", zone="America/New_York")
    evening = at(2026, 3, 7, 22, zone="America/New_York")

    assert (new_york.ends_at(evening) or 0) - evening == 7 * 3_600
    berlin_evening = at(2026, 3, 7, 22)
    assert (hours("22:00-06:00").ends_at(berlin_evening) or 0) - berlin_evening == 8 * 3_600


@given(st.integers(int(at(2025, 1, 1, 0)), int(at(2028, 1, 1, 0))))
def test_a_window_and_its_opposite_share_every_day_without_gap_or_overlap(now: int) -> None:
    night, day = hours("22:00-06:00"), hours("06:00-22:00")

    is_open = [one.opens_at(now) == now for one in (night, day)]
    assert sorted(is_open) == [False, True]
    open_one, other = (night, day) if is_open[0] else (day, night)
    assert open_one.ends_at(now) == other.opens_at(now)


def test_the_nearer_of_window_and_time_to_be_done_by_counts() -> None:
    evening = at(2026, 11, 22, 22)

    assert hours("22:00-06:00", "05:00").ends_at(evening) == at(2026, 11, 23, 5)
    assert hours("22:00-06:00", "07:00").ends_at(evening) == at(2026, 11, 23, 6)
    assert hours(finish_by="22:00").ends_at(evening) == at(2026, 11, 23, 22)


def test_beginning_outside_the_window_is_refused_with_the_time_it_opens() -> None:
    with pytest.raises(
        TryLaterError, match=r"22:00-06:00 \(Europe/Berlin\) is closed until 2026-11-22 22:00"
    ) as refused:
        hours("22:00-06:00").require_open(at(2026, 11, 22, 14))
    assert refused.value.exit_code == ExitCode.TRY_LATER


def test_the_computers_own_zone_is_tz_then_the_systems(tmp_path: Path) -> None:
    assert str(local_zone({"TZ": ":America/New_York"})) == "America/New_York"
    assert local_zone({"TZ": "no/such"}) is UTC
    winter = datetime(2026, 1, 1, tzinfo=UTC)
    assert winter.astimezone(local_zone({})).utcoffset() is not None
    assert local_zone({"TZ": "UTC"}).utcoffset(None) == timedelta(0)


@pytest.mark.parametrize(
    ("setting", "value", "must_be"),
    [
        ("delivery.window", "22-6", "22:00-06:00"),
        ("delivery.window", "22:00-22:00", "22:00-06:00"),
        ("delivery.window", "22:00", "22:00-06:00"),
        ("delivery.window", "25:00-06:00", "22:00-06:00"),
        ("delivery.finish_by", "6 am", "06:00"),
        ("delivery.timezone", "Berlin", "Europe/Berlin"),
        ("delivery.headroom", "1", "below 1"),
    ],
)
def test_wrong_hours_are_a_sentence(setting: str, value: str, must_be: str) -> None:
    with pytest.raises(ProfileError, match=must_be):
        Profile.load(options={setting: value}, environ={})


def test_hours_come_from_options_the_environment_and_target_sections(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    path.write_text('[targets.sandbox]\nbase_url = "https://example.com"\nwindow = "20:00-24:00"\nheadroom = 0.5\n')

    profile = Profile.load(path, options={"target": "sandbox"}, environ={"IMPORTER_DELIVERY__FINISH_BY": "05:30"})
    assert str(profile.delivery.window) == "20:00-00:00"
    assert f"{profile.delivery.finish_by:%H:%M}" == "05:30"
    again = profile.with_options({"delivery.timezone": "UTC"})
    assert (again.delivery.timezone, again.delivery.window) == ("UTC", profile.delivery.window)


@pytest.mark.parametrize(
    ("rate", "headroom", "per_s"), [("10/s", 0.3, 7), ("3/s", 0.5, 1.5), ("1/s", 0.75, 0.25), ("100/s", 0.9, 10)]
)
def test_headroom_leaves_exactly_its_share(rate: str, headroom: float, per_s: float) -> None:
    settings = DeliverySettings.model_validate({"rate": rate, "headroom": headroom})
    ((count, window_s),) = settings.allowance

    assert count / window_s == pytest.approx(per_s)
    assert count >= 1
    assert window_s >= 1 - 1e-9 or count / window_s <= settings.rate.per_second
