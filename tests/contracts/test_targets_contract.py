"""What every target promises, whatever API stands behind it: run over each kind there is.

A new kind adds a world of its own to `WORLDS`: a server that really stores customers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from importer.core.errors import AccessError
from importer.core.outcomes import Verdict
from importer.targets import OpenTarget, connect, kinds
from tests.unit.targets.scripted import BUSINESS, KEY, PERSON, SECRET, CountingLimiter, FixedClock, access, record


@dataclass
class World:
    """The other side of one kind of target, as the promises see it."""

    kind: str
    base_url: str = ""
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: int = 0
    locked: bool = False
    slow: asyncio.Event | None = None


@asynccontextmanager
async def rocketkor_world() -> AsyncIterator[World]:
    """A RocketKOR server that knows just enough: tokens, create, list, get."""
    world = World("rocketkor")
    app = web.Application(middlewares=[_counting(world)])
    app.router.add_post("/v1/api-keys/exchange", _exchange(world))
    app.router.add_post("/v1/customers", _create(world))
    app.router.add_get("/v1/customers", _list(world))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    world.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield world
    finally:
        await runner.cleanup()


WORLDS: dict[str, Callable[[], AbstractAsyncContextManager[World]]] = {"rocketkor": rocketkor_world}


def test_every_kind_has_a_world() -> None:
    assert set(WORLDS) == set(kinds())


@dataclass
class Meeting:
    """A target and the world it looks at."""

    target: OpenTarget
    world: World
    limiter: CountingLimiter


@pytest.fixture(params=sorted(WORLDS))
async def meeting(request: pytest.FixtureRequest) -> AsyncIterator[Meeting]:
    async with WORLDS[request.param]() as world:
        limiter = CountingLimiter()
        target = await connect(world.kind, access(world.base_url), limiter, FixedClock())
        try:
            yield Meeting(target, world, limiter)
        finally:
            await target.aclose()


async def test_what_was_sent_is_there_and_found_again(meeting: Meeting) -> None:
    for body in (PERSON, BUSINESS):
        said = await meeting.target.send(record(body))
        found = await meeting.target.find(record(body))

        assert said.verdict is Verdict.ACCEPT
        assert [candidate.customer_id for candidate in found.candidates] == [said.customer_id]
        assert {name: found.candidates[0].body[name] for name in body} == body
        assert {name: meeting.world.customers[said.customer_id][name] for name in body} == body


async def test_a_send_is_one_attempt_and_never_two(meeting: Meeting) -> None:
    await meeting.target.check()
    before = meeting.world.requests
    said = await meeting.target.send(record({"type": "REFUSED"}))

    assert said.verdict is Verdict.REJECT
    assert meeting.world.requests == before + 1


async def test_every_request_has_paid_for_its_slot(meeting: Meeting) -> None:
    await asyncio.gather(*(meeting.target.send(record({**BUSINESS, "n": number})) for number in range(20)))
    await meeting.target.find(record(BUSINESS))

    assert meeting.limiter.slots == meeting.world.requests


async def test_a_duplicate_is_told_apart(meeting: Meeting) -> None:
    await meeting.target.send(record(PERSON))

    assert (await meeting.target.send(record(PERSON))).verdict is Verdict.DUPLICATE
    assert len(meeting.world.customers) == 1


async def test_nobody_found_is_no_trouble(meeting: Meeting) -> None:
    found = await meeting.target.find(record(PERSON))

    assert found.candidates == ()
    assert found.trouble is None


async def test_credentials_are_checked_for_real(meeting: Meeting) -> None:
    assert await meeting.target.check() is None
    meeting.world.locked = True
    other = await connect(meeting.world.kind, access(meeting.world.base_url), CountingLimiter(), FixedClock())
    with pytest.raises(AccessError):
        await other.check()
    await other.aclose()


async def test_cancellation_travels_on_and_harms_nobody_else(meeting: Meeting) -> None:
    await meeting.target.check()
    meeting.world.slow = asyncio.Event()
    doomed = asyncio.create_task(meeting.target.send(record(BUSINESS)))
    while meeting.world.requests < 2:
        await asyncio.wait([asyncio.create_task(_turn())])
    doomed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doomed
    meeting.world.slow.set()

    assert (await meeting.target.send(record(PERSON))).verdict is Verdict.ACCEPT


async def test_a_dead_server_leaves_replies_and_no_exceptions(meeting: Meeting) -> None:
    port = access(meeting.world.base_url).base_url
    gone = await connect(meeting.world.kind, access(port.rpartition(":")[0] + ":1"), CountingLimiter(), FixedClock())
    said, found = await gone.send(record(PERSON)), await gone.find(record(PERSON))
    await gone.aclose()

    assert said.verdict is Verdict.RETRY
    assert found.trouble is not None
    assert found.trouble.verdict is Verdict.RETRY


# --------------------------------------------------------------------------- RocketKOR, just enough


def _counting(world: World) -> Any:
    @web.middleware
    async def count(request: web.Request, handler: Any) -> web.StreamResponse:
        world.requests += 1
        response: web.StreamResponse = await handler(request)
        return response

    return count


def _exchange(world: World) -> Any:
    async def exchange(request: web.Request) -> web.Response:
        if world.locked or request.headers["Authorization"] != _basic():
            return web.json_response({"message": "unknown key"}, status=401)
        return web.json_response({"access_token": "t-1", "expires_in": 3600})

    return exchange


def _create(world: World) -> Any:
    async def create(request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        if world.slow is not None:
            await world.slow.wait()
        if body["type"] not in {"INDIVIDUAL", "BUSINESS"}:
            return web.json_response({"message": "unknown type"}, status=400)
        reference = body.get("externalId")
        if reference and any(other.get("externalId") == reference for other in world.customers.values()):
            return web.json_response({"message": "taken"}, status=409)
        customer_id = f"c-{len(world.customers) + 1}"
        world.customers[customer_id] = {"id": customer_id, **body}
        return web.json_response(world.customers[customer_id], status=201)

    return create


def _list(world: World) -> Any:
    async def find(request: web.Request) -> web.Response:
        wanted, number, size = request.query, int(request.query["page"]), 3
        hits = [
            body
            for body in world.customers.values()
            if body.get("externalId") == wanted.get("externalId") and body["type"] == wanted.get("type", body["type"])
        ]
        content = hits[number * size : (number + 1) * size]
        return web.json_response({"content": content, "number": number, "hasNext": (number + 1) * size < len(hits)})

    return find


def _basic() -> str:
    from base64 import b64encode

    return f"Basic {b64encode(f'{KEY}:{SECRET}'.encode()).decode()}"


async def _turn() -> None:
    return
