"""What a run is to expect, before it sends: the journal's counts compared with the profile's allowance and hours."""

from __future__ import annotations

from dataclasses import replace

from importer.journal import EarlierRuns, StoredRun
from importer.profile import Profile
from importer.runs.forecast import Forecast, Workload, day_window, forecast
from importer.runs.hours import Hours


def outlook(
    profile: Profile, earlier: EarlierRuns, stored: StoredRun, *, now: float, ends_at: float | None
) -> Forecast:
    """Forecast what is left of a run.

    Args:
        now: seconds since the epoch.
        ends_at: when sending has to end; None: never.

    Raises:
        JournalError: the journal cannot be read.
    """
    delivery = profile.delivery
    work = replace(
        requests_ahead(profile, earlier, stored), used=used_today(profile, earlier, stored.header.scope, now)
    )
    return forecast(work, delivery.allowance, Hours.of(delivery), now=now, deadline=ends_at)


def requests_ahead(profile: Profile, earlier: EarlierRuns, stored: StoredRun, *, stopped: bool = False) -> Workload:
    """What is left of a run, the day's requests aside.

    Args:
        stopped: it is to be taken up again first.
    """
    ahead = earlier.ahead(stored, stopped=stopped)
    looks = ahead.in_doubt * len(profile.delivery.looks_after_s)
    if profile.delivery.verify_existing:
        looks += ahead.known
    return Workload(creates=ahead.creates, known=ahead.known, looks=looks)


def used_today(profile: Profile, earlier: EarlierRuns, scope: str, now: float) -> int:
    """How many requests count against the day's: what the limiter will count as well; 0 where a day has no limit."""
    day = day_window(profile.delivery.allowance)
    return earlier.started_within(scope, now, day[1]) if day else 0
