"""What every step of a run shares: who listens, under which profile, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from importer.core.errors import TryLaterError
from importer.core.events import Event
from importer.profile import Profile
from importer.runs.context import Context, Machine, in_hours
from importer.runs.wiring import SystemClock

NIGHT = datetime(2027, 3, 1, 23, tzinfo=UTC).timestamp()
END = datetime(2027, 3, 2, 5, tzinfo=UTC).timestamp()


class FixedClock(SystemClock):
    """It is always the same moment."""

    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now


def context_at(now: float, **options: str) -> Context:
    profile = Profile.load(options={"delivery.timezone": "UTC", **options}, environ={})
    return Context(profile, machine=Machine(FixedClock(now)))


def test_a_sink_is_added_to_the_ones_there_are_and_gets_every_event_first() -> None:
    heard: list[str] = []
    context = Context(Profile.load(environ={}), emit=lambda event: heard.append(f"outer {event.name}"))

    logged = context.with_sink(lambda event: heard.append(f"log {event.name}"))
    logged.emit(Event("run_started"))
    context.emit(Event("run_ended"))

    assert heard == ["log run_started", "outer run_started", "outer run_ended"]


def test_another_profile_changes_nothing_else() -> None:
    context = context_at(NIGHT)
    other = Profile.load(options={"target": "emulator"}, environ={})

    assert context.under(other).profile is other
    assert context.under(other).machine is context.machine
    assert context.under(other).stop is context.stop


async def test_a_run_outside_its_hours_is_refused() -> None:
    with pytest.raises(TryLaterError):
        async with in_hours(context_at(NIGHT, **{"delivery.window": "01:00-05:00"})):
            pytest.fail("the window is closed")


async def test_a_run_inside_its_hours_ends_with_them() -> None:
    async with in_hours(context_at(NIGHT, **{"delivery.window": "22:00-05:00"})) as bounded:
        assert bounded.ends_at == END
        assert not bounded.stop.requested


async def test_an_end_that_is_given_goes_before_the_hours_of_the_profile() -> None:
    given = replace(context_at(NIGHT, **{"delivery.window": "01:00-05:00"}), ends_at=END)

    async with in_hours(given) as bounded:
        assert bounded.ends_at == END


async def test_a_run_without_hours_has_no_end() -> None:
    async with in_hours(context_at(NIGHT)) as bounded:
        assert bounded.ends_at is None
