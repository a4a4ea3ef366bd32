"""Dates of birth: ISO dates of the calendar, in the past, and within a human life."""

from __future__ import annotations

import re
from datetime import date

from importer.core.contract import Policy, Reading
from importer.core.contract.text import clean
from importer.customers.specs import ADULT_AGE_YEARS, MAX_AGE_YEARS

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_birth_date(text: str, policy: Policy) -> Reading:
    """Read a date written `yyyy-MM-dd`; other forms were turned into it, or refused, when columns were mapped."""
    reading = clean(text)
    if reading.error or not reading.value:
        return reading
    born = _parse(reading.value)
    if born is None:
        return reading.refuse("date_invalid")
    return reading if policy.today is None else _judge(reading, born, policy.today)


def _parse(text: str) -> date | None:
    if not _ISO.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _judge(reading: Reading, born: date, today: date) -> Reading:
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if born >= today:
        return reading.refuse("date_not_past")
    if age >= MAX_AGE_YEARS:
        return reading.refuse("date_implausible")
    return reading.warn("date_minor") if age < ADULT_AGE_YEARS else reading
