"""The API's rules about customers, as data: every field, every rule between fields, each with its evidence.

A live check of the API changes data here and no code. The issue codes stand next door in `codes` and
are part of this table's interface. Nothing here judges a value, and nothing heavy is imported.

Evidence marks: `K` the page of that very endpoint or object says it; `K~` a sibling page of the same API
says it; `I` inferred from several facts; `NF` not found, a cautious assumption of ours. A length whose
mark is `I` or `NF` only warns, since nobody has seen the API refuse it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from importer.customers.codes import ISSUE_CODES, IssueCode

__all__ = [
    "ADDRESS_TYPES",
    "FIELDS",
    "HARD_MAX_CHARS",
    "ISSUE_CODES",
    "MAX_CONTACTS",
    "MAX_METADATA_PAIRS",
    "PHONE_ADDRESSES",
    "READING_FIELDS",
    "RULES",
    "CustomerType",
    "Evidence",
    "FieldSpec",
    "IssueCode",
    "Kind",
    "Rule",
    "field_spec",
    "fields_of",
    "is_known_field",
    "message",
]


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
class FieldSpec:
    """One customer field, as a profile names it.

    Args:
        name: the API's dotted name; addresses by their type, the main contact as `contacts.primary`.
        label: the name people use.
        kind: how its text is read.
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
    """

    name: str
    label: str
    kind: Kind
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

    @property
    def type(self) -> str:
        """`individual`, `business` or `both`."""
        return "both" if self.types == BOTH else self.types[0].lower()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule between fields, or about a whole customer.

    Args:
        code: the issue code that a breach gets.
        sentence: the rule in words.
    """

    code: str
    sentence: str
    evidence: Evidence
    source: str


K, SIB, INF, NF = Evidence.KNOWN, Evidence.SIBLING, Evidence.INFERRED, Evidence.NOT_FOUND
_GUIDE = "get-started-create-an-individual-customer-account"
_GUIDE_B = "get-started-create-a-business-customer-account"
_EWA = "enroll-a-new-customer-in-ewa"
_OWNER = "ca-beneficial-owner-object"
_CREATE = "create-an-individual-customer"
_CREATE_B = "create-a-business-customer"
_BA = "the-business-account-object"

_PHONE_TYPES = MappingProxyType(
    {
        "CELL": "MOBILE", "CELLULAR": "MOBILE", "CELLPHONE": "MOBILE", "MOBILEPHONE": "MOBILE",
        "OFFICE": "WORK", "BUSINESS": "WORK", "WORKPHONE": "WORK", "HOMEPHONE": "HOME",
    }
)  # fmt: skip
_SEXES = MappingProxyType({"M": "MALE", "F": "FEMALE", "MAN": "MALE", "WOMAN": "FEMALE", "NB": "NONBINARY"})
_TYPES = MappingProxyType({"PERSON": "INDIVIDUAL", "COMPANY": "BUSINESS", "ORGANIZATION": "BUSINESS"})


def _phone(prefix: str, whose: str, types: tuple[CustomerType, ...]) -> Iterator[FieldSpec]:
    at = f"{prefix}primaryPhoneNumber."
    yield FieldSpec(
        at + "number", f"{whose}hone number", Kind.PHONE, types, required=True, example="+12125550123", source=_GUIDE
    )
    yield FieldSpec(
        at + "type", f"{whose}hone type", Kind.ENUM, types, required=True, values=("WORK", "HOME", "MOBILE"),
        synonyms=_PHONE_TYPES, example="MOBILE", source=_GUIDE,
    )  # fmt: skip
    yield FieldSpec(
        at + "extension", f"{whose}hone extension", Kind.EXTENSION, types, max_length=10, example="45",
        evidence=SIB, length_evidence=SIB, source=_OWNER,
    )  # fmt: skip
    yield FieldSpec(
        at + "provider", f"{whose}hone provider", Kind.TEXT, types, max_length=40, example="Example Mobile",
        evidence=SIB, length_evidence=SIB, source=_OWNER,
    )  # fmt: skip


def _phone_places(prefix: str, whose: str, types: tuple[CustomerType, ...]) -> Iterator[FieldSpec]:
    for part, label in (("region", f"Region of the {whose}phone number"), ("country", "Country of the row")):
        name = f"{prefix}primaryPhoneNumber.{part}"
        yield FieldSpec(name, label, Kind.COUNTRY, types, example="GB", evidence=NF)


def _email(prefix: str, label: str, types: tuple[CustomerType, ...]) -> FieldSpec:
    return FieldSpec(
        f"{prefix}primaryEmail.value", label, Kind.EMAIL, types, required=True, max_length=320,
        example="sarah.green@example.com", length_evidence=SIB, source=_GUIDE,
    )  # fmt: skip


