"""Numbers of the USA and Canada, read without parsing: the very answer of libphonenumber, many times sooner.

Which area codes exist is asked of libphonenumber, once per area code and next digit: its rules for these two
countries look at no later digit there. Fictional numbers (area code 555, or none at all) are known as well,
since samples are full of them. Whatever is not surely known is left to the library.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache

from phonenumbers import PhoneNumber, is_valid_number, is_valid_number_for_region

from importer.core.contract import Normalisation, Policy, Reading
from importer.customers.phones import regions

REGIONS = ("US", "CA")
NATIONAL = re.compile(r"(?:\+?1[ .-]?)?(?:\(([2-9][0-9]{2})\) ?|([2-9][0-9]{2})[ .-]?)([2-9][0-9]{2})[ .-]?([0-9]{4})")
"""The forms people write: `(212) 555-0123`, `212-555-0123`, `+1 212.555.0123`, `2125550123`."""
_LOCAL = re.compile(r"\+1[24-9][0-9]{6}")
_FICTIONAL = "555"
_PROBES = ("000000", "111111", "234567", "555123", "909090", "999999")


def _number(digits: str) -> PhoneNumber:
    return PhoneNumber(country_code=1, national_number=int(digits))


@cache
def is_assigned(prefix: str) -> bool:
    """Whether every number that begins so is valid in the USA, or every one in Canada.

    Args:
        prefix: area code and the next digit.
    """
    return any(
        all(is_valid_number_for_region(_number(prefix + rest), region) for rest in _PROBES) for region in REGIONS
    )


@cache
def is_fictional(prefix: str) -> bool:
    """Whether no number that begins so is valid anywhere; asked of the one area code that samples use.

    Args:
        prefix: area code and the next digit.
    """
    exchanges = (f"{prefix}{exchange:02}{line}" for exchange in range(100) for line in ("0000", "9999"))
    return prefix.startswith(_FICTIONAL) and not any(map(is_valid_number, map(_number, exchanges)))


@lru_cache(1_024)
def belongs_here(default: str | None, place: str) -> bool:
    """Whether a national number is surely one of the USA or Canada.

    Args:
        default: the policy's region.
        place: see `importer.customers.phones.read_phone`.
    """
    home, other = regions(default, place)
    return home in REGIONS and (other is None or other in REGIONS)


def quick_phone(text: str, policy: Policy, place: str = "") -> Reading | None:
    """Read a number of the USA or Canada without the library; None where that takes the library.

    Without a country code, a number is read here only where it can be one of no other country.

    Args:
        place: see `importer.customers.phones.read_phone`.
    """
    found = NATIONAL.fullmatch(text)
    if found is None:
        return _unused(Reading(text), "phone_local_only", policy) if _LOCAL.fullmatch(text) else None
    if text[0] != "+" and not belongs_here(policy.region, place):
        return None
    in_brackets, plain, exchange, line = found.groups()
    area = in_brackets or plain
    number = f"+1{area}{exchange}{line}"
    reading = Reading(number) if number == text else Reading(number, (Normalisation("phone_e164", text, number),))
    if is_assigned(area + exchange[0]):
        return reading
    return _unused(reading, "phone_unassigned", policy) if is_fictional(area + exchange[0]) else None


def written_in_e164(texts: Sequence[str]) -> dict[int, str]:
    """Find the national numbers of the USA or Canada of which nothing is to be said but how they are written in E.164.

    Args:
        texts: numbers that belong here.
    """
    found: dict[int, str] = {}
    match = NATIONAL.fullmatch
    for place, text in enumerate(texts):
        if text[:1] != "+" and (parts := match(text)) is not None:
            in_brackets, plain, exchange, line = parts.groups()
            area = in_brackets or plain
            if is_assigned(area + exchange[0]):
                found[place] = f"+1{area}{exchange}{line}"
    return found


def _unused(reading: Reading, warning: str, policy: Policy) -> Reading:
    return reading.refuse("phone_not_valid") if policy.phone == "valid" else reading.warn(warning)
