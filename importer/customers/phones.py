"""Phone numbers, as Google's libphonenumber reads and judges them, written in E.164.

The API's own documented examples are too short to be dialled; the policies `e164` and `possible` accept
such numbers with a warning, and only `valid` refuses them. An extension behind the number is kept apart.
"""

from __future__ import annotations

import re
from types import MappingProxyType

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, ValidationResult

from importer.customers.reading import Policy, Reading
from importer.customers.text import clean

MAX_CHARS = 60
E164 = re.compile(r"\+[0-9]{7,15}")
_SEPARATORS = re.compile(r"[\s().\-/]")
_PARSE_ERRORS = MappingProxyType(
    {
        NumberParseException.TOO_SHORT_NSN: "phone_too_short",
        NumberParseException.TOO_SHORT_AFTER_IDD: "phone_too_short",
        NumberParseException.TOO_LONG: "phone_too_long",
    }
)
_IMPOSSIBLE = MappingProxyType(
    {
        ValidationResult.TOO_SHORT: "phone_too_short",
        ValidationResult.TOO_LONG: "phone_too_long",
        ValidationResult.INVALID_LENGTH: "phone_invalid",
        ValidationResult.INVALID_COUNTRY_CODE: "phone_country_unknown",
    }
)


def read_phone(text: str, policy: Policy) -> Reading:
    """Read a phone number under a policy; its value comes out in E.164, its extension apart."""
    reading = clean(text)
    if reading.error or not reading.value:
        return reading
    if len(reading.value) > MAX_CHARS:
        return reading.refuse("phone_too_long")
    try:
        number = phonenumbers.parse(reading.value, policy.region)
    except NumberParseException as trouble:
        return _unparsed(reading, trouble, policy)
    return _judged(_written(reading, number), number, policy)


def _written(reading: Reading, number: PhoneNumber) -> Reading:
    extension = number.extension or ""
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return reading.then("phone_e164", written)._replace(extension=extension)


def _judged(reading: Reading, number: PhoneNumber, policy: Policy) -> Reading:
    if not E164.fullmatch(reading.value):
        return reading.refuse("phone_too_short" if len(reading.value) < 8 else "phone_too_long")
    if phonenumbers.is_valid_number(number):
        return reading
    if policy.phone == "valid":
        return reading.refuse("phone_not_valid")
    possible = phonenumbers.is_possible_number_with_reason(number)
    if policy.phone == "possible" and possible in _IMPOSSIBLE:
        return reading.refuse(_IMPOSSIBLE[possible])
    local = possible == ValidationResult.IS_POSSIBLE_LOCAL_ONLY
    return reading.warn("phone_local_only" if local else "phone_unassigned")


def _unparsed(reading: Reading, trouble: NumberParseException, policy: Policy) -> Reading:
    if trouble.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        bare = _SEPARATORS.sub("", reading.value)
        if not bare.startswith("+"):
            return reading.refuse("phone_no_country")
        if policy.phone == "e164" and E164.fullmatch(bare):
            return reading.then("phone_e164", bare).warn("phone_unassigned")
        return reading.refuse("phone_country_unknown")
    return reading.refuse(_PARSE_ERRORS.get(trouble.error_type, "phone_invalid"))


_EXTENSION = re.compile(r"(?:extension|ext|x|#)?[.:\s]*([0-9]{1,10})", re.IGNORECASE)


def read_extension(text: str) -> Reading:
    """Read a phone extension in a column of its own: digits, with or without a word before them."""
    reading = clean(text)
    if reading.error or not reading.value:
        return reading
    found = _EXTENSION.fullmatch(reading.value)
    return reading.then("extension_digits", found[1]) if found else reading.refuse("extension_invalid")
