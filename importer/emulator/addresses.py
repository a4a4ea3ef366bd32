"""The rules of addresses: three types, one primary for each, and old names refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pycountry

from importer.emulator.checks import (
    Field,
    Problem,
    Problems,
    flag,
    inside,
    many,
    missing,
    one_of,
    pattern,
    record,
    text,
)

_COUNTRIES = frozenset(country.alpha_3 for country in pycountry.countries)
_PO_BOX = re.compile(r"\bp(ost)?\.?\s*o(ffice)?\.?\s*box\b", re.IGNORECASE).search
_STREETS = tuple(f"streetLine{number}" for number in range(1, 6))
_V1_STREETS = {f"addressLine{number}": f"streetLine{number}" for number in range(1, 6)}

STATE = pattern(r"[A-Z0-9]{2,3}", "a state code of 2 or 3 capitals")


def COUNTRY(value: Any, path: str, problems: Problems) -> Any:  # noqa: N802 - used like the other named checks
    """An ISO 3166-1 alpha-3 code in capitals."""
    if not isinstance(value, str) or value not in _COUNTRIES:
        problems.append(Problem(path, "must be a country code of three capitals (ISO 3166-1 alpha-3)", "EMU_FORMAT"))
    return value


_ADDRESS = record(
    Field("type", one_of("MAILING", "PHYSICAL", "SHIPPING"), required=True),
    Field("streetLine1", text(50), required=True),
    Field("streetLine2", text(50)),
    Field("streetLine3", text(50)),
    Field("streetLine4", text(50)),
    Field("streetLine5", text(50)),
    Field("apartmentNumber", text(255)),
    Field("cityName", text(25)),
    Field("stateCode", STATE),
    Field("countryCode", COUNTRY),
    Field("zipCode", text(10), required=True),
    Field("primary", flag),
)
_CONTACT_NAME = record(
    Field("firstName", text(40), required=True),
    Field("middleName", text(40)),
    Field("lastName", text(40), required=True),
)


def _address(value: Any, path: str, problems: Problems) -> Any:
    kept = _ADDRESS(value, path, problems)
    if not isinstance(value, dict):
        return kept
    for name in _V1_STREETS.keys() & value.keys():
        problems.append(Problem(inside(path, name), f"is an old name: use {_V1_STREETS[name]}", "EMU_OLD_FIELD"))
    _shipping_contact(value, kept, path, problems)
    _place(kept, path, problems)
    return kept


def _shipping_contact(value: Mapping[str, Any], kept: dict[str, Any], path: str, problems: Problems) -> None:
    """The contact's name is required for SHIPPING and ignored for the other types."""
    if kept.get("type") != "SHIPPING":
        return
    if value.get("name") is None:
        problems.append(missing(inside(path, "name")))
    else:
        kept["name"] = _CONTACT_NAME(value["name"], inside(path, "name"), problems)


def _place(kept: Mapping[str, Any], path: str, problems: Problems) -> None:
    if kept.get("countryCode") in {"USA", "CAN"} and "stateCode" not in kept:
        problems.append(missing(inside(path, "stateCode")))
    if kept.get("type") != "PHYSICAL":
        return
    for name in _STREETS:
        if isinstance(kept.get(name), str) and _PO_BOX(kept[name]):
            problems.append(Problem(inside(path, name), "must not be a PO box", "EMU_PO_BOX"))


def addresses(value: Any, path: str, problems: Problems) -> Any:
    """Check all addresses; each type present ends with exactly one primary, the first where none is flagged."""
    listed = many(_address)(value, path, problems)
    for kind in {kind for address in listed if isinstance(kind := address.get("type"), str)}:
        same = [address for address in listed if address.get("type") == kind]
        flagged = sum(address.get("primary") is True for address in same)
        if flagged > 1:
            problems.append(Problem(path, f"may have only one primary {kind} address", "EMU_PRIMARY"))
        elif not flagged:
            same[0]["primary"] = True
    return [{**address, "primary": address.get("primary") is True} for address in listed]
