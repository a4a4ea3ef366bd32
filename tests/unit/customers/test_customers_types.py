"""The types: what the API takes, what it never gets, and the schema of it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, NamedTuple

import pytest
from pydantic import ValidationError

from importer.core.contract import Notes, Policy
from importer.customers.notes import CustomerNotes
from importer.customers.rules import FIELDS, message
from importer.customers.specs import ADDRESS_TYPES, CustomerType
from importer.customers.types import customer_adapter, json_schema

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
    "primary": True,
}

INDIVIDUAL, BUSINESS = CustomerType
STANDARD = Policy()


class Problem(NamedTuple):
    """One thing that is wrong with a customer: an issue code, the field's dotted name, and names of two countries."""

    code: str
    field: str
    countries: tuple[str, ...]


def problems(error: ValidationError) -> list[Problem]:
    """List what readers and rules refused; that a text is not plainly clean, too, is not reported."""
    lines = error.errors(include_url=False, include_input=False)
    return [
        Problem(line["type"], line["ctx"]["field"], line["ctx"]["countries"])
        for line in lines
        if "ctx" in line and "countries" in line["ctx"]
    ]


def errors(body: dict[str, Any], policy: Policy = STANDARD) -> list[tuple[str, str]]:
    """Code and field of everything that is wrong with a body."""
    with pytest.raises(ValidationError) as caught:
        sent(body, policy)
    return [problem[:2] for problem in problems(caught.value)]


def codes(body: dict[str, Any], policy: Policy = STANDARD) -> set[str]:
    return {code for code, _ in errors(body, policy)}


def sent(body: dict[str, Any], policy: Policy = STANDARD, notes: Notes | None = None) -> dict[str, Any]:
    """What pydantic writes of a body."""
    adapter = customer_adapter(CustomerType(body["type"]), policy)
    found: dict[str, Any] = json.loads(adapter.dump_json(adapter.validate_python(body, context=notes)))
    return found


def test_the_vendors_own_example_is_valid_and_dumps_to_itself() -> None:
    assert sent(SARAH) == SARAH


def test_a_business_has_one_primary_contact() -> None:
    assert sent(BAKERY) == BAKERY
    assert codes({**BAKERY, "contacts": []}) == {"contacts_primary"}
    assert codes({**BAKERY, "contacts": BAKERY["contacts"] * 2}) == {"contacts_primary"}


def test_texts_are_normalised_on_the_way_in() -> None:
    body = {**SARAH, "firstName": " Sarah\u00a0", "primaryEmail": {"value": "sgreen@ABC.com"}}
    assert sent(body) == SARAH


def test_names_that_the_api_does_not_know_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        sent({**SARAH, "nickname": "Sally"})


def test_all_errors_come_at_once() -> None:
    body = {**SARAH, "firstName": " ", "primaryEmail": {"value": "?"}, "sex": "?", "dateOfBirth": "31.1.1980"}
    assert codes(body) == {"required_missing", "email_invalid", "enum_unknown", "date_invalid"}


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ({**HOME, "streetLine1": "PO Box 12"}, "po_box_physical"),
        ({**HOME, "streetLine2": "P.O. Box 12"}, "po_box_physical"),
        ({**HOME, "stateCode": ""}, "state_required"),
        ({name: HOME[name] for name in HOME if name != "stateCode"}, "state_required"),
        ({**HOME, "stateCode": "ZZ"}, "state_unknown"),
        ({**HOME, "countryCode": "CAN"}, "state_unknown"),
        ({**HOME, "zipCode": " "}, "required_missing"),
        ({**HOME, "type": "SHIPPING", "name": {"firstName": "A", "lastName": ""}}, "required_missing"),
        ({**HOME, "cityName": "x" * 26}, "too_long"),
    ],
)
def test_addresses_keep_their_rules(address: dict[str, Any], code: str) -> None:
    assert codes({**SARAH, "addresses": [address]}) == {code}


def test_a_mailing_address_may_be_a_po_box() -> None:
    address = {**HOME, "type": "MAILING", "streetLine1": "PO Box 12"}
    assert sent({**SARAH, "addresses": [address]})


def test_each_type_of_address_has_one_primary() -> None:
    assert codes({**SARAH, "addresses": [HOME, HOME]}) == {"addresses_primary"}
    assert codes({**SARAH, "addresses": [{**HOME, "primary": False}]}) == {"addresses_primary"}
    assert sent({**SARAH, "addresses": [HOME, {**HOME, "primary": False}]})


