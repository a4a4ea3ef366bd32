"""What a row brings beside its customer, for the steps after the create: limits, beneficial owners, documents.

Declares only, as `customer` does. The body of a create does not hold these members. Annotations are data here.
"""

from types import MappingProxyType
from typing import Annotated, NotRequired, TypedDict

from importer.core.contract import Evidence, Kind
from importer.customers import customer
from importer.customers.customer import SEXES, SIB, Email, K, Phone, PhysicalAddress, PlaceOfBirth
from importer.customers.specs import MAX_OWNERS, CustomerField, Place

_LIMITS = "transaction-limits-object"
_OWNER = "ca-beneficial-owner-object"
_ADD_OWNER = "ca-create-beneficial-owner"
_DOCUMENT = "create-a-document"

# --------------------------------------------------------------------------- limits


def _limit(period: str) -> CustomerField:
    return CustomerField(f"{period} limit", Kind.AMOUNT, country="currency", example="1000.00", source=_LIMITS)


class Limits(TypedDict):
    """Transaction limits, all in one currency: USD where nothing says another."""

    currency: NotRequired[
        Annotated[str, CustomerField("Currency of the limits", Kind.CURRENCY, example="USD", source=_LIMITS)]
    ]
    single: NotRequired[Annotated[str, _limit("single transaction")]]
    daily: NotRequired[Annotated[str, _limit("daily")]]
    weekly: NotRequired[Annotated[str, _limit("weekly")]]
    monthly: NotRequired[Annotated[str, _limit("monthly")]]


# --------------------------------------------------------------------------- beneficial owners

_YES_NO = MappingProxyType(
    {
        "TRUE": "true", "YES": "true", "Y": "true", "1": "true", "X": "true", "T": "true",
        "FALSE": "false", "NO": "false", "N": "false", "0": "false", "F": "false",
    }
)  # fmt: skip


def _name(label: str, example: str, evidence: Evidence = K) -> CustomerField:
    return CustomerField(
        label, Kind.NAME, max_length=40, example=example, evidence=evidence, length_evidence=SIB, source=_ADD_OWNER
    )


class Owner(TypedDict):
    """A beneficial owner of a business."""

    firstName: Annotated[str, _name("{}first name", "Sarah")]
    middleName: NotRequired[Annotated[str, _name("{}middle name", "Jane")]]
    lastName: Annotated[str, _name("{}last name", "Green")]
    sex: NotRequired[
        Annotated[
            str,
            CustomerField(
                "{}sex", Kind.ENUM, values=("MALE", "FEMALE", "NONBINARY"), synonyms=SEXES, example="FEMALE",
                source=_OWNER,
            ),
        ]
    ]  # fmt: skip
    primaryPhoneNumber: NotRequired[Annotated[Phone, Place(needed="where a phone number of the owner is given")]]
    primaryEmail: NotRequired[Annotated[Email, Place(needed="where an email address of the owner is given")]]
    dateOfBirth: NotRequired[
        Annotated[str, CustomerField("{}date of birth", Kind.DATE, example="1980-01-31", source=_OWNER)]
    ]
    placeOfBirth: NotRequired[PlaceOfBirth]
    socialIdCountryCode: NotRequired[
        Annotated[
            str,
            CustomerField(
                "Country of {}national id", Kind.COUNTRY, condition="where a national id is given", example="USA",
                source=_OWNER,
            ),
        ]
    ]  # fmt: skip
    socialId: NotRequired[
        Annotated[
            str,
            CustomerField(
                "{}social security or national id", Kind.REFERENCE, country="socialIdCountryCode", max_length=50,
                example="900-00-0000", length_evidence=K, source=_OWNER,
            ),
        ]
    ]  # fmt: skip
    citizenshipCountryCode: NotRequired[
        Annotated[str, CustomerField("{}citizenship", Kind.COUNTRY, example="USA", source="retrieve-a-beneficiary")]
    ]
    title: NotRequired[
        Annotated[str, CustomerField("{}title", Kind.TEXT, max_length=40, example="Director", source=_OWNER)]
    ]
    ownershipPercentage: NotRequired[
        Annotated[str, CustomerField("{}share in percent", Kind.PERCENTAGE, example="25", source=_OWNER)]
    ]
    controller: NotRequired[
        Annotated[
            str,
            CustomerField(
                "Whether {}role is to control the business", Kind.BOOLEAN, values=("true", "false"), synonyms=_YES_NO,
                example="true", source=_OWNER,
            ),
        ]
    ]  # fmt: skip
    addresses: NotRequired[
        list[
            Annotated[
                PhysicalAddress,
                Place("addresses.physical.", "physical ", "where an address of the owner is given", po_boxes=False),
            ]
        ]
    ]


