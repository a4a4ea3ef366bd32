"""What a customer is: the types of the API's objects, each field with what is known of it. Declares only.

pydantic's validators, the table of fields, the JSON Schema, templates and messages are all made from these types
(`importer.customers.types`, `importer.customers.rules`). The fields of an object are in the order in which they are
read: a country before what is in it. A live check of the API changes data here and no code. Annotations are data
here, and are not postponed.
"""

from types import MappingProxyType
from typing import Annotated, Literal, NotRequired, TypedDict

from importer.core.contract import Evidence, Kind
from importer.customers.specs import CustomerField, Place

K, SIB, INF, NF = Evidence.KNOWN, Evidence.SIBLING, Evidence.INFERRED, Evidence.NOT_FOUND
_GUIDE = "get-started-create-an-individual-customer-account"
_GUIDE_B = "get-started-create-a-business-customer-account"
_EWA = "enroll-a-new-customer-in-ewa"
_OWNER = "ca-beneficial-owner-object"
_CREATE = "create-an-individual-customer"
_BA = "the-business-account-object"
_IDV = "identity-verification-profile-object"

_PHONE_TYPES = MappingProxyType(
    {
        "CELL": "MOBILE", "CELLULAR": "MOBILE", "CELLPHONE": "MOBILE", "MOBILEPHONE": "MOBILE",
        "OFFICE": "WORK", "BUSINESS": "WORK", "WORKPHONE": "WORK", "HOMEPHONE": "HOME",
    }
)  # fmt: skip
SEXES = MappingProxyType({"M": "MALE", "F": "FEMALE", "MAN": "MALE", "WOMAN": "FEMALE", "NB": "NONBINARY"})
_TYPES = MappingProxyType({"PERSON": "INDIVIDUAL", "COMPANY": "BUSINESS", "ORGANIZATION": "BUSINESS"})


def _name(label: str, example: str, source: str = _EWA, evidence: Evidence = SIB) -> CustomerField:
    return CustomerField(
        label, Kind.NAME, max_length=40, example=example, evidence=evidence, length_evidence=SIB, source=source
    )


def _line(number: int) -> CustomerField:
    label = f"{{}}street, line {number}"
    return CustomerField(
        label, Kind.TEXT, street=number < 4, max_length=50, example="Floor 3", length_evidence=K, source=_CREATE
    )


_TYPE = CustomerField(
    "Customer type", Kind.ENUM, values=("INDIVIDUAL", "BUSINESS"), synonyms=_TYPES, example="INDIVIDUAL", source=_GUIDE
)
_EXTERNAL_ID = CustomerField(
    "External id", Kind.REFERENCE, max_length=100, example="LEGACY-0001", source="individual-customer-object"
)


class Phone(TypedDict):
    """A phone number; an extension written behind the number moves to its own place.

    `region` and `country` only say how a number without its country code is read: what the profile names, and the row's
    own country. They are never sent.
    """

    region: NotRequired[
        Annotated[
            str, CustomerField("Region of the {}phone number", Kind.COUNTRY, example="GB", evidence=NF, sent=False)
        ]
    ]
    country: NotRequired[
        Annotated[str, CustomerField("Country of the row", Kind.COUNTRY, example="GB", evidence=NF, sent=False)]
    ]
    number: Annotated[str, CustomerField("{}phone number", Kind.PHONE, example="+12125550123", source=_GUIDE)]
    type: Annotated[
        str,
        CustomerField(
            "{}phone type", Kind.ENUM, values=("WORK", "HOME", "MOBILE"), synonyms=_PHONE_TYPES, example="MOBILE",
            source=_GUIDE,
        ),
    ]  # fmt: skip
    extension: NotRequired[
        Annotated[
            str,
            CustomerField(
                "{}phone extension", Kind.EXTENSION, max_length=10, example="45", evidence=SIB, length_evidence=SIB,
                source=_OWNER,
            ),
        ]
    ]  # fmt: skip
    provider: NotRequired[
        Annotated[
            str,
            CustomerField(
                "{}phone provider", Kind.TEXT, max_length=40, example="Example Mobile", evidence=SIB,
                length_evidence=SIB, source=_OWNER,
            ),
        ]
    ]  # fmt: skip


class Email(TypedDict):
    """An email address."""

    value: Annotated[
        str,
        CustomerField(
            "{}email address", Kind.EMAIL, max_length=320, example="sarah.green@example.com", length_evidence=SIB,
            source=_GUIDE,
        ),
    ]  # fmt: skip


