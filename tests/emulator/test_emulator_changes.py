"""Reading, updating, suspending and deleting one customer, and places that do not exist."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from importer.emulator import EmulatorSettings, Faults
from tests.emulator.client import BAKERY, HOME, SARAH, Caller, served


@pytest.mark.parametrize("customer_id", ["x", "00000000-0000-4000-8000-000000000000"])
async def test_an_unknown_customer_is_not_found(customer_id: str) -> None:
    async with served() as caller:
        path = f"/v1/customers/{customer_id}"
        replies = [
            await caller.get(customer_id),
            await caller.call("DELETE", path),
            await caller.call("PUT", path, json=dict(SARAH)),
            await caller.call("PUT", f"{path}/suspend"),
        ]

        assert {(reply.status, reply.json["errorCode"]) for reply in replies} == {(404, "EMU_NOT_FOUND")}


async def test_a_customer_can_be_suspended_and_activated_with_answers_in_plain_text() -> None:
    async with served() as caller:
        customer_id = (await caller.create()).json["id"]
        suspended = await caller.call("PUT", f"/v1/customers/{customer_id}/suspend")

        assert suspended.status == 200
        assert suspended.headers["Content-Type"].startswith("text/plain")
        assert (await caller.get(customer_id)).json["status"] == "SUSPENDED"
        await caller.call("PUT", f"/v1/customers/{customer_id}/activate")
        assert (await caller.get(customer_id)).json["status"] == "ACTIVE"


async def test_a_deleted_customer_is_gone_and_its_external_id_is_free() -> None:
    async with served() as caller:
        customer_id = (await caller.create(externalId="A-1")).json["id"]
        deleted = await caller.call("DELETE", f"/v1/customers/{customer_id}")

        assert (deleted.status, deleted.text) == (204, "")
        assert (await caller.get(customer_id)).status == 404
        assert await caller.found() == []
        assert (await caller.create(externalId="A-1")).status == 201


async def test_an_update_replaces_all_fields_and_keeps_what_the_server_owns() -> None:
    now = [1_700_000_000.0]
    async with served(clock=lambda: now[0]) as caller:
        old = (await caller.create(middleName="Ann", externalId="A-1", addresses=[HOME])).json
        now[0] += 60
        updated = await caller.call(
            "PUT", f"/v1/customers/{old['id']}", json={**SARAH, "lastName": "Grey", "externalId": "A-1"}
        )
        new = updated.json

        assert updated.status == 200
        assert (new["id"], new["createdAt"], new["status"]) == (old["id"], old["createdAt"], "ACTIVE")
        assert new["updatedAt"] > old["updatedAt"]
        assert (new["lastName"], new["addresses"]) == ("Grey", [])
        assert "middleName" not in new
        assert await caller.found(name="grey") == [old["id"]]
        assert await caller.found(name="green") == []


async def test_an_update_obeys_the_rules() -> None:
    async with served() as caller:
        await caller.create(externalId="A-1")
        path = f"/v1/customers/{(await caller.create(externalId='A-2')).json['id']}"

        assert (await caller.call("PUT", path, json={**SARAH, "firstName": ""})).status == 400
        assert (await caller.call("PUT", path, json={**SARAH, "externalId": "A-1"})).status == 409
        assert (await caller.call("PUT", path, json=dict(BAKERY))).status == 422
        assert (await caller.call("PUT", path, json={**SARAH, "externalId": "A-3"})).status == 200
        assert (await caller.create(externalId="A-2")).status == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/customers"),
        ("GET", "/v1/customers/"),
        ("GET", "/v1/customers/x/notes"),
        ("POST", "/v1/customers/{id}/suspend/now"),
        ("GET", "/favicon.ico"),
    ],
)
async def test_an_unknown_path_is_not_found_even_without_a_token(method: str, path: str) -> None:
    async with served(token=False) as caller:
        reply = await caller.call(method, path)

        assert (reply.status, reply.json["errorCode"]) == (404, "EMU_NO_SUCH_PATH")
        assert reply.json.keys() >= {"timestamp", "traceId", "message"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/api-keys/exchange", "POST"),
        ("DELETE", "/v1/customers", "GET, POST"),
        ("PATCH", "/v1/customers/x", "DELETE, GET, PUT"),
        ("POST", "/v1/customers/x/suspend", "PUT"),
    ],
)
async def test_a_method_that_a_path_does_not_take_is_refused(method: str, path: str, allowed: str) -> None:
    async with served() as caller:
        reply = await caller.call(method, path)

        assert (reply.status, reply.json["errorCode"]) == (405, "EMU_METHOD")
        assert reply.headers["Allow"] == allowed


async def change(caller: Caller, kind: str, customer_id: str) -> int:
    """Send one change of a customer; the caller's library may repeat it where the answer is lost."""
    path = f"/v1/customers/{customer_id}"
    options: dict[str, Any] = {"json": {**SARAH, "lastName": "Grey"}} if kind == "update" else {}
    method = "DELETE" if kind == "delete" else "PUT"
    path += f"/{kind}" if kind in {"suspend", "activate"} else ""
    return (await caller.call(method, path, **options)).status


@pytest.mark.parametrize("kind", ["update", "suspend", "activate", "delete"])
async def test_each_kind_of_change_is_counted_for_itself(kind: str) -> None:
    async with served() as caller:
        customer_id = (await caller.create()).json["id"]
        await change(caller, kind, customer_id)
        ledger = caller.emulator.ledger

        assert ledger.committed_ids(kind) == [customer_id]
        assert (ledger.count(kind), ledger.count("update")) == (1, int(kind == "update"))
        assert ledger.committed == {"create": 1, kind: 1}


@pytest.mark.parametrize("kind", ["update", "suspend", "delete"])
@pytest.mark.parametrize(
    ("fault", "done"),
    [
        ({"fault": "commit-then-drop"}, True),
        ({"fault": "drop-before-commit"}, False),
        ({"fault": "status", "status": 500, "commit": True}, True),
        ({"fault": "status", "status": 503}, False),
        ({"fault": "truncated"}, True),
        ({"fault": "html"}, True),
    ],
    ids=lambda value: value.get("fault", "") if isinstance(value, dict) else "",
)
async def test_every_fault_hits_a_change(kind: str, fault: dict[str, Any], done: bool) -> None:
    async with served(EmulatorSettings(faults=Faults.of({**fault, "on": [kind]}))) as caller:
        customer_id = (await caller.create()).json["id"]
        with suppress(aiohttp.ClientError):
            await change(caller, kind, customer_id)

        assert (customer_id in caller.emulator.ledger.committed_ids(kind)) is done
        assert caller.emulator.ledger.faults[fault["fault"]] >= 1
