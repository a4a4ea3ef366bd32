"""Creating customers: what comes back, what is kept, and what counts as the same customer."""

from __future__ import annotations

import asyncio
import io
import re
import uuid
from typing import Literal

import pytest

from importer.emulator import EmulatorSettings
from tests.emulator.client import BAKERY, HOME, SARAH, served


async def test_the_vendors_own_example_is_created_and_comes_back_whole() -> None:
    async with served(clock=lambda: 1_669_164_170.311) as caller:
        created = await caller.create()
        customer = created.json

        assert created.status == 201
        assert created.headers["Content-Type"] == "application/json"
        assert str(uuid.UUID(customer["id"])) == customer["id"]
        assert customer["status"] == "ACTIVE"
        assert customer["type"] == "INDIVIDUAL"
        assert (customer["firstName"], customer["lastName"]) == ("Sarah", "Green")
        assert customer["primaryPhoneNumber"] == {"number": "+15556589", "type": "MOBILE", "verified": False}
        assert customer["primaryEmail"] == {"value": "sgreen@abc.com", "verified": False}
        assert customer["createdAt"] == customer["updatedAt"] == "2022-11-23T00:42:50.311Z"
        assert customer["createdBy"] == customer["updatedBy"]
        assert customer["createdBy"]["type"] == "service-account"
        assert customer["verificationStatus"]["status"] == "UNVERIFIED"
        assert customer["addresses"] == []
        assert customer["metadata"] == {}
        assert (await caller.get(customer["id"])).json == customer


async def test_a_business_is_created_with_its_contact() -> None:
    async with served() as caller:
        created = await caller.create(BAKERY, legalName="Corner Bakery LLC", industryCode="001001", addresses=[HOME])
        customer = created.json

        assert created.status == 201
        assert customer["businessName"] == "Corner Bakery"
        assert customer["industryCode"] == "001001"
        assert customer["contacts"][0]["primary"] is True
        assert customer["contacts"][0]["primaryEmail"] == {"value": "ada@bakery.example.com", "verified": False}


async def test_an_individual_with_every_optional_field_is_created() -> None:
    extras = {
        "externalId": "A-1",
        "middleName": "Ann",
        "prefix": "Dr",
        "suffix": "PhD",
        "sex": "FEMALE",
        "gender": "woman",
        "securityQuestion": "first pet",
        "dateOfBirth": "1980-02-29",
        "placeOfBirth": {"city": "Lyon", "countryCode": "FRA"},
        "citizenshipCountryCode": "USA",
        "metadata": {"legacySystem": "crm-2009", "blank": ""},
    }
    async with served() as caller:
        created = await caller.create(SARAH, **extras)

        assert created.status == 201
        assert {name: created.json[name] for name in extras} == extras


async def test_a_social_id_comes_back_truncated_and_is_kept_nowhere() -> None:
    async with served() as caller:
        created = await caller.create(socialId="987-65-4320", socialIdCountryCode="USA")

        assert created.json["socialId"] == "*****4320"
        assert "987-65" not in (await caller.listed()).text


async def test_unknown_and_server_owned_fields_are_dropped() -> None:
    async with served() as caller:
        created = await caller.create(id="mine", status="SUSPENDED", favouriteColour="red", middleName=None)

        assert created.status == 201
        assert created.json["id"] != "mine"
        assert created.json["status"] == "ACTIVE"
        assert created.json.keys().isdisjoint({"favouriteColour", "middleName"})


async def test_the_same_body_twice_is_two_customers_with_any_idempotency_key() -> None:
    async with served() as caller:
        key = {"Idempotency-Key": "11111111-1111-4111-8111-111111111111"}
        replies = [await caller.call("POST", "/v1/customers", json=dict(SARAH), headers=key) for _ in range(2)]

        assert [reply.status for reply in replies] == [201, 201]
        assert replies[0].json["id"] != replies[1].json["id"]


