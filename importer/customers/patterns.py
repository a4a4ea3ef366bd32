r"""What is plainly clean: for every kind of field a pattern that pydantic decides without Python.

A pattern accepts only texts that the field's reader passes unchanged and without a note (a property test holds
every one against its reader); it need not accept all of them. The syntax is Rust's: no look-around, and `\d` would be
a digit of any script.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from types import MappingProxyType

from phonenumbers import PhoneMetadata

from importer.core.contract import Kind
from importer.customers.emails import MAX_BYTES
from importer.customers.places import country_codes, state_codes
from importer.customers.postal import SHAPES
from importer.customers.specs import (
    ACCOUNT_CURRENCIES,
    ADULT_AGE_YEARS,
    MAX_AGE_YEARS,
    STATE_REQUIRED_IN,
    CustomerField,
)

_LATIN = "À-ÖØ-öø-ž"
"""Letters that no Unicode form takes apart."""
_TEXT = f"^[!-&(-<>-~{_LATIN}](?:[ -~{_LATIN}]*[!-~{_LATIN}])?$"
"""No blank at an end, and at the start no sign that may only protect the text from a spreadsheet."""
_REFERENCE = "^[!-&(-<>-~](?:[ -~]*[!-~])?$"

_IN_NAME = f"[A-Za-z{_LATIN} .,'\u2019&-]"
_NAME_END = f"[A-Za-z{_LATIN}.]"
_NAME = (
    f"^(?:[A-MO-TV-Za-mo-tv-z{_LATIN}](?:{_IN_NAME}*{_NAME_END})?"
    f"|[Nn]{_IN_NAME}{{3,}}{_NAME_END}|[Uu][A-MO-Za-mo-z{_LATIN}](?:{_IN_NAME}*{_NAME_END})?)$"
)
"""Words for nothing (`none`, `null`, `undefined`) begin with n or un."""

_WORD = (
    "(?:[D-OQRT-Zd-oqrt-z][A-Za-z]*|[Pp][AC-NP-Zac-np-z][A-Za-z]*|[Aa](?:[A-OQ-Za-oq-z][A-Za-z]*)?"
    "|[Bb](?:[A-NP-Za-np-z][A-Za-z]*)?|[Cc](?:[B-Zb-z][A-Za-z]*)?|[Ss](?:[A-JL-Za-jl-z][A-Za-z]*)?)"
)
"""A word that begins no name of a PO box in any language."""
_STREET = f"^(?:[0-9]+[A-Za-z]?|{_WORD}[.,]?)(?: (?:[0-9]+[A-Za-z]?|{_WORD}[.,]?))*$"

_LABEL = "[a-z0-9](?:-?[a-z0-9]){0,31}"
_TOP = "(?:[a-z]{2}|com|net|org|edu|gov|mil|int|info|biz|name|pro|app|dev|online|shop|site|store|xyz)"
_SIGN, _LOWER = "[A-Za-z0-9_+-]", "[a-z0-9_+-]"
_LOCAL = rf"(?:{_LOWER}+|{_SIGN}+(?:\.{_SIGN}+)+|[A-Za-z_+-]*[0-9]{_SIGN}*)"
"""In small letters; capitals only where a dot or a digit says that it is none of the mailboxes that everybody has."""
_EMAIL = rf"^{_LOCAL}@(?:{_LABEL}\.)+{_TOP}$"

_DAYS = "(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_INDUSTRY = "^(?:(?:00[2-9]|0[1-9][0-9]|[1-9][0-9]{2})[0-9]{3}|001(?:00[1-9]|0[1-9][0-9]|[1-9][0-9]{2}))$"
_WEBSITE = r"^(?:https?://)?[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[!-~]*)?$"

_FIXED: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.NAME: _NAME,
        Kind.TEXT: _TEXT,
        Kind.METADATA: _TEXT,
        Kind.REFERENCE: _REFERENCE,
        Kind.EMAIL: _EMAIL,
        Kind.EXTENSION: "^[0-9]{1,10}$",
        Kind.INDUSTRY: _INDUSTRY,
        Kind.WEBSITE: _WEBSITE,
        Kind.AMOUNT: r"^(?:0|[1-9][0-9]{0,11})\.[0-9]{2}$",
        Kind.PERCENTAGE: r"^(?:[2-9]|[1-9][0-9]|100)$",
        Kind.FILE: _TEXT,
    }
)
_WORDS: Mapping[Kind, Callable[[], tuple[str, ...]]] = MappingProxyType(
    {
        Kind.COUNTRY: country_codes,
        Kind.CURRENCY: lambda: ACCOUNT_CURRENCIES,
        Kind.STATE: lambda: tuple(code for one in STATE_REQUIRED_IN for code in state_codes(one)),
    }
)


def clean_pattern(spec: CustomerField, today: date | None) -> str:
    """Write the pattern of texts of a field that are plainly clean; empty where there is none.

    Args:
        today: the day that birth dates are judged by; None: they are not judged.
    """
    if spec.country and spec.kind is not Kind.AMOUNT:  # an amount without a sign is the same in every currency
        return ""
    if spec.kind is Kind.DATE:
        if spec.name.startswith("documents."):
            return ""
        return f"^(?:{_years(today)})-{_DAYS}$"
    if spec.kind is Kind.PHONE:
        return north_american_numbers()
    return _FIXED.get(spec.kind, "") if spec.po_boxes else _STREET


def clean_words(spec: CustomerField) -> tuple[str, ...]:
    """List the texts of a field that are plainly clean, where they can be listed."""
    if spec.values or spec.country or spec.kind not in _WORDS:
        return spec.values
    return _WORDS[spec.kind]()


def max_chars(spec: CustomerField) -> int:
    """The longest text that is plainly clean."""
    return min(spec.max_chars, MAX_BYTES) if spec.kind is Kind.EMAIL else spec.max_chars


def clean_postal(country: str) -> str:
    """Write the pattern of postal codes of a country (alpha-3), or of one that is not known (empty)."""
    return f"^(?:{SHAPES[country].pattern})$" if country else "^[0-9A-Z](?:[0-9A-Z -]*[0-9A-Z])?$"


def _years(today: date | None) -> str:
    """Every year in which all who were born are adults, and alive, on a day."""
    if today is None:
        return "[12][0-9]{3}"
    return "|".join(map(str, range(today.year - MAX_AGE_YEARS + 1, today.year - ADULT_AGE_YEARS)))


@cache
def north_american_numbers() -> str:
    """Write the pattern of the numbers of the USA and Canada in E.164, as libphonenumber knows them."""
    found: dict[str, None] = {}
    for region in ("US", "CA"):
        metadata = PhoneMetadata.metadata_for_region(region)
        for kind in ("fixed_line", "mobile", "toll_free", "premium_rate", "personal_number"):
            described = getattr(metadata, kind, None)
            if described is not None and described.national_number_pattern:
                found[described.national_number_pattern.replace(r"\d", "[0-9]")] = None
    return rf"^\+1(?:{'|'.join(found)})$"