def _place_of_owner(number: int) -> Place:
    return Place(owner=f"beneficial owner {number}'s ", needed=f"where beneficial owner {number} is given")


Owners = TypedDict(  # type: ignore[misc]  # mypy wants the members literally
    "Owners",
    {str(number): NotRequired[Annotated[Owner, _place_of_owner(number)]] for number in range(1, MAX_OWNERS + 1)},
)
"""The beneficial owners of a business, numbered from 1."""

# --------------------------------------------------------------------------- documents


def _file(example: str) -> CustomerField:
    return CustomerField("file of {}", Kind.FILE, example=example, source=_DOCUMENT)


def _number() -> CustomerField:
    return CustomerField("number of {}", Kind.REFERENCE, max_length=50, example="X0000000", source=_DOCUMENT)


def _country() -> CustomerField:
    return CustomerField("issuing country of {}", Kind.COUNTRY, example="USA", length_evidence=K, source=_DOCUMENT)


def _description() -> CustomerField:
    return CustomerField(
        "description of {}", Kind.TEXT, max_length=100, example="Certificate of formation", length_evidence=K,
        source=_DOCUMENT,
    )  # fmt: skip


class _Scan(TypedDict):
    """What every document has."""

    file: Annotated[str, _file("scans/0001.pdf")]


class _Numbered(_Scan):
    """What has a number of a country."""

    number: Annotated[str, _number()]
    issuingCountryCode: Annotated[str, _country()]


class _Dated(TypedDict):
    """What every document may have."""

    issuingDate: NotRequired[
        Annotated[str, CustomerField("issuing date of {}", Kind.DATE, example="2020-01-31", source=_DOCUMENT)]
    ]
    expiryDate: NotRequired[
        Annotated[
            str,
            CustomerField("expiry date of {}", Kind.DATE, in_future=True, example="2099-01-31", source=_DOCUMENT),
        ]
    ]
    name: NotRequired[
        Annotated[
            str,
            CustomerField("name of {}", Kind.TEXT, max_length=40, example="Scan", length_evidence=K, source=_DOCUMENT),
        ]
    ]


class Identification(_Numbered, _Dated):
    """A document that a person is identified by."""

    issuingStateCode: NotRequired[
        Annotated[
            str,
            CustomerField(
                "issuing state of {}", Kind.STATE, country="issuingCountryCode", max_length=3, example="IL",
                source=_DOCUMENT,
            ),
        ]
    ]  # fmt: skip
    description: NotRequired[Annotated[str, _description()]]


class Record(_Scan, _Dated):
    """Any other document; it needs a description."""

    description: Annotated[str, _description()]
    number: NotRequired[Annotated[str, _number()]]
    issuingCountryCode: NotRequired[Annotated[str, _country()]]


class DocumentsOfPerson(TypedDict):
    """The documents of a person."""

    passport: NotRequired[Annotated[Identification, Place(owner="the passport", needed="where a passport is given")]]
    drivingLicense: NotRequired[
        Annotated[Identification, Place(owner="the driving license", needed="where a driving license is given")]
    ]
    other: NotRequired[Annotated[Record, Place(owner="the other document", needed="where another document is given")]]


class DocumentsOfBusiness(TypedDict):
    """The documents of a business."""

    formation: NotRequired[
        Annotated[Record, Place(owner="the formation document", needed="where a formation document is given")]
    ]
    tax: NotRequired[Annotated[Record, Place(owner="the tax document", needed="where a tax document is given")]]
    ownership: NotRequired[
        Annotated[Record, Place(owner="the ownership document", needed="where an ownership document is given")]
    ]
    other: NotRequired[Annotated[Record, Place(owner="the other document", needed="where another document is given")]]


# --------------------------------------------------------------------------- customers


class Individual(customer.Individual):
    """A person."""

    limits: NotRequired[Limits]
    documents: NotRequired[DocumentsOfPerson]


class Business(customer.Business):
    """A business with its contact people; exactly one of them is the primary contact."""

    limits: NotRequired[Limits]
    beneficiaries: NotRequired[Owners]
    documents: NotRequired[DocumentsOfBusiness]
