"""When something may be sent: a daily window and a time to be done by, on the clock of a place. Pure.

Clocks are put forward and back. A time of day that the clock shows twice means the first of the two; one
that the clock skips means the moment of the jump. So an hour is never sent in that was not allowed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from importer.core.errors import TryLaterError
from importer.profile.delivery import DeliverySettings
from importer.profile.value_types import Window

LOCAL_ZONE = Path("/etc/localtime")


def local_zone(environ: Mapping[str, str]) -> tzinfo:
    """The time zone of this computer: `TZ`, else what the system is set to, else UTC."""
    name = environ.get("TZ", "").lstrip(":")
    try:
        if name:
            return ZoneInfo(name)
        with LOCAL_ZONE.open("rb") as file:
            return ZoneInfo.from_file(file, key="local time")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of one profile.

    Args:
        window: None: any time.
        finish_by: None: no such time.
        zone: the time zone of the times.
    """

    window: Window | None = None
    finish_by: time | None = None
    zone: tzinfo = UTC

    @classmethod
    def of(cls, settings: DeliverySettings, environ: Mapping[str, str] = os.environ) -> Hours:
        """Take them from a profile."""
        zone = ZoneInfo(settings.timezone) if settings.timezone else local_zone(environ)
        return cls(settings.window, settings.finish_by, zone)

    def opens_at(self, now: float) -> float:
        """When something may be sent, seconds since the epoch: `now` itself inside the window."""
        if self.window is None or self._closes_at(now) is not None:
            return now
        return min(opens for opens, _ in self._windows(now) if opens > now)

    def ends_at(self, now: float) -> float | None:
        """When sending that begins `now` has to end; None: never."""
        ends = [self._closes_at(now), self._due_at(now)]
        return min((end for end in ends if end is not None), default=None)

    def require_open(self, now: float) -> None:
        """Refuse to begin outside the window.

        Raises:
            TryLaterError: the window is closed; the message says when it opens.
        """
        opens = self.opens_at(now)
        if opens > now:
            raise TryLaterError(
                f"Nothing was sent: the window {self.window} ({self.place}) is closed until"
                f" {self.day_and_clock(opens)}.",
                "Start it again then; a scheduler may do so on exit code 75.",
            )

    def clock(self, moment: float) -> str:
        """The time of day at a moment."""
        return f"{self._local(moment):%H:%M}"

    def day_and_clock(self, moment: float) -> str:
        """The day and the time of day at a moment."""
        return f"{self._local(moment):%Y-%m-%d %H:%M}"

    def midnight(self, now: float) -> float:
        """When the present day began."""
        return self._moment(self._local(now).date(), time())

    def has_passed(self, at: time, now: float) -> bool:
        """Whether the present day is past a time of day."""
        return now >= self._moment(self._local(now).date(), at)

    @property
    def place(self) -> str:
        """The zone's name."""
        return str(self.zone)

    # ------------------------------------------------------------------ pieces

    def _closes_at(self, now: float) -> float | None:
        return next((closes for opens, closes in self._windows(now) if opens <= now < closes), None)

    def _due_at(self, now: float) -> float | None:
        if self.finish_by is None:
            return None
        due = (self._moment(day, self.finish_by) for day in self._days(now))
        return min(moment for moment in due if moment > now)

    def _windows(self, now: float) -> Iterator[tuple[float, float]]:
        if self.window is None:
            return
        overnight = timedelta(days=1 if self.window.closes <= self.window.opens else 0)
        for day in self._days(now):
            yield self._moment(day, self.window.opens), self._moment(day + overnight, self.window.closes)

    def _days(self, now: float) -> list[date]:
        today = self._local(now).date()
        return [today + timedelta(days=days) for days in (-1, 0, 1, 2)]

    def _moment(self, day: date, at: time) -> float:
        wanted = datetime.combine(day, at)
        moment = wanted.replace(tzinfo=self.zone).timestamp()
        if self._local(moment).replace(tzinfo=None) == wanted:
            return moment
        return self._jump(wanted.replace(tzinfo=self.zone, fold=1).timestamp(), moment)

    def _jump(self, before: float, after: float) -> float:
        """The whole second at which the clock is put forward, between two moments."""
        early, late = int(before), int(after)
        offset = self._local(early).utcoffset()
        while late - early > 1:
            middle = (early + late) // 2
            early, late = (middle, late) if self._local(middle).utcoffset() == offset else (early, middle)
        return float(late)

    def _local(self, moment: float) -> datetime:
        return datetime.fromtimestamp(moment, self.zone)
