"""The server of these tests: real sockets on 127.0.0.1 that follow a script, byte for byte."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from importer.core.errors import StoppingError
from importer.core.outcomes import Record, Reply
from importer.targets import TargetAccess, connect
from importer.targets.rocketkor.client import RocketKorTarget

KEY, SECRET = "canary-key-51c9", "canary-secret-88f0"
EXCHANGE = "/v1/api-keys/exchange"
PERSON: dict[str, Any] = {
    "type": "INDIVIDUAL",
    "externalId": "LEGACY-0042",
    "firstName": "Sarah",
    "lastName": "Green",
    "primaryPhoneNumber": {"number": "+12025550142", "type": "MOBILE"},
    "primaryEmail": {"value": "sgreen@example.com"},
    "addresses": [
        {"type": "MAILING", "streetLine1": "12 Elm Street", "zipCode": "20001", "countryCode": "USA"},
        {"type": "SHIPPING", "streetLine1": "9 Oak Road", "zipCode": "20002", "countryCode": "USA"},
    ],
    "metadata": {"importKey": "9f86d081884c7d65"},
}

BUSINESS: dict[str, Any] = {
    "type": "BUSINESS",
    "businessName": "Green Ltd",
    "contacts": [
        {"firstName": "Bo", "primaryEmail": {"value": "bo@example.net"}},
        {"firstName": "Ann", "primary": True, "primaryEmail": {"value": "Ann+Shop@Example.net"}},
    ],
}


class FixedClock:
    """Time that moves when a test says so; nobody may sleep by it."""

    def __init__(self) -> None:
        self.wall = 1_790_000_000.0
        self.ticks = 1_000.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    async def sleep(self, delay_s: float) -> None:
        raise AssertionError("a target never sleeps")


class CountingLimiter:
    """Gives every slot at once, counts them, and can do something on the way."""

    def __init__(self) -> None:
        self.slots = 0
        self.departed = 0
        self.learned: list[Reply] = []
        self.stopping = False
        self.on_departure: Callable[[], None] = lambda: None
        self.on_slot: Callable[[int], None] = lambda _: None

    async def reserve(self, *, finishing: bool = False) -> CountedSlot:
        if self.stopping and not finishing:
            raise StoppingError
        self.slots += 1
        self.on_slot(self.slots)
        return CountedSlot(self)

    def learn(self, reply: Reply, /) -> None:
        self.learned.append(reply)


class CountedSlot:
    """A slot that is counted when it is used, and once only; one that is given back counts for nothing."""

    def __init__(self, limiter: CountingLimiter) -> None:
        self._limiter: CountingLimiter | None = limiter

    def depart(self) -> None:
        limiter, self._limiter = self._limiter, None
        if limiter is not None:
            limiter.departed += 1
            limiter.on_departure()

    def answered(self) -> None:
        self.depart()

    def give_back(self) -> None:
        limiter, self._limiter = self._limiter, None
        if limiter is not None:
            limiter.slots -= 1


@dataclass(frozen=True)
class Request:
    """One request as it arrived, and the number of the connection it came on."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


HttpClient = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Step = bytes | Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Script:
    """What the server says, in order (the last step again and again), and what it heard.

    Args:
        steps: for everything but token exchanges: bytes to answer, or a coroutine that does as it likes.
        exchanges: the same for token exchanges; empty: tokens `token-1`, `token-2`, … that live for an hour.
    """

    steps: list[Step] = field(default_factory=list)
    exchanges: list[Step] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    url: str = ""
    issued: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def calls(self) -> list[Request]:
        """What arrived, token exchanges aside."""
        return [request for request in self.requests if not request.path.endswith(EXCHANGE)]

    @property
    def exchanged(self) -> list[Request]:
        """The token exchanges that arrived."""
        return [request for request in self.requests if request.path.endswith(EXCHANGE)]

    def token(self, expires_in: Any = 3600) -> bytes:
        """Issue the next token."""
        self.issued += 1
        return reply(200, {"access_token": f"token-{self.issued}", "expires_in": expires_in})

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        self.writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while not writer.is_closing():
                request = await read_request(reader, number)
                self.requests.append(request)
                step = self._next(request)
                if callable(step):
                    await step(request, writer)
                else:
                    writer.write(step)
                    await writer.drain()
        writer.close()

    def _next(self, request: Request) -> Step:
        if not request.path.endswith(EXCHANGE):
            return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if not self.exchanges:
            return self.token()
        return self.exchanges.pop(0) if len(self.exchanges) > 1 else self.exchanges[0]


