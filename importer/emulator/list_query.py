"""What all paged lists share: days in a time zone, order, page and size, and the envelope of the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from multidict import MultiMapping

from importer.emulator.checks import Problem
from importer.emulator.settings import EmulatorSettings

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?").fullmatch


class Page(NamedTuple):
    """Which page of a list is asked for, from 0, and how many items it holds at most."""

    number: int
    size: int

    @property
    def skip(self) -> int:
        """How many items come before it."""
        return self.number * self.size

    @classmethod
    def of(cls, query: MultiMapping[str], settings: EmulatorSettings, problems: list[Problem]) -> Page:
        """Read `page` and `size`."""
        size = min(_whole(query, "size", settings.page_size, 1, problems), settings.page_cap)
        return cls(_whole(query, "page", 0, 0, problems), size)

    def envelope(self, content: Sequence[str], total: int) -> bytes:
        """Write the page.

        Args:
            content: its items as JSON.
            total: how many items all pages hold.
        """
        pages = -(-total // self.size)
        more = "true" if self.number + 1 < pages else "false"
        return (
            f'{{"totalElements":{total},"totalPages":{pages},"number":{self.number},'
            f'"numberOfElements":{len(content)},"hasNext":{more},"content":[{",".join(content)}]}}'
        ).encode()


def days(query: MultiMapping[str], first: str, last: str, problems: list[Problem]) -> tuple[int | None, int | None]:
    """Read two days, both inclusive, in the zone that `timeZone` names.

    Returns:
        The start of the first day and the end of the last one, in milliseconds since the epoch; None where the
        query names none.
    """
    zone = _zone(query.get("timeZone") or "UTC", problems)
    return _midnight_ms(query, first, zone, 0, problems), _midnight_ms(query, last, zone, 1, problems)


def _midnight_ms(query: MultiMapping[str], name: str, zone: tzinfo, later: int, problems: list[Problem]) -> int | None:
    text = query.get(name)
    if not text:
        return None
    try:
        if len(text) != 10:
            raise ValueError  # noqa: TRY301 - the same answer as for a day that does not exist
        day = date.fromisoformat(text) + timedelta(days=later)
        return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)
    except (ValueError, OverflowError):
        problems.append(Problem(name, "must be a date, yyyy-MM-dd", "EMU_FORMAT"))
        return None


def _zone(text: str, problems: list[Problem]) -> tzinfo:
    """Read `Z`, `UTC`, `GMT`, `+05:30`, `UTC+3` or a name as `America/Chicago`."""
    if text in {"Z", "UTC", "GMT"}:
        return UTC
    try:
        if offset := _OFFSET(text.replace(" ", "+")):  # an unescaped + arrives as a space
            sign, hours, minutes = offset.groups()
            ahead = timedelta(hours=int(hours), minutes=int(minutes or 0))
            return timezone(-ahead if sign == "-" else ahead)
        return ZoneInfo(text)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        problems.append(Problem("timeZone", "must be Z, UTC, GMT, an offset or an IANA name", "EMU_FORMAT"))
        return UTC


def order_by(query: MultiMapping[str], orders: Mapping[str, str], problems: list[Problem]) -> str:
    """Read `sort` as SQL; by default, the newest first.

    Args:
        orders: the SQL of each field that may be named.
    """
    terms, last = [], "DESC"
    for text in query.getall("sort", ["createdAt,DESC"]):
        field, _, direction = text.partition(",")
        last = (direction or "ASC").upper()
        if field not in orders or last not in {"ASC", "DESC"}:
            problems.append(Problem("sort", "must be field,ASC or field,DESC", "EMU_FORMAT"))
        else:
            terms.append(f"{orders[field]} {last}")
    return ", ".join((*terms, f"seq {last}"))


def _whole(query: MultiMapping[str], name: str, default: int, least: int, problems: list[Problem]) -> int:
    text = query.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text[:10]) < 2**31 and len(text) <= 10):
        problems.append(Problem(name, f"must be a whole number of {least} or more", "EMU_FORMAT"))
        return default
    return int(text)
