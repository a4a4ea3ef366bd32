"""Readers of fields with few rules: names of people, dates of birth, ids, codes, words from short lists, web addresses.

Signs that are rare in names are pointed out, never refused: a name has any script and any apostrophe.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from importer.core.contract import Policy, Reading
from importer.core.contract.text import clean
from importer.customers.specs import ADULT_AGE_YEARS, MAX_AGE_YEARS

# --------------------------------------------------------------------------- names

UNUSUAL = re.compile(r'[0-9@<>{}\[\]|\\=;:/_$%^*+~"#!?]')

_NOTHING = ("null", "nil", "none", "nan", "undefined", "(null)", "(none)", "(blank)", "(empty)")
NOTHING = frozenset(spelled for word in _NOTHING for spelled in (word, word.upper(), word.capitalize())) | {"NaN", "NA"}
"""What programs write in place of a value that is missing; a few people are called so."""


def read_name(text: str) -> Reading:
    """Read a name; it warns where there is a rare sign, no letter at all, or a word for nothing."""
    reading = clean(text)
    if reading.value in NOTHING:
        return reading.warn("name_placeholder")
    if reading.value and is_unusual(reading.value):
        return reading.warn("name_unusual")
    return reading


def is_unusual(name: str) -> bool:
    """Whether a name holds digits or rare signs, or no letter at all (a placeholder such as `-`)."""
    return UNUSUAL.search(name) is not None or not any(map(str.isalpha, name))


# --------------------------------------------------------------------------- dates of birth

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


def read_document_date(text: str, policy: Policy, *, in_future: bool) -> Reading:
    """Read a date of a document, written as `read_birth_date` takes it.

    Args:
        in_future: whether it is to be today or later; False: today or earlier.
    """
    reading = clean(text)
    if reading.error or not reading.value:
        return reading
    day = _parse(reading.value)
    if day is None:
        return reading.refuse("date_invalid")
    if policy.today is None:
        return reading
    if in_future:
        return reading.refuse("document_expired") if day < policy.today else reading
    return reading.refuse("date_in_future") if day > policy.today else reading


# --------------------------------------------------------------------------- ids, codes and words

_INDUSTRY = re.compile(r"[0-9]{6}")
_FIRST_INDUSTRY = "001001"
_WEBSITE = re.compile(r"(?:https?://)?[\w-]+(?:\.[\w-]+)+(?::[0-9]+)?(?:[/?#]\S*)?", re.IGNORECASE)


def read_reference(text: str) -> Reading:
    """Read an id that is kept letter by letter; it warns beyond printable ASCII."""
    reading = clean(text)
    return reading if reading.value.isascii() else reading.warn("reference_unusual")


def read_enum(text: str, values: Sequence[str], synonyms: Mapping[str, str]) -> Reading:
    """Read one of a few words, in any capitals and with any separators."""
    reading = clean(text)
    if reading.error or not reading.value or reading.value in values:
        return reading
    if not reading.value.isascii():
        return reading.refuse("enum_unknown")
    word = "".join(filter(str.isalnum, reading.value.upper()))
    if word in values:
        return reading.then("enum_upper", word)
    return reading.then("enum_synonym", synonyms[word]) if word in synonyms else reading.refuse("enum_unknown")


def read_industry(text: str) -> Reading:
    """Read an industry code: six digits from 001001, leading zeros included."""
    reading = clean(text)
    if reading.error or not reading.value:
        return reading
    good = _INDUSTRY.fullmatch(reading.value) and reading.value >= _FIRST_INDUSTRY
    return reading if good else reading.refuse("industry_code_invalid")


def read_website(text: str) -> Reading:
    """Read a web address; its form is not documented, so an unusual one only warns."""
    reading = clean(text)
    if reading.value and not _WEBSITE.fullmatch(reading.value):
        return reading.warn("website_unusual")
    return reading
