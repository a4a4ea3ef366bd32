"""The list of customers: its filters, its order and its pages, turned into SQL with bound values.

All filters combine with AND. `externalId`, `primaryEmail` and `primaryPhoneNumber` match exactly
(the email in any case, the phone in any documented form), `name` and `search` match a part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from multidict import MultiMapping

from importer.emulator.answers import Answer, refuse
from importer.emulator.checks import Problem
from importer.emulator.customers import SEPARATOR, same_number
from importer.emulator.list_query import Page, days, order_by
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


def list_customers(query: MultiMapping[str], store: Store, settings: EmulatorSettings, epoch_s: float) -> Answer:
    """Answer one page of the list.

    Args:
        epoch_s: now; customers that appear later are left out.

    Raises:
        Refusal: 400, a parameter makes no sense.
    """
    problems: list[Problem] = []
    where, values = _conditions(query, problems)
    order = order_by(query, _ORDERS, problems)
    page = Page.of(query, settings, problems)
    refuse(problems, "The request has wrong parameters")
    now_ms = int(epoch_s * 1000)
    if store.is_lagging(now_ms):
        where.append("visible_ms <= ?")
        values.append(now_ms)
    condition = " AND ".join(where) or "1"
    total = store.count(condition, values) if where else store.total
    content = store.select(condition, values, order, page.size, page.skip) if page.skip < total else []
    return Answer(200, page.envelope(store.with_verification(content, now_ms), total))


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
    moments = days(query, "createdAtFrom", "createdAtTo", problems)
    for sql, moment_ms in zip(("created_ms >= ?", "created_ms < ?"), moments, strict=True):
        if moment_ms is not None:
            where.append(sql)
            values.append(moment_ms)
    return where, values
