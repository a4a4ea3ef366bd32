"""A customer at the server: the object of the API, and its row in the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from importer.emulator.answers import timestamp
from importer.emulator.rules import e164

SEPARATOR = "\x1f"
"""Separates the values that share one column of the store."""

_SERVER_OWNED = ("id", "customerId", "status", "createdBy", "createdAt", "updatedBy", "updatedAt", "verificationStatus")


class Row(NamedTuple):
    """One customer in the store, its columns in the order of the table (all but the sequence number)."""

    id: str
    type: str
    status: str
    external_id: str | None
    email: str
    phone: str
    names: str
    haystack: str
    cities: str
    countries: str
    zips: str
    stamp: str | None
    created_ms: int
    updated_ms: int
    visible_ms: int
    body: str


def new_customer(fields: Mapping[str, Any], customer_id: str, account_id: str, epoch_s: float) -> dict[str, Any]:
    """Make the object of a new customer.

    Args:
        fields: the checked fields of the request.
        account_id: the service account that asks.
        epoch_s: now.
    """
    owned = server_owned(account_id, epoch_s)
    return {"id": customer_id, "status": "ACTIVE", "metadata": {}, **shown(fields), **owned}


def server_owned(account_id: str, epoch_s: float) -> dict[str, Any]:
    """What the server adds to a new customer or owner."""
    now, author = timestamp(epoch_s), {"id": account_id, "type": "service-account"}
    return {
        "createdBy": author,
        "createdAt": now,
        "updatedBy": author,
        "updatedAt": now,
        "verificationStatus": {"status": "UNVERIFIED", "reason": "", "updatedAt": now, "updatedBy": author},
    }


def replaced(old: Mapping[str, Any], fields: Mapping[str, Any], account_id: str, epoch_s: float) -> dict[str, Any]:
    """Replace all fields; those that the server owns stay."""
    blank: dict[str, Any] = {"metadata": {}} if "metadata" in old else {}
    owned = {name: old[name] for name in _SERVER_OWNED if name in old}
    return touched({**blank, **shown(fields), **owned}, account_id, epoch_s)


def touched(customer: Mapping[str, Any], account_id: str, epoch_s: float) -> dict[str, Any]:
    """Record who changed the customer, and when."""
    author = {"id": account_id, "type": "service-account"}
    return {**customer, "updatedBy": author, "updatedAt": timestamp(epoch_s)}


def shown(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give the fields as answers show them: of a `socialId` only the end."""
    short = {"socialId": f"*****{fields['socialId'][-4:]}"} if "socialId" in fields else {}
    return {"addresses": [], **fields, **short}


def with_blanks(customer: dict[str, Any]) -> dict[str, Any]:
    """Add the absent second and third address lines as "", as the vendor's samples show them."""
    blank = {"streetLine2": "", "streetLine3": ""}
    return {**customer, "addresses": [{**blank, **address} for address in customer["addresses"]]}


def row_of(customer: Mapping[str, Any], body: str, stamp: str, times_ms: tuple[int, int, int]) -> Row:
    """Make a customer's row in the store.

    Args:
        body: the customer as JSON.
        stamp: the metadata name that is counted for duplicates.
        times_ms: created, updated and visible in lists, in milliseconds since the epoch.
    """
    person = customer if customer["type"] == "INDIVIDUAL" else _main_contact(customer)
    names = customer.get("businessName") or _full_name(customer)
    email = person["primaryEmail"]["value"].casefold()
    phone = person["primaryPhoneNumber"]["number"]
    return Row(
        customer["id"],
        customer["type"],
        customer["status"],
        customer.get("externalId"),
        email,
        phone,
        names.casefold(),
        SEPARATOR.join((customer["id"], names.casefold(), email, phone)),
        _places(customer, "cityName"),
        _places(customer, "countryCode"),
        _places(customer, "zipCode"),
        customer["metadata"].get(stamp),
        *times_ms,
        body,
    )


def _main_contact(customer: Mapping[str, Any]) -> Mapping[str, Any]:
    contact: Mapping[str, Any] = next(person for person in customer["contacts"] if person["primary"])
    return contact


def _full_name(customer: Mapping[str, Any]) -> str:
    parts = (customer.get(name) for name in ("firstName", "middleName", "lastName"))
    return " ".join(part for part in parts if part)


def _places(customer: Mapping[str, Any], name: str) -> str:
    values = [address[name].casefold() for address in customer["addresses"] if address.get(name)]
    return SEPARATOR.join(("", *values, "")) if values else ""


def same_number(number: str) -> str:
    """Bring the phone number of a filter to the stored form; anything else stays, and finds nothing.

    White space at an end is not removed: an unescaped `+` in a query becomes a space.
    """
    return (e164(number) if number == number.strip() else None) or number


def parsed(body: str) -> dict[str, Any]:
    """Read a stored customer."""
    customer: dict[str, Any] = json.loads(body)
    return customer


def written(value: Mapping[str, Any]) -> str:
    """Write an object as JSON, as it is stored and answered."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