class PlaceOfBirth(TypedDict):
    """Where a person was born."""

    city: NotRequired[
        Annotated[
            str,
            CustomerField(
                "{}city of birth", Kind.TEXT, max_length=60, example="Springfield", evidence=SIB, length_evidence=SIB,
                source=_OWNER,
            ),
        ]
    ]  # fmt: skip
    countryCode: NotRequired[
        Annotated[
            str, CustomerField("{}country of birth", Kind.COUNTRY, example="USA", evidence=SIB, source=_OWNER)
        ]
    ]  # fmt: skip


class ShippingName(TypedDict):
    """To whom a card or parcel is addressed."""

    firstName: Annotated[str, _name("{}first name", "Sarah", _CREATE, K)]
    middleName: NotRequired[Annotated[str, _name("{}middle name", "Jane")]]
    lastName: Annotated[str, _name("{}last name", "Green", _CREATE, K)]


class Address(TypedDict):
    """An address; the USA and Canada need a state."""

    primary: bool
    streetLine1: Annotated[
        str,
        CustomerField(
            "{}street",
            Kind.TEXT,
            street=True,
            max_length=50,
            example="12 Example Street",
            length_evidence=K,
            source=_CREATE,
        ),
    ]
    streetLine2: NotRequired[Annotated[str, _line(2)]]
    streetLine3: NotRequired[Annotated[str, _line(3)]]
    streetLine4: NotRequired[Annotated[str, _line(4)]]
    streetLine5: NotRequired[Annotated[str, _line(5)]]
    apartmentNumber: NotRequired[
        Annotated[str, CustomerField("{}apartment number", Kind.TEXT, max_length=20, example="4B", source=_CREATE)]
    ]
    cityName: NotRequired[
        Annotated[
            str,
            CustomerField("{}city", Kind.TEXT, max_length=25, example="Springfield", length_evidence=K, source=_CREATE),
        ]
    ]
    countryCode: NotRequired[
        Annotated[
            str,
            CustomerField("{}country", Kind.COUNTRY, max_length=3, example="USA", length_evidence=K, source=_CREATE),
        ]
    ]
    stateCode: NotRequired[
        Annotated[
            str,
            CustomerField(
                "{}state", Kind.STATE, country="countryCode", condition="in the USA and Canada", max_length=3,
                example="IL", length_evidence=K, source=_CREATE,
            ),
        ]
    ]  # fmt: skip
    zipCode: Annotated[
        str,
        CustomerField(
            "{}postal code", Kind.POSTAL, country="countryCode", max_length=10, example="62701", evidence=INF,
            length_evidence=K, source=_CREATE,
        ),
    ]  # fmt: skip


class MailingAddress(Address):
    """Where letters go."""

    type: Literal["MAILING"]


class PhysicalAddress(Address):
    """Where a person lives, or a business is registered; not a PO box."""

    type: Literal["PHYSICAL"]


class _Named(TypedDict):
    """What has the name of a person."""

    name: ShippingName


class ShippingAddress(_Named, Address):
    """Where cards and parcels go; it needs the name of a person."""

    type: Literal["SHIPPING"]


AnyAddress = (
    Annotated[MailingAddress, Place("addresses.mailing.", "mailing ", "where a mailing address is given")]
    | Annotated[
        PhysicalAddress, Place("addresses.physical.", "physical ", "where a physical address is given", po_boxes=False)
    ]
    | Annotated[ShippingAddress, Place("addresses.shipping.", "shipping ", "where a shipping address is given")]
)


class Contact(TypedDict):
    """A contact person of a business."""

    primary: bool
    firstName: Annotated[str, _name("{}first name", "Sarah", _GUIDE_B, K)]
    middleName: NotRequired[Annotated[str, _name("{}middle name", "Jane")]]
    lastName: Annotated[str, _name("{}last name", "Green", _GUIDE_B, K)]
    primaryPhoneNumber: Phone
    primaryEmail: Email


