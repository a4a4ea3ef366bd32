"""What a customer's body must look like: the documented rules of both types, as data.

Rules that no documentation states (the length of a business name, of an external id) are wide on
purpose. Server-owned fields and unknown ones are dropped; `strict` refuses unknown top-level ones.
Addresses have a module of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from importer.emulator.addresses import COUNTRY, STATE, addresses
from importer.emulator.checks import (
    Check,
    Field,
    Problem,
    Problems,
    day,
    flag,
    many,
    missing,
    one_of,
    pattern,
    record,
    text,
    text_map,
)

_SEPARATORS = re.compile(r"[\s().\-/]+")
_PHONE = re.compile(r"\+?[0-9]{7,15}").fullmatch
NAME = text(40)


def e164(number: str) -> str | None:
    """Bring a number of any documented form to the stored one; None when it is none.

    A bare number of ten digits or fewer is a national one and gets +1, unless it begins with 1
    already: no national number of that plan does (`14151234` and `4151234` are both documented as
    `+14151234`).
    """
    bare = _SEPARATORS.sub("", number)
    if not _PHONE(bare):
        return None
    if bare.startswith("+"):
        return bare
    national = len(bare) <= 10 and not bare.startswith("1")
    return f"+1{bare}" if national else f"+{bare}"


def _number(value: Any, path: str, problems: Problems) -> Any:
    stored = e164(value) if isinstance(value, str) else None
    if stored is None:
        problems.append(Problem(path, "must be a phone number of 7 to 15 digits", "EMU_FORMAT"))
    return stored


_PHONE_FIELDS = record(
    Field("number", _number, required=True),
    Field("type", one_of("WORK", "HOME", "MOBILE"), required=True),
    Field("provider", NAME),
    Field("extension", text(10)),
)
_EMAIL_FIELDS = record(
    Field("value", pattern(r"(?=.{3,320}$)[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", "an email address"), required=True)
)


def _unverified(look: Check) -> Check:
    """Whether a phone or email is verified is the server's to say, whatever the caller sent."""

    def check(value: Any, path: str, problems: Problems) -> Any:
        return {**look(value, path, problems), "verified": False}

    return check


PHONE = _unverified(_PHONE_FIELDS)
EMAIL = _unverified(_EMAIL_FIELDS)
EXTERNAL_ID = text(255)
PLACE_OF_BIRTH = record(Field("city", text(60)), Field("countryCode", COUNTRY))
METADATA = text_map(pairs=5, longest=1024)

_CONTACT = record(
    Field("firstName", NAME, required=True),
    Field("middleName", NAME),
    Field("lastName", NAME, required=True),
    Field("primary", flag),
    Field("primaryPhoneNumber", PHONE, required=True),
    Field("primaryEmail", EMAIL, required=True),
)


def _contacts(value: Any, path: str, problems: Problems) -> Any:
    people = many(_CONTACT)(value, path, problems)
    if isinstance(value, list) and sum(person.get("primary") is True for person in people) != 1:
        problems.append(Problem(path, "must have exactly one primary contact", "EMU_PRIMARY"))
    return [{**person, "primary": person.get("primary") is True} for person in people]


INDIVIDUAL: tuple[Field, ...] = (
    Field("type", one_of("INDIVIDUAL"), required=True),
    Field("externalId", EXTERNAL_ID),
    Field("firstName", NAME, required=True),
    Field("middleName", NAME),
    Field("lastName", NAME, required=True),
    Field("prefix", NAME),
    Field("suffix", NAME),
    Field("sex", one_of("MALE", "FEMALE", "NONBINARY")),
    Field("gender", text(255)),
    Field("securityQuestion", text(255)),
    Field("primaryPhoneNumber", PHONE, required=True),
    Field("primaryEmail", EMAIL, required=True),
    Field("dateOfBirth", day),
    Field("placeOfBirth", PLACE_OF_BIRTH),
    Field("socialId", text(50)),
    Field("socialIdCountryCode", COUNTRY),
    Field("citizenshipCountryCode", COUNTRY),
    Field("addresses", addresses),
    Field("metadata", METADATA),
)

BUSINESS: tuple[Field, ...] = (
    Field("type", one_of("BUSINESS"), required=True),
    Field("externalId", EXTERNAL_ID),
    Field("businessName", text(255), required=True),
    Field("legalName", text(255)),
    Field("taxId", text(50)),
    Field("taxIdCountryCode", COUNTRY),
    Field("website", text(255)),
    Field("industryCode", pattern(r"(?!000|...000)[0-9]{6}", "six digits, 001001 to 999999")),
    Field("registeredStateCode", STATE),
    Field("contacts", _contacts, required=True),
    Field("addresses", addresses),
    Field("metadata", METADATA),
)


_KINDS: Mapping[str, Check] = {"INDIVIDUAL": record(*INDIVIDUAL), "BUSINESS": record(*BUSINESS)}


def check_customer(body: Mapping[str, Any]) -> tuple[dict[str, Any], Problems]:
    """Check one body and find all its problems.

    Args:
        body: the parsed JSON object.

    Returns:
        The fields as they will be stored, and the problems; the fields mean nothing when there are any.
    """
    problems: Problems = []
    check = _KINDS.get(body["type"]) if isinstance(body.get("type"), str) else None
    if check is None:
        known = missing("type") if body.get("type") is None else None
        return {}, [known or Problem("type", "must be one of INDIVIDUAL, BUSINESS", "EMU_ENUM")]
    fields: dict[str, Any] = check(body, "", problems)
    if "socialId" in fields and "socialIdCountryCode" not in fields:
        problems.append(missing("socialIdCountryCode"))
    return fields, problems
