"""What every target promises, whatever API stands behind it: run over each kind there is.

A new kind adds a world of its own to `WORLDS`: a server that really stores customers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
from aiohttp import web
from pydantic import SecretStr

from importer.core.errors import AccessError
from importer.core.outcomes import Record, Verdict
from importer.targets import OpenTarget, TargetAccess, connect, kinds
from tests.toy_target.server import TOKEN, ClubServer
from tests.unit.targets.scripted import BUSINESS, KEY, PERSON, SECRET, CountingLimiter, FixedClock, credentials, record

Body = dict[str, Any]


class World(Protocol):
    """The server of one kind of target, as the promises see it, and records for it.

    Attributes:
        credentials: those that it accepts.
        person: a record with an id of its own, which the server takes once.
        other: a record without one.
        refused: a record that the server refuses.
        locked: set: no credentials are good any more.
        slow: set: creates wait for it.
    """

    kind: str
    credentials: dict[str, SecretStr]
    person: Body
    other: Body
    refused: Body
    base_url: str
    locked: bool
    slow: asyncio.Event | None

    @property
    def requests(self) -> int:
        """How many requests came."""
        ...

    @property
    def customers(self) -> Mapping[str, Body]:
        """What is there, by its id."""
        ...

    def record(self, body: Body) -> Record:
        """The row that is sent as a body."""
        ...


@dataclass
class RocketKorWorld:
    """A RocketKOR server that knows just enough: tokens, create, list, get."""

    kind: str = "rocketkor"
    credentials: dict[str, SecretStr] = field(default_factory=lambda: credentials(KEY, SECRET))
    person: Body = field(default_factory=lambda: PERSON)
    other: Body = field(default_factory=lambda: BUSINESS)
    refused: Body = field(default_factory=lambda: {"type": "REFUSED"})
    base_url: str = ""
    locked: bool = False
    slow: asyncio.Event | None = None
    requests: int = 0
    customers: dict[str, Body] = field(default_factory=dict)

    def record(self, body: Body) -> Record:
        return record(body)


@asynccontextmanager
async def rocketkor_world() -> AsyncIterator[World]:
    world = RocketKorWorld()
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


class ClubWorld(ClubServer):
    """The club of the tests' own target."""

    def __init__(self) -> None:
        super().__init__()
        self.kind = "club"
        self.credentials = {"token": SecretStr(TOKEN)}
        self.person: Body = {"ref": "R-1", "fullName": "Ada", "mail": "ada@example.com"}
        self.other: Body = {"fullName": "Bob", "mail": "bob@example.com"}
        self.refused: Body = {"fullName": "Nobody", "mail": "nobody@example.com"}

    @property
    def requests(self) -> int:
        return sum(self.asked.values())

    @property
    def customers(self) -> Mapping[str, Body]:
        return {one["memberNo"]: one for one in self.members}

    def record(self, body: Body) -> Record:
        return record(body)._replace(external_id=body.get("ref", ""))


@asynccontextmanager
async def club_world() -> AsyncIterator[World]:
    world = ClubWorld()
    async with world.serving() as world.base_url:
        yield world


WORLDS: dict[str, Callable[[], AbstractAsyncContextManager[World]]] = {
    "rocketkor": rocketkor_world,
    "club": club_world,
}


@pytest.mark.usefixtures("club_site")
def test_every_kind_has_a_world() -> None:
    assert set(WORLDS) == set(kinds())


@dataclass
class Meeting:
    """A target and the world that it looks at."""

    target: OpenTarget
    world: World
    limiter: CountingLimiter

    async def another(self, base_url: str = "") -> OpenTarget:
        """Another target of the same kind."""
        access = TargetAccess(base_url or self.world.base_url, self.world.credentials)
        return await connect(self.world.kind, access, CountingLimiter(), FixedClock())