def test_a_national_id_needs_its_country() -> None:
    assert codes({**SARAH, "socialId": "900-00-0000"}) == {"social_id_country_missing"}
    assert sent({**SARAH, "socialId": "900-00-0000", "socialIdCountryCode": "US"})


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({str(n): "x" for n in range(6)}, "metadata_too_many"),
        ({"a b": "x"}, "metadata_key_invalid"),
        ({"a": "x" * 1025}, "too_long"),
    ],
)
def test_metadata_are_five_short_pairs(metadata: dict[str, str], code: str) -> None:
    assert codes({**SARAH, "metadata": metadata}) == {code}


def test_an_extension_behind_the_number_moves_to_its_place() -> None:
    phone = {"number": "212 555 0123 x45", "type": "WORK"}
    found = sent({**SARAH, "primaryPhoneNumber": phone})["primaryPhoneNumber"]
    assert found == {"number": "+12125550123", "type": "WORK", "extension": "45"}
    assert codes({**SARAH, "primaryPhoneNumber": {**phone, "extension": "46"}}) == {"extension_conflict"}


def test_a_policy_decides_how_strict_the_types_are() -> None:
    policy = Policy(phone="valid", region="GB", today=date(2026, 11, 22))
    assert codes(SARAH, policy) == {"phone_not_valid"}
    assert codes({**SARAH, "dateOfBirth": "2027-01-01"}, policy) == {"phone_not_valid", "date_not_past"}
    phone = {"number": "020 7946 0958", "type": "WORK"}
    assert sent({**SARAH, "primaryPhoneNumber": phone}, policy)["primaryPhoneNumber"]["number"] == "+442079460958"


def test_errors_never_hold_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        sent({**SARAH, "primaryEmail": {"value": "secret-value"}})
    lines = caught.value.errors(include_input=False)
    assert "secret-value" not in str(lines)
    assert message("email_invalid", FIELDS["primaryEmail.value"]) in [line["msg"] for line in lines]


def test_what_readers_say_is_noted_by_field_and_row() -> None:
    notes = Notes()
    notes.place = 7
    sent({**SARAH, "firstName": " X9 "}, notes=notes)
    assert dict(notes.warnings) == {
        ("name_unusual", "firstName", ()): [7],
        ("phone_local_only", "primaryPhoneNumber.number", ()): [7],
    }
    assert notes.changes == {("trim", "firstName"): ([7], [" X9 "], ["X9"])}


def test_the_schema_describes_both_types_in_the_apis_names() -> None:
    schema = json_schema()
    assert set(schema["$defs"]) >= {"Individual", "Business", "Phone", "Email", "Contact", "ContactPhone"}
    individual = schema["$defs"]["Individual"]
    assert individual["required"] == ["type", "firstName", "lastName", "primaryPhoneNumber", "primaryEmail"]
    assert individual["properties"]["firstName"]["maxLength"] == 40
    assert schema["$defs"]["Phone"]["properties"]["type"]["enum"] == ["WORK", "HOME", "MOBILE"]
    address = individual["properties"]["addresses"]["items"]
    assert set(address["discriminator"]["mapping"]) == set(ADDRESS_TYPES.values())
    assert individual["properties"]["metadata"]["maxProperties"] == 5
    assert individual["additionalProperties"] is False
    assert json.loads(json.dumps(schema)) == schema


# --------------------------------------------------------------------------- where phone numbers belong


def phone_of(body: dict[str, Any], notes: Notes | None = None) -> str:
    return str(sent(body, notes=notes)["primaryPhoneNumber"]["number"])


def with_phone(number: str, **more: str) -> dict[str, Any]:
    return {**SARAH, "primaryPhoneNumber": {"number": number, "type": "MOBILE", **more}}


def test_a_phone_number_belongs_to_the_country_that_its_row_names() -> None:
    body = with_phone("020 7946 0958")
    assert phone_of(body, CustomerNotes(countries=[[""], ["GB"]])) == "+442079460958"
    assert phone_of(with_phone("020 7946 0958", country="GBR")) == "+442079460958"


def test_a_region_beside_the_number_goes_before_the_address_and_is_not_part_of_the_contract() -> None:
    body = with_phone("(212) 555-0123", region="US", country="GB")
    assert phone_of(body) == "+12125550123"
    assert set(sent(body)["primaryPhoneNumber"]) == {"number", "type"}
    described = json_schema()["$defs"]["Phone"]["properties"]
    assert set(described) == {"number", "type", "extension", "provider"}


def test_a_number_of_the_default_country_alone_is_refused_with_both_names() -> None:
    with pytest.raises(ValidationError) as refused:
        sent(with_phone("(212) 555-0123", country="GB"))
    (problem,) = problems(refused.value)
    assert problem.code == "phone_other_country"
    assert problem.countries == ("United Kingdom", "United States")
