"""Phone numbers, as Google's libphonenumber reads and judges them, written in E.164.

The API's own documented examples are too short to be dialled; the policies `e164` and `possible` accept
such numbers with a warning, and only `valid` refuses them. An extension behind the number is kept apart.

A number without a country code belongs to the country of its row; only where the row names none does the policy's
region count. Where both countries could be meant, the reading says so.
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, ValidationResult

from importer.core.contract import Policy, Reading
from importer.core.contract.text import clean
from importer.customers.places import alpha2, country_name, find_country

MAX_CHARS = 60
E164 = re.compile(r"\+[0-9]{7,15}")
_FEWEST_DIGITS = 7
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
        ValidationResult.INVALID_LENGTH: "phone_wrong_length",
        ValidationResult.INVALID_COUNTRY_CODE: "phone_country_unknown",
    }
)
_LIKE_A_DECIMAL = re.compile(r"(\+?[0-9]{7,15})[.,]0{1,2}")
"""What is left of a number that a program took for a decimal one: `14155550108.0`."""
_INTERNATIONAL_PREFIX = re.compile(r"[^\d+\uff0b]*(?:00|011)[\s().\-/]*(?=[1-9])")
_PLUS = re.compile(r"[^\d+\uff0b]*[+\uff0b]")
_BETWEEN_NUMBERS = re.compile(
    r"[,;|&\n]|\b(?:or|and|oder|und|ou|et|o|y|e)\b|[^\d\s(]\s*(?=[+\uff0b])|\s(?=[+\uff0b])", re.IGNORECASE
)
_BETWEEN_LONG_ONES = re.compile(r"[/\s\\]+")
_DIGITS_ONLY = re.compile(r"(?=[^0-9]*[0-9])\+?[0-9 ().\-/]+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_BEFORE_NUMBER = re.compile(r"[^\d+\uff0b]*")

_Parsed = PhoneNumber | NumberParseException


def read_phone(text: str, policy: Policy, place: str = "") -> Reading:
    """Read a phone number under a policy; its value comes out in E.164, its extension apart.

    Args:
        place: where a number without a country code belongs: the row's own country (alpha-3), which is held against the
            policy's region, or the region that the profile names for it (alpha-2), which is held against nothing;
            empty: the policy's region.
    """
    reading = clean(text)
    if reading.error or not reading.value:
        return reading
    if E164.fullmatch(reading.value):
        return _verdict(reading, _parse(reading.value, policy.region), policy)
    if decimal := _LIKE_A_DECIMAL.fullmatch(reading.value):
        reading = reading.then("phone_decimal_removed", decimal[1])
    if not _DIGITS_ONLY.fullmatch(reading.value) and (cause := _is_other_than_one_number(reading.value)):
        return reading.refuse(cause)
    if len(reading.value) > MAX_CHARS:
        return reading.refuse("phone_too_long")
    return _read_in(reading, policy, *regions(policy.region, place))


def place_of(region: str, country: str) -> str:
    """Say where a number belongs, as `read_phone` takes it.

    Args:
        region: what the profile names for this row, as people write countries; blank: nothing.
        country: the row's own country, likewise.
    """
    named = find_country(clean(region).value)
    return alpha2(named) if named else find_country(clean(country).value)


@lru_cache(maxsize=1_024)
def regions(default: str | None, place: str) -> tuple[str | None, str | None]:
    """Say by which region a national number is read, and which other one it is held against; None: none.

    Args:
        default: the policy's region.
        place: see `read_phone`.
    """
    if len(place) == 2:
        return place, None
    home = alpha2(place) if place else ""
    if not home:
        return default, None
    return home, default if default != home else None


def _read_in(reading: Reading, policy: Policy, home: str | None, other: str | None) -> Reading:
    text = reading.value
    number = _parse(text, home)
    is_national = not _PLUS.match(text)
    if is_national and not _is_valid(number):
        number = _dialled_abroad(text, number)
        if _begins_with_a_foreign_zero(number, home):
            return reading.refuse("phone_no_country")
    whole = _with_its_code(text, number, home) if is_national else None
    if whole is not None:
        number = whole if _national_prefix(home or "") else number
        reading = reading.warn("phone_code_assumed")
    if _has_words_behind(text, number, home):
        return reading.refuse("phone_words")
    verdict = _verdict(reading, number, policy)
    if "phone_local_only" in verdict.warnings and _WORD.match(text):
        return reading.refuse("phone_words")  # they may be digits: "four one five 555 0104"
    if other and is_national and not _is_abroad(number, home):
        verdict = _held_against(verdict, text, number, home or "", other)
    if verdict.error and _are_several(_BETWEEN_LONG_ONES.split(text)):
        return reading.refuse("phone_two_numbers")
    return verdict


def _verdict(reading: Reading, number: _Parsed, policy: Policy) -> Reading:
    if isinstance(number, NumberParseException):
        return _unparsed(reading, number, policy)
    return _judged(_written(reading, number), number, policy)


def _parse(text: str, region: str | None) -> _Parsed:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException as error:
        return error


def _is_valid(number: _Parsed) -> bool:
    return isinstance(number, PhoneNumber) and phonenumbers.is_valid_number(number)


def _is_possible(number: _Parsed) -> bool:
    """Whether a number has its country's length; a local one without its area code has not."""
    if isinstance(number, NumberParseException):
        return False
    return bool(phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE)


