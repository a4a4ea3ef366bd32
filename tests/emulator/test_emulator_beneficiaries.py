"""Beneficial owners of a business: added, listed, read, replaced."""

from __future__ import annotations

from typing import Any

import pytest

from importer.emulator import EmulatorSettings
from tests.emulator.client import HOME, served

NOBODY = "00000000-0000-4000-8000-000000000000"


async def test_an_owner_is_added_and_read_back() -> None:
    said = {
        "middleName": "Ann",
        "title": "CEO",
        "ownershipPercentage": "33.5",
        "controller": True,
        "dateOfBirth": "1980-02-29",
        "primaryPhoneNumber": {"number": "(212) 555-0123", "type": "WORK"},
        "primaryEmail": {"value": "olga@bakery.example.com"},
        "addresses": [HOME],
        "socialId": "000-00-1234",
        "socialIdCountryCode": "USA",
    }
    async with served() as caller:
        business = await caller.business()
        added = await caller.add_owner(business, **said)
        path = f"/v1/customers/{business}/beneficiaries/{added.json['id']}"

        assert added.status == 201
        assert (await caller.call("GET", path)).json == added.json
        assert added.json["primaryPhoneNumber"]["number"] == "+12125550123"
        assert added.json["socialId"] == "*****1234"
        assert added.json["verificationStatus"]["status"] == "UNVERIFIED"
        assert list(caller.emulator.beneficiaries(business)) == [added.json]


async def test_the_list_is_a_bare_array_of_summaries() -> None:
    async with served() as caller:
        business, other = await caller.business(), await caller.business()
        first = (await caller.add_owner(business, title="CEO", ownershipPercentage="60")).json
        second = (await caller.add_owner(business, middleName="B")).json
        listed = (await caller.call("GET", f"/v1/customers/{business}/beneficiaries")).json

        assert [one["id"] for one in listed] == [first["id"], second["id"]]
        assert (listed[0]["firstName"], listed[0]["lastName"], listed[0]["title"]) == ("Olga", "Owner", "CEO")
        assert listed[0]["ownershipPercentage"] == "60"
        assert "addresses" not in listed[0]
        assert "middleName" not in listed[1]
        assert (await caller.call("GET", f"/v1/customers/{other}/beneficiaries")).json == []


async def test_the_same_body_twice_is_two_owners_and_is_counted() -> None:
    async with served() as caller:
        business = await caller.business()
        ids = [(await caller.add_owner(business)).json["id"] for _ in range(2)]
        numbers = caller.emulator.numbers()

        assert len(set(ids)) == 2
        assert numbers["committed"]["beneficiary"] == numbers["stored"]["beneficiaries"] == 2
        assert numbers["repeats"]["beneficiaries"] == 1
        assert caller.emulator.ledger.committed_ids("beneficiary") == ids


async def test_an_update_replaces_the_fields_and_keeps_what_the_server_owns() -> None:
    now = [1_700_000_000.0]
    async with served(clock=lambda: now[0]) as caller:
        business = await caller.business()
        old = (await caller.add_owner(business, title="CEO")).json
        now[0] += 60
        path = f"/v1/customers/{business}/beneficiaries/{old['id']}"
        new = (await caller.call("PUT", path, json={"firstName": "Olga", "lastName": "Grey"})).json

        assert (new["id"], new["customerId"], new["createdAt"]) == (old["id"], business, old["createdAt"])
        assert new["updatedAt"] > old["updatedAt"]
        assert new["lastName"] == "Grey"
        assert "title" not in new
        assert (await caller.call("GET", path)).json == new


async def test_only_a_known_business_has_owners() -> None:
    async with served() as caller:
        person, business = (await caller.create()).json["id"], await caller.business()
        owner = (await caller.add_owner(business)).json["id"]

        assert (await caller.add_owner(NOBODY)).status == 404
        assert (await caller.add_owner(person)).status == 422
        assert (await caller.call("GET", f"/v1/customers/{person}/beneficiaries")).status == 422
        assert (await caller.call("GET", f"/v1/customers/{business}/beneficiaries/{NOBODY}")).status == 404
        assert (
            await caller.call("GET", f"/v1/customers/{await caller.business()}/beneficiaries/{owner}")
        ).status == 404


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"firstName": None}, ("firstName", "EMU_REQUIRED")),
        ({"lastName": "x" * 41}, ("lastName", "EMU_LENGTH")),
        ({"primaryPhoneNumber": {"number": "+12125550123"}}, ("primaryPhoneNumber.type", "EMU_REQUIRED")),
        ({"primaryPhoneNumber": {"type": "WORK"}}, ("primaryPhoneNumber.number", "EMU_REQUIRED")),
        ({"primaryEmail": {}}, ("primaryEmail.value", "EMU_REQUIRED")),
        ({"primaryEmail": {"value": "nobody"}}, ("primaryEmail.value", "EMU_FORMAT")),
        ({"ownershipPercentage": 50}, ("ownershipPercentage", "EMU_TYPE")),
        ({"ownershipPercentage": "101"}, ("ownershipPercentage", "EMU_FORMAT")),
        ({"controller": "yes"}, ("controller", "EMU_TYPE")),
        ({"socialId": "1"}, ("socialIdCountryCode", "EMU_REQUIRED")),
    ],
)
async def test_wrong_data_is_refused_with_its_path(changes: dict[str, Any], problem: tuple[str, str]) -> None:
    async with served() as caller:
        refused = await caller.add_owner(await caller.business(), **changes)

        assert (refused.status, refused.problems) == (400, {problem})
        assert caller.emulator.numbers()["stored"]["beneficiaries"] == 0


async def test_lists_show_an_owner_later_than_its_own_address() -> None:
    now = [1_700_000_000.0]
    async with served(EmulatorSettings(list_lag_s=5), clock=lambda: now[0]) as caller:
        business = await caller.business()
        owner = (await caller.add_owner(business)).json["id"]
        path = f"/v1/customers/{business}/beneficiaries"

        assert (await caller.call("GET", path)).json == []
        assert (await caller.call("GET", f"{path}/{owner}")).status == 200
        now[0] += 5
        assert [one["id"] for one in (await caller.call("GET", path)).json] == [owner]


async def test_owners_go_with_their_business() -> None:
    async with served() as caller:
        business = await caller.business()
        await caller.add_owner(business)
        await caller.call("DELETE", f"/v1/customers/{business}")

        assert (await caller.call("GET", f"/v1/customers/{business}/beneficiaries")).status == 404
        assert list(caller.emulator.beneficiaries()) == []
