"""Ids, codes and words from short lists: references, industry codes, enums, web addresses, metadata values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from importer.core.contract import Reading
from importer.core.contract.text import clean

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
