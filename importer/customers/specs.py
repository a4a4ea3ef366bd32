"""What can be said of a customer field: its kind, length, words, example, and how well each of it is known. Data only.

Evidence marks: `K` the page of that very endpoint or object says it; `K~` a sibling page of the same API
says it; `I` inferred from several facts; `NF` not found, a cautious assumption of ours. A length whose
mark is `I` or `NF` only warns, since nobody has seen the API refuse it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType


class Evidence(StrEnum):
    """How well a rule is known."""

    KNOWN = "K"
    SIBLING = "K~"
    INFERRED = "I"
    NOT_FOUND = "NF"

    @property
    def firm(self) -> bool:
        """Whether some page of the API says it."""
        return self in {Evidence.KNOWN, Evidence.SIBLING}


class CustomerType(StrEnum):
    """The two kinds of customer, as the API's `type` names them."""

    INDIVIDUAL = "INDIVIDUAL"
    BUSINESS = "BUSINESS"


class Kind(StrEnum):
    """How a field's text is read, normalised and judged."""

    NAME = "name"
    TEXT = "text"
    REFERENCE = "reference"
    PHONE = "phone"
    EXTENSION = "extension"
    EMAIL = "email"
    DATE = "date"
    ENUM = "enum"
    COUNTRY = "country"
    STATE = "state"
    POSTAL = "postal"
    INDUSTRY = "industry"
    WEBSITE = "website"
    METADATA = "metadata"


BOTH = (CustomerType.INDIVIDUAL, CustomerType.BUSINESS)
INDIVIDUAL = (CustomerType.INDIVIDUAL,)
BUSINESS = (CustomerType.BUSINESS,)

HARD_MAX_CHARS = 1024
"""No text longer than this is ever sent, whatever is (not) known about its field's length."""
MAX_CONTACTS = 100
"""Of one business. The API documents no limit: this one is ours, and stops a group that is none (`n/a` as a name)."""
MAX_METADATA_PAIRS = 5
MAX_METADATA_VALUE_CHARS = 1024
METADATA_KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}")
STATE_REQUIRED_IN = ("USA", "CAN")
MAX_AGE_YEARS = 120
ADULT_AGE_YEARS = 18
ADDRESS_TYPES: Mapping[str, str] = MappingProxyType(
    {"mailing": "MAILING", "physical": "PHYSICAL", "shipping": "SHIPPING"}
)
"""The word in a dotted name to the API's address `type`."""
PHONE_ADDRESSES = ("physical", "mailing", "shipping")
"""The addresses that say in which country a row's phone number lies, the first that names one before the others: a
physical address is where a person lives, or where a business is registered."""
ADDRESS_WITNESSES = (*(f"streetLine{line}" for line in range(1, 6)), "apartmentNumber", "cityName", "zipCode")
"""An address exists where one of these is given: a country alone is often a constant, a name stands elsewhere too."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object of the API stands in a customer.

    Args:
        prefix: what its fields' dotted names begin with, the last dot included.
        whose: what its fields' labels begin with, a blank at the end.
        needed: when its required fields are needed, as the end of the sentence "needed ..."; empty: always.
        po_boxes: whether its streets may be PO boxes.
    """

    prefix: str = ""
    whose: str = ""
    needed: str = ""
    po_boxes: bool = True

    def below(self, key: str) -> Place:
        """The place of an object that stands under a key of this one."""
        return replace(self, prefix=f"{self.prefix}{key}.")


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One customer field, as a profile names it: what `Annotated` says of a text in a customer's type.

    Args:
        label: the name people use; in a declaration `{}` stands for what it belongs to.
        kind: how its text is read.
        name: the API's dotted name; addresses by their type, the main contact as `contacts.primary`.
        types: the customer types that have it.
        required: whether every customer of these types needs it.
        condition: when it is needed otherwise, as the end of the sentence "needed ..."; empty when never.
        max_length: longest text in characters; None when no page gives a length.
        values: what an enum allows.
        synonyms: other words that mean one of `values`, in capitals, letters and digits only.
        example: a fictional value.
        evidence: how well the field itself is known.
        length_evidence: how well `max_length` is known.
        source: the page of the API's documentation.
        needed: whether its object needs it, in whatever customer there is such an object.
        sent: False for what only says how others are read.
        country: the key of the field beside it that says in which country it lies; empty: none does.
        street: whether people write a PO box into it.
        po_boxes: whether that is allowed.
    """

    label: str
    kind: Kind
    name: str = ""
    types: tuple[CustomerType, ...] = BOTH
    required: bool = False
    condition: str = ""
    max_length: int | None = None
    values: tuple[str, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    example: str = ""
    evidence: Evidence = Evidence.KNOWN
    length_evidence: Evidence = Evidence.NOT_FOUND
    source: str = ""
    needed: bool = False
    sent: bool = True
    country: str = ""
    street: bool = False
    po_boxes: bool = True

    @property
    def type(self) -> str:
        """`individual`, `business` or `both`."""
        return "both" if self.types == BOTH else self.types[0].lower()

    @property
    def max_chars(self) -> int:
        """The longest text about which nothing is to be said."""
        return min(self.max_length or HARD_MAX_CHARS, HARD_MAX_CHARS)

    def at(self, place: Place, key: str, *, required: bool) -> FieldSpec:
        """The same field where it stands in a customer.

        Args:
            required: whether its object needs it.
        """
        label = self.label.format(place.whose)
        return replace(
            self,
            name=place.prefix + key,
            label=label[:1].upper() + label[1:],
            needed=required,
            required=required and not place.needed,
            condition=place.needed if required else self.condition,
            po_boxes=place.po_boxes or not self.street,
        )
