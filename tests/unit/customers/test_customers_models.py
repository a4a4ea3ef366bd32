"""The models: what the API takes, what it never gets, and the schema of it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from importer.customers import json_schema
from importer.customers.models import Business, Individual
from importer.customers.reading import Policy
from importer.customers.rules import CustomerType
from importer.customers.shape import nest

SARAH: dict[str, Any] = {
    "type": "INDIVIDUAL",
    "firstName": "Sarah",
    "lastName": "Green",
    "primaryPhoneNumber": {"number": "+15556589", "type": "MOBILE"},
    "primaryEmail": {"value": "sgreen@abc.com"},
}
BAKERY: dict[str, Any] = {
    "type": "BUSINESS",
    "businessName": "Example Bakery",
    "contacts": [{**{name: SARAH[name] for name in SARAH if name != "type"}, "primary": True}],
}
HOME = {
    "type": "PHYSICAL",
    "streetLine1": "12 Example Street",
    "zipCode": "62701",
    "countryCode": "USA",
    "stateCode": "IL",
}


def codes(model: type[Individual | Business], body: dict[str, Any], **context: Any) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body, context=context)
    return {error["type"] for error in caught.value.errors()}


def dump(customer: Individual | Business) -> dict[str, Any]:
    return customer.model_dump(by_alias=True, exclude_none=True, mode="json")


def test_the_vendors_own_example_is_valid_and_dumps_to_itself() -> None:
    assert dump(Individual.model_validate(SARAH)) == SARAH


def test_attributes_are_snake_case() -> None:
    assert Individual.model_validate(SARAH).primary_phone_number.number == "+15556589"


def test_a_business_has_one_primary_contact() -> None:
    assert dump(Business.model_validate(BAKERY)) == BAKERY
    assert codes(Business, {**BAKERY, "contacts": []}) == {"contacts_primary"}
    assert codes(Business, {**BAKERY, "contacts": BAKERY["contacts"] * 2}) == {"contacts_primary"}


def test_texts_are_normalised_on_the_way_in() -> None:
    body = {**SARAH, "firstName": " Sarah\u00a0", "primaryEmail": {"value": "sgreen@ABC.com"}}
    assert dump(Individual.model_validate(body)) == SARAH


def test_names_that_the_api_does_not_know_are_refused() -> None:
    assert codes(Individual, {**SARAH, "nickname": "Sally"}) == {"extra_forbidden"}


def test_all_errors_come_at_once() -> None:
    body = {**SARAH, "firstName": " ", "primaryEmail": {"value": "?"}, "sex": "?", "dateOfBirth": "31.1.1980"}
    assert codes(Individual, body) == {"required_missing", "email_invalid", "enum_unknown", "date_invalid"}


def test_customers_are_frozen() -> None:
    with pytest.raises(ValidationError):
        setattr(Individual.model_validate(SARAH), "first_name", "Other")  # noqa: B010 - a plain one is a type error


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ({**HOME, "streetLine1": "PO Box 12"}, "po_box_physical"),
        ({**HOME, "streetLine2": "P.O. Box 12"}, "po_box_physical"),
        ({**HOME, "stateCode": None}, "state_required"),
        ({**HOME, "stateCode": "ZZ"}, "state_unknown"),
        ({**HOME, "countryCode": "CAN"}, "state_unknown"),
        ({**HOME, "zipCode": None}, "string_type"),
        ({**HOME, "type": "SHIPPING"}, "required_missing"),
        ({**HOME, "type": "RESIDENTIAL"}, "literal_error"),
        ({**HOME, "cityName": "x" * 26}, "too_long"),
    ],
)
def test_addresses_keep_their_rules(address: dict[str, Any], code: str) -> None:
    assert codes(Individual, {**SARAH, "addresses": [address]}) == {code}


def test_a_mailing_address_may_be_a_po_box() -> None:
    address = {**HOME, "type": "MAILING", "streetLine1": "PO Box 12"}
    assert dump(Individual.model_validate({**SARAH, "addresses": [address]}))


def test_a_name_is_dropped_where_the_api_ignores_it() -> None:
    customer = Individual.model_validate(
        {**SARAH, "addresses": [{**HOME, "name": {"firstName": "A", "lastName": "B"}}]}
    )
    assert "name" not in dump(customer)["addresses"][0]


def test_each_type_of_address_has_one_primary() -> None:
    assert codes(Individual, {**SARAH, "addresses": [HOME, HOME]}) == {"addresses_primary"}
    assert codes(Individual, {**SARAH, "addresses": [{**HOME, "primary": False}]}) == {"addresses_primary"}
    assert dump(Individual.model_validate({**SARAH, "addresses": [HOME, {**HOME, "primary": False}]}))


def test_a_national_id_needs_its_country() -> None:
    assert codes(Individual, {**SARAH, "socialId": "900-00-0000"}) == {"social_id_country_missing"}
    assert dump(Individual.model_validate({**SARAH, "socialId": "900-00-0000", "socialIdCountryCode": "US"}))


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({str(n): "x" for n in range(6)}, "metadata_too_many"),
        ({"a b": "x"}, "metadata_key_invalid"),
        ({"a": "x" * 1025}, "too_long"),
        ({"a": ""}, "required_missing"),
    ],
)
def test_metadata_are_five_short_pairs(metadata: dict[str, str], code: str) -> None:
    assert codes(Individual, {**SARAH, "metadata": metadata}) == {code}


def test_an_extension_behind_the_number_moves_to_its_place() -> None:
    phone = {"number": "212 555 0123 x45", "type": "WORK"}
    customer = Individual.model_validate({**SARAH, "primaryPhoneNumber": phone})
    assert dump(customer)["primaryPhoneNumber"] == {"number": "+12125550123", "type": "WORK", "extension": "45"}
    assert codes(Individual, {**SARAH, "primaryPhoneNumber": {**phone, "extension": "46"}}) == {"extension_conflict"}


def test_a_policy_travels_in_the_context() -> None:
    policy = Policy(phone="valid", region="GB", today=date(2026, 11, 22))
    assert codes(Individual, SARAH, policy=policy) == {"phone_not_valid"}
    assert codes(Individual, {**SARAH, "dateOfBirth": "2027-01-01"}, policy=policy) >= {"date_not_past"}
    phone = {"number": "020 7946 0958", "type": "WORK"}
    customer = Individual.model_validate({**SARAH, "primaryPhoneNumber": phone}, context={"policy": policy})
    assert customer.primary_phone_number.number == "+442079460958"


def test_messages_never_hold_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        Individual.model_validate({**SARAH, "primaryEmail": {"value": "secret-value"}})
    assert all("secret-value" not in error["msg"] for error in caught.value.errors())


def test_the_schema_describes_both_types_in_the_apis_names() -> None:
    schema = json_schema()
    assert set(schema["$defs"]) >= {"Individual", "Business", "Address", "Phone", "Contact"}
    individual = schema["$defs"]["Individual"]
    assert individual["required"] == ["firstName", "lastName", "primaryPhoneNumber", "primaryEmail"]
    assert individual["properties"]["firstName"]["maxLength"] == 40
    assert schema["$defs"]["Phone"]["properties"]["type"]["enum"] == ["WORK", "HOME", "MOBILE"]
    assert individual["additionalProperties"] is False
    assert json.loads(json.dumps(schema)) == schema


def test_a_row_of_dotted_names_nests_into_a_body() -> None:
    row = {
        "type": "INDIVIDUAL", "firstName": "Sarah", "lastName": "Green", "middleName": " ", "businessName": "Other",
        "primaryPhoneNumber.number": "+15556589", "primaryPhoneNumber.type": "MOBILE",
        "primaryEmail.value": "s@abc.com", "addresses.mailing.countryCode": "USA",
        "addresses.shipping.zipCode": "62701", "metadata.a.b": "x",
    }  # fmt: skip
    assert nest(row, CustomerType.INDIVIDUAL) == {
        **SARAH,
        "primaryPhoneNumber": {"number": "+15556589", "type": "MOBILE", "country": "USA"},
        "primaryEmail": {"value": "s@abc.com"},
        "addresses": [{"type": "SHIPPING", "primary": True, "zipCode": "62701", "name": {}}],
        "metadata": {"a.b": "x"},
    }


# --------------------------------------------------------------------------- where phone numbers belong


LONDON = {"type": "PHYSICAL", "streetLine1": "1 Example Street", "zipCode": "SW1A 1AA", "countryCode": "GB"}
NEW_YORK = {
    "type": "MAILING",
    "streetLine1": "1 Example Street",
    "zipCode": "10001",
    "countryCode": "USA",
    "stateCode": "NY",
}


def test_a_phone_number_belongs_to_the_country_of_the_address() -> None:
    phone = {"number": "020 7946 0958", "type": "MOBILE"}
    person = Individual.model_validate({**SARAH, "primaryPhoneNumber": phone, "addresses": [NEW_YORK, LONDON]})
    assert person.model_dump(by_alias=True, exclude_none=True)["primaryPhoneNumber"] == {
        "number": "+442079460958",
        "type": "MOBILE",
    }


def test_a_contacts_phone_number_belongs_to_the_country_of_the_business() -> None:
    contact = {**BAKERY["contacts"][0], "primaryPhoneNumber": {"number": "020 7946 0958", "type": "WORK"}}
    bakery = Business.model_validate({**BAKERY, "contacts": [contact], "addresses": [LONDON]})
    assert bakery.contacts[0].primary_phone_number.number == "+442079460958"


def test_a_region_beside_the_number_goes_before_the_address_and_is_no_part_of_the_contract() -> None:
    phone = {"number": "(212) 555-0123", "type": "MOBILE", "region": "US"}
    person = Individual.model_validate({**SARAH, "primaryPhoneNumber": phone, "addresses": [LONDON]})
    assert person.primary_phone_number.number == "+12125550123"
    described = json_schema()["$defs"]["Phone"]["properties"]
    assert set(described) == {"number", "type", "extension", "provider"}


def test_a_number_of_the_default_country_alone_is_refused_with_both_names() -> None:
    phone = {"number": "(212) 555-0123", "type": "MOBILE"}
    with pytest.raises(ValidationError) as refused:
        Individual.model_validate({**SARAH, "primaryPhoneNumber": phone, "addresses": [LONDON]})
    (error,) = refused.value.errors()
    assert error["type"] == "phone_other_country"
    assert "United Kingdom" in error["msg"]
    assert "United States" in error["msg"]