async def read_request(reader: asyncio.StreamReader, connection: int) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rest = head.strip().split("\r\n")
    method, path, _ = line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (item.partition(":") for item in rest)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body, connection)


def reply(status: int, body: Any = b"", *, headers: Mapping[str, str] | None = None) -> bytes:
    """Spell an answer out: JSON unless the body is bytes already."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    if not any(name.lower() in {"content-length", "transfer-encoding"} for name in headers or {}):
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


@asynccontextmanager
async def server(script: Script, **options: Any) -> AsyncIterator[Script]:
    """Run the script on a free loopback port."""
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(script.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, **options)
    scheme = "https" if options.get("ssl") else "http"
    script.url = f"{scheme}://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield script
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        for writer in script.writers:
            writer.transport.abort()
        await asyncio.gather(*tasks, *(writer.wait_closed() for writer in script.writers), return_exceptions=True)


@asynccontextmanager
async def server_apart(script: Script, **options: Any) -> AsyncIterator[asyncio.AbstractEventLoop]:
    """Run the script in a thread and a loop of its own, so that it can act while the test's loop stands still."""
    ready, done = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with server(script, **options):
            ready.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()


def close_all(script: Script, loop: asyncio.AbstractEventLoop, *, with_reset: bool) -> None:
    """Close every connection at the server, and return when that has happened; the caller's loop does not turn."""

    async def close() -> None:
        for writer in script.writers:
            sock = writer.get_extra_info("socket")
            if with_reset:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()
        closed = asyncio.gather(*(writer.wait_closed() for writer in script.writers), return_exceptions=True)
        with suppress(TimeoutError):  # TLS waits for the server's goodbye, which cannot come now
            await asyncio.wait_for(closed, 0.2)

    asyncio.run_coroutine_threadsafe(close(), loop).result(5)


@dataclass
class Opened:
    """A target together with the things that a test looks at."""

    target: RocketKorTarget
    limiter: CountingLimiter
    clock: FixedClock


def access(base_url: str, **changes: Any) -> TargetAccess:
    settings: dict[str, Any] = {"credentials": credentials(KEY, SECRET)}
    return TargetAccess(base_url, **(settings | changes))


def credentials(key: str, secret: str) -> dict[str, SecretStr]:
    """What RocketKOR asks for."""
    return {"api_key": SecretStr(key), "api_secret": SecretStr(secret)}


@asynccontextmanager
async def opened(base_url: str, **changes: Any) -> AsyncIterator[Opened]:
    """Open the real target at an address, and close it."""
    limiter, clock = CountingLimiter(), FixedClock()
    target = await connect("rocketkor", access(base_url, **changes), limiter, clock)
    assert isinstance(target, RocketKorTarget)
    try:
        yield Opened(target, limiter, clock)
    finally:
        await target.aclose()


def record(body: Mapping[str, Any] = PERSON, *, doubt_since: float | None = None) -> Record:
    """One valid row, ready to be sent."""
    return Record(
        ordinal=0,
        row=2,
        key="9f86d081884c7d65",
        payload=json.dumps(body).encode(),
        external_id=str(body.get("externalId", "")),
        in_doubt=doubt_since is not None,
        doubt_since=doubt_since,
    )


def created(customer_id: str = "c-1") -> bytes:
    """Say yes."""
    return reply(201, {"id": customer_id, "type": "INDIVIDUAL"})


def hang_up(*first: bytes) -> Step:
    """Say something, or nothing, and close."""

    async def step(_: Request, writer: asyncio.StreamWriter) -> None:
        for piece in first:
            writer.write(piece)
        await writer.drain()
        writer.close()

    return step


def reset(*first: bytes) -> Step:
    """Say something, or nothing, and reset the connection."""

    async def step(_: Request, writer: asyncio.StreamWriter) -> None:
        for piece in first:
            writer.write(piece)
        await writer.drain()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return step


def silence(*first: bytes) -> Step:
    """Say something, or nothing, and then nothing for ever."""

    async def step(_: Request, writer: asyncio.StreamWriter) -> None:
        for piece in first:
            writer.write(piece)
        await writer.drain()
        await asyncio.Event().wait()

    return step


async def pause(seconds: float) -> None:
    """Let other things happen for a moment."""
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)
