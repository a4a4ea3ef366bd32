"""RocketKOR's contract: its customers, as the rest of the program speaks of them. Puts together, and decides nothing.

Importing this is cheap: pydantic's types, names of columns and old rules load when they are first asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from importer.core.contract import Checks, Contract, FieldTable, FreeNames, Groups, Likeness, Matching, Renewed, prints
from importer.customers.after_create import CustomerSteps
from importer.customers.bodies import CustomerBodies
from importer.customers.changes import CustomerChanges
from importer.customers.codes import ISSUE_CODES
from importer.customers.grouping import Businesses
from importer.customers.identity import KEY_RULE
from importer.customers.likeness import KINDS, LIKENESSES, PERSONAL, PHONE, prints_of
from importer.customers.rules import CUSTOMER_ID, FIELDS, READING_FIELDS, RULES, free_field
from importer.customers.specs import CustomerType

_TEMPLATE = (
    "type", "externalId", "businessName", "legalName", "firstName", "middleName", "lastName",
    "contacts.primary.firstName", "contacts.primary.lastName",
    "primaryPhoneNumber.number", "primaryPhoneNumber.type", "primaryEmail.value",
    "contacts.primary.primaryPhoneNumber.number", "contacts.primary.primaryPhoneNumber.type",
    "contacts.primary.primaryEmail.value", "dateOfBirth", "website",
    "addresses.mailing.streetLine1", "addresses.mailing.streetLine2", "addresses.mailing.cityName",
    "addresses.mailing.stateCode", "addresses.mailing.zipCode", "addresses.mailing.countryCode",
)  # fmt: skip
"""The fields people fill in by hand, in the order they think of them; all others can be added by name."""


_EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "": "firstName",
        "phone": "primaryPhoneNumber.number",
        "extension": "primaryPhoneNumber.extension",
        "email": "primaryEmail.value",
        "date": "dateOfBirth",
        "country": "addresses.mailing.countryCode",
        "state": "addresses.mailing.stateCode",
        "address": "addresses.mailing.stateCode",
        "zip": "addresses.mailing.zipCode",
        "pattern": "addresses.mailing.zipCode",
        "po": "addresses.physical.streetLine1",
        "social": "socialIdCountryCode",
        "industry": "industryCode",
        "website": "website",
        "reference": "externalId",
        "enum": "primaryPhoneNumber.type",
        "value": "primaryPhoneNumber.type",
        "field": "website",
        "amount": "limits.daily",
        "currency": "limits.currency",
        "percentage": "beneficiaries.1.ownershipPercentage",
        "document": "documents.passport.expiryDate",
    }
)
"""The first word of an issue code to the field with which its sentence is shown."""


class CustomerIdentity:
    """Who customers are. Implements `core.contract.Identity`."""

    likenesses: Mapping[str, Likeness] = LIKENESSES
    reference_field: str = "externalId"
    personal: tuple[str, ...] = PERSONAL
    groups: Groups | None = Businesses()
    key_rule: int = KEY_RULE
    changed_fields: tuple[str, ...] = LIKENESSES[PHONE].fields
    prints_of = staticmethod(prints_of)

    def renewed(self, secret: bytes, body: Mapping[str, Any], key: str) -> Renewed:
        """Rule 2 reads phone numbers and protected texts otherwise."""
        from importer.customers.former import key_today, phone_today  # noqa: PLC0415  # phone numbers load slowly

        phone = phone_today(body)
        found = list(prints_of(secret, body, KINDS).values())
        if phone:
            found.append(prints(secret, PHONE, [phone])[0])
        return Renewed(key_today(secret, body, key, phone), [number for number in found if number])

    def former_keys(self, secret: bytes, body: Mapping[str, Any], key: str, region: str | None) -> Iterator[str]:
        """The keys of rule 1."""
        from importer.customers.former import keys_of_then  # noqa: PLC0415  # phone numbers load slowly

        return keys_of_then(secret, body, key, region)

    def keys_under(self, secrets: Sequence[bytes], body: Mapping[str, Any], key: str) -> Sequence[str]:
        """A business may have got its key from any of its contacts."""
        from importer.customers.former import keys_under  # noqa: PLC0415  # phone numbers load slowly

        return keys_under(secrets, body, key)


@cache
def _checks() -> Checks:
    from importer.customers.checks import CustomerChecks  # noqa: PLC0415  # see above

    return CustomerChecks()


@cache
def _matching() -> Matching:
    from importer.customers.matching import CustomerMatching  # noqa: PLC0415  # see above

    return CustomerMatching()


CUSTOMERS = Contract(
    "rocketkor",
    FieldTable(
        types=MappingProxyType({CustomerType.INDIVIDUAL: "individuals", CustomerType.BUSINESS: "businesses"}),
        sent=FIELDS,
        type_field="type",
        read_only=READING_FIELDS,
        known_id=CUSTOMER_ID,
        free=FreeNames("metadata.", "after 'metadata.' come 1 to 40 letters, digits, '_', '.' or '-'", free_field),
        template=_TEMPLATE,
        rules=RULES,
        examples=_EXAMPLES,
    ),
    CustomerBodies(),
    CustomerIdentity(),
    _checks,
    _matching,
    ISSUE_CODES,
    CustomerSteps(),
    CustomerChanges(),
)
"""The contract of the kind of target `rocketkor`."""
