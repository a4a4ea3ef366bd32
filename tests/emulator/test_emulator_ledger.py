"""The witness: what arrived when and how it ended, in the process and over HTTP."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from contextlib import suppress

import aiohttp
import pytest

from importer.emulator import EmulatorSettings, Faults
from importer.emulator.ledger import DROPPED, UNDER_WAY, Ledger
from tests.emulator.client import BAKERY, SARAH, served


def _ledger(times: list[float], keep: int = 1000) -> Ledger:
    ledger = Ledger(keep=keep)
    for moment in times:
        ledger.arrive(moment, "create", "POST", "/v1/customers")
    return ledger


@pytest.mark.parametrize(
    ("times", "largest"),
    [
        ([], 0),
        ([5.0], 1),
        ([0.0, 1.0, 2.0], 1),
        ([0.0, 0.5, 1.0], 2),
        ([0.0, 0.25, 0.5, 0.75, 1.0], 4),
        ([0.0, 0.9, 1.0, 1.1, 1.8, 5.0], 4),
    ],
)
def test_the_largest_window_excludes_its_end(times: list[float], largest: int) -> None:
    assert _ledger(times).largest_window(1.0) == largest


def test_the_largest_window_is_what_counting_by_hand_gives() -> None:
    dice = random.Random(3)
    times = list(itertools.accumulate(dice.expovariate(10) for _ in range(300)))
    by_hand = max(sum(start <= moment < start + 2 for moment in times) for start in times)

    assert _ledger(times).largest_window(2.0) == by_hand


def test_old_arrivals_are_forgotten_and_the_counts_stay_exact() -> None:
    ledger = Ledger(keep=10)
    customer_id = "11111111-1111-4111-8111-111111111111"
    for second in range(100):
        number = ledger.arrive(float(second), "create", "POST", "/v1/customers")
        ledger.commit(number, customer_id)
        ledger.settle(number, "create", 201)
    kept = list(ledger)

    assert len(ledger) == ledger.requests == ledger.commits == 100
    assert ledger.counts() == {"create": {"201": 100}}
    assert 10 <= len(kept) < 20
    assert [arrival.number for arrival in kept] == list(range(100 - len(kept), 100))
    assert kept[0].at_s == kept[0].number
    assert kept[0].customer_id == customer_id


def test_a_request_that_was_forgotten_can_still_end() -> None:
    ledger = Ledger(keep=1)
    slow = ledger.arrive(0.0, "create", "POST", "/v1/customers")
    for second in range(5):
        ledger.arrive(float(second), "get", "GET", "/v1/customers/{id}")
    ledger.commit(slow, "11111111-1111-4111-8111-111111111111")
    ledger.settle(slow, "create", DROPPED)

    assert ledger.counts() == {"create": {"dropped": 1}, "get": {"under way": 5}}
    assert ledger.created_ids() == []


async def test_every_request_is_in_the_ledger_with_its_end() -> None:
    async with served() as caller:
        before = time.monotonic()
        customer_id = (await caller.create()).json["id"]
        await caller.get(customer_id)
        await caller.listed(primaryEmail="sgreen@abc.com")
        await caller.create(firstName="")
        await caller.call("DELETE", f"/v1/customers/{customer_id}")
        await caller.call("GET", "/somewhere/sgreen@abc.com")
        arrivals = list(caller.emulator.ledger)

        assert [(a.method, a.path, a.kind, a.status) for a in arrivals] == [
            ("POST", "/v1/api-keys/exchange", "token", 200),
            ("POST", "/v1/customers", "create", 201),
            ("GET", "/v1/customers/{id}", "get", 200),
            ("GET", "/v1/customers", "list", 200),
            ("POST", "/v1/customers", "create", 400),
            ("DELETE", "/v1/customers/{id}", "delete", 204),
            ("GET", "(unknown)", "other", 404),
        ]
        assert [a.customer_id for a in arrivals] == ["", customer_id, *[""] * 5]
        assert [a.number for a in arrivals] == list(range(7))
        assert before <= arrivals[1].at_s <= arrivals[2].at_s <= time.monotonic()
        assert caller.emulator.ledger.codes == {"EMU_VALIDATION": 1, "EMU_NO_SUCH_PATH": 1}
        assert caller.emulator.ledger.count("create") == 2
        assert caller.emulator.ledger.count("create", 201) == 1


async def test_requests_under_way_are_seen_at_once() -> None:
    async with served() as caller:
        reader, writer = await asyncio.open_connection(*caller.emulator.base_url.removeprefix("http://").split(":"))
        writer.write(b"POST /v1/customers HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        await caller.until_arrived("create")
        arrival = list(caller.emulator.ledger)[-1]
        writer.close()

        assert arrival.status == UNDER_WAY
        assert caller.emulator.ledger.in_flight == 1
        assert await reader.read() == b""
    assert caller.emulator.counts()["create"] == {"dropped": 1}


async def test_the_ledger_is_served_over_http() -> None:
    async with served(EmulatorSettings(enforce_external_id="off")) as caller:
        for key in ("a", "a", "b", "a"):
            await caller.create(externalId=key, metadata={"importKey": key * 8})
        await caller.create(firstName="")
        numbers = (await caller.call("GET", "/_emulator/ledger?per_s=60")).json

        assert numbers["counts"] == {"create": {"201": 4, "400": 1}, "token": {"200": 1}}
        assert (numbers["customers"], numbers["commits"], numbers["requests"]) == (4, 4, 6)
        assert numbers["duplicates"] == {"importKey": 2, "externalId": 2}
        assert (numbers["per_s"], numbers["largest_window"]) == (60, 6)
        assert numbers["most_in_flight"] == 1
        assert numbers["codes"] == {"EMU_VALIDATION": 1}
        assert numbers["largest_window"] == caller.emulator.largest_window(60)
        assert numbers == {**caller.emulator.numbers(60), "rate_now": numbers["rate_now"]}


@pytest.mark.parametrize("per_s", ["0", "-1", "x", "nan", "inf"])
async def test_a_window_that_makes_no_sense_is_refused(per_s: str) -> None:
    async with served() as caller:
        assert (await caller.call("GET", f"/_emulator/ledger?per_s={per_s}")).status == 400


async def test_another_name_of_the_import_stamp_can_be_counted() -> None:
    async with served(EmulatorSettings(stamp="rowHash")) as caller:
        for _ in range(3):
            await caller.create(metadata={"rowHash": "x", "importKey": "y"})

        assert caller.emulator.numbers()["duplicates"]["importKey"] == 2


async def test_all_customers_are_streamed_as_lines() -> None:
    async with served(EmulatorSettings(list_lag_s=600)) as caller:
        bodies = [(await caller.create(lastName=f"Green\u2028{n}")).json for n in range(30)]
        reply = await caller.call("GET", "/_emulator/customers")

        assert reply.headers["Content-Type"].startswith("application/x-ndjson")
        assert [json.loads(line) for line in reply.text.split("\n") if line] == bodies


async def test_every_arrival_is_a_line_without_personal_data() -> None:
    plan = Faults.of({"fault": "commit-then-drop", "on": ["create"], "from_request": 2, "for_requests": 1})
    async with served(EmulatorSettings(faults=plan)) as caller:
        made = await caller.create(SARAH)
        with suppress(aiohttp.ClientError):
            await caller.create(SARAH)
        await caller.call("GET", "/v1/customers?primaryEmail=sgreen@abc.com")
        reply = await caller.call("GET", "/_emulator/arrivals")

    lines = [json.loads(line) for line in reply.text.splitlines()]
    assert reply.headers["Content-Type"].startswith("application/x-ndjson")
    assert [(one["number"], one["kind"], one["status"], one["fault"]) for one in lines] == [
        (0, "token", 200, ""),
        (1, "create", 201, ""),
        (2, "create", 0, "commit-then-drop"),
        (3, "list", 200, ""),
    ]
    assert lines[1]["customer_id"] == made.json["id"]
    assert [one["at_s"] for one in lines] == sorted(one["at_s"] for one in lines)
    assert "sgreen" not in reply.text


async def test_the_page_for_people_holds_counts_and_no_names() -> None:
    async with served() as caller:
        await caller.create(SARAH, externalId="A-1")
        await caller.create(SARAH, externalId="A-1")
        page = await caller.call("GET", "/_emulator", headers={"Authorization": ""})

        assert page.status == 200
        assert page.headers["Content-Type"].startswith("text/html")
        assert "EMU_DUPLICATE_EXTERNAL_ID" in page.text
        assert '<th scope="row">create: 201</th><td class="n">1</td>' in page.text
        assert not any(word in page.text for word in ("Sarah", "Green", "sgreen", "5556589", caller.token))
        assert "http://" not in page.text
        assert "https://" not in page.text


async def test_the_root_leads_to_the_page_for_people() -> None:
    async with served(token=False) as caller:
        reply = await caller.call("GET", "/")
        assert (reply.status, reply.headers["Location"]) == (302, "/_emulator")
        assert (await caller.call("POST", "/")).status == 404
        assert caller.emulator.ledger.count("other") == 1


async def test_people_see_the_customers_as_a_table_the_newest_first_and_escaped() -> None:
    async with served() as caller:
        for number in range(101):
            await caller.create(SARAH, externalId=f"A-{number}")
        await caller.create(BAKERY, businessName="Bread & Sons")
        first, second, beyond = [
            (await caller.call("GET", f"/_emulator/customers.html{query}")).text
            for query in ("", "?page=2", "?page=x3")
        ]

        assert first.count('<th scope="row">') == 100
        assert first.index("Bread &amp; Sons") < first.index("ada@bakery.example.com") < first.index("<td>A-100</td>")
        assert "102 in all, the newest first; page 1 of 2." in first == beyond
        assert second.count('<th scope="row">') == 2
        assert "<td>A-0</td>" in second


async def test_the_pages_are_not_in_the_ledger_and_nothing_else_is_there() -> None:
    async with served(token=False) as caller:
        await caller.call("GET", "/_emulator/ledger")

        assert (await caller.call("GET", "/_emulator/secrets")).status == 404
        assert (await caller.call("POST", "/_emulator/ledger")).status == 404
        assert caller.emulator.ledger.requests == 0
