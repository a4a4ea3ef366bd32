"""What a run is to expect, before it sends: the journal's counts held against the profile's allowance and hours."""

from __future__ import annotations

from importer.journal import Runs, StoredRun
from importer.nightly import Forecast, Hours, Workload, forecast
from importer.nightly.forecast import day_window
from importer.profile import Profile


def outlook(profile: Profile, runs: Runs, stored: StoredRun, *, now: float, ends_at: float | None) -> Forecast:
    """Forecast what is left of a run.

    Args:
        now: seconds since the epoch.
        ends_at: when sending has to end; None: never.

    Raises:
        JournalError: the journal cannot be read.
    """
    delivery = profile.delivery
    hours, ahead = Hours.of(delivery), runs.ahead(stored)
    work = Workload(
        creates=ahead.creates,
        known=ahead.known,
        looks=ahead.in_doubt * len(delivery.looks_after_s),
        used=used_today(profile, runs, stored.header.scope, now),
    )
    return forecast(work, delivery.allowance, hours, now=now, deadline=ends_at)


def used_today(profile: Profile, runs: Runs, scope: str, now: float) -> int:
    """How many requests count against the day's: what the limiter will count as well; 0 where a day has no limit."""
    day = day_window(profile.delivery.allowance)
    return runs.started_within(scope, now, day[1]) if day else 0
