"""Amounts of money, currencies and percentages. Never a binary float, and no comma: the mapping reads those."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from types import MappingProxyType

import pycountry

from importer.core.contract import Reading
from importer.core.contract.text import clean
from importer.customers.specs import ACCOUNT_CURRENCIES, MAX_AMOUNT

_AMOUNT = re.compile(
    r"(?P<before>[^0-9.,+-]*)(?P<sign>[+-]?)\s*(?P<between>[^0-9.,+-]*)"
    r"(?P<number>[0-9]+(?:\.(?P<cents>[0-9]+))?)(?P<after>[^0-9.,]*)"
)
_PERCENTAGE = re.compile(r"(?P<number>[0-9]{1,3}(?:[.,][0-9]{1,6})?)\s*%?")
_MARKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "$": ACCOUNT_CURRENCIES, "DOLLAR": ACCOUNT_CURRENCIES, "DOLLARS": ACCOUNT_CURRENCIES,
        "US$": ("USD",), "USD$": ("USD",), "$US": ("USD",), "CA$": ("CAD",), "C$": ("CAD",),
        "CAD$": ("CAD",), "CAN$": ("CAD",), "€": ("EUR",), "£": ("GBP",),
    }
)  # fmt: skip
"""A sign to the currencies that it can mean; a dollar is one of those that accounts have."""
_MOST_CENTS = 2


def read_amount(text: str, currency: str) -> Reading:
    """Read an amount; it comes out with two decimals, and without its currency.

    Args:
        currency: that of the amounts beside it; empty: it is not known.
    """
    reading = clean(text)
    if reading.error or not reading.value:
        return reading
    found = _AMOUNT.fullmatch(reading.value)
    if found is None:
        return reading.refuse("amount_invalid")
    marks = [mark for mark in map(str.strip, found.group("before", "between", "after")) if mark]
    if code := _flaw(found, marks, currency):
        return reading.refuse(code)
    reading = reading.then("currency_sign_removed", found["number"]) if marks else reading
    return reading.then("amount_decimals", f"{Decimal(found['number']):.2f}")


def _flaw(found: re.Match[str], marks: list[str], currency: str) -> str:
    """Say what is wrong with an amount; empty: nothing."""
    meant = [_currencies_of(mark) for mark in marks]
    if not all(meant):
        return "amount_invalid"
    if any(currency and currency not in one for one in meant):
        return "amount_other_currency"
    amount = Decimal(found["number"])
    if found["sign"] == "-" and amount:
        return "amount_negative"
    if len(found["cents"] or "") > _MOST_CENTS:
        return "amount_too_precise"
    return "amount_too_large" if amount > MAX_AMOUNT else ""


def currency_in(text: str) -> str:
    """The one currency that an amount names; empty: it names none, or its sign means several."""
    if text[:1].isdigit() and text[-1:].isdigit():  # nothing is around the number
        return ""
    found = _AMOUNT.fullmatch(clean(text).value)
    marks = map(str.strip, found.group("before", "between", "after")) if found else ()
    return next((meant[0] for mark in marks if mark and len(meant := _currencies_of(mark)) == 1), "")


def _currencies_of(mark: str) -> tuple[str, ...]:
    word = mark.upper()
    return _MARKS.get(word) or ((word,) if word in currency_codes() else ())


@cache
def currency_codes() -> frozenset[str]:
    """The codes of ISO 4217."""
    return frozenset(one.alpha_3 for one in pycountry.currencies)


def read_currency(text: str) -> Reading:
    """Read a currency: its code, or a sign that means one alone. Accounts have few of them, so others get a warning."""
    reading = clean(text)
    if reading.error or not reading.value:
        return reading
    meant = _currencies_of(reading.value)
    if len(meant) != 1:
        return reading.refuse("currency_unknown")
    reading = reading.then("currency_code", meant[0])
    return reading if meant[0] in ACCOUNT_CURRENCIES else reading.warn("currency_unusual")


def read_percentage(text: str) -> Reading:
    """Read a percentage from 0 to 100, with or without its sign. None has thousands, so a comma is a decimal one."""
    reading = clean(text)
    if reading.error or not reading.value:
        return reading
    found = _PERCENTAGE.fullmatch(reading.value)
    number = found["number"].replace(",", ".") if found else ""
    if not number or Decimal(number) > 100:  # per cent
        return reading.refuse("percentage_invalid")
    reading = reading.then("percent_sign_removed" if "," not in reading.value else "decimal_point", number)
    return reading.warn("percentage_small") if 0 < Decimal(number) <= 1 else reading
