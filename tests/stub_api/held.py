"""What the server holds: customers and what belongs to them, in memory. Knows nothing of HTTP."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

LIMIT_TYPES = ("MONTHLY", "WEEKLY", "DAILY", "SINGLE")
Object = dict[str, Any]

_NAMES, _REACH = ["FIRST", "LAST"], ["PRIMARY_EMAIL_ADDRESS", "PRIMARY_PHONE_NUMBER"]
_ADDRESS = ["LINE1", "CITY", "STATE", "POSTAL_CODE", "COUNTRY"]
_PERSON = {"name": _NAMES, "info": ["DATE_OF_BIRTH", "SSN", *_REACH], "physicalAddress": _ADDRESS}
_OWNER = {"name": _NAMES, "info": ["DATE_OF_BIRTH", "SSN"]}
_COMPANY = {"info": ["BUSINESS_LEGAL_NAME", "TAX_ID", *_REACH], "physicalAddress": _ADDRESS}
_CUSTOMERS = ["INDIVIDUAL_CUSTOMER", "BUSINESS_CUSTOMER"]


def _profile(number: int, name: str, types: list[str], required: Mapping[str, Any]) -> Object:
    return {
        "minimumInformationRequired": required,
        "allowedAccountStatuses": ["ACTIVE"],
        "allowedAccountTypes": types,
        "name": name,
        "id": f"7d3f0c5a-1111-4222-8333-{number:012x}",
        "createdBy": {"type": "internal", "id": ""},
    }


PROFILES = (
    _profile(1, "Companies only", ["BUSINESS_CUSTOMER"], {"business": _COMPANY, "beneficiary": _OWNER}),
    _profile(2, "Standard", _CUSTOMERS, {"individual": _PERSON, "business": _COMPANY, "beneficiary": _OWNER}),
)


class RefusedError(Exception):
    """A request is answered with an error.

    Args:
        status: of HTTP.
        word: what the older documents call `error`.
    """

    def __init__(self, status: int, word: str) -> None:
        super().__init__(status, word)
        self.status, self.word = status, word


@dataclass(slots=True)
class Held:
    """Everything at the server.

    Args:
        idv_s: from the submission of an application to its end, in seconds.
        lag_s: how much later lists show what was created, in seconds.
    """

    idv_s: float = 1.0
    lag_s: float = 0.0
    customers: dict[str, Object] = field(default_factory=dict)
    owners: dict[str, Object] = field(default_factory=dict)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    limits: dict[str, tuple[str, str]] = field(default_factory=dict)
    applications: dict[str, Object] = field(default_factory=dict)
    documents: dict[str, Object] = field(default_factory=dict)
    made_s: dict[str, float] = field(default_factory=dict)

    def create(self, body: Object) -> Object:
        """Create a customer; the same body twice is two of them."""
        person = body.get("type") == "INDIVIDUAL"
        needed = ("firstName", "lastName", "primaryPhoneNumber", "primaryEmail") if person else ("businessName",)
        if body.get("type") not in {"INDIVIDUAL", "BUSINESS"} or not all(body.get(name) for name in needed):
            raise RefusedError(400, "MISSING")
        if not person and sum(one.get("primary") is True for one in body.get("contacts", [])) != 1:
            raise RefusedError(400, "CONTACT")
        if {"limits", "beneficiaries", "documents"} & body.keys() or "" in _texts(body):
            raise RefusedError(400, "UNKNOWN_MEMBER")
        customer = self._made({**body, "status": "ACTIVE"}, self.customers)
        for limit_type in LIMIT_TYPES:
            limit_id = self._new_id()
            self.limits[limit_id] = (customer["id"], limit_type)
            self.amounts[limit_id] = Decimal(5000)
        return customer

    def change(self, customer_id: str, body: Object) -> Object:
        """Replace a customer's data."""
        kept = {name: self.customer(customer_id)[name] for name in ("id", "createdAt", "status")}
        self.customers[customer_id] = {**body, **kept}
        return self.customers[customer_id]

    def customer(self, customer_id: str) -> Object:
        """One customer."""
        if customer_id not in self.customers:
            raise RefusedError(404, "NO_SUCH_CUSTOMER")
        return self.customers[customer_id]

    def add_owner(self, customer_id: str, body: Object) -> Object:
        """Add a beneficial owner to a business."""
        if self.customer(customer_id)["type"] != "BUSINESS":
            raise RefusedError(422, "NOT_A_BUSINESS")
        if not body.get("firstName") or not body.get("lastName"):
            raise RefusedError(400, "MISSING")
        return self._made({**body, "customerId": customer_id}, self.owners)

    def limits_of(self, customer_id: str) -> list[Object]:
        """The limits of a customer; amounts are numbers."""
        self.customer(customer_id)
        return [self.limit(one) for one, (of, _) in self.limits.items() if of == customer_id]

    def limit(self, limit_id: str) -> Object:
        """One limit."""
        customer_id, limit_type = self.limits[limit_id]
        return {
            "amount": float(self.amounts[limit_id]),
            "currency": "USD",
            "scopeType": "CUSTOMER",
            "scopeId": customer_id,
            "limitType": limit_type,
            "id": limit_id,
            "version": 1,
        }

    def set_limits(self, body: Object) -> list[Object]:
        """Set amounts, all or none; they come as texts."""
        if not body or not body.keys() <= self.limits.keys():
            raise RefusedError(404, "NO_SUCH_LIMIT")
        for one in body.values():
            if not isinstance(one.get("amount"), str) or not re.fullmatch(r"\d+(\.\d{1,2})?", one["amount"]):
                raise RefusedError(400, "AMOUNT")
        self.amounts |= {limit_id: Decimal(one["amount"]) for limit_id, one in body.items()}
        return [self.limit(limit_id) for limit_id in body]

    def submit(self, body: Object) -> Object:
        """Begin to verify a customer; twice is two applications."""
        customer = self.customer(str(body.get("accountId")))
        wanted = body.get("identityVerificationProfileId")
        profile = next((one for one in PROFILES if one["id"] == wanted), None)
        if profile is None:
            raise RefusedError(404, "NO_SUCH_PROFILE")
        if f"{customer['type']}_CUSTOMER" not in profile["allowedAccountTypes"]:
            raise RefusedError(422, "TYPE_NOT_ALLOWED")
        return self._made({"accountId": customer["id"], "profileId": profile["id"]}, self.applications)

    def state_of(self, application: Object) -> tuple[str, str]:
        """Say the status of an application now, and its outcome; the last names of its parties decide both."""
        passed_s = time.monotonic() - self.made_s[application["id"]]
        if passed_s < self.idv_s:
            return ("New" if passed_s < self.idv_s / 3 else "Processing"), ""
        customer = self.customers[application["accountId"]]
        people = [customer, *customer.get("contacts", []), *self.owners_of(customer["id"])]
        names = " ".join(str(one.get("lastName", "")).upper() for one in people)
        if "REVIEW" in names:
            return "Pending_Review", ""
        if "DOCUMENTS" in names and not any(one["holderId"] == customer["id"] for one in self.documents.values()):
            return "Pending_Documents", ""
        return "Completed", "declined" if "DECLINE" in names else "Approved"

    def owners_of(self, customer_id: str) -> list[Object]:
        """The owners of a business."""
        return [one for one in self.owners.values() if one["customerId"] == customer_id]

    def add_document(self, body: Object) -> Object:
        """Announce a document."""
        self.customer(str(body.get("holderId")))
        kinds = {"driving-license", "passport", "formation", "tax", "ownership", "other"}
        size = body.get("contentLength")
        if body.get("documentType") not in kinds or not body.get("name") or not isinstance(size, int):
            raise RefusedError(400, "DOCUMENT")
        if not 0 < size <= 5_242_880 or body.get("extension") not in {"JPG", "JPEG", "PNG", "PDF"}:
            raise RefusedError(400, "DOCUMENT")
        return self._made({**body, "status": "NEW", "sha256": ""}, self.documents)

    def is_listed(self, one: Object) -> bool:
        """Whether a list shows it by now."""
        return time.monotonic() - self.made_s[one["id"]] >= self.lag_s

    def _made(self, body: Object, among: dict[str, Object]) -> Object:
        one_id = self._new_id()
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")  # noqa: TID251  # a server's clock
        among[one_id] = {**body, "id": one_id, "createdAt": moment.replace("+00:00", "Z")}
        self.made_s[one_id] = time.monotonic()
        return among[one_id]

    def _new_id(self) -> str:
        return str(uuid.uuid4())


def _texts(body: Any) -> list[Any]:
    parts = list(body.values()) if isinstance(body, dict) else body if isinstance(body, list) else [body]
    return [text for part in parts for text in (_texts(part) if isinstance(part, dict | list) else [part])]
