"""A row is merged into a customer: what it names is changed, nothing else, and nothing that is hidden is written."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from importer.customers.update import FieldChange, merge

KEY = "0123456789abcdef" * 2
CUSTOMER: dict[str, Any] = {
    "id": "6f2c",
    "status": "ACTIVE",
    "createdBy": {"id": "", "type": "service-account"},
    "createdAt": "2026-11-22T00:00:00.000Z",
    "updatedBy": {"id": "", "type": "service-account"},
    "updatedAt": "2026-11-22T00:00:00.000Z",
    "verificationStatus": {"status": "UNVERIFIED"},
    "type": "INDIVIDUAL",
    "externalId": "L-1",
    "firstName": "Sarah",
    "middleName": "",
    "lastName": "Green",
    "futureField": {"kept": "as it is", "blank": ""},
    "primaryPhoneNumber": {"number": "+12125550123", "type": "MOBILE", "extension": "45", "verified": False},
    "primaryEmail": {"value": "Sarah@example.com", "verified": True},
    "addresses": [
        {"type": "MAILING", "primary": False, "streetLine1": "9 Old Road", "streetLine2": "", "zipCode": "62703"},
        {"type": "MAILING", "primary": True, "streetLine1": "12 Example Street", "zipCode": "62701"},
        {"type": "PHYSICAL", "primary": True, "streetLine1": "1 Other Street", "zipCode": "62702"},
    ],
    "metadata": {"importKey": "f" * 32, "legacy": "crm"},
}
WRITTEN: dict[str, Any] = {
    "type": "INDIVIDUAL",
    "externalId": "L-1",
    "firstName": "Sarah",
    "lastName": "Green",
    "futureField": {"kept": "as it is"},
    "primaryPhoneNumber": {"number": "+12125550123", "type": "MOBILE", "extension": "45"},
    "primaryEmail": {"value": "Sarah@example.com"},
    "addresses": [
        {"type": "MAILING", "primary": False, "streetLine1": "9 Old Road", "zipCode": "62703"},
        {"type": "MAILING", "primary": True, "streetLine1": "12 Example Street", "zipCode": "62701"},
        {"type": "PHYSICAL", "primary": True, "streetLine1": "1 Other Street", "zipCode": "62702"},
    ],
    "metadata": {"importKey": "f" * 32, "legacy": "crm"},
}
BUSINESS: dict[str, Any] = {
    "type": "BUSINESS",
    "businessName": "Example Bakery",
    "contacts": [
        {"primary": False, "firstName": "Max", "lastName": "Blue"},
        {"primary": True, "firstName": "Sarah", "lastName": "Green", "primaryEmail": {"value": "a@example.com"}},
    ],
}


def test_all_that_was_read_is_written_back_but_for_what_the_server_owns() -> None:
    found = merge(CUSTOMER, {"lastName": "Brown"}, KEY)
    assert found.body == {**WRITTEN, "lastName": "Brown"}
    assert found.changes == (FieldChange("lastName", "Green", "Brown"),)
    assert found.errors == ()


def test_a_customer_that_is_as_the_row_says_has_no_change() -> None:
    row = {
        "firstName": "Sarah",
        "primaryEmail": {"value": "sarah@example.com"},
        "primaryPhoneNumber": {"number": "+1 212 555 0123"},
        "addresses": [{"type": "MAILING", "primary": True, "zipCode": "62701"}],
        "metadata": {"Legacy": "crm", "importKey": KEY},
    }
    assert merge(CUSTOMER, row, KEY).changes == ()


def test_the_customer_that_was_read_stays_as_it_is() -> None:
    before = copy.deepcopy(CUSTOMER)
    merge(CUSTOMER, {"lastName": "Brown", "addresses": [{"type": "MAILING", "zipCode": "1"}]}, KEY)
    assert before == CUSTOMER


def test_objects_are_merged_member_by_member() -> None:
    found = merge(CUSTOMER, {"primaryPhoneNumber": {"type": "WORK"}}, KEY)
    assert found.body["primaryPhoneNumber"] == {"number": "+12125550123", "type": "WORK", "extension": "45"}


def test_an_address_is_merged_into_the_primary_one_of_its_type() -> None:
    row = {"addresses": [{"type": "MAILING", "primary": True, "cityName": "Springfield"}]}
    found = merge(CUSTOMER, row, KEY)
    old, mailing, physical = found.body["addresses"]
    assert (old, physical) == (WRITTEN["addresses"][0], WRITTEN["addresses"][2])
    assert mailing == {**WRITTEN["addresses"][1], "cityName": "Springfield"}
    assert found.changes == (FieldChange("addresses.mailing.cityName", "", "Springfield"),)


def test_an_address_of_another_type_is_added() -> None:
    new = {"type": "SHIPPING", "primary": True, "streetLine1": "3 New Street", "zipCode": "62704"}
    found = merge(CUSTOMER, {"addresses": [new]}, KEY)
    assert found.body["addresses"] == [*WRITTEN["addresses"], new]
    assert [one.name for one in found.changes] == ["addresses.shipping.streetLine1", "addresses.shipping.zipCode"]


def test_the_main_contact_is_merged_into_the_primary_one() -> None:
    row = {"contacts": [{"primary": True, "primaryEmail": {"value": "b@example.com"}}]}
    found = merge(BUSINESS, row, KEY)
    assert found.body["contacts"] == [
        {"primary": False, "firstName": "Max", "lastName": "Blue"},
        {"primary": True, "firstName": "Sarah", "lastName": "Green", "primaryEmail": {"value": "b@example.com"}},
    ]
    assert found.changes == (FieldChange("contacts.primary.primaryEmail.value", "a@example.com", "b@example.com"),)


def test_a_further_contact_is_found_by_its_name_or_added() -> None:
    row = {
        "contacts": [
            {"primary": True, "firstName": "Sarah", "lastName": "Green"},
            {"primary": False, "firstName": "Max", "lastName": "Blue", "middleName": "Lee"},
            {"primary": False, "firstName": "Eva", "lastName": "Grey"},
        ]
    }
    contacts = merge(BUSINESS, row, KEY).body["contacts"]
    assert [(one["firstName"], one.get("middleName")) for one in contacts] == [
        ("Max", "Lee"),
        ("Sarah", None),
        ("Eva", None),
    ]


def test_metadata_that_somebody_else_keeps_stay_as_they_are() -> None:
    held = {"importKey": "f" * 32, "verified": "by phone", "note": ""}
    found = merge({**CUSTOMER, "metadata": held}, {"lastName": "Brown", "metadata": {"legacy": "crm"}}, KEY)
    assert found.body["metadata"] == {**held, "legacy": "crm"}


def test_the_import_key_of_the_customer_stays() -> None:
    found = merge(CUSTOMER, {"lastName": "Brown", "metadata": {"importKey": KEY, "batch": "7"}}, KEY)
    assert found.body["metadata"] == {"importKey": "f" * 32, "legacy": "crm", "batch": "7"}


@pytest.mark.parametrize("shown", ["*****0000", "0000", "XXX-XX-0000", "…0000"])
def test_an_id_that_is_shown_in_part_is_never_written_back(shown: str) -> None:
    found = merge({**CUSTOMER, "socialId": shown}, {"lastName": "Brown"}, KEY)
    assert [(one.path, one.code) for one in found.errors] == [("socialId", "value_hidden")]
    assert shown not in found.errors[0].message


def test_an_id_that_the_row_brings_whole_is_written_whole_and_is_no_change() -> None:
    found = merge({**CUSTOMER, "socialId": "*****0000"}, {"lastName": "Brown", "socialId": "900-00-0000"}, KEY)
    assert (found.body["socialId"], found.errors) == ("900-00-0000", ())
    assert [one.name for one in found.changes] == ["lastName"]


def test_an_id_that_is_shown_in_part_does_no_harm_where_nothing_changes() -> None:
    assert merge({**CUSTOMER, "socialId": "*****0000"}, {"lastName": "Green"}, KEY).errors == ()


@pytest.mark.parametrize(
    ("row", "field"),
    [({"type": "BUSINESS", "businessName": "Example Bakery"}, "type"), ({"businessName": "X"}, "businessName")],
)
def test_what_this_customer_cannot_become_is_an_error(row: dict[str, Any], field: str) -> None:
    assert [(one.path, one.code) for one in merge(CUSTOMER, row, KEY).errors] == [(field, "cannot_change")]


def test_a_type_that_is_the_same_says_nothing() -> None:
    assert merge(CUSTOMER, {"type": "INDIVIDUAL", "firstName": "Sarah"}, KEY).changes == ()


def test_a_change_shows_one_character_of_each_value() -> None:
    assert FieldChange("lastName", "Green", "Brown").masked() == "lastName: G••• → B•••"
    assert FieldChange("middleName", "", "Lee").masked() == "middleName: blank → L•••"