@pytest.mark.parametrize("how", ["409", "422"])
async def test_a_second_customer_of_one_external_id_is_refused(how: Literal["409", "422"]) -> None:
    async with served(EmulatorSettings(enforce_external_id=how)) as caller:
        first = await caller.create(externalId="A-1")
        second = await caller.create(BAKERY, externalId="A-1")

        assert (first.status, second.status) == (201, int(how))
        assert second.json["errorCode"] == "EMU_DUPLICATE_EXTERNAL_ID"
        assert await caller.found() == [first.json["id"]]


async def test_external_ids_need_not_be_enforced() -> None:
    async with served(EmulatorSettings(enforce_external_id="off")) as caller:
        replies = [await caller.create(externalId="A-1") for _ in range(2)]

        assert [reply.status for reply in replies] == [201, 201]
        assert caller.emulator.numbers()["duplicates"] == {"importKey": 0, "externalId": 1}


async def test_of_many_creates_of_one_external_id_at_once_exactly_one_wins() -> None:
    async with served() as caller:
        replies = await asyncio.gather(*(caller.create(externalId="A-1") for _ in range(30)))

        assert sorted(reply.status for reply in replies) == [201, *[409] * 29]
        assert len(list(caller.emulator.customers())) == 1


async def test_addresses_echo_absent_lines_as_blanks() -> None:
    async with served() as caller:
        echoed = (await caller.create(addresses=[HOME])).json["addresses"][0]

        assert echoed == {**HOME, "streetLine2": "", "streetLine3": "", "primary": True}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("+15556589", "+15556589"),
        ("+14151234", "+14151234"),
        ("14151234", "+14151234"),
        ("4151234", "+14151234"),
        ("(415) 555-0123", "+14155550123"),
        ("1 415 555 0123", "+14155550123"),
        ("+44 20 7946 0123", "+442079460123"),
        ("442079460123", "+442079460123"),
    ],
)
async def test_phone_numbers_are_stored_in_one_form(sent: str, stored: str) -> None:
    async with served() as caller:
        created = await caller.create(primaryPhoneNumber={"number": sent, "type": "HOME", "extension": "12"})

        assert created.json["primaryPhoneNumber"]["number"] == stored


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"text"', b"null", b"\xff\xfe", b"[" * 100_000])
async def test_a_body_that_is_not_a_json_object_is_malformed(content: bytes) -> None:
    async with served() as caller:
        refused = await caller.call("POST", "/v1/customers", data=content)

        assert (refused.status, refused.json["errorCode"]) == (400, "EMU_MALFORMED")


async def test_a_body_above_one_mebibyte_is_too_large() -> None:
    async with served() as caller:
        refused = await caller.call("POST", "/v1/customers", data=io.BytesIO(b" " * (1024**2 + 10)))

        assert (refused.status, refused.json["errorCode"]) == (413, "EMU_TOO_LARGE")


async def test_the_newer_error_body_names_every_wrong_field() -> None:
    async with served() as caller:
        body = (await caller.create(firstName="", primaryEmail={"value": "nobody"})).json

        assert body.keys() == {"timestamp", "traceId", "message", "errorCode", "errors"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["timestamp"])
        assert body["errorCode"] == "EMU_VALIDATION"
        assert [problem["path"] for problem in body["errors"]] == ["firstName", "primaryEmail.value"]
        assert all(problem.keys() == {"path", "message", "errorCode"} for problem in body["errors"])


async def test_the_older_error_body_has_an_error_instead() -> None:
    async with served(EmulatorSettings(error_body="v2")) as caller:
        body = (await caller.create(firstName="")).json

        assert body.keys() == {"timestamp", "traceId", "message", "error"}
        assert body["error"] == "EMU_VALIDATION"


async def test_every_error_has_a_trace_id_of_its_own() -> None:
    async with served() as caller:
        assert (await caller.get("x")).json["traceId"] != (await caller.get("x")).json["traceId"]
