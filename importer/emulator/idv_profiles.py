"""The profiles of identity verification that the account has, as data.

The key of an individual's requirements is a setting: the documentation shows those of businesses and owners only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from importer.emulator.answers import Refusal

_PERSON = "individual"
ACCOUNT_TYPES = ("BUSINESS_ACCOUNT", "BUSINESS_CUSTOMER", "INDIVIDUAL_CUSTOMER")
_NAME = ["FIRST", "LAST"]
_ADDRESS = ["LINE1", "CITY", "STATE", "POSTAL_CODE", "COUNTRY"]
_REACH = ["PRIMARY_EMAIL_ADDRESS", "PRIMARY_PHONE_NUMBER"]
_INDIVIDUAL = {"name": _NAME, "info": ["DATE_OF_BIRTH", "SSN", *_REACH], "physicalAddress": _ADDRESS}
_BUSINESS = {"info": ["BUSINESS_LEGAL_NAME", "TAX_ID", *_REACH], "physicalAddress": _ADDRESS}
_BENEFICIARY = {"name": _NAME, "info": ["DATE_OF_BIRTH", "SSN"], "physicalAddress": _ADDRESS}


def _profile(number: int, name: str, account_types: list[str], required: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": f"00000000-0000-4000-8000-1d0000000{number:03}",
        "name": name,
        "allowedAccountTypes": account_types,
        "allowedAccountStatuses": ["ACTIVE"],
        "minimumInformationRequired": required,
    }


PROFILES: tuple[Mapping[str, Any], ...] = (
    _profile(
        1,
        "Standard",
        ["INDIVIDUAL_CUSTOMER", "BUSINESS_CUSTOMER"],
        {_PERSON: _INDIVIDUAL, "business": _BUSINESS, "beneficiary": _BENEFICIARY},
    ),
    _profile(2, "Basic", ["INDIVIDUAL_CUSTOMER"], {_PERSON: {"name": _NAME, "info": ["PRIMARY_EMAIL_ADDRESS"]}}),
    _profile(3, "Business", ["BUSINESS_CUSTOMER"], {"business": _BUSINESS, "beneficiary": _BENEFICIARY}),
    _profile(
        4,
        "With documents",
        ["INDIVIDUAL_CUSTOMER"],
        {_PERSON: {**_INDIVIDUAL, "documents": {"passport": ["ISSUING_COUNTRY", "EXPIRY_DATE"]}}},
    ),
)


def profiles_for(account_types: list[str], individual: str = _PERSON) -> list[Mapping[str, Any]]:
    """Give the profiles that allow one of these types of account; none named: all.

    Args:
        individual: the key of a person in what they require.
    """
    wanted = set(account_types or ACCOUNT_TYPES)
    return [_renamed(one, individual) for one in PROFILES if wanted.intersection(one["allowedAccountTypes"])]


def _renamed(profile: Mapping[str, Any], individual: str) -> Mapping[str, Any]:
    required = profile["minimumInformationRequired"]
    parties = {individual if party == _PERSON else party: asked for party, asked in required.items()}
    return {**profile, "minimumInformationRequired": parties}


def find_profile(profile_id: str) -> Mapping[str, Any]:
    """Find a profile by its id.

    Raises:
        Refusal: 404, there is none.
    """
    found = next((profile for profile in PROFILES if profile["id"] == profile_id), None)
    if found is None:
        raise Refusal(404, "EMU_NOT_FOUND", "There is no such verification profile")
    return found


def refuse_unfit(profile: Mapping[str, Any], account: Mapping[str, Any]) -> None:
    """Refuse a customer that a profile does not allow.

    Raises:
        Refusal: 422, its type or its status is not allowed.
    """
    if f"{account['type']}_CUSTOMER" not in profile["allowedAccountTypes"]:
        raise Refusal(422, "EMU_TYPE_NOT_ALLOWED", "The verification profile does not allow accounts of this type")
    if account["status"] not in profile["allowedAccountStatuses"]:
        raise Refusal(422, "EMU_NOT_ACTIVE", "The account is not active")
