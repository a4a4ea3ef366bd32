"""One field, one text: the reader that its kind calls for, then its length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from importer.core.contract import HARD_MAX_CHARS, FieldSpec, Kind, Policy, Reading
from importer.core.contract.text import clean
from importer.customers.amounts import read_amount, read_currency, read_percentage
from importer.customers.emails import quick_email, read_email
from importer.customers.nanp import quick_phone
from importer.customers.phones import read_extension, read_phone
from importer.customers.places import read_country, read_state
from importer.customers.postal import read_postal
from importer.customers.simple_fields import (
    read_birth_date,
    read_document_date,
    read_enum,
    read_industry,
    read_name,
    read_reference,
    read_website,
)

Reader = Callable[[str, str], Reading]
"""Reads a text at a place; see `read`."""


def read(spec: FieldSpec, text: str, policy: Policy, country: str = "") -> Reading:
    """Read one text as one field: normalised, with every step, or refused.

    Args:
        country: alpha-3 country that a state, postal code or phone number belongs to, or the currency of an amount;
            empty when unknown. For phone numbers it may also be the alpha-2 region that the profile names (see
            `read_phone`).
    """
    return reader_of(spec, policy)(text, country)


def reader_of(spec: FieldSpec, policy: Policy) -> Reader:
    """Make the reader of one field; see `read`."""
    bare, short = _bare_reader(spec, policy), spec.max_chars

    def read_fitting(text: str, country: str) -> Reading:
        if len(text) > 4 * HARD_MAX_CHARS:
            return Reading("", error="too_long")
        reading = bare(text, country)
        return reading if len(reading.value) <= short else _too_long(spec, reading)

    return read_fitting


def _bare_reader(spec: FieldSpec, policy: Policy) -> Reader:
    """Choose the reader that looks at no length."""
    match spec.kind:
        case Kind.PHONE:
            return lambda text, place: quick_phone(text, policy, place) or read_phone(text, policy, place)
        case Kind.DATE:
            return _date_reader(spec, policy)
        case Kind.ENUM | Kind.BOOLEAN:
            return lambda text, _: read_enum(text, spec.values, spec.synonyms)
        case Kind.STATE | Kind.POSTAL | Kind.AMOUNT:
            return _AT_PLACE[spec.kind]
        case _:
            plain = _PLAIN[spec.kind]
            return lambda text, _: plain(text)


_AT_PLACE: Mapping[Kind, Reader] = MappingProxyType(
    {Kind.STATE: read_state, Kind.POSTAL: read_postal, Kind.AMOUNT: read_amount}
)


def _date_reader(spec: FieldSpec, policy: Policy) -> Reader:
    if spec.name.startswith("documents."):
        return lambda text, _: read_document_date(text, policy, in_future=spec.in_future)
    return lambda text, _: read_birth_date(text, policy)


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
        Kind.CURRENCY: read_currency,
        Kind.PERCENTAGE: read_percentage,
        Kind.FILE: clean,
    }
)


def _too_long(spec: FieldSpec, reading: Reading) -> Reading:
    if len(reading.value) > HARD_MAX_CHARS or spec.length_evidence.firm:
        return reading.refuse("too_long")
    return reading.warn("too_long_unconfirmed")
