"""How objects are written: another order of members than elsewhere, blanks as "", more members, cut-off numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.stub_api.held import Held, Object

_BLANKS = ("middleName", "suffix", "gender", "website")
_AUTHOR = {"type": "service-account", "id": "4f6a9a52-0000-4000-8000-000000000001"}


def customer(one: Object) -> Object:
    """One customer in full."""
    shown = {**dict.fromkeys(_BLANKS, ""), **person(one)}
    shown["verificationStatus"] = {"reason": "", "status": "UNVERIFIED", "updatedBy": _AUTHOR}
    return dict(sorted(shown.items(), reverse=True)) | {"createdBy": _AUTHOR, "updatedAt": one["createdAt"]}


def person(one: Object) -> Object:
    """Somebody, with what the server adds: nobody gets a social id back in full."""
    shown = dict(one)
    if "socialId" in shown:
        shown["socialId"] = "*" * 5 + shown["socialId"][-4:]
    if "primaryPhoneNumber" in shown:
        shown["primaryPhoneNumber"] = {"verified": False, "provider": "", **shown["primaryPhoneNumber"]}
    if "primaryEmail" in shown:
        shown["primaryEmail"] = {"verified": False, **shown["primaryEmail"]}
    if "addresses" in shown:
        shown["addresses"] = [{"streetLine3": "", "primary": True, **address} for address in shown["addresses"]]
    if "contacts" in shown:
        shown["contacts"] = [{"middleName": "", **person(contact)} for contact in shown["contacts"]]
    return shown


def summary(one: Object) -> Object:
    """A customer in a list: without metadata and addresses."""
    shown = customer(one)
    return {name: shown[name] for name in shown if name not in {"metadata", "addresses", "verificationStatus"}}


def owner_summary(one: Object) -> Object:
    """An owner in a list."""
    names = ("title", "ownershipPercentage", "lastName", "firstName", "id", "createdAt")
    return {name: one.get(name, "") for name in names} | {"verificationStatus": {"status": "UNVERIFIED"}}


def application(one: Object, held: Held) -> Object:
    """One application: whose it is, its entities say."""
    status, outcome = held.state_of(one)
    account = held.customers[one["accountId"]]
    entity = {"status": status, "entityType": account["type"], "account": {"id": account["id"]}, "outcomeDetails": []}
    shown = {
        "statusHistory": [{"status": "New", "updatedAt": one["createdAt"]}],
        "entities": [{**entity, "accountId": account["id"], "id": account["id"]}],
        "identityVerificationProfileId": one["profileId"],
        "latestStatus": status,
        "createdAt": one["createdAt"],
        "id": one["id"],
    }
    return shown | ({"outcome": outcome} if outcome else {})


def page(found: Sequence[Any], number: int, size: int) -> Object:
    """One page in its envelope."""
    shown = found[number * size : (number + 1) * size]
    return {
        "hasNext": (number + 1) * size < len(found),
        "content": list(shown),
        "numberOfElements": len(shown),
        "number": number,
        "totalPages": -(-len(found) // size),
        "totalElements": len(found),
    }
