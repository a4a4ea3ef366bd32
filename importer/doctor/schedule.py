"""Whether a run could begin now: the hours of the profile, and what is left of the day's requests."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from importer.core.errors import ExitCode, ImporterError
from importer.doctor.finding import Finding
from importer.journal import Location, starts_in
from importer.profile import Profile
from importer.runs.forecast import day_window
from importer.runs.hours import Hours

_NEARLY_ALL = 0.9


def check_hours(profile: Profile, environ: Mapping[str, str], now: float) -> Iterator[Finding]:
    """When something may be sent; nothing to say where it always may.

    Args:
        now: seconds since the epoch.
    """
    hours = Hours.of(profile.delivery, environ)
    if hours.window is None and hours.finish_by is None:
        return
    if hours.opens_at(now) > now:
        yield Finding.warn(
            "hours",
            f"the window {hours.window} ({hours.place}) opens at {hours.day_and_clock(hours.opens_at(now))};"
            f" a run that begins now ends with exit code {int(ExitCode.TRY_LATER)}",
            "Start it then, or let a scheduler do so.",
        )
        return
    ends_at = hours.ends_at(now)
    until = "" if ends_at is None else f"until {hours.day_and_clock(ends_at)} ({hours.place})"
    yield Finding.ok("hours", f"something may be sent now, {until}")


def check_quota(profile: Profile, scope: str, now: float) -> Iterator[Finding]:
    """What is left of the day's requests; nothing to say where a day has no limit.

    Args:
        scope: where a run would send to; empty when that is not known.
        now: seconds since the epoch.
    """
    day, journal = day_window(profile.delivery.allowance), Location.of_workspace(profile.workspace)
    if day is None or not scope:
        return
    count, window_s = day
    try:
        used = starts_in(journal, scope, now, window_s) if os.access(journal.path, os.R_OK) else 0
    except ImporterError:
        return  # the journal's own line says so
    state = f"{used:,} of the day's {count:,} requests are used, {max(0, count - used):,} are left"
    if used >= count:
        code = int(ExitCode.TRY_LATER)
        fix = f"Wait: what was sent longer than 24 hours ago no longer counts. A run now ends with exit code {code}."
        yield Finding.warn("quota", state, fix)
    elif used >= _NEARLY_ALL * count:
        yield Finding.warn("quota", state, "What does not fit any more goes on next time, by itself.")
    else:
        yield Finding.ok("quota", state)
