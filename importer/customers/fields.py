"""One field, one text: the reader that its kind calls for, then its length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from importer.customers.dates import read_birth_date
from importer.customers.emails import quick_email, read_email
from importer.customers.names import read_name
from importer.customers.nanp import quick_phone
from importer.customers.phones import read_extension, read_phone
from importer.customers.places import read_country, read_state
from importer.customers.postal import read_postal
from importer.customers.reading import Policy, Reading
from importer.customers.references import read_enum, read_industry, read_reference, read_website
from importer.customers.rules import HARD_MAX_CHARS, FieldSpec, Kind
from importer.customers.text import clean


def read(spec: FieldSpec, text: str, policy: Policy, country: str = "") -> Reading:
    """Read one text as one field: normalised, with every step, or refused.

    Args:
        country: alpha-3 country that a state, postal code or phone number belongs to; empty when unknown. For phone
            numbers it may also be the alpha-2 region that the profile names (see `read_phone`).
    """
    if len(text) > 4 * HARD_MAX_CHARS:
        return Reading("", error="too_long")
    return _fitting(spec, _read(spec, text, policy, country))


def _read(spec: FieldSpec, text: str, policy: Policy, country: str) -> Reading:
    match spec.kind:
        case Kind.PHONE:
            return quick_phone(text, policy, country) or read_phone(text, policy, country)
        case Kind.DATE:
            return read_birth_date(text, policy)
        case Kind.ENUM:
            return read_enum(text, spec.values, spec.synonyms)
        case Kind.STATE | Kind.POSTAL:
            return (read_state if spec.kind is Kind.STATE else read_postal)(text, country)
        case _:
            return _PLAIN[spec.kind](text)


def _read_email(text: str) -> Reading:
    return quick_email(text) or read_email(text)


_PLAIN: Mapping[Kind, Callable[[str], Reading]] = MappingProxyType(
    {
        Kind.NAME: read_name,
        Kind.TEXT: clean,
        Kind.METADATA: clean,
        Kind.REFERENCE: read_reference,
        Kind.EXTENSION: read_extension,
        Kind.EMAIL: _read_email,
        Kind.COUNTRY: read_country,
        Kind.INDUSTRY: read_industry,
        Kind.WEBSITE: read_website,
    }
)


def _fitting(spec: FieldSpec, reading: Reading) -> Reading:
    length = len(reading.value)
    if length > HARD_MAX_CHARS or (spec.max_length and length > spec.max_length and spec.length_evidence.firm):
        return reading.refuse("too_long")
    if spec.max_length and length > spec.max_length:
        return reading.warn("too_long_unconfirmed")
    return reading