def _is_abroad(number: _Parsed, home: str | None) -> bool:
    """Whether a number named its country by the digits that are dialled before it."""
    return isinstance(number, PhoneNumber) and number.country_code != phonenumbers.country_code_for_region(home or "ZZ")


def _dialled_abroad(text: str, at_home: _Parsed) -> _Parsed:
    """Read `00` and `011` as a plus sign, also where they are not the digits that are dialled at home."""
    prefix = _INTERNATIONAL_PREFIX.match(text)
    if prefix is None:
        return at_home
    abroad = _parse("+" + text[prefix.end() :], None)
    likelier = _is_valid(abroad) or (_is_possible(abroad) and not _is_possible(at_home))
    return abroad if likelier or isinstance(at_home, NumberParseException) else at_home


def _begins_with_a_foreign_zero(number: _Parsed, home: str | None) -> bool:
    """Whether a national number begins with a zero although no number at home does: it belongs elsewhere."""
    return isinstance(number, PhoneNumber) and bool(number.italian_leading_zero) and not _has_zeros(home or "")


@lru_cache(maxsize=512)
def _has_zeros(region: str) -> bool:
    """Whether numbers of a region begin with a zero also where they are dialled from abroad, as Italy's do."""
    kinds = phonenumbers.supported_types_for_region(region)
    examples = (phonenumbers.example_number_for_type(region, kind) for kind in kinds)
    return any(example is not None and example.italian_leading_zero for example in examples)


@lru_cache(maxsize=512)
def _national_prefix(region: str) -> str:
    """Return what is before every number of a region that is dialled at home, mostly `0`; empty: nothing."""
    return phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) or ""


def _with_its_code(text: str, number: _Parsed, home: str | None) -> PhoneNumber | None:
    """Read the first digits as the country code of home; None where they are none, or nothing else could be meant.

    Programs drop the plus sign of a number, and the zero before it: `4915123456789` may have lost either.
    """
    code = str(number.country_code) if isinstance(number, PhoneNumber) else ""
    if not (code and text.isdecimal() and text.startswith(code) and _is_valid(number)) or _is_abroad(number, home):
        return None
    whole = _parse("+" + text, None)
    return whole if isinstance(whole, PhoneNumber) and whole != number and _is_valid(whole) else None


def _held_against(reading: Reading, text: str, number: _Parsed, home: str, other: str) -> Reading:
    """Say where a number could be one of the default region, too, or only one of that."""
    there = _parse(text, other)
    if not _is_valid(there) or there == number:
        return reading
    countries = (country_name(home), country_name(other))
    if _is_valid(number):
        return reading.warn("phone_country_assumed")._replace(countries=countries)
    return reading.refuse("phone_other_country")._replace(countries=countries)


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


def _unparsed(reading: Reading, error: NumberParseException, policy: Policy) -> Reading:
    if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        bare = _SEPARATORS.sub("", reading.value)
        if not bare.startswith(("+", "00", "011")):
            return reading.refuse("phone_no_country")
        if policy.phone == "e164" and E164.fullmatch(bare):
            return reading.then("phone_e164", bare).warn("phone_unassigned")
        return reading.refuse("phone_country_unknown")
    usual = "phone_words" if _WORD.search(reading.value) else "phone_invalid"
    return reading.refuse(_PARSE_ERRORS.get(error.error_type, usual))


# --------------------------------------------------------------------------- what is not one number


def _is_other_than_one_number(text: str) -> str:
    """Return the code of what is seen without reading a number: words only, signs only, or several numbers."""
    if _digits(text) == 0:
        return "phone_words" if any(map(str.isalpha, text)) else "phone_invalid"
    if "@" in text:
        return "phone_words"
    return "phone_two_numbers" if _are_several(_BETWEEN_NUMBERS.split(text)) else ""


def _are_several(pieces: list[str]) -> bool:
    return sum(_digits(piece) >= _FEWEST_DIGITS for piece in pieces) > 1


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _has_words_behind(text: str, number: _Parsed, region: str | None) -> bool:
    """Whether letters are behind a number that is complete without them; `1-800-FLOWERS` needs its letters.

    Words before a number are not part of it, as the library has it; those behind it would become digits.
    """
    if _DIGITS_ONLY.fullmatch(text):
        return False
    bare = _BEFORE_NUMBER.sub("", text, count=1)
    if isinstance(number, PhoneNumber) and number.extension:
        bare = re.sub(rf"\D*{re.escape(number.extension)}\D*$", "", bare)
    if not any(map(str.isalpha, bare)):
        return False
    return _is_possible(_parse("".join(sign for sign in bare if not sign.isalpha()), region))


_EXTENSION = re.compile(r"(?:extension|ext|x|#)?[.:\s]*([0-9]{1,10})", re.IGNORECASE)


def read_extension(text: str) -> Reading:
    """Read a phone extension in a column of its own: digits, with or without a word before them."""
    reading = clean(text)
    if reading.error or not reading.value:
        return reading
    found = _EXTENSION.fullmatch(reading.value)
    return reading.then("extension_digits", found[1]) if found else reading.refuse("extension_invalid")