def _person_names(
    prefix: str, whose: str, types: tuple[CustomerType, ...], **more: object
) -> tuple[FieldSpec, FieldSpec, FieldSpec]:
    def name(part: str, label: str, example: str) -> FieldSpec:
        return FieldSpec(
            prefix + part, f"{whose}{label}" if whose else label.capitalize(), Kind.NAME, types, max_length=40,
            example=example, evidence=SIB, length_evidence=SIB, source=_EWA,
        )  # fmt: skip

    first, middle, last = (
        name("firstName", "first name", "Sarah"),
        name("middleName", "middle name", "Jane"),
        name("lastName", "last name", "Green"),
    )
    return replace(first, evidence=K, **more), middle, replace(last, evidence=K, **more)  # type: ignore[arg-type]  # the two callers pass FieldSpec's own attributes


def _individual() -> Iterator[FieldSpec]:
    def sibling(name: str, label: str, kind: Kind = Kind.TEXT, source: str = _OWNER, **more: object) -> FieldSpec:
        return FieldSpec(name, label, kind, INDIVIDUAL, evidence=SIB, source=source, **more)  # type: ignore[arg-type]  # FieldSpec's own attributes

    yield from _person_names("", "", INDIVIDUAL, required=True, source=_GUIDE)
    for part, example in (("prefix", "Dr"), ("suffix", "PhD")):
        yield sibling(part, part.capitalize(), Kind.TEXT, _EWA, max_length=40, length_evidence=SIB, example=example)
    yield sibling("sex", "Sex", Kind.ENUM, values=("MALE", "FEMALE", "NONBINARY"), synonyms=_SEXES, example="FEMALE")
    yield sibling("gender", "Gender", source=_EWA, max_length=40, example="woman")
    yield sibling("securityQuestion", "Security question", source=_EWA, max_length=255, example="First pet?")
    yield from _phone("", "P", INDIVIDUAL)
    yield _email("", "Email address", INDIVIDUAL)
    yield FieldSpec("dateOfBirth", "Date of birth", Kind.DATE, INDIVIDUAL, example="1980-01-31", source=_GUIDE)
    yield sibling("placeOfBirth.city", "City of birth", max_length=60, length_evidence=SIB, example="Springfield")
    yield sibling("placeOfBirth.countryCode", "Country of birth", Kind.COUNTRY, example="USA")
    yield sibling(
        "socialId", "Social security or national id", Kind.REFERENCE, max_length=50, length_evidence=SIB,
        example="900-00-0000",
    )  # fmt: skip
    yield sibling(
        "socialIdCountryCode", "Country of the national id", Kind.COUNTRY, example="USA",
        condition="where a national id is given",
    )  # fmt: skip
    yield sibling("citizenshipCountryCode", "Citizenship", Kind.COUNTRY, source="retrieve-a-beneficiary", example="USA")


def _business() -> Iterator[FieldSpec]:
    yield FieldSpec(
        "businessName", "Business name", Kind.TEXT, BUSINESS, required=True, max_length=100,
        example="Example Bakery", source=_GUIDE_B,
    )  # fmt: skip
    yield FieldSpec(
        "legalName", "Legal name", Kind.TEXT, BUSINESS, max_length=100, example="Example Bakery LLC",
        evidence=SIB, source="idv-application-object",
    )  # fmt: skip
    yield FieldSpec(
        "website", "Website", Kind.WEBSITE, BUSINESS, max_length=100, example="https://bakery.example.com",
        source=_GUIDE_B,
    )  # fmt: skip
    yield FieldSpec(
        "industryCode", "Industry code", Kind.INDUSTRY, BUSINESS, max_length=6, example="001001",
        length_evidence=SIB, source=_BA,
    )  # fmt: skip
    yield FieldSpec(
        "registeredStateCode", "State of registration", Kind.STATE, BUSINESS, max_length=3, example="CA",
        evidence=SIB, length_evidence=SIB, source=_BA,
    )  # fmt: skip
    yield FieldSpec(
        "taxId", "Tax id", Kind.REFERENCE, BUSINESS, max_length=50, example="00-0000000", evidence=INF,
        source="identity-verification-profile-object",
    )  # fmt: skip
    yield FieldSpec(
        "taxIdCountryCode", "Country of the tax id", Kind.COUNTRY, BUSINESS, example="USA", evidence=INF,
        source="identity-verification-profile-object",
    )  # fmt: skip
    yield from _person_names("contacts.primary.", "Contact's ", BUSINESS, required=True, source=_GUIDE_B)
    yield from _phone("contacts.primary.", "Contact's p", BUSINESS)
    yield _email("contacts.primary.", "Contact's email address", BUSINESS)


def _address(word: str) -> Iterator[FieldSpec]:
    at, whose = f"addresses.{word}.", word.capitalize()

    def part(name: str, label: str, kind: Kind = Kind.TEXT, **more: object) -> FieldSpec:
        settled = {"length_evidence": K, "source": _CREATE, **more}
        return FieldSpec(at + name, f"{whose} {label}", kind, BOTH, **settled)  # type: ignore[arg-type]  # FieldSpec's own attributes

    needed = f"where a {word} address is given"
    if word == "shipping":
        yield from _person_names(at + "name.", "Shipping ", BOTH, condition=needed, source=_CREATE)
    yield part("streetLine1", "street", max_length=50, condition=needed, example="12 Example Street")
    for line in range(2, 6):
        yield part(f"streetLine{line}", f"street, line {line}", max_length=50, example="Floor 3")
    yield part("apartmentNumber", "apartment number", max_length=20, length_evidence=NF, example="4B")
    yield part("cityName", "city", max_length=25, example="Springfield")
    yield part("countryCode", "country", Kind.COUNTRY, max_length=3, example="USA")
    yield part("stateCode", "state", Kind.STATE, max_length=3, condition="in the USA and Canada", example="IL")
    yield part("zipCode", "postal code", Kind.POSTAL, max_length=10, condition=needed, example="62701", evidence=INF)


