"""How long the sending will take, before it begins. Pure arithmetic over counts; no promise about the other side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from importer.nightly.hours import Hours

_MINUTE_S, _HOUR_S = 60, 3_600


@dataclass(frozen=True, slots=True)
class Workload:
    """What a run has before it.

    Args:
        creates: rows that will be sent.
        known: rows that an earlier run created; they cost nothing.
        looks: look-ups for rows in doubt, at most.
        used_today: requests of the same day and account so far.
    """

    creates: int
    known: int = 0
    looks: int = 0
    used_today: int = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected.

    Args:
        requests: the login included.
        rate_per_s: what the run may use, the headroom taken off.
        seconds: at that rate.
        ends_at: when it would be done, seconds since the epoch.
        deadline: when sending has to end; None: never.
        needed_per_s: the rate that would just do; None without a deadline.
        quota_share: of the day's requests, those made so far included; None without a quota.
        text: all of it in a sentence or two.
    """

    requests: int
    known: int
    rate_per_s: float
    seconds: float
    ends_at: float
    deadline: float | None = None
    needed_per_s: float | None = None
    quota_share: float | None = None
    text: str = ""

    @property
    def in_time(self) -> bool:
        """Whether it will be done before the deadline."""
        return self.deadline is None or self.ends_at <= self.deadline

    def as_json(self) -> dict[str, Any]:
        """Everything in plain JSON types."""
        return {
            "requests": self.requests,
            "known": self.known,
            "rate_per_s": round(self.rate_per_s, 3),
            "seconds": round(self.seconds, 1),
            "in_time": self.in_time,
            "needed_per_s": None if self.needed_per_s is None else round(self.needed_per_s, 3),
            "quota_share": None if self.quota_share is None else round(self.quota_share, 4),
            "text": self.text,
        }


def forecast(
    work: Workload,
    allowance: tuple[int, float],
    hours: Hours,
    *,
    now: float,
    deadline: float | None = None,
    daily_quota: int | None = None,
) -> Forecast:
    """Say how long a workload takes at the allowed rate, and whether that is in time.

    Args:
        allowance: starts in a window, and the window in seconds.
        deadline: when sending has to end, seconds since the epoch; None: never.
        daily_quota: requests of a day; None: not limited.
    """
    requests = work.creates + work.looks + (1 if work.creates + work.looks else 0)
    rate = allowance[0] / allowance[1]
    seconds = requests / rate
    left_s = None if deadline is None else max(deadline - now, 1.0)
    found = {
        "requests": requests,
        "known": work.known,
        "rate_per_s": rate,
        "seconds": seconds,
        "ends_at": now + seconds,
        "deadline": deadline,
        "needed_per_s": None if left_s is None else requests / left_s,
        "quota_share": (work.used_today + requests) / daily_quota if daily_quota else None,
    }
    return Forecast(**found, text=_text(found, hours, daily_quota))  # type: ignore[arg-type]  # the keys are the fields


def _text(found: Mapping[str, Any], hours: Hours, daily_quota: int | None) -> str:
    rate = per_second(found["rate_per_s"])
    text = f"{found['requests']:,} requests take about {duration(found['seconds'])} at {rate}"
    if daily_quota:
        text += f", and make {found['quota_share']:.0%} of the day's {daily_quota:,}"
    text += "."
    deadline = found["deadline"]
    if deadline is None:
        return text
    by = hours.clock(deadline)
    if found["ends_at"] <= deadline:
        return f"{text} It will finish by {by}, at about {hours.clock(found['ends_at'])}."
    needed = per_second(found["needed_per_s"], up=True)
    return f"{text} It will not finish by {by} at {rate}, needs {needed}; what is left then goes on next time."


def per_second(rate: float, *, up: bool = False) -> str:
    """A rate as people write it; `up`: never less than it is."""
    digits = 0 if rate >= 10 else 1 if rate >= 1 else 3
    scale = 10**digits
    rounded = (math.ceil(rate * scale - 1e-9) if up else round(rate * scale)) / scale
    return f"{rounded:,.{digits}f}".rstrip("0").rstrip(".") + "/s" if digits else f"{rounded:,.0f}/s"


def duration(seconds: float) -> str:
    """A duration as people say it."""
    whole = max(1, round(seconds))
    if whole < 2 * _MINUTE_S:
        return f"{whole} s"
    if whole < 2 * _HOUR_S:
        return f"{round(whole / _MINUTE_S)} min"
    minutes = round(whole / _MINUTE_S)
    return f"{minutes // 60} h {minutes % 60:02} min"
