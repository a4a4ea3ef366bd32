"""Each scripted fault on a real socket: what the caller sees, and what the server really did."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from importer.emulator import Emulator, EmulatorSettings, Faults
from importer.emulator.ledger import DROPPED
from tests.emulator.client import HOME, Caller, served

CREATE = ["create"]


@asynccontextmanager
async def faulty(*rules: dict[str, Any], **settings: Any) -> AsyncIterator[Caller]:
    async with served(EmulatorSettings(faults=Faults.of(*rules), **settings)) as caller:
        yield caller


def _stored(caller: Caller) -> list[str]:
    return [customer["id"] for customer in caller.emulator.customers()]


def _last(caller: Caller) -> tuple[int, str, str]:
    """Status, fault and created customer of the last arrival."""
    arrival = list(caller.emulator.ledger)[-1]
    return arrival.status, arrival.fault, arrival.customer_id


async def test_commit_then_drop_leaves_the_customer_and_no_answer(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    async with faulty({"fault": "commit-then-drop", "on": CREATE}, store=store) as caller:
        with pytest.raises(aiohttp.ClientConnectionError):
            await caller.create(externalId="A-1")
        ids = _stored(caller)

        assert len(ids) == 1
        assert _last(caller) == (DROPPED, "commit-then-drop", ids[0])
        assert caller.emulator.ledger.created_ids() == ids
        assert caller.emulator.ledger.commits == 1
        assert caller.emulator.counts()["create"] == {"dropped": 1}
        assert await caller.found(externalId="A-1") == ids
    async with Emulator(EmulatorSettings(store=store)) as again:
        assert [customer["id"] for customer in again.customers()] == ids


async def test_drop_before_commit_leaves_nothing() -> None:
    async with faulty({"fault": "drop-before-commit", "on": CREATE}) as caller:
        with pytest.raises(aiohttp.ClientConnectionError):
            await caller.create()

        assert _stored(caller) == []
        assert _last(caller) == (DROPPED, "drop-before-commit", "")
        assert caller.emulator.ledger.commits == 0


async def test_drops_come_as_an_end_and_as_a_reset() -> None:
    seen = set()
    async with faulty({"fault": "drop-before-commit", "on": CREATE}) as caller:
        for _ in range(20):
            try:
                await caller.create()
            except aiohttp.ClientConnectionError as error:
                seen.add(type(error))

        assert seen == {aiohttp.ServerDisconnectedError, aiohttp.ClientOSError}


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 403])
@pytest.mark.parametrize("commit", [False, True], ids=["before the work", "after the work"])
async def test_a_failing_status_comes_before_or_after_the_work(status: int, commit: bool) -> None:
    async with faulty({"fault": "status", "status": status, "commit": commit, "on": CREATE}) as caller:
        reply = await caller.create()

        assert (reply.status, reply.json["errorCode"]) == (status, f"EMU_FAULT_{status}")
        assert "Retry-After" not in reply.headers
        assert len(_stored(caller)) == int(commit)
        assert _last(caller)[:2] == (status, "status")
        assert caller.emulator.ledger.commits == int(commit)


async def test_retry_after_is_sent_in_seconds() -> None:
    async with faulty({"fault": "status", "status": 429, "retry_after_s": 1.5, "on": CREATE}) as caller:
        assert (await caller.create()).headers["Retry-After"] == "2"


async def test_retry_after_is_sent_as_a_date() -> None:
    rule = {"fault": "status", "status": 503, "retry_after_s": 30, "retry_after_form": "date", "on": CREATE}
    async with served(EmulatorSettings(faults=Faults.of(rule)), clock=lambda: 1_700_000_000.5) as caller:
        header = (await caller.create()).headers["Retry-After"]

        assert parsedate_to_datetime(header).timestamp() == 1_700_000_031
        assert header.endswith("GMT")


async def test_a_gateway_fails_with_a_page_or_with_nothing() -> None:
    page = {"fault": "status", "status": 502, "body": "html", "on": CREATE, "for_requests": 2}
    async with faulty(page, {"fault": "status", "status": 504, "body": "empty", "on": CREATE}) as caller:
        gateway, nothing = await caller.create(), await caller.create()

        assert gateway.status == 502
        assert gateway.headers["Content-Type"].startswith("text/html")
        assert gateway.text.startswith("<html>")
        assert (nothing.status, nothing.text) == (504, "")


async def test_a_truncated_answer_ends_early_with_the_work_done() -> None:
    async with faulty({"fault": "truncated", "on": CREATE}) as caller:
        with pytest.raises(aiohttp.ClientPayloadError):
            await caller.create()

        assert len(_stored(caller)) == 1
        assert _last(caller)[:2] == (201, "truncated")
        assert (await caller.listed()).json["totalElements"] == 1


async def test_a_page_comes_in_the_place_of_a_good_answer() -> None:
    async with faulty({"fault": "html", "on": CREATE}) as caller:
        reply = await caller.create()

        assert reply.status == 201
        assert reply.headers["Content-Type"].startswith("text/html")
        assert len(_stored(caller)) == 1


async def test_a_success_without_id_or_body_hides_a_customer_that_is_there() -> None:
    async with faulty({"fault": "no-id", "on": CREATE, "for_requests": 2}, {"fault": "empty", "on": CREATE}) as caller:
        without_id, empty = await caller.create(), await caller.create()

        assert without_id.status == empty.status == 201
        assert "id" not in without_id.json
        assert without_id.json["firstName"] == "Sarah"
        assert empty.text == ""
        assert len(_stored(caller)) == 2


async def test_a_token_can_be_missing_from_its_answer() -> None:
    settings = EmulatorSettings(faults=Faults.of({"fault": "no-id", "on": ["token"]}))
    async with served(settings, token=False) as caller:
        assert (await caller.exchange()).json.keys() == {"expires_in"}


async def test_a_good_answer_can_have_a_wrong_content_type() -> None:
    async with faulty({"fault": "wrong-type", "on": CREATE}) as caller:
        reply = await caller.create()

        assert reply.headers["Content-Type"].startswith("text/plain")
        assert [reply.json["id"]] == _stored(caller)


async def test_a_huge_answer_is_as_large_as_it_says() -> None:
    async with faulty({"fault": "huge", "size_bytes": 200_000, "on": ["get"]}) as caller:
        customer_id = (await caller.create()).json["id"]

        assert len((await caller.get(customer_id)).text) == 200_000


async def test_a_caller_may_hang_up_on_a_huge_answer() -> None:
    async with faulty({"fault": "huge", "on": CREATE}) as caller:
        url, headers = f"{caller.emulator.base_url}/v1/customers", {"Authorization": f"Bearer {caller.token}"}
        async with caller.session.post(url, json={}, headers=headers) as response:
            assert response.content_length == 100 * 1024 * 1024
            await response.content.readexactly(1000)

        assert (await caller.listed()).status == 200


async def test_a_dribbling_answer_takes_its_time_byte_by_byte() -> None:
    async with faulty({"fault": "dribble", "delay_s": 0.001, "on": ["list"]}) as caller:
        began = time.monotonic()

        assert (await caller.listed()).json["content"] == []
        assert time.monotonic() - began > 0.08


async def test_a_redirect_leads_away_and_creates_nothing() -> None:
    async with faulty({"fault": "redirect", "location": "http://127.0.0.1:9/", "on": CREATE}) as caller:
        reply = await caller.create()

        assert reply.status == 307
        assert reply.headers["Location"] == "http://127.0.0.1:9/"
        assert _stored(caller) == []


async def test_a_connection_is_closed_behind_a_good_answer_without_a_word() -> None:
    async with faulty({"fault": "close", "on": CREATE}) as caller:
        reader, writer = await asyncio.open_connection(*caller.emulator.base_url.removeprefix("http://").split(":"))
        head = f"POST /v1/customers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {caller.token}\r\n"
        writer.write(f"{head}Content-Length: 2\r\n\r\n{{}}".encode())
        answer = await reader.read()
        writer.close()

        assert answer.startswith(b"HTTP/1.1 400")
        assert b"connection: close" not in answer.lower()


async def test_tokens_can_be_made_to_expire() -> None:
    rule = {"fault": "token-expiry", "from_request": 2, "for_requests": 1}
    async with faulty(rule, expiry_status=403) as caller:
        replies = [await caller.create() for _ in range(3)]
        await caller.exchange()

        assert [reply.status for reply in replies] == [201, 403, 403]
        assert replies[2].json["errorCode"] == "EMU_TOKEN_EXPIRED"
        assert (await caller.create()).status == 201


async def test_single_customers_can_lag_in_lists() -> None:
    now = [1_700_000_000.0]
    rule = {"fault": "list-lag", "lag_s": 5, "on": CREATE, "from_request": 2}
    async with served(EmulatorSettings(faults=Faults.of(rule)), clock=lambda: now[0]) as caller:
        first, second = [(await caller.create()).json["id"] for _ in range(2)]
        early = await caller.found()
        now[0] += 5

        assert early == [first]
        assert await caller.found() == [second, first]


@pytest.mark.parametrize("commit", [False, True], ids=["before the work", "after the work"])
async def test_a_slow_answer_is_slow_before_or_after_the_work(commit: bool) -> None:
    async with faulty({"fault": "latency", "delay_s": 30, "commit": commit, "on": CREATE}) as caller:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await caller.create(addresses=[HOME])

        assert len(_stored(caller)) == int(commit)
        assert caller.emulator.ledger.in_flight == 1


async def test_a_slow_answer_arrives_after_its_delay() -> None:
    async with faulty({"fault": "latency", "distribution": "uniform", "min_s": 0.05, "max_s": 0.06}) as caller:
        began = time.monotonic()
        assert (await caller.create()).status == 201
        assert 0.05 <= time.monotonic() - began < 1


async def test_delays_and_another_fault_go_together() -> None:
    slow = {"fault": "latency", "delay_s": 0.02, "on": CREATE}
    async with faulty(slow, {"fault": "status", "status": 500, "on": CREATE}) as caller:
        began = time.monotonic()

        assert (await caller.create()).status == 500
        assert time.monotonic() - began >= 0.02
        assert _last(caller)[1] == "latency+status"
        assert caller.emulator.ledger.faults == {"latency": 1, "status": 1}


async def test_a_refusal_can_be_lost_as_any_other_answer() -> None:
    async with faulty({"fault": "commit-then-drop", "on": CREATE}) as caller:
        with pytest.raises(aiohttp.ClientConnectionError):
            await caller.create(firstName="")

        assert _stored(caller) == []
        assert caller.emulator.ledger.commits == 0


async def test_no_fault_befalls_a_request_above_the_rate() -> None:
    async with faulty({"fault": "commit-then-drop", "on": CREATE}, rates=((1, 60.0),)) as caller:
        assert (await caller.create()).status == 429
        assert caller.emulator.ledger.faults == {}


async def test_cut_connections_leave_no_trace_in_the_servers_log(caplog: pytest.LogCaptureFixture) -> None:
    async with faulty({"fault": "commit-then-drop", "on": CREATE}, {"fault": "huge", "on": ["list"]}) as caller:
        for _ in range(4):
            with pytest.raises(aiohttp.ClientConnectionError):
                await caller.create()
        url, headers = f"{caller.emulator.base_url}/v1/customers", {"Authorization": f"Bearer {caller.token}"}
        async with caller.session.get(url, headers=headers) as response:
            await response.content.readexactly(10)
        while caller.emulator.ledger.in_flight:
            await caller.call("GET", "/_emulator/ledger")

    assert [record for record in caplog.records if record.name != "asyncio"] == []


async def test_a_stopping_server_does_not_wait_for_slow_answers() -> None:
    async with faulty({"fault": "latency", "delay_s": 600, "on": CREATE}) as caller:
        pending = asyncio.create_task(caller.create())
        await caller.until_arrived("create")
        began = time.monotonic()
        await caller.emulator.stop()

        assert time.monotonic() - began < 2
        await asyncio.wait([pending])
        assert pending.exception() is None or isinstance(pending.exception(), aiohttp.ClientError)


async def _persistent(caller: Caller, keys: range) -> None:
    """Create one customer after the other, whatever happens to any of them."""
    for key in keys:
        try:
            if (await caller.create(metadata={"importKey": str(key)})).status == 401:
                await caller.exchange()
        except (aiohttp.ClientError, ValueError):  # ValueError: a token answer that is not JSON
            continue


@pytest.mark.parametrize("preset", ["migration-night", "flaky", "garbled", "rate-limited", "expiring"])
async def test_whatever_a_preset_does_the_ledger_and_the_store_agree(preset: str) -> None:
    async with served(EmulatorSettings(faults=Faults.load(preset)), token=False) as caller:
        await asyncio.gather(*(_persistent(caller, range(first, 240, 16)) for first in range(16)))
        numbers = caller.emulator.numbers()

        assert numbers["customers"] == numbers["commits"] == len(caller.emulator.ledger.created_ids()) > 0
        assert set(caller.emulator.ledger.created_ids()) == set(_stored(caller))
        assert numbers["duplicates"] == {"importKey": 0, "externalId": 0}
        assert sum(sum(row.values()) for row in numbers["counts"].values()) == numbers["requests"]


async def test_a_late_commit_answers_first_and_creates_the_customer_all_the_same() -> None:
    rule = {"fault": "late-commit", "on": CREATE, "commit_after_s": 0.1, "answer_after_s": 0.0}
    async with faulty(rule) as caller:
        answer = await caller.create()
        assert (answer.status, _stored(caller)) == (504, [])
        while not _stored(caller):
            await caller.listed()
        assert len(_stored(caller)) == 1


@pytest.mark.parametrize(("manner", "kept"), [("drop", {}), ("lower", {"importkey": "abc"})])
async def test_a_server_may_drop_metadata_or_write_it_otherwise(manner: Any, kept: dict[str, str]) -> None:
    async with served(EmulatorSettings(metadata=manner)) as caller:
        await caller.create(metadata={"importKey": "ABC"})
        (customer,) = caller.emulator.customers()

    assert customer["metadata"] == kept


async def test_a_server_whose_clock_is_ahead_dates_its_answers_and_its_customers_by_it() -> None:
    async with served(EmulatorSettings(clock_ahead_s=86_400.0)) as caller:
        answer = await caller.create()
        ahead_s = parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()  # noqa: TID251
        (customer,) = caller.emulator.customers()

    assert 86_390 < ahead_s < 86_410
    assert customer["createdAt"][:10] == time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400))  # noqa: TID251
