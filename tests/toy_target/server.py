"""The club itself: an HTTP server in a thread, with a ledger of what arrived. Knows nothing of the importer."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.toy_target.answers import PATH, TOKEN_HEADER

TOKEN = "club-token-zq4"


@dataclass
class ClubServer:
    """The members, and every request.

    Args:
        drops_every: of the creates that come for the first time, every so many is committed and not answered; 0: none.
        delay_s: how long a create takes.
        locked: no token is good any more.
        slow: creates wait for it; None: they do not.
    """

    drops_every: int = 0
    delay_s: float = 0.0
    locked: bool = False
    slow: asyncio.Event | None = None
    members: list[dict[str, Any]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    base_url: str = ""

    @property
    def per_mail(self) -> Counter[str]:
        """How many members there are with each address: the ledger."""
        return Counter(one["mail"] for one in self.members)

    @property
    def numbers(self) -> dict[str, str]:
        """The number of the member with each address."""
        return {one["mail"]: one["memberNo"] for one in self.members}

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Take a member."""
        if (refused := self._refused(request)) is not None:
            return refused
        member: dict[str, Any] = await request.json()
        if self.slow is not None:
            await self.slow.wait()
        if unknown := member.keys() - {"ref", "fullName", "mail", "joined", "labels"}:
            return web.json_response({"problem": f"unknown: {sorted(unknown)}"}, status=422)
        if member["fullName"] == "Nobody":
            return web.json_response({"problem": "nobody"}, status=422)
        if member.get("ref") and any(one.get("ref") == member["ref"] for one in self.members):
            return web.json_response({"problem": "taken"}, status=409)
        self.members.append({**member, "memberNo": f"M{len(self.members) + 1:06d}"})
        number = self.members[-1]["memberNo"]
        await asyncio.sleep(self.delay_s)  # noqa: TID251  # a server of its own
        if self.drops_every and len(self.members) % self.drops_every == 0 and request.transport is not None:
            request.transport.abort()
        return web.json_response({"memberNo": number}, status=201)

    async def find(self, request: web.Request) -> web.StreamResponse:
        """List the members that are as the query says."""
        if (refused := self._refused(request)) is not None:
            return refused
        wanted = request.query.items()
        return web.json_response([one for one in self.members if wanted <= one.items()])

    def _refused(self, request: web.Request) -> web.Response | None:
        self.asked[f"{request.method} {request.path}"] += 1
        is_known = request.headers.get(TOKEN_HEADER) == TOKEN and not self.locked
        return None if is_known else web.json_response({}, status=401)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve on a free port of this machine for a block; gives the address."""
        app = web.Application()
        app.router.add_post(PATH, self.create)
        app.router.add_get(PATH, self.find)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()

    async def serve(self, ready: Future[str], over: asyncio.Event) -> None:
        """Serve until it is over."""
        async with self.serving() as address:
            ready.set_result(address)
            await over.wait()


@contextmanager
def serving_the_club(club: ClubServer) -> Iterator[ClubServer]:
    """Serve it in a thread for a block."""
    ready: Future[str] = Future()
    over = asyncio.Event()
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        thread = threading.Thread(target=lambda: runner.run(club.serve(ready, over)), name="club")
        thread.start()
        try:
            club.base_url = ready.result(timeout=20)
            yield club
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join(timeout=20)