def _all() -> Iterator[FieldSpec]:
    yield FieldSpec(
        "type", "Customer type", Kind.ENUM, BOTH, required=True, values=("INDIVIDUAL", "BUSINESS"),
        synonyms=_TYPES, example="INDIVIDUAL", source=_GUIDE,
    )  # fmt: skip
    yield FieldSpec(
        "externalId", "External id", Kind.REFERENCE, BOTH, max_length=100, example="LEGACY-0001",
        source="individual-customer-object",
    )  # fmt: skip
    yield from _individual()
    yield from _business()
    for word in ADDRESS_TYPES:
        yield from _address(word)


FIELDS: Mapping[str, FieldSpec] = MappingProxyType({spec.name: spec for spec in _all()})
"""Every field by its dotted name, in the order a template shows them. `metadata.<key>` comes on top."""

READING_FIELDS: Mapping[str, FieldSpec] = MappingProxyType(
    {
        spec.name: spec
        for prefix, whose, types in (("", "", INDIVIDUAL), ("contacts.primary.", "contact's ", BUSINESS))
        for spec in _phone_places(prefix, whose, types)
    }
)
"""What a profile may map beside FIELDS: it is never sent, and says how a phone number without its country code is read.
`region` decides it; `country` is the row's own country where no address names one, and is held against the default."""

RULES: tuple[Rule, ...] = (
    Rule("state_required", "An address in the USA or Canada has a state.", K, _CREATE),
    Rule("required_missing", "A shipping address has the name of a person.", K, _CREATE),
    Rule("required_missing", "An address has a street and a postal code.", INF, "update-an-individual-customer"),
    Rule("po_box_physical", "A physical address is no PO box.", K, _CREATE),
    Rule("social_id_country_missing", "A national id comes with its country.", SIB, _OWNER),
    Rule("metadata_too_many", "At most five metadata pairs.", K, _CREATE),
    Rule("too_long", "A metadata value has at most 1024 characters.", K, _CREATE),
    Rule("addresses_primary", "Every address type present has exactly one primary address.", K, _CREATE),
    Rule("contacts_primary", "A business has exactly one primary contact.", K, _GUIDE_B),
    Rule("group_too_large", "A business has at most 100 contacts.", NF, _GUIDE_B),
    Rule("date_not_past", "A date of birth lies in the past.", NF, _GUIDE),
    Rule("date_implausible", "A date of birth lies less than 120 years back.", NF, _GUIDE),
    Rule("phone_invalid", "A phone number has 7 to 15 digits after its separators are removed.", INF, _OWNER),
)
"""Rules between fields, in words, for the documentation; `validation` and the models apply them."""


def metadata_spec(key: str) -> FieldSpec:
    """Describe the field `metadata.<key>`."""
    return FieldSpec(
        f"metadata.{key}", f"Metadata '{key}'", Kind.METADATA, max_length=MAX_METADATA_VALUE_CHARS,
        example="crm-2009", length_evidence=K, source=_CREATE,
    )  # fmt: skip


def field_spec(name: str) -> FieldSpec | None:
    """Look a field up by its dotted name, `metadata.<key>` and READING_FIELDS included; None: there is none."""
    spec = FIELDS.get(name) or READING_FIELDS.get(name)
    if spec is None and name.startswith("metadata.") and METADATA_KEY.fullmatch(name[9:]):
        return metadata_spec(name[9:])
    return spec


def is_known_field(name: str) -> bool:
    """Tell whether a profile may map this name."""
    return field_spec(name) is not None


def fields_of(kind: CustomerType) -> tuple[FieldSpec, ...]:
    """List the fields that customers of one type have, in template order."""
    return tuple(spec for spec in FIELDS.values() if kind in spec.types)


def message(code: str, spec: FieldSpec | None = None, countries: Sequence[str] = ()) -> str:
    """Write the sentence for an issue code about a field; it never holds a value.

    Args:
        countries: names of the row's country and of the default one, for the codes that name both.
    """
    entry = ISSUE_CODES[code]
    if spec is None:
        return entry.message
    return entry.message.format(
        label=spec.label,
        example=spec.example,
        max=spec.max_length or HARD_MAX_CHARS,
        values=", ".join(spec.values),
        condition=spec.condition,
        country=f"{countries[0]} (the country of its row)" if countries else "the country of its row",
        default=f"{countries[1]} (the default region)" if countries else "the default region",
    )
