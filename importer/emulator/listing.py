"""The list of customers: its filters, its order and its pages, turned into SQL with bound values.

All filters combine with AND. `externalId`, `primaryEmail` and `primaryPhoneNumber` match exactly
(the email in any case, the phone in any documented form), `name` and `search` match a part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from multidict import MultiMapping

from importer.emulator.answers import Answer, Refusal
from importer.emulator.checks import Problem
from importer.emulator.customers import SEPARATOR, same_number
from importer.emulator.settings import EmulatorSettings
from importer.emulator.store import Store


class Condition(NamedTuple):
    """One filter in SQL: the condition, and how the text of the parameter becomes its value."""

    sql: str
    value: Callable[[str], str]


def _place(text: str) -> str:
    return f"{SEPARATOR}{text.casefold()}{SEPARATOR}"


_PHONE = Condition("phone = ?", same_number)
_FILTERS: Mapping[str, Condition] = {
    "externalId": Condition("external_id = ?", str),
    "primaryEmail": Condition("email = ?", str.casefold),
    "primaryPhoneNumber": _PHONE,
    "primaryPhonenumber": _PHONE,  # how the older documentation spells it
    "name": Condition("instr(names, ?)", str.casefold),
    "search": Condition("instr(haystack, ?)", str.casefold),
    "cityName": Condition("instr(cities, ?)", _place),
    "countryCode": Condition("instr(countries, ?)", _place),
    "zipCode": Condition("instr(zips, ?)", _place),
    "type": Condition("type = ?", str),
    "status": Condition("status = ?", str),
}
_WORDS = {"type": ("INDIVIDUAL", "BUSINESS"), "status": ("ACTIVE", "SUSPENDED")}
_ORDERS: Mapping[str, str] = {
    "createdAt": "created_ms",
    "updatedAt": "updated_ms",
    "externalId": "external_id",
    "primaryEmail": "email",
    "id": "id",
    "type": "type",
    "status": "status",
    "firstName": "json_extract(body, '$.firstName')",
    "lastName": "json_extract(body, '$.lastName')",
    "businessName": "json_extract(body, '$.businessName')",
}
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?").fullmatch


def list_customers(query: MultiMapping[str], store: Store, settings: EmulatorSettings, epoch_s: float) -> Answer:
    """Answer one page of the list.

    Args:
        epoch_s: now; customers that appear later are left out.

    Raises:
        Refusal: 400, a parameter makes no sense.
    """
    problems: list[Problem] = []
    where, values = _conditions(query, problems)
    order = _order(query, problems)
    page = _whole(query, "page", 0, 0, problems)
    size = min(_whole(query, "size", settings.page_size, 1, problems), settings.page_cap)
    if problems:
        raise Refusal(400, "EMU_VALIDATION", "The request has wrong parameters", problems)
    now_ms = int(epoch_s * 1000)
    if store.is_lagging(now_ms):
        where.append("visible_ms <= ?")
        values.append(now_ms)
    condition = " AND ".join(where) or "1"
    total = store.count(condition, values) if where else store.total
    content = store.select(condition, values, order, size, page * size) if page * size < total else []
    return Answer(200, _envelope(content, total, page, size))


def _envelope(content: list[str], total: int, page: int, size: int) -> bytes:
    pages = -(-total // size)
    more = "true" if page + 1 < pages else "false"
    return (
        f'{{"totalElements":{total},"totalPages":{pages},"number":{page},"numberOfElements":{len(content)},'
        f'"hasNext":{more},"content":[{",".join(content)}]}}'
    ).encode()


def _conditions(query: MultiMapping[str], problems: list[Problem]) -> tuple[list[str], list[str | int]]:
    where: list[str] = []
    values: list[str | int] = []
    for name, condition in _FILTERS.items():
        if not query.get(name):
            continue
        if name in _WORDS and query[name] not in _WORDS[name]:
            problems.append(Problem(name, f"must be one of {', '.join(_WORDS[name])}", "EMU_ENUM"))
        where.append(condition.sql)
        values.append(condition.value(query[name]))
    zone = _zone(query.get("timeZone") or "UTC", problems)
    for name, sql, days in (("createdAtFrom", "created_ms >= ?", 0), ("createdAtTo", "created_ms < ?", 1)):
        if query.get(name):
            where.append(sql)
            values.append(_midnight_ms(query[name], zone, days, name, problems))
    return where, values


def _midnight_ms(text: str, zone: tzinfo, days: int, name: str, problems: list[Problem]) -> int:
    """The start of a day, or of the day after it, in milliseconds since the epoch: both ends are inclusive."""
    try:
        if len(text) != 10:
            raise ValueError  # noqa: TRY301 - the same answer as for a day that does not exist
        day = date.fromisoformat(text) + timedelta(days=days)
        return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)
    except (ValueError, OverflowError):
        problems.append(Problem(name, "must be a date, yyyy-MM-dd", "EMU_FORMAT"))
        return 0


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


def _order(query: MultiMapping[str], problems: list[Problem]) -> str:
    terms, last = [], "DESC"
    for text in query.getall("sort", ["createdAt,DESC"]):
        field, _, direction = text.partition(",")
        last = (direction or "ASC").upper()
        if field not in _ORDERS or last not in {"ASC", "DESC"}:
            problems.append(Problem("sort", "must be field,ASC or field,DESC", "EMU_FORMAT"))
        else:
            terms.append(f"{_ORDERS[field]} {last}")
    return ", ".join((*terms, f"seq {last}"))


def _whole(query: MultiMapping[str], name: str, default: int, least: int, problems: list[Problem]) -> int:
    text = query.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text[:10]) < 2**31 and len(text) <= 10):
        problems.append(Problem(name, f"must be a whole number of {least} or more", "EMU_FORMAT"))
        return default
    return int(text)
