"""What is known of RocketKOR's customers beside their fields: types, limits, addresses, places of objects. Data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from importer.core.contract import FieldSpec
from importer.core.steps import Step


class CustomerType(StrEnum):
    """The two kinds of customer, as the API's `type` names them."""

    INDIVIDUAL = "INDIVIDUAL"
    BUSINESS = "BUSINESS"


BOTH = (CustomerType.INDIVIDUAL, CustomerType.BUSINESS)
INDIVIDUAL = (CustomerType.INDIVIDUAL,)
BUSINESS = (CustomerType.BUSINESS,)

MAX_CONTACTS = 100
"""Of one business. The API documents no limit: this one is ours, and stops a group that is none (`n/a` as a name)."""
MAX_METADATA_PAIRS = 5
MAX_METADATA_VALUE_CHARS = 1024
METADATA_KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}")
STATE_REQUIRED_IN = ("USA", "CAN")
MAX_AGE_YEARS = 120
ADULT_AGE_YEARS = 18
MAX_OWNERS = 5
"""Of one business, as 31 CFR 1010.230 defines them: at most four who own 25 percent or more, and one who controls."""
ACCOUNT_CURRENCIES = ("USD", "CAD")
"""Those of accounts, so far as the API's pages say."""
USUAL_CURRENCY = "USD"
"""Of limits where nothing says another (NF: no page names a default)."""
MAX_AMOUNT = Decimal("999999999999.99")
"""The API documents no limit: this one is ours, and stops what is not an amount (an account number)."""
CONTACT = "contacts.primary."
"""What the names of the main contact's fields begin with."""
ADDRESS_TYPES: Mapping[str, str] = MappingProxyType(
    {"mailing": "MAILING", "physical": "PHYSICAL", "shipping": "SHIPPING"}
)
"""The word in a dotted name to the API's address `type`."""
PHONE_ADDRESSES = ("physical", "mailing", "shipping")
"""The addresses that say in which country a row's phone number is, the first that names one before the others: a
physical address is where a person lives, or where a business is registered."""
ADDRESS_PRESENCE = (*(f"streetLine{line}" for line in range(1, 6)), "apartmentNumber", "cityName", "zipCode")
"""An address exists where one of these is given: a country alone is often a constant, a name is elsewhere too."""
STEPS = frozenset({Step.BENEFICIARIES, Step.LIMITS, Step.DOCUMENTS})
"""The members of a customer that steps after the create send; they have the steps' names."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object of the API is in a customer.

    Args:
        prefix: what its fields' dotted names begin with, the last dot included.
        owner: what its fields' labels begin with, a blank at the end.
        needed: when its required fields are needed, as the end of the sentence "needed ..."; empty: always.
        po_boxes: whether its streets may be PO boxes.
    """

    prefix: str = ""
    owner: str = ""
    needed: str = ""
    po_boxes: bool = True

    def below(self, key: str) -> Place:
        """The place of an object that is under a key of this one."""
        return replace(self, prefix=f"{self.prefix}{key}.")

    def within(self, outer: Place) -> Place:
        """The same place, seen from outside the object that it is in."""
        return replace(self, prefix=outer.prefix + self.prefix, owner=outer.owner + self.owner)


@dataclass(frozen=True, slots=True)
class CustomerField(FieldSpec):
    """One customer field: what `Annotated` says of a text in a customer's type. Further arguments as of `FieldSpec`.

    Args:
        label: in a declaration `{}` is the place of what the field belongs to.
        name: addresses by their type, the main contact as `contacts.primary`.
        needed: whether its object needs it, in whatever customer there is such an object.
        country: the key of the field beside it that says in which country it is, or an amount in which currency;
            empty: none does.
        street: whether people write a PO box into it.
        po_boxes: whether that is allowed.
    """

    types: tuple[CustomerType, ...] = BOTH
    needed: bool = False
    country: str = ""
    street: bool = False
    po_boxes: bool = True

    def at(self, place: Place, key: str, *, required: bool) -> CustomerField:
        """The same field where it is in a customer.

        Args:
            required: whether its object needs it.
        """
        label = self.label.format(place.owner)
        return replace(
            self,
            name=place.prefix + key,
            label=label[:1].upper() + label[1:],
            needed=required,
            required=required and not place.needed,
            condition=place.needed if required else self.condition,
            po_boxes=place.po_boxes or not self.street,
        )
