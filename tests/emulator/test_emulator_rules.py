"""Every documented rule about a customer's data, one case each."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.client import BAKERY, HOME, SARAH, served

PHONE = SARAH["primaryPhoneNumber"]
CONTACT = BAKERY["contacts"][0]
NAME = {"firstName": "Sam", "lastName": "Post"}

WRONG_INDIVIDUALS: list[tuple[dict[str, Any], str, str]] = [
    ({"type": None}, "type", "EMU_REQUIRED"),
    ({"type": "individual"}, "type", "EMU_ENUM"),
    ({"type": ["INDIVIDUAL"]}, "type", "EMU_ENUM"),
    ({"firstName": None}, "firstName", "EMU_REQUIRED"),
    ({"firstName": ""}, "firstName", "EMU_LENGTH"),
    ({"firstName": "x" * 41}, "firstName", "EMU_LENGTH"),
    ({"firstName": 7}, "firstName", "EMU_TYPE"),
    ({"middleName": "x" * 41}, "middleName", "EMU_LENGTH"),
    ({"lastName": None}, "lastName", "EMU_REQUIRED"),
    ({"prefix": "x" * 41}, "prefix", "EMU_LENGTH"),
    ({"suffix": ""}, "suffix", "EMU_LENGTH"),
    ({"sex": "male"}, "sex", "EMU_ENUM"),
    ({"externalId": ""}, "externalId", "EMU_LENGTH"),
    ({"externalId": "x" * 256}, "externalId", "EMU_LENGTH"),
    ({"primaryPhoneNumber": None}, "primaryPhoneNumber", "EMU_REQUIRED"),
    ({"primaryPhoneNumber": "+15556589"}, "primaryPhoneNumber", "EMU_TYPE"),
    ({"primaryPhoneNumber": {"type": "HOME"}}, "primaryPhoneNumber.number", "EMU_REQUIRED"),
    ({"primaryPhoneNumber": {**PHONE, "number": "123456"}}, "primaryPhoneNumber.number", "EMU_FORMAT"),
    ({"primaryPhoneNumber": {**PHONE, "number": "1" * 16}}, "primaryPhoneNumber.number", "EMU_FORMAT"),
    ({"primaryPhoneNumber": {**PHONE, "number": "555-CALL"}}, "primaryPhoneNumber.number", "EMU_FORMAT"),
    ({"primaryPhoneNumber": {**PHONE, "number": 4155550123}}, "primaryPhoneNumber.number", "EMU_FORMAT"),
    ({"primaryPhoneNumber": {"number": "+15556589"}}, "primaryPhoneNumber.type", "EMU_REQUIRED"),
    ({"primaryPhoneNumber": {**PHONE, "type": "CELL"}}, "primaryPhoneNumber.type", "EMU_ENUM"),
    ({"primaryPhoneNumber": {**PHONE, "extension": "1" * 11}}, "primaryPhoneNumber.extension", "EMU_LENGTH"),
    ({"primaryPhoneNumber": {**PHONE, "provider": "x" * 41}}, "primaryPhoneNumber.provider", "EMU_LENGTH"),
    ({"primaryEmail": None}, "primaryEmail", "EMU_REQUIRED"),
    ({"primaryEmail": {}}, "primaryEmail.value", "EMU_REQUIRED"),
    ({"primaryEmail": {"value": "sarah"}}, "primaryEmail.value", "EMU_FORMAT"),
    ({"primaryEmail": {"value": "a b@example.com"}}, "primaryEmail.value", "EMU_FORMAT"),
    ({"primaryEmail": {"value": f"{'x' * 309}@example.com"}}, "primaryEmail.value", "EMU_FORMAT"),
    ({"dateOfBirth": "1980-02-30"}, "dateOfBirth", "EMU_FORMAT"),
    ({"dateOfBirth": "02/03/1980"}, "dateOfBirth", "EMU_FORMAT"),
    ({"dateOfBirth": "19800203"}, "dateOfBirth", "EMU_FORMAT"),
    ({"placeOfBirth": {"city": "x" * 61}}, "placeOfBirth.city", "EMU_LENGTH"),
    ({"placeOfBirth": {"countryCode": "FR"}}, "placeOfBirth.countryCode", "EMU_FORMAT"),
    ({"socialId": "1" * 51, "socialIdCountryCode": "USA"}, "socialId", "EMU_LENGTH"),
    ({"socialId": "987654320"}, "socialIdCountryCode", "EMU_REQUIRED"),
    ({"citizenshipCountryCode": "usa"}, "citizenshipCountryCode", "EMU_FORMAT"),
    ({"metadata": {str(n): "x" for n in range(6)}}, "metadata", "EMU_PAIRS"),
    ({"metadata": {"long": "x" * 1025}}, "metadata.long", "EMU_LENGTH"),
    ({"metadata": {"count": 1}}, "metadata.count", "EMU_TYPE"),
    ({"metadata": ["x"]}, "metadata", "EMU_TYPE"),
    ({"addresses": {}}, "addresses", "EMU_TYPE"),
    ({"addresses": ["1 Main Street"]}, "addresses[0]", "EMU_TYPE"),
]

WRONG_ADDRESSES: list[tuple[dict[str, Any], str, str]] = [
    ({"type": None}, "type", "EMU_REQUIRED"),
    ({"type": "RESIDENTIAL"}, "type", "EMU_ENUM"),
    ({"streetLine1": None}, "streetLine1", "EMU_REQUIRED"),
    *(({f"streetLine{n}": "x" * 51}, f"streetLine{n}", "EMU_LENGTH") for n in range(1, 6)),
    ({"streetLine2": ""}, "streetLine2", "EMU_LENGTH"),
    ({"streetLine1": "P.O. Box 12"}, "streetLine1", "EMU_PO_BOX"),
    ({"streetLine2": "PO BOX 7"}, "streetLine2", "EMU_PO_BOX"),
    ({"cityName": "x" * 26}, "cityName", "EMU_LENGTH"),
    ({"stateCode": None}, "stateCode", "EMU_REQUIRED"),
    ({"stateCode": None, "countryCode": "CAN"}, "stateCode", "EMU_REQUIRED"),
    ({"stateCode": "Il"}, "stateCode", "EMU_FORMAT"),
    ({"countryCode": "US"}, "countryCode", "EMU_FORMAT"),
    ({"countryCode": "XXX"}, "countryCode", "EMU_FORMAT"),
    ({"zipCode": None}, "zipCode", "EMU_REQUIRED"),
    ({"zipCode": "12345678901"}, "zipCode", "EMU_LENGTH"),
    ({"zipCode": 62701}, "zipCode", "EMU_TYPE"),
    ({"primary": "yes"}, "primary", "EMU_TYPE"),
    ({"addressLine1": "1 Main Street"}, "addressLine1", "EMU_OLD_FIELD"),
    ({"type": "SHIPPING"}, "name", "EMU_REQUIRED"),
    ({"type": "SHIPPING", "name": {"firstName": "Sam"}}, "name.lastName", "EMU_REQUIRED"),
    ({"type": "SHIPPING", "name": {**NAME, "middleName": "x" * 41}}, "name.middleName", "EMU_LENGTH"),
]

WRONG_BUSINESSES: list[tuple[dict[str, Any], str, str]] = [
    ({"businessName": None, "doingBusinessAsName": "Old"}, "businessName", "EMU_REQUIRED"),
    ({"businessName": "x" * 256}, "businessName", "EMU_LENGTH"),
    ({"contacts": None}, "contacts", "EMU_REQUIRED"),
    ({"contacts": []}, "contacts", "EMU_PRIMARY"),
    ({"contacts": "Ada"}, "contacts", "EMU_TYPE"),
    ({"contacts": [{**CONTACT, "primary": False}]}, "contacts", "EMU_PRIMARY"),
    ({"contacts": [CONTACT, CONTACT]}, "contacts", "EMU_PRIMARY"),
    ({"contacts": [{**CONTACT, "firstName": None}]}, "contacts[0].firstName", "EMU_REQUIRED"),
    ({"contacts": [{**CONTACT, "lastName": "x" * 41}]}, "contacts[0].lastName", "EMU_LENGTH"),
    ({"contacts": [{**CONTACT, "primaryEmail": None}]}, "contacts[0].primaryEmail", "EMU_REQUIRED"),
    ({"contacts": [{**CONTACT, "primaryPhoneNumber": None}]}, "contacts[0].primaryPhoneNumber", "EMU_REQUIRED"),
    ({"industryCode": "1001"}, "industryCode", "EMU_FORMAT"),
    ({"industryCode": "001000"}, "industryCode", "EMU_FORMAT"),
    ({"industryCode": "000123"}, "industryCode", "EMU_FORMAT"),
    ({"registeredStateCode": "Delaware"}, "registeredStateCode", "EMU_FORMAT"),
    ({"addresses": [{**HOME, "streetLine1": "PO Box 1"}]}, "addresses[0].streetLine1", "EMU_PO_BOX"),
]


async def _refused(body: dict[str, Any]) -> set[tuple[str, str]]:
    async with served() as caller:
        refused = await caller.create(body)

        assert refused.status == 400
        assert list(caller.emulator.customers()) == []
        return refused.problems


@pytest.mark.parametrize(("changes", "path", "code"), WRONG_INDIVIDUALS)
async def test_a_wrong_individual_is_refused_by_field(changes: dict[str, Any], path: str, code: str) -> None:
    assert await _refused({**SARAH, **changes}) == {(path, code)}


@pytest.mark.parametrize(("changes", "path", "code"), WRONG_ADDRESSES)
async def test_a_wrong_address_is_refused_by_field(changes: dict[str, Any], path: str, code: str) -> None:
    body = {**SARAH, "addresses": [{**HOME, "type": "MAILING"}, {**HOME, **changes}]}

    assert await _refused(body) == {(f"addresses[1].{path}", code)}


@pytest.mark.parametrize(("changes", "path", "code"), WRONG_BUSINESSES)
async def test_a_wrong_business_is_refused_by_field(changes: dict[str, Any], path: str, code: str) -> None:
    assert await _refused({**BAKERY, **changes}) == {(path, code)}


async def test_all_problems_of_a_body_are_reported_at_once_and_none_repeats_a_value() -> None:
    async with served() as caller:
        refused = await caller.create({"type": "INDIVIDUAL", "firstName": "Confidential" * 9, "sex": "Confidential"})

        assert {path for path, _ in refused.problems} == {
            "firstName",
            "lastName",
            "sex",
            "primaryPhoneNumber",
            "primaryEmail",
        }
        assert "Confidential" not in refused.text


async def test_the_first_address_of_each_type_becomes_primary_where_none_is() -> None:
    mailing = {**HOME, "type": "MAILING"}
    async with served() as caller:
        created = await caller.create(addresses=[mailing, HOME, mailing, {**HOME, "primary": False}])

        assert [address["primary"] for address in created.json["addresses"]] == [True, True, False, False]


async def test_a_flagged_primary_address_stays_primary_and_two_of_one_type_are_refused() -> None:
    async with served() as caller:
        created = await caller.create(addresses=[HOME, {**HOME, "primary": True}])
        refused = await caller.create(addresses=[{**HOME, "primary": True}] * 2)

        assert [address["primary"] for address in created.json["addresses"]] == [False, True]
        assert refused.problems == {("addresses", "EMU_PRIMARY")}


async def test_the_contact_of_an_address_is_kept_for_shipping_and_ignored_elsewhere() -> None:
    async with served() as caller:
        created = await caller.create(addresses=[{**HOME, "type": "SHIPPING", "name": NAME}, {**HOME, "name": {}}])
        shipping, home = created.json["addresses"]

        assert shipping["name"] == NAME
        assert "name" not in home


async def test_a_po_box_is_fine_for_mail_and_other_countries_need_no_state() -> None:
    french = {"type": "PHYSICAL", "streetLine1": "1 rue du Box", "countryCode": "FRA", "zipCode": "69001"}
    async with served() as caller:
        created = await caller.create(
            addresses=[{**HOME, "type": "MAILING", "streetLine1": "PO Box 12", "zipCode": "62701-1234"}, french]
        )

        assert created.status == 201


async def test_what_is_not_a_list_of_addresses_is_refused() -> None:
    async with served() as caller:
        assert (await caller.create(addresses="Main Street")).problems == {("addresses", "EMU_TYPE")}
        assert (await caller.create(addresses=[1])).problems == {("addresses[0]", "EMU_TYPE")}
