"""Types of values that a profile writes as texts: rates (`10/s`), times of day (`06:00`), windows, time zones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, PositiveFloat, PositiveInt, model_validator

from importer.profile.section import Written

_RATE = re.compile(r"(?P<count>\d+)\s*/\s*(?P<unit>s|sec|second|m|min|minute|h|hour|d|day)", re.IGNORECASE)
_UNIT_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Rate(BaseModel):
    """At most `count` request starts in any rolling window of `per_s` seconds.

    Written as `10/s`, `600/min`, `5000/h` or `100000/day`.
    """

    model_config = ConfigDict(frozen=True)

    count: PositiveInt
    per_s: PositiveFloat

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if isinstance(value, Mapping | Rate):
            return value
        match = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None or int(match["count"]) == 0:
            raise ValueError("a rate such as 10/s, 600/min or 100000/day")
        return {"count": int(match["count"]), "per_s": _UNIT_S[match["unit"][0].lower()]}

    @property
    def per_second(self) -> float:
        """The mean rate, requests per second."""
        return self.count / self.per_s

    def __str__(self) -> str:
        unit = {1.0: "s", 60.0: "min", 3600.0: "h", 86400.0: "day"}[self.per_s]
        return f"{self.count}/{unit}"


_AUTO = re.compile(r"auto(?:\s*<=\s*(?P<ceiling>.+))?", re.IGNORECASE)
_AUTO_CEILING = "1000/s"
_RATE_IS = "a rate such as 10/s, 600/min or 100000/day, several of them, or auto<=50/s"


class RateLimits(BaseModel):
    """Every limit on request starts; all of them hold at once.

    Written as one rate (`10/s`), as several (`["10/s", "300/min", "20000/day"]`, or with commas between them), or as
    `auto<=50/s`: found by what the server can take, never above 50/s. `auto` alone goes no higher than 1000/s.
    """

    model_config = ConfigDict(frozen=True)
    written: ClassVar[Written] = Written(_RATE_IS)

    windows: tuple[Rate, ...]
    auto: bool = False

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if isinstance(value, Mapping | RateLimits):
            return value
        parts = value.strip().strip("[]").split(",") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple) or not parts:
            raise ValueError(_RATE_IS)
        found = [_limit(part) for part in parts]
        windows = {rate.per_s: rate for rate in sorted((rate for rate, _ in found), key=lambda rate: -rate.count)}
        return {"windows": tuple(windows[per_s] for per_s in sorted(windows)), "auto": any(auto for _, auto in found)}

    @property
    def per_second(self) -> float:
        """The mean rate of the tightest limit, requests per second."""
        return min(rate.per_second for rate in self.windows)

    def __str__(self) -> str:
        return ("auto<=" if self.auto else "") + ", ".join(map(str, self.windows))


def _limit(part: Any) -> tuple[Rate, bool]:
    """One limit, and whether it is only a ceiling."""
    text = part.strip().strip("\"'") if isinstance(part, str) else part
    auto = _AUTO.fullmatch(text) if isinstance(text, str) else None
    try:
        return Rate.model_validate((auto["ceiling"] or _AUTO_CEILING) if auto else text), auto is not None
    except ValueError:
        raise ValueError(_RATE_IS) from None


def less(rate: Rate, headroom: float) -> tuple[int, float]:
    """A limit without the share that is left to others: starts, and the window in seconds."""
    share = rate.count * (1 - headroom)
    count = max(1, int(share + 1e-9))
    return count, rate.per_s * count / share


TIME_OF_DAY = "a time of day such as 06:00"
WINDOW = "a window of two times of day such as 22:00-06:00"
ZONE = "a time zone such as Europe/Berlin or UTC"


def _time_of_day(value: Any) -> Any:
    if isinstance(value, time):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if not re.fullmatch(r"([01]?\d|2[0-4]):[0-5]\d(:00)?", text) or (text[:2] == "24" and text[3:5] != "00"):
        raise ValueError(TIME_OF_DAY)
    hour, minute = text.split(":")[:2]
    return time(int(hour) % 24, int(minute))


TimeOfDay = Annotated[time, BeforeValidator(_time_of_day), Written(TIME_OF_DAY)]


class Window(BaseModel):
    """The hours of every day in which something may be sent, written as `22:00-06:00`."""

    model_config = ConfigDict(frozen=True)
    written: ClassVar[Written] = Written(WINDOW)

    opens: TimeOfDay
    closes: TimeOfDay

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if isinstance(value, Mapping | Window):
            return value
        opens, dash, closes = value.partition("-") if isinstance(value, str) else ("", "", "")
        try:
            times = {"opens": _time_of_day(opens), "closes": _time_of_day(closes)}
        except ValueError:
            times = {}
        if not dash or not times or times["opens"] == times["closes"]:
            raise ValueError(WINDOW)
        return times

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


def _zone_name(value: Any) -> Any:
    if not isinstance(value, str) or not value.strip():
        return ""
    try:
        return ZoneInfo(value.strip()).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{ZONE} (a system without time zones needs the package tzdata)") from None


ZoneName = Annotated[str, BeforeValidator(_zone_name), Written(ZONE)]
