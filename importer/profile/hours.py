"""Times of day as a profile writes them: `06:00`, `22:00-06:00`, and the zone whose clock is meant. Values only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator


def _time_of_day(value: Any) -> Any:
    if isinstance(value, time):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if not re.fullmatch(r"([01]?\d|2[0-4]):[0-5]\d(:00)?", text) or (text[:2] == "24" and text[3:5] != "00"):
        raise ValueError("a time of day such as 06:00")
    hour, minute = text.split(":")[:2]
    return time(int(hour) % 24, int(minute))


TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]


class Window(BaseModel):
    """The hours of every day in which something may be sent, written as `22:00-06:00`."""

    model_config = ConfigDict(frozen=True)

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
            raise ValueError("a window of two times of day such as 22:00-06:00")
        return times

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


def _zone_name(value: Any) -> Any:
    if not isinstance(value, str) or not value.strip():
        return ""
    try:
        return ZoneInfo(value.strip()).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            "a time zone such as Europe/Berlin or UTC (a system without time zones needs the package tzdata)"
        ) from None


ZoneName = Annotated[str, BeforeValidator(_zone_name)]