class Individual(TypedDict):
    """A person."""

    type: Annotated[Literal["INDIVIDUAL"], _TYPE]
    externalId: NotRequired[Annotated[str, _EXTERNAL_ID]]
    firstName: Annotated[str, _name("first name", "Sarah", _GUIDE, K)]
    middleName: NotRequired[Annotated[str, _name("middle name", "Jane")]]
    lastName: Annotated[str, _name("last name", "Green", _GUIDE, K)]
    prefix: NotRequired[
        Annotated[
            str,
            CustomerField(
                "Prefix", Kind.TEXT, max_length=40, example="Dr", evidence=SIB, length_evidence=SIB, source=_EWA
            ),
        ]
    ]
    suffix: NotRequired[
        Annotated[
            str,
            CustomerField(
                "Suffix", Kind.TEXT, max_length=40, example="PhD", evidence=SIB, length_evidence=SIB, source=_EWA
            ),
        ]
    ]
    sex: NotRequired[
        Annotated[
            str,
            CustomerField(
                "Sex", Kind.ENUM, values=("MALE", "FEMALE", "NONBINARY"), synonyms=SEXES, example="FEMALE",
                evidence=SIB, source=_OWNER,
            ),
        ]
    ]  # fmt: skip
    gender: NotRequired[
        Annotated[str, CustomerField("Gender", Kind.TEXT, max_length=40, example="woman", evidence=SIB, source=_EWA)]
    ]
    securityQuestion: NotRequired[
        Annotated[
            str,
            CustomerField(
                "Security question", Kind.TEXT, max_length=255, example="First pet?", evidence=SIB, source=_EWA
            ),
        ]
    ]
    primaryPhoneNumber: Phone
    primaryEmail: Email
    dateOfBirth: NotRequired[
        Annotated[str, CustomerField("Date of birth", Kind.DATE, example="1980-01-31", source=_GUIDE)]
    ]
    placeOfBirth: NotRequired[PlaceOfBirth]
    socialIdCountryCode: NotRequired[
        Annotated[
            str,
            CustomerField(
                "Country of the national id", Kind.COUNTRY, condition="where a national id is given", example="USA",
                evidence=SIB, source=_OWNER,
            ),
        ]
    ]  # fmt: skip
    socialId: NotRequired[
        Annotated[
            str,
            CustomerField(
                "Social security or national id", Kind.REFERENCE, country="socialIdCountryCode", max_length=50,
                example="900-00-0000", evidence=SIB, length_evidence=SIB, source=_OWNER,
            ),
        ]
    ]  # fmt: skip
    citizenshipCountryCode: NotRequired[
        Annotated[
            str,
            CustomerField("Citizenship", Kind.COUNTRY, example="USA", evidence=SIB, source="retrieve-a-beneficiary"),
        ]
    ]
    addresses: NotRequired[list[AnyAddress]]
    metadata: NotRequired[dict[str, str]]


class Business(TypedDict):
    """A business with its contact people; exactly one of them is the primary contact."""

    type: Annotated[Literal["BUSINESS"], _TYPE]
    externalId: NotRequired[Annotated[str, _EXTERNAL_ID]]
    businessName: Annotated[
        str,
        CustomerField("Business name", Kind.TEXT, max_length=100, example="Example Bakery", source=_GUIDE_B),
    ]
    legalName: NotRequired[
        Annotated[
            str,
            CustomerField(
                "Legal name", Kind.TEXT, max_length=100, example="Example Bakery LLC", evidence=SIB,
                source="idv-application-object",
            ),
        ]
    ]  # fmt: skip
    website: NotRequired[
        Annotated[
            str,
            CustomerField(
                "Website", Kind.WEBSITE, max_length=100, example="https://bakery.example.com", source=_GUIDE_B
            ),
        ]
    ]
    industryCode: NotRequired[
        Annotated[
            str,
            CustomerField(
                "Industry code", Kind.INDUSTRY, max_length=6, example="001001", length_evidence=SIB, source=_BA
            ),
        ]
    ]
    registeredStateCode: NotRequired[
        Annotated[
            str,
            CustomerField(
                "State of registration", Kind.STATE, max_length=3, example="CA", evidence=SIB, length_evidence=SIB,
                source=_BA,
            ),
        ]
    ]  # fmt: skip
    taxId: NotRequired[
        Annotated[
            str,
            CustomerField("Tax id", Kind.REFERENCE, max_length=50, example="00-0000000", evidence=INF, source=_IDV),
        ]
    ]
    taxIdCountryCode: NotRequired[
        Annotated[str, CustomerField("Country of the tax id", Kind.COUNTRY, example="USA", evidence=INF, source=_IDV)]
    ]
    contacts: list[Annotated[Contact, Place("contacts.primary.", "contact's ")]]
    addresses: NotRequired[list[AnyAddress]]
    metadata: NotRequired[dict[str, str]]
