"""Texts that are amounts get a decimal point and nothing between their thousands.

A point and a comma can each be either. Blanks and apostrophes only ever separate thousands. What is around the number
(a currency) stays where it is. Reads single texts, computes nothing, and never guesses which sign is the decimal one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from importer.mapping.edits import Edit, Flaw

Sign = Literal["point", "comma"]
SIGNS: tuple[Sign, ...] = ("point", "comma")
_BLANKS, _APOSTROPHES = " \u00a0\u202f\u2009", "'\u2019"
_ONE_SEPARATOR = str.maketrans({**dict.fromkeys(_BLANKS, " "), "\u2019": "'"})
_CELL = re.compile(
    rf"(?P<before>[^0-9]*?)(?P<number>(?:(?<![^\W\d_])[.,])?[0-9](?:[0-9.,{_APOSTROPHES}{_BLANKS}]*[0-9])?)(?P<after>[^0-9]*)",
    re.DOTALL,
)
"""A number and what is around it; the point of an abbreviation before it (`Rs.`) is not a decimal sign."""
_MINUS = str.maketrans("\u2212", "-")
_MAX_CHARS = 60


def _form(decimal: str, thousands: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?P<whole>[0-9]+|[1-9][0-9]{{0,2}}(?P<separator>[{thousands} '])[0-9]{{3}}(?:(?P=separator)[0-9]{{3}})*)?"
        rf"(?:{decimal}(?P<fraction>[0-9]+))?"
    )


_FORMS: Mapping[Sign, re.Pattern[str]] = MappingProxyType({"point": _form(r"\.", ","), "comma": _form(",", ".")})


class Parts(NamedTuple):
    """A text that holds one number."""

    before: str
    number: str
    after: str


def by_sign(sign: Sign | None) -> Edit:
    """Make the step that writes an amount with a decimal point and nothing between its digits.

    A text that is not a number stays as it is; validation refuses it.

    Args:
        sign: the decimal one; None reads only what both read alike.
    """

    def run(text: str) -> str | Flaw:
        parts = parts_of(text)
        found = readings_of(parts.number) if parts else {}
        if parts is None or not found:
            return text
        read = found.get(sign) if sign else _unanimous(found)
        return Flaw("amount_sign") if read is None else f"{parts.before}{read}{parts.after}"

    return run


def parts_of(text: str) -> Parts | None:
    """Take a text apart that holds one number and no other digit; None where it holds none or several."""
    match = _CELL.fullmatch(text.strip()) if len(text) <= _MAX_CHARS else None
    if match is None:
        return None
    number = match["number"].translate(_ONE_SEPARATOR)
    return Parts(match["before"].translate(_MINUS), number, match["after"])


def readings_of(number: str) -> dict[Sign, str]:
    """Read a number with each sign as the decimal one, as far as it is a number then."""
    matches = {sign: form.fullmatch(number) for sign, form in _FORMS.items()}
    return {sign: _written(match) for sign, match in matches.items() if match}


def _written(match: re.Match[str]) -> str:
    whole = re.sub(r"[^0-9]", "", match["whole"] or "0")
    return f"{whole}.{match['fraction']}" if match["fraction"] else whole


def _unanimous(readings: Mapping[Sign, str]) -> str | None:
    texts = set(readings.values())
    return texts.pop() if len(readings) == len(SIGNS) and len(texts) == 1 else None