@pytest.fixture(params=sorted(WORLDS))
async def meeting(request: pytest.FixtureRequest, club_site: Path) -> AsyncIterator[Meeting]:
    async with WORLDS[request.param]() as world:
        limiter = CountingLimiter()
        access = TargetAccess(world.base_url, world.credentials)
        target = await connect(world.kind, access, limiter, FixedClock())
        try:
            yield Meeting(target, world, limiter)
        finally:
            await target.aclose()


async def test_what_was_sent_is_there_and_found_again(meeting: Meeting) -> None:
    for body in (meeting.world.person, meeting.world.other):
        said = await meeting.target.send(meeting.world.record(body))
        found = await meeting.target.find(meeting.world.record(body))

        assert said.verdict is Verdict.ACCEPT
        assert [candidate.customer_id for candidate in found.candidates] == [said.customer_id]
        assert {name: found.candidates[0].body[name] for name in body} == body
        assert {name: meeting.world.customers[said.customer_id][name] for name in body} == body


async def test_a_send_is_one_attempt_and_never_two(meeting: Meeting) -> None:
    await meeting.target.check()
    before = meeting.world.requests
    said = await meeting.target.send(meeting.world.record(meeting.world.refused))

    assert said.verdict is Verdict.REJECT
    assert meeting.world.requests == before + 1


async def test_every_request_has_paid_for_its_slot(meeting: Meeting) -> None:
    other = meeting.world.record(meeting.world.other)
    await asyncio.gather(*(meeting.target.send(other) for _ in range(20)))
    await meeting.target.find(meeting.world.record(meeting.world.other))

    assert meeting.limiter.slots == meeting.world.requests


async def test_a_duplicate_is_recognised(meeting: Meeting) -> None:
    await meeting.target.send(meeting.world.record(meeting.world.person))

    assert (await meeting.target.send(meeting.world.record(meeting.world.person))).verdict is Verdict.DUPLICATE
    assert len(meeting.world.customers) == 1


async def test_no_match_is_not_an_error(meeting: Meeting) -> None:
    found = await meeting.target.find(meeting.world.record(meeting.world.person))

    assert found.candidates == ()
    assert found.failure is None


async def test_credentials_are_checked_for_real(meeting: Meeting) -> None:
    assert await meeting.target.check() is None
    meeting.world.locked = True
    other = await meeting.another()
    with pytest.raises(AccessError):
        await other.check()
    await other.aclose()


async def test_cancellation_travels_on_and_harms_no_other_request(meeting: Meeting) -> None:
    await meeting.target.check()
    meeting.world.slow = asyncio.Event()
    doomed = asyncio.create_task(meeting.target.send(meeting.world.record(meeting.world.other)))
    before = meeting.world.requests
    while meeting.world.requests == before:
        await asyncio.wait([asyncio.create_task(_turn())])
    doomed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doomed
    meeting.world.slow.set()

    assert (await meeting.target.send(meeting.world.record(meeting.world.person))).verdict is Verdict.ACCEPT


async def test_a_dead_server_leaves_replies_and_no_exceptions(meeting: Meeting) -> None:
    gone = await meeting.another(meeting.world.base_url.rpartition(":")[0] + ":1")
    person = meeting.world.record(meeting.world.person)
    said, found = await gone.send(person), await gone.find(person)
    await gone.aclose()

    assert said.verdict is Verdict.RETRY
    assert found.failure is not None
    assert found.failure.verdict is Verdict.RETRY


# --------------------------------------------------------------------------- RocketKOR, just enough


def _counting(world: RocketKorWorld) -> Any:
    @web.middleware
    async def count(request: web.Request, handler: Any) -> web.StreamResponse:
        world.requests += 1
        response: web.StreamResponse = await handler(request)
        return response

    return count


def _exchange(world: RocketKorWorld) -> Any:
    async def exchange(request: web.Request) -> web.Response:
        if world.locked or request.headers["Authorization"] != _basic():
            return web.json_response({"message": "unknown key"}, status=401)
        return web.json_response({"access_token": "t-1", "expires_in": 3600})

    return exchange


def _create(world: RocketKorWorld) -> Any:
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


def _list(world: RocketKorWorld) -> Any:
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
