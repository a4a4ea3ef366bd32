"""How long the sending will take, before it begins: counts compared with the profile's allowance and hours.

One forecast for a run and for all files of an inbox together: both become a `Workload`. Arithmetic over counts; says
nothing about how fast the target answers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from importer.core.steps import Step
from importer.journal import EarlierRuns, StoredRun
from importer.profile import Profile
from importer.runs.after_create import steps_of
from importer.runs.hours import Hours

DAY_S = 86_400.0
_MINUTE_S, _HOUR_S = 60, 3_600

_REQUESTS_OF: Mapping[Step, int] = {
    Step.BENEFICIARIES: 1,
    Step.LIMITS: 2,
    Step.DOCUMENTS: 2,
    Step.VERIFICATION: 3,  # the submission, and two looks
    Step.VERIFY: 1,
    Step.UPDATE: 2,
    Step.SUSPEND: 2,
    Step.DELETE: 2,
}

Allowance = Sequence[tuple[int, float]]
"""Limits that hold at once: starts, and the window in seconds."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What a run has before it.

    Args:
        creates: rows that will be sent.
        known: rows that an earlier run created; they cost nothing.
        looks: look-ups for rows in doubt, at most.
        steps: requests of steps after the creates, at most: as if every row had each of them once.
        used: requests of the same account that count against the day's, as the limiter counts them.
    """

    creates: int
    known: int = 0
    looks: int = 0
    steps: int = 0
    used: int = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected of a workload.

    Args:
        rate_per_s: what may be used, the headroom taken off.
        day: the requests that a day allows; None: a day has no limit of its own.
        now: when it begins, seconds since the epoch.
        deadline: when sending has to end; None: never.
    """

    work: Workload
    rate_per_s: float
    day: int | None
    hours: Hours
    now: float
    deadline: float | None = None

    @property
    def requests(self) -> int:
        """All of them, the login included."""
        asked = self.work.creates + self.work.looks + self.work.steps
        return asked + 1 if asked else 0

    @property
    def creates(self) -> int:
        """The requests that create a customer."""
        return self.work.creates

    @property
    def seconds(self) -> float:
        """How long the requests take at the rate."""
        return self.requests / self.rate_per_s

    @property
    def ends_at(self) -> float:
        """When it would be done, seconds since the epoch."""
        return self.now + self.seconds

    @property
    def needed_per_s(self) -> float | None:
        """The rate that would just be enough; None without a deadline."""
        return None if self.deadline is None else self.requests / max(self.deadline - self.now, 1.0)

    @property
    def quota_share(self) -> float | None:
        """The share of a day's requests, those already made included; None where a day has no limit."""
        return (self.work.used + self.requests) / self.day if self.day else None

    @property
    def in_time(self) -> bool:
        """Whether it will be done before the deadline, and within the day's requests."""
        within = self.quota_share is None or self.quota_share <= 1 or not self.requests
        return within and (self.deadline is None or self.ends_at <= self.deadline)

    @property
    def text(self) -> str:
        """All of it in a sentence or two."""
        return " ".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        rate, left = per_second(self.rate_per_s), (self.day or 0) - self.work.used
        share = "" if self.quota_share is None else f", and make {self.quota_share:.0%} of the day's {self.day:,}"
        yield f"{self.requests:,} requests take about {duration(self.seconds)} at {rate}{share}."
        if self.day and self.requests and self.requests > left:
            yield f"Only {max(0, left):,} of those are left: it will not finish."
        elif self.deadline is not None and self.needed_per_s is not None:
            by = self.hours.clock(self.deadline)
            if self.ends_at <= self.deadline:
                yield f"It will finish by {by}, at about {self.hours.clock(self.ends_at)}."
            else:
                yield f"It will not finish by {by} at {rate}, needs {per_second(self.needed_per_s, up=True)}."
        if not self.in_time:
            yield "What is left then goes on next time."

    def as_json(self) -> dict[str, Any]:
        """Everything in plain JSON types."""
        return {
            "requests": self.requests,
            "known": self.work.known,
            "rate_per_s": round(self.rate_per_s, 3),
            "seconds": round(self.seconds, 1),
            "in_time": self.in_time,
            "needed_per_s": None if self.needed_per_s is None else round(self.needed_per_s, 3),
            "quota_share": None if self.quota_share is None else round(self.quota_share, 4),
            "text": self.text,
        }


