"""The contract as pydantic models: what the API takes for an INDIVIDUAL and for a BUSINESS.

Attributes are snake_case, aliases bear the API's names. The models normalise as they validate, through the
same readers as every faster path; a validation context may carry a `Policy` under "policy".
Dump with `model_dump(by_alias=True, exclude_none=True)`: blank optionals are never sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

from importer.customers.fields import read
from importer.customers.phones import place_of, read_extension, read_phone
from importer.customers.postal import is_po_box
from importer.customers.reading import Policy
from importer.customers.ruled import Ruled, policy_of, trouble
from importer.customers.rules import (
    FIELDS,
    MAX_METADATA_PAIRS,
    PHONE_ADDRESSES,
    STATE_REQUIRED_IN,
    FieldSpec,
    field_spec,
)

_STREET = "addresses.mailing.streetLine1"


class Body(BaseModel):
    """An object of the API: frozen, no unknown names, API names as aliases."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True
    )


class Phone(Body):
    """A phone number; an extension written behind the number moves to its own place.

    `region` and `country` only say how a number without its country code is read: what the profile names, and the row's
    own country. They are no part of the body.
    """

    region: SkipJsonSchema[Annotated[str, Ruled("primaryPhoneNumber.region")] | None] = Field(None, exclude=True)
    country: SkipJsonSchema[Annotated[str, Ruled("primaryPhoneNumber.country")] | None] = Field(None, exclude=True)
    number: Annotated[str, Ruled("primaryPhoneNumber.number")]
    type: Annotated[str, Ruled("primaryPhoneNumber.type")]
    extension: Annotated[str, Ruled("primaryPhoneNumber.extension")] | None = None
    provider: Annotated[str, Ruled("primaryPhoneNumber.provider")] | None = None

    @model_validator(mode="before")
    @classmethod
    def _split_extension(cls, data: Any, info: ValidationInfo[Any]) -> Any:
        number = data.get("number") if isinstance(data, dict) else None
        if not isinstance(number, str):
            return data
        place = place_of(str(data.get("region") or ""), str(data.get("country") or ""))
        behind = read_phone(number, policy_of(info), place).extension
        if not behind:
            return data
        given = read_extension(str(data.get("extension") or ""))
        if given.value and given.value != behind:
            raise trouble("extension_conflict", FIELDS["primaryPhoneNumber.extension"])
        return data if given.error else {**data, "extension": behind}


class Email(Body):
    """An email address."""

    value: Annotated[str, Ruled("primaryEmail.value")]


class PlaceOfBirth(Body):
    """Where a person was born."""

    city: Annotated[str, Ruled("placeOfBirth.city")] | None = None
    country_code: Annotated[str, Ruled("placeOfBirth.countryCode")] | None = None


class ShippingName(Body):
    """To whom a card or parcel is addressed."""

    first_name: Annotated[str, Ruled("addresses.shipping.name.firstName")]
    middle_name: Annotated[str, Ruled("addresses.shipping.name.middleName")] | None = None
    last_name: Annotated[str, Ruled("addresses.shipping.name.lastName")]


class Address(Body):
    """An address; SHIPPING needs a name, PHYSICAL is no PO box, and the USA and Canada need a state."""

    type: Literal["MAILING", "PHYSICAL", "SHIPPING"]
    name: ShippingName | None = Field(default=None, validate_default=True)
    street_line1: Annotated[str, Ruled(_STREET, "Street")]
    street_line2: Annotated[str, Ruled(_STREET, "Street, line 2")] | None = None
    street_line3: Annotated[str, Ruled(_STREET, "Street, line 3")] | None = None
    street_line4: Annotated[str, Ruled(_STREET, "Street, line 4")] | None = None
    street_line5: Annotated[str, Ruled(_STREET, "Street, line 5")] | None = None
    apartment_number: Annotated[str, Ruled("addresses.mailing.apartmentNumber", "Apartment number")] | None = None
    city_name: Annotated[str, Ruled("addresses.mailing.cityName", "City")] | None = None
    country_code: Annotated[str, Ruled("addresses.mailing.countryCode", "Country")] | None = None
    state_code: Annotated[str, Ruled("addresses.mailing.stateCode", "State")] | None = Field(
        default=None, validate_default=True
    )
    zip_code: Annotated[str, Ruled("addresses.mailing.zipCode", "Postal code")]
    primary: bool = True

    @field_validator("name")
    @classmethod
    def _shipping_has_a_name(cls, value: ShippingName | None, info: ValidationInfo[Any]) -> ShippingName | None:
        if info.data.get("type") != "SHIPPING":
            return None
        if value is None:
            raise trouble("required_missing", FIELDS["addresses.shipping.name.lastName"])
        return value

    @field_validator("street_line1", "street_line2", "street_line3")
    @classmethod
    def _physical_is_no_po_box(cls, value: str | None, info: ValidationInfo[Any]) -> str | None:
        if value and info.data.get("type") == "PHYSICAL" and is_po_box(value):
            raise trouble("po_box_physical", FIELDS["addresses.physical.streetLine1"])
        return value

    @field_validator("state_code")
    @classmethod
    def _some_countries_need_a_state(cls, value: str | None, info: ValidationInfo[Any]) -> str | None:
        if value is None and info.data.get("country_code") in STATE_REQUIRED_IN:
            raise trouble("state_required", FIELDS["addresses.mailing.stateCode"])
        return value


