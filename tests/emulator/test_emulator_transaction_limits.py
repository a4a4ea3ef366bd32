"""Transaction limits: there for every customer, set as texts, answered as exact numbers."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest

from importer.emulator import EmulatorSettings
from tests.emulator.client import BAKERY, served

NOBODY = "00000000-0000-4000-8000-000000000000"


async def test_every_customer_has_a_limit_of_each_type_and_currency() -> None:
    async with served() as caller:
        person = (await caller.create()).json["id"]
        limits = await caller.limits(person)

        assert set(limits) == {
            f"{kind} {currency}" for kind in ("SINGLE", "DAILY", "WEEKLY", "MONTHLY") for currency in ("USD", "CAD")
        }
        assert {(one["scopeId"], one["scopeType"], one["amount"]) for one in limits.values()} == {
            (person, "CUSTOMER", 10_000)
        }
        assert len({uuid.UUID(one["id"]) for one in limits.values()}) == 8
        assert await caller.limits(person) == limits
        assert caller.emulator.numbers()["stored"]["limits"] == 0


async def test_an_account_may_have_fewer_limits() -> None:
    settings = EmulatorSettings(currencies=("USD",), limit_types=("SINGLE", "DAILY"), limit_amount="0.5")
    async with served(settings) as caller:
        limits = await caller.limits(await caller.business())

        assert {name: one["amount"] for name, one in limits.items()} == {"SINGLE USD": 0.5, "DAILY USD": 0.5}


async def test_amounts_are_set_as_texts_and_answered_as_exact_numbers() -> None:
    async with served() as caller:
        person, other = [(await caller.create()).json["id"] for _ in range(2)]
        limits = await caller.limits(person)
        daily, monthly = limits["DAILY USD"]["id"], limits["MONTHLY CAD"]["id"]
        said = {daily: {"amount": "99.90"}, monthly: {"amount": "123456789012345.67"}}
        answer = await caller.call("PUT", "/v1/limits", json=said)

        assert answer.status == 200
        assert [one["id"] for one in answer.json] == [daily, monthly]
        assert '"amount":99.90}' in answer.text
        assert '"amount":123456789012345.67}' in answer.text
        after = {f"{one['limitType']} {one['currency']}": one["amount"] for one in caller.emulator.limits(person)}
        assert after["DAILY USD"] == Decimal("99.90")
        assert after["MONTHLY CAD"] == Decimal("123456789012345.67")
        assert after["DAILY CAD"] == Decimal(10_000)
        assert (await caller.limits(person))["DAILY USD"]["amount"] == 99.9
        assert (await caller.limits(other))["DAILY USD"]["amount"] == 10_000


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"amount": 99.99}, "EMU_TYPE"),
        ({"amount": "-1"}, "EMU_FORMAT"),
        ({"amount": "1.234"}, "EMU_FORMAT"),
        ({"amount": "1,000"}, "EMU_FORMAT"),
        ({"amount": "١"}, "EMU_FORMAT"),
        ({"amount": ""}, "EMU_FORMAT"),
        ({"amount": None}, "EMU_REQUIRED"),
        ({}, "EMU_REQUIRED"),
        ("99.99", "EMU_REQUIRED"),
    ],
)
async def test_a_wrong_amount_is_refused_and_nothing_is_set(value: Any, code: str) -> None:
    async with served() as caller:
        limits = await caller.limits((await caller.create()).json["id"])
        good, bad = limits["DAILY USD"]["id"], limits["SINGLE USD"]["id"]
        refused = await caller.call("PUT", "/v1/limits", json={good: {"amount": "5"}, bad: value})

        assert (refused.status, refused.problems) == (400, {(f"{bad}.amount", code)})
        assert caller.emulator.numbers()["stored"]["limits"] == 0


@pytest.mark.parametrize("unknown", [NOBODY, "x"])
async def test_an_unknown_limit_is_not_found_and_nothing_is_set(unknown: str) -> None:
    async with served() as caller:
        limits = await caller.limits((await caller.create()).json["id"])
        said = {limits["DAILY USD"]["id"]: {"amount": "5"}, unknown: {"amount": "5"}}

        assert (await caller.call("PUT", "/v1/limits", json=said)).status == 404
        assert (await caller.call("PUT", "/v1/limits", json={})).status == 400
        assert (await caller.call("PUT", "/v1/limits", json=[])).status == 400
        assert caller.emulator.numbers()["stored"]["limits"] == 0


async def test_a_limit_type_that_the_account_lacks_is_not_found() -> None:
    async with served() as caller:
        customer_id = (await caller.create()).json["id"]
        monthly = (await caller.limits(customer_id))["MONTHLY USD"]["id"]
    async with served(EmulatorSettings(limit_types=("SINGLE",))) as caller:
        assert (await caller.call("PUT", "/v1/limits", json={monthly: {"amount": "5"}})).status == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        (f"?scopeId={NOBODY}", 400),
        ("?scopeType=CUSTOMER", 400),
        (f"?scopeId={NOBODY}&scopeType=ACCOUNT", 400),
        (f"?scopeId={NOBODY}&scopeType=CUSTOMER", 404),
        (f"?scopeId={NOBODY}&scopeType=FA_KFA", 200),
    ],
)
async def test_both_parts_of_the_scope_are_required(query: str, status: int) -> None:
    async with served() as caller:
        assert (await caller.call("GET", f"/v1/limits{query}")).status == status
        assert (await caller.call("GET", f"/v1/limits/utilisation{query}")).status == status


async def test_nothing_of_a_limit_is_used() -> None:
    async with served() as caller:
        query = f"scopeId={(await caller.create(BAKERY)).json['id']}&scopeType=CUSTOMER"
        used = (await caller.call("GET", f"/v1/limits/utilisation?{query}&referenceDate=2024-01-31")).json

        assert {one["amountUsed"] for one in used} == {0}
        assert (await caller.call("GET", f"/v1/limits/utilisation?{query}&referenceDate=soon")).status == 400


async def test_the_ledger_counts_each_write_and_each_repeated_one() -> None:
    async with served() as caller:
        customer_id = (await caller.create()).json["id"]
        limit_id = (await caller.limits(customer_id))["SINGLE USD"]["id"]
        for _ in range(3):
            await caller.call("PUT", "/v1/limits", json={limit_id: {"amount": "7"}})
        numbers = caller.emulator.numbers()

        assert (numbers["committed"]["limits_set"], numbers["stored"]["limits"]) == (3, 1)
        assert numbers["repeats"]["limits"] == 2
        assert caller.emulator.ledger.committed_ids("limits_set") == [customer_id] * 3
        assert caller.emulator.counts()["limits"] == {"200": 1}