def forecast_run(
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
    used = used_today(profile, earlier, stored.header.scope, now)
    work = replace(workload_of(profile, earlier, stored), used=used)
    return forecast(work, delivery.allowance, Hours.of(delivery), now=now, deadline=ends_at)


def workload_of(profile: Profile, earlier: EarlierRuns, stored: StoredRun, *, stopped: bool = False) -> Workload:
    """What is left of a run; the day's requests are not looked up.

    Args:
        stopped: it is to be resumed first.
    """
    ahead = earlier.ahead(stored, stopped=stopped)
    if profile.validation.partial:  # every customer is looked up, then read and written
        rows = ahead.creates + ahead.known
        return Workload(creates=0, looks=rows + ahead.in_doubt, steps=rows * _REQUESTS_OF[Step.UPDATE])
    looks = ahead.in_doubt * len(profile.delivery.looks_after_s)
    if profile.delivery.verify_existing:
        looks += ahead.known
    per_row = requests_of(profile, stored.facts.mapping)
    return Workload(creates=ahead.creates, known=ahead.known, looks=looks, steps=ahead.creates * per_row)


def requests_of(profile: Profile, mapped: Collection[str]) -> int:
    """How many requests the steps after the create of one row make, at most.

    Args:
        mapped: the fields that are mapped.
    """
    return sum(_REQUESTS_OF[step] for step in steps_of(profile, mapped))


def used_today(profile: Profile, earlier: EarlierRuns, scope: str, now: float) -> int:
    """How many requests count against the day's, as the limiter counts them; 0 where a day has no limit."""
    day = day_window(profile.delivery.allowance)
    return earlier.started_within(scope, now, day[1]) if day else 0


def day_window(allowance: Allowance) -> tuple[int, float] | None:
    """The limit of a day: requests, and its seconds; None where a day has no limit of its own."""
    return min(((count, per_s) for count, per_s in allowance if per_s >= DAY_S), default=None)


def forecast(
    work: Workload, allowance: Allowance, hours: Hours, *, now: float, deadline: float | None = None
) -> Forecast:
    """How long a workload takes at the allowed rate, and whether that is in time.

    Args:
        allowance: every limit: starts, and the window in seconds.
        deadline: when sending has to end, seconds since the epoch; None: never.
    """
    rates = [count / per_s for count, per_s in allowance]
    rate = min((count / per_s for count, per_s in allowance if per_s < DAY_S), default=min(rates))
    daily = day_window(allowance)
    return Forecast(work, rate, daily[0] if daily else None, hours, now, deadline)


def per_second(rate: float, *, up: bool = False) -> str:
    """A rate for people.

    Args:
        up: never less than it is.
    """
    digits = 0 if rate >= 10 else 1 if rate >= 1 else 3
    scale = 10**digits
    rounded = (math.ceil(rate * scale - 1e-9) if up else round(rate * scale)) / scale
    return f"{rounded:,.{digits}f}".rstrip("0").rstrip(".") + "/s" if digits else f"{rounded:,.0f}/s"


def duration(seconds: float) -> str:
    """A duration for people."""
    whole = max(1, round(seconds))
    if whole < 2 * _MINUTE_S:
        return f"{whole} s"
    if whole < 2 * _HOUR_S:
        return f"{round(whole / _MINUTE_S)} min"
    minutes = round(whole / _MINUTE_S)
    return f"{minutes // 60} h {minutes % 60:02} min"