class Contact(Body):
    """A person who speaks for a business."""

    first_name: Annotated[str, Ruled("contacts.primary.firstName")]
    middle_name: Annotated[str, Ruled("contacts.primary.middleName")] | None = None
    last_name: Annotated[str, Ruled("contacts.primary.lastName")]
    primary: bool = True
    primary_phone_number: Phone
    primary_email: Email


class Customer(Body):
    """What both types of customer have."""

    external_id: Annotated[str, Ruled("externalId")] | None = None
    addresses: tuple[Address, ...] | None = None
    metadata: dict[str, str] | None = Field(default=None, max_length=MAX_METADATA_PAIRS)

    @field_validator("addresses")
    @classmethod
    def _one_primary_each(cls, value: tuple[Address, ...] | None) -> tuple[Address, ...] | None:
        for kind in {one.type for one in value or ()}:
            if not _exactly_one(one.primary for one in value or () if one.type == kind):
                raise trouble("addresses_primary")
        return value

    @field_validator("metadata", mode="before")
    @classmethod
    def _few_short_pairs(cls, value: Any, info: ValidationInfo[Any]) -> Any:
        if not isinstance(value, dict):
            return value
        pairs = {key: _metadata_text(str(key), str(text), policy_of(info)) for key, text in value.items()}
        if len(pairs) > MAX_METADATA_PAIRS:
            raise trouble("metadata_too_many")
        return pairs


def _in_country(phone: Any, info: ValidationInfo[Any]) -> Any:
    """Give a phone the country of the customer's address, where nothing else says where it belongs."""
    if not isinstance(phone, dict) or phone.get("country"):
        return phone
    found = {one.type: one.country_code for one in info.data.get("addresses") or () if one.country_code}
    country = next((found[word.upper()] for word in PHONE_ADDRESSES if word.upper() in found), None)
    return {**phone, "country": country} if country else phone


def _metadata_text(key: str, text: str, policy: Policy) -> str:
    spec: FieldSpec | None = field_spec(f"metadata.{key}")
    if spec is None:
        raise trouble("metadata_key_invalid")
    reading = read(spec, text, policy)
    if reading.error or not reading.value:
        raise trouble(reading.error or "required_missing", spec)
    return reading.value


def _exactly_one(marks: Iterable[bool]) -> bool:
    return Counter(marks)[True] == 1


class Individual(Customer):
    """A person."""

    type: Literal["INDIVIDUAL"] = "INDIVIDUAL"
    first_name: Annotated[str, Ruled("firstName")]
    middle_name: Annotated[str, Ruled("middleName")] | None = None
    last_name: Annotated[str, Ruled("lastName")]
    prefix: Annotated[str, Ruled("prefix")] | None = None
    suffix: Annotated[str, Ruled("suffix")] | None = None
    sex: Annotated[str, Ruled("sex")] | None = None
    gender: Annotated[str, Ruled("gender")] | None = None
    security_question: Annotated[str, Ruled("securityQuestion")] | None = None
    primary_phone_number: Phone
    primary_email: Email
    date_of_birth: Annotated[str, Ruled("dateOfBirth")] | None = None
    place_of_birth: PlaceOfBirth | None = None
    social_id: Annotated[str, Ruled("socialId")] | None = None
    social_id_country_code: Annotated[str, Ruled("socialIdCountryCode")] | None = Field(
        default=None, validate_default=True
    )
    citizenship_country_code: Annotated[str, Ruled("citizenshipCountryCode")] | None = None

    @field_validator("primary_phone_number", mode="before")
    @classmethod
    def _the_phone_is_of_the_address(cls, value: Any, info: ValidationInfo[Any]) -> Any:
        return _in_country(value, info)

    @field_validator("social_id_country_code")
    @classmethod
    def _id_comes_with_its_country(cls, value: str | None, info: ValidationInfo[Any]) -> str | None:
        if value is None and info.data.get("social_id"):
            raise trouble("social_id_country_missing", FIELDS["socialIdCountryCode"])
        return value


class Business(Customer):
    """A business with the people who speak for it."""

    type: Literal["BUSINESS"] = "BUSINESS"
    business_name: Annotated[str, Ruled("businessName")]
    legal_name: Annotated[str, Ruled("legalName")] | None = None
    website: Annotated[str, Ruled("website")] | None = None
    industry_code: Annotated[str, Ruled("industryCode")] | None = None
    registered_state_code: Annotated[str, Ruled("registeredStateCode")] | None = None
    tax_id: Annotated[str, Ruled("taxId")] | None = None
    tax_id_country_code: Annotated[str, Ruled("taxIdCountryCode")] | None = None
    contacts: tuple[Contact, ...] = Field(json_schema_extra={"minItems": 1})

    @field_validator("contacts", mode="before")
    @classmethod
    def _phones_are_of_the_address(cls, value: Any, info: ValidationInfo[Any]) -> Any:
        if not isinstance(value, list | tuple):
            return value
        phones = ("primaryPhoneNumber", "primary_phone_number")
        return [
            {**one, **{name: _in_country(one[name], info) for name in phones if name in one}}
            if isinstance(one, dict)
            else one
            for one in value
        ]

    @field_validator("contacts")
    @classmethod
    def _one_primary_contact(cls, value: tuple[Contact, ...]) -> tuple[Contact, ...]:
        if not _exactly_one(one.primary for one in value):
            raise trouble("contacts_primary")
        return value


AnyCustomer = Annotated[Individual | Business, Field(discriminator="type")]


def json_schema() -> dict[str, Any]:
    """Describe both types of customer as one JSON Schema (draft 2020-12)."""
    schema = TypeAdapter(AnyCustomer).json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Customer", **schema}
