"""When a request leaves: the limits count from its first byte, not from when its connection was asked for."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from importer.core.errors import ShareEndedError
from importer.core.outcomes import Verdict
from importer.delivery import StopSwitch, StrictLimiter, Window
from importer.delivery.slots import HeldSlot
from importer.targets import connect
from tests.lab.virtual_time import VirtualClock, VirtualLoop, run_virtual
from tests.unit.targets import pki
from tests.unit.targets.scripted import (
    Request,
    Script,
    access,
    close_all,
    created,
    hang_up,
    opened,
    pause,
    record,
    server,
    server_apart,
)


@pytest.fixture
def certified(tmp_path: Path) -> ssl.SSLContext:
    (tmp_path / "cert.pem").write_text(pki.SERVER_CERTIFICATE)
    (tmp_path / "key.pem").write_text(pki.SERVER_KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "authority.pem").write_text(pki.AUTHORITY)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@asynccontextmanager
async def held_up(url: str, opened_gate: asyncio.Event) -> AsyncIterator[str]:
    """A way to the server on which no connection gets through before the gate opens."""
    port = int(url.rpartition(":")[2])
    writers: list[asyncio.StreamWriter] = []

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(65_536):
                writer.write(piece)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await opened_gate.wait()
        theirs, ours = await asyncio.open_connection("127.0.0.1", port)
        writers.append(ours)
        await asyncio.gather(copy(reader, ours), copy(theirs, writer))

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        for writer in writers:
            writer.transport.abort()


@pytest.mark.usefixtures("trusted")
async def test_a_slot_is_used_when_the_handshake_is_done_and_not_before(certified: ssl.SSLContext) -> None:
    script, gate = Script([created()]), asyncio.Event()
    async with server(script, ssl=certified), held_up(script.url, gate) as url, opened(url) as it:
        sending = asyncio.create_task(it.target.send(record()))
        await pause(0.1)
        assert (it.limiter.slots, it.limiter.departed) == (1, 0)
        gate.set()

        assert (await sending).verdict is Verdict.ACCEPT
    assert it.limiter.departed == it.limiter.slots == 2


class _Watched(StrictLimiter):
    """Counts the requests that have a slot and no answer yet."""

    under_way = 0

    async def reserve(self, *, finishing: bool = False) -> HeldSlot:
        slot = await super().reserve(finishing=finishing)
        self.under_way += 1
        return slot

    def answered(self, slot: HeldSlot) -> None:
        self.under_way -= 1
        super().answered(slot)

    def given_back(self) -> None:
        self.under_way -= 1
        super().given_back()


@pytest.mark.usefixtures("trusted")
def test_many_connections_that_get_through_together_send_no_more_than_a_second_allows(
    certified: ssl.SSLContext,
) -> None:
    """At 100/s, forty requests wait for their handshakes when the line clears: they use up what the next would.

    The sockets are real and the time is not: it stands still while something travels, so a request arrives when it
    leaves.
    """
    loop = VirtualLoop()
    arrived = run_virtual(lambda: _arrivals(loop, certified), loop)

    assert len(arrived) >= 180
    assert arrived[-1] - arrived[0] > 1.0
    assert max(sum(moment <= other < moment + 1.0 for other in arrived) for moment in arrived) <= 100


async def _arrivals(loop: VirtualLoop, certified: ssl.SSLContext) -> list[float]:
    """When requests arrived."""
    arrived: list[float] = []
    clock, gate, at_work = VirtualClock(), asyncio.Event(), asyncio.Event()

    async def note(_: Request, writer: asyncio.StreamWriter) -> None:
        arrived.append(clock.monotonic())
        writer.write(created())

    script = Script([note])
    script.exchanges = [hang_up(script.token())]
    limiter = _Watched([Window(100, 1.0)], clock, StopSwitch())
    loop.in_transit = lambda: not at_work.is_set() or (gate.is_set() and limiter.under_way > 0)
    async with server(script, ssl=certified), held_up(script.url, gate) as url:
        target = await connect("rocketkor", access(url, max_connections=64), limiter, clock)
        gate.set()
        assert await target.check() is None
        gate.clear()
        at_work.set()

        async def work() -> None:
            while len(arrived) < 180:
                await target.send(record())

        async with asyncio.TaskGroup() as group:
            for _ in range(64):
                group.create_task(work())
            await pause(0.4)
            gate.set()
        at_work.clear()
        await target.aclose()
    return arrived


@pytest.mark.parametrize("with_reset", [False, True])
async def test_a_request_that_changes_its_connection_counts_once(*, with_reset: bool) -> None:
    script = Script([created("c-1"), created("c-2")])
    async with server_apart(script) as loop, opened(script.url) as it:
        await it.target.send(record())
        close_all(script, loop, with_reset=with_reset)
        reply = await it.target.send(record())

    assert reply.customer_id == "c-2"
    assert it.limiter.departed == it.limiter.slots == 3


async def test_a_request_that_finds_no_server_counts_as_well() -> None:
    script = Script([created()])
    async with server(script), opened(script.url) as it:
        await it.target.check()
        base = script.url
    async with opened(base) as other:
        reply = await other.target.send(record())

    assert reply.verdict is Verdict.RETRY
    assert other.limiter.departed == other.limiter.slots == 1


async def test_a_broken_request_has_left() -> None:
    async with server(script := Script([hang_up()])), opened(script.url) as it:
        reply = await it.target.send(record())

    assert reply.verdict is Verdict.IN_DOUBT
    assert it.limiter.departed == 2


@pytest.mark.parametrize("creates", [True, False])
async def test_what_must_not_leave_any_more_is_not_sent_and_may_be_tried_again(creates: bool) -> None:
    def end() -> None:
        raise ShareEndedError

    async with server(Script([created()])) as script, opened(script.url) as it:
        await it.target.send(record())
        it.limiter.on_departure = end
        said = await it.target.send(record()) if creates else (await it.target.find(record())).failure

    assert said is not None
    assert said.verdict is Verdict.RETRY
    assert len(script.calls) == 1
