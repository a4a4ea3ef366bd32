"""Times of day as a profile writes them: `06:00`, `22:00-06:00`, and the zone whose clock is meant. Values only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from importer.profile.section import Written

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
