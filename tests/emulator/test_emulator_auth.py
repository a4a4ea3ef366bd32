"""The token exchange, and what happens without a living token."""

from __future__ import annotations

from typing import Literal

import pytest

from importer.emulator import EmulatorSettings
from tests.emulator.client import SARAH, served


async def test_key_and_secret_are_exchanged_for_a_token_with_its_lifetime_in_seconds() -> None:
    async with served(token=False) as caller:
        reply = await caller.exchange()

        assert reply.status == 200
        assert reply.json.keys() == {"access_token", "expires_in"}
        assert reply.json["expires_in"] == 3600
        assert (await caller.listed()).status == 200


async def test_every_instance_has_credentials_of_its_own() -> None:
    first, second = EmulatorSettings(), EmulatorSettings()

    assert first.api_key != second.api_key
    assert first.api_secret != second.api_secret
    assert first.api_secret not in repr(first)


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic !!!", "Basic bm90aGluZw==", "Bearer abc", "Basic Zm9vOmJhcg=="],
    ids=["absent", "empty", "not base64", "no colon", "wrong scheme", "wrong pair"],
)
async def test_a_wrong_exchange_is_refused(authorization: str) -> None:
    async with served(token=False) as caller:
        reply = await caller.call("POST", "/v1/api-keys/exchange", headers={"Authorization": authorization})

        assert reply.status == 401
        assert reply.json["errorCode"] == "EMU_BAD_CREDENTIALS"


async def test_a_wrong_secret_is_refused() -> None:
    async with served(token=False) as caller:
        assert (await caller.exchange(secret="wrong")).status == 401
        assert (await caller.exchange(key="wrong")).status == 401


@pytest.mark.parametrize("token", ["", "unknown"])
async def test_calls_without_a_known_token_are_refused(token: str) -> None:
    async with served() as caller:
        caller.token = token
        replies = [await caller.create(), await caller.listed(), await caller.get("x")]

        assert [reply.status for reply in replies] == [401, 401, 401]
        assert {reply.json["errorCode"] for reply in replies} == {"EMU_UNAUTHENTICATED"}
        assert list(caller.emulator.customers()) == []


@pytest.mark.parametrize("status", [401, 403])
async def test_an_expired_token_gets_the_configured_status_and_a_new_one_works(status: Literal[401, 403]) -> None:
    now = [1_700_000_000.0]
    async with served(EmulatorSettings(token_ttl_s=60, expiry_status=status), clock=lambda: now[0]) as caller:
        assert (await caller.create()).status == 201
        now[0] += 60
        expired = await caller.create()
        await caller.exchange()

        assert (expired.status, expired.json["errorCode"]) == (status, "EMU_TOKEN_EXPIRED")
        assert (await caller.create()).status == 201


async def test_an_older_token_lives_on_beside_a_newer_one() -> None:
    async with served() as caller:
        old = caller.token
        await caller.exchange()
        caller.token = old

        assert (await caller.listed()).status == 200


async def test_a_short_lifetime_is_sent_exactly() -> None:
    async with served(EmulatorSettings(token_ttl_s=0.5), token=False) as caller:
        assert (await caller.exchange()).json["expires_in"] == 0.5


async def test_a_role_that_may_only_look_gets_403_for_changes() -> None:
    async with served(EmulatorSettings(role="view-only")) as caller:
        refused = await caller.create()

        assert (refused.status, refused.json["errorCode"]) == (403, "EMU_FORBIDDEN")
        assert (await caller.call("DELETE", "/v1/customers/x")).status == 403
        assert (await caller.listed()).status == 200


async def test_the_scheme_of_a_token_may_be_written_in_any_case() -> None:
    async with served() as caller:
        reply = await caller.call(
            "POST", "/v1/customers", json=dict(SARAH), headers={"Authorization": f"bearer {caller.token}"}
        )

        assert reply.status == 201
