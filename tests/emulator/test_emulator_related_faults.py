"""Faults on everything that comes after a create: chosen by the kind of request, and counted where it is durable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import aiohttp
import pytest

from importer.emulator import EmulatorSettings, Faults
from tests.emulator.client import Caller, Reply, served


class Case(NamedTuple):
    """One kind of request, and how it is sent; `stored` is the table that it adds to."""

    kind: str
    send: Callable[[Caller, dict[str, str]], Awaitable[Reply]]
    stored: str = ""

    def __str__(self) -> str:
        return self.kind


async def _set_limit(caller: Caller, ids: dict[str, str]) -> Reply:
    return await caller.call("PUT", "/v1/limits", json={ids["limit"]: {"amount": "5.00"}})


def _reading(path: str) -> Callable[[Caller, dict[str, str]], Awaitable[Reply]]:
    return lambda caller, ids: caller.call("GET", path.format(**ids))


WRITES = [
    Case("beneficiary", lambda caller, ids: caller.add_owner(ids["business"]), "beneficiaries"),
    Case("limits_set", _set_limit, "limits"),
    Case("idv_submit", lambda caller, ids: caller.submit(ids["business"]), "applications"),
    Case("document", lambda caller, ids: caller.add_document(ids["business"]), "documents"),
    Case("upload", lambda caller, ids: caller.upload(ids["url"], b"%PDF-1."), "uploads"),
]
READS = [
    Case("beneficiaries", _reading("/v1/customers/{business}/beneficiaries")),
    Case("limits", _reading("/v1/limits?scopeId={business}&scopeType=CUSTOMER")),
    Case("idv_profiles", _reading("/v1/identity-verification-profiles")),
    Case("idv_get", _reading("{application}")),
    Case("idv_list", _reading("/v1/identity-verifications")),
]
each_write = pytest.mark.parametrize("case", WRITES, ids=str)
each = pytest.mark.parametrize("case", WRITES + READS, ids=str)


@asynccontextmanager
async def faulty(case: Case, fault: str, **options: Any) -> AsyncIterator[tuple[Caller, dict[str, str]]]:
    """A server that treats a kind of request so after the first seven requests, and what the requests are about."""
    rule = {"fault": fault, "on": [case.kind], "from_request": 7, **options}
    async with served(EmulatorSettings(faults=Faults.of(rule))) as caller:
        business = await caller.business()
        ids = {"business": business, "limit": (await caller.limits(business))["DAILY USD"]["id"]}
        ids["application"] = await caller.submitted(business)
        ids["url"] = (await caller.add_document(business, name="First")).json["url"]["value"]
        await caller.listed()
        assert caller.emulator.ledger.requests == 7
        yield caller, ids


def _done(caller: Caller, case: Case) -> tuple[int, int]:
    """How many were committed by the ledger and by the store."""
    numbers = caller.emulator.numbers()
    return numbers["committed"].get(case.kind, 0), numbers["stored"][case.stored]


def _last(caller: Caller) -> tuple[str, str]:
    arrival = list(caller.emulator.ledger)[-1]
    return arrival.kind, arrival.fault


@each_write
async def test_commit_then_drop_leaves_the_work_done(case: Case) -> None:
    async with faulty(case, "commit-then-drop") as (caller, ids):
        before = _done(caller, case)
        with pytest.raises(aiohttp.ClientConnectionError):
            await case.send(caller, ids)
        # The caller's library repeats a PUT by itself; a limit and an upload are the same thing after it.
        arrived = sum(arrival.kind == case.kind for arrival in list(caller.emulator.ledger)[7:])

        assert _done(caller, case) == (before[0] + arrived, before[1] + 1)
        assert _last(caller) == (case.kind, "commit-then-drop")
        assert list(caller.emulator.ledger)[-1].committed_id


@each_write
async def test_drop_before_commit_leaves_nothing(case: Case) -> None:
    async with faulty(case, "drop-before-commit") as (caller, ids):
        before = _done(caller, case)
        with pytest.raises(aiohttp.ClientConnectionError):
            await case.send(caller, ids)

        assert _done(caller, case) == before
        assert list(caller.emulator.ledger)[-1].committed_id == ""


@each_write
async def test_a_late_commit_is_done_after_its_answer(case: Case) -> None:
    async with faulty(case, "late-commit", commit_after_s=0.05) as (caller, ids):
        before = _done(caller, case)
        answer = await case.send(caller, ids)
        at_once = _done(caller, case)
        while _done(caller, case) == before:
            await caller.listed()

        assert (answer.status, at_once) == (504, before)
        assert _done(caller, case) == (before[0] + 1, before[1] + 1)


@each_write
@pytest.mark.parametrize("commit", [False, True], ids=["before the work", "after the work"])
async def test_a_server_error_comes_before_or_after_the_work(case: Case, commit: bool) -> None:
    async with faulty(case, "status", status=500, commit=commit) as (caller, ids):
        before = _done(caller, case)

        assert (await case.send(caller, ids)).status == 500
        assert _done(caller, case)[1] == before[1] + int(commit)


@each
async def test_a_429_asks_for_a_pause_on_every_kind(case: Case) -> None:
    async with faulty(case, "status", status=429, retry_after_s=3) as (caller, ids):
        answer = await case.send(caller, ids)

        assert (answer.status, answer.headers["Retry-After"]) == (429, "3")
        assert _last(caller) == (case.kind, "status")
        assert (await caller.listed()).status == 200


@each
async def test_every_answer_can_be_cut_short(case: Case) -> None:
    async with faulty(case, "truncated") as (caller, ids):
        with pytest.raises(aiohttp.ClientError):
            await case.send(caller, ids)


@each
async def test_tokens_expire_on_every_kind_that_needs_one(case: Case) -> None:
    async with faulty(case, "token-expiry") as (caller, ids):
        assert (await case.send(caller, ids)).status == (200 if case.kind == "upload" else 401)


UNREADABLE = (aiohttp.ClientError, ValueError, LookupError, TypeError, RuntimeError)
"""What reading an answer raises that is not there, or not what was asked for."""


async def _whole_way(caller: Caller, number: int) -> None:
    """Send everything about one business, whatever happens to any of it."""
    ids = {"business": await _wanted(caller, lambda: caller.business(businessName=f"Bakery {number}"))}
    limits = await _wanted(caller, lambda: caller.limits(ids["business"]))
    ids["limit"] = limits["DAILY USD"]["id"]
    ids["url"] = await _wanted(caller, lambda: _announced(caller, ids["business"]))
    ids["application"] = "/v1/identity-verifications"
    for case in WRITES + READS:
        with suppress(*UNREADABLE):
            if (await case.send(caller, ids)).status == 401:
                await caller.exchange()
                await case.send(caller, ids)


async def _announced(caller: Caller, business: str) -> str:
    return str((await caller.add_document(business)).json["url"]["value"])


async def _wanted(caller: Caller, ask: Callable[[], Awaitable[Any]]) -> Any:
    """Ask until there is an answer that can be read."""
    while True:
        try:
            return await ask()
        except UNREADABLE:
            with suppress(*UNREADABLE):
                await caller.exchange()


@pytest.mark.parametrize("preset", ["migration-night", "flaky", "garbled", "rate-limited", "expiring"])
async def test_whatever_a_preset_does_the_ledger_and_the_store_agree(preset: str) -> None:
    async with served(EmulatorSettings(faults=Faults.load(preset))) as caller:
        await asyncio.gather(*(_whole_way(caller, number) for number in range(25)))
        numbers = caller.emulator.numbers()
        committed, stored = numbers["committed"], numbers["stored"]

        for case in WRITES:
            assert len(caller.emulator.ledger.committed_ids(case.kind)) == committed[case.kind] > 0
            assert committed[case.kind] >= stored[case.stored]
        assert committed["create"] == stored["customers"]
        assert committed["beneficiary"] == stored["beneficiaries"]
        assert committed["idv_submit"] == stored["applications"]
        assert committed["document"] == stored["documents"]
        assert committed["limits_set"] == stored["limits"] + numbers["repeats"]["limits"]


@pytest.mark.parametrize("fault", ["no-id", "html"])
async def test_an_application_can_be_answered_without_its_address(fault: str) -> None:
    async with faulty(WRITES[2], fault) as (caller, ids):
        answer = await caller.submit(ids["business"])

        assert (answer.status, "Location" in answer.headers) == (201, False)
        assert len(list(caller.emulator.applications())) == 2


async def test_single_owners_and_applications_can_lag_in_lists() -> None:
    now = [1_700_000_000.0]
    lag = {"fault": "list-lag", "lag_s": 5, "on": ["beneficiary", "idv_submit"]}
    async with served(EmulatorSettings(faults=Faults.of(lag)), clock=lambda: now[0]) as caller:
        business = await caller.business()
        await caller.add_owner(business)
        await caller.submit(business)
        paths = (f"/v1/customers/{business}/beneficiaries", "/v1/identity-verifications?size=1")
        early = [(await caller.call("GET", path)).text for path in paths]
        now[0] += 5
        late = [(await caller.call("GET", path)).text for path in paths]

        assert early[0] == "[]"
        assert '"totalElements":0' in early[1]
        assert "Olga" in late[0]
        assert '"totalElements":1' in late[1]


async def test_the_page_and_the_lists_for_programs_show_all_sorts_of_objects() -> None:
    async with served() as caller:
        business = await caller.business()
        await caller.add_owner(business)
        await caller.submit(business)
        await caller.add_document(business)
        page = await caller.call("GET", "/_emulator")
        lines = {
            name: (await caller.call("GET", f"/_emulator/{name}")).text.count("\n")
            for name in ("customers", "beneficiaries", "applications", "documents")
        }

        assert lines == {"customers": 1, "beneficiaries": 1, "applications": 1, "documents": 1}
        assert '<th scope="row">done since the start: idv_submit</th><td class="n">1</td>' in page.text
        assert "Olga" not in page.text
