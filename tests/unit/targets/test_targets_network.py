from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import aiohttp
import pytest

from importer.core.outcomes import Verdict
from importer.targets.rocketkor import http
from importer.targets.rocketkor.connections import STALE_TRIES
from tests.unit.targets.scripted import (
    Request,
    Script,
    Step,
    close_all,
    created,
    hang_up,
    opened,
    pause,
    record,
    reply,
    reset,
    server,
    server_apart,
    silence,
)

FAST = {"connect_timeout_s": 0.6, "read_timeout_s": 0.5, "total_timeout_s": 1.0}


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (hang_up(), "disconnected"),
        (reset(), "connection_reset"),
        (silence(), "read_timeout"),
        (hang_up(b"HTTP/1.1 20"), "disconnected"),
        (reset(b"HTTP/1.1 201 Created\r\nContent-Le"), "connection_reset"),
        (silence(b"HTTP/1.1 201 Created\r\nContent-Le"), "read_timeout"),
        (hang_up(b"\x15\x03\x01\x00\x02\x02\x46"), "answer_unreadable"),
        (hang_up(b"SSH-2.0-OpenSSH_9.6\r\n"), "answer_unreadable"),
        (hang_up(b"HTTP/1.1 201 Created\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"), "answer_unreadable"),
        (hang_up(b"HTTP/1.1 201 Created\r\nContent-Length: minus one\r\n\r\n"), "answer_unreadable"),
        (hang_up(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: chess\r\nConnection: upgrade\r\n\r\n"), ""),
    ],
)
async def test_what_breaks_after_the_request_left_is_in_doubt(step: Step, code: str) -> None:
    async with server(Script([step])) as script, opened(script.url, **FAST) as it:
        said = await it.target.send(record())

    assert said.verdict is Verdict.IN_DOUBT
    assert said.error_code == code or not code
    assert len(script.calls) == 1, "a create is never repeated"


@pytest.mark.parametrize("end", [hang_up, reset, silence])
@pytest.mark.parametrize(
    ("head", "verdict"),
    [
        (b"HTTP/1.1 201 Created\r\nContent-Length: 999\r\n\r\n", Verdict.IN_DOUBT),
        (b"HTTP/1.1 201 Created\r\nContent-Length: 99\r\nLocation: /v1/customers/c-1\r\n\r\n", Verdict.ACCEPT),
        (b"HTTP/1.1 400 Bad\r\nContent-Length: 999\r\n\r\n", Verdict.REJECT),
        (b"HTTP/1.1 429 Slow\r\nContent-Length: 999\r\nRetry-After: 3\r\n\r\n", Verdict.RETRY),
        (b"HTTP/1.1 503 Off\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Verdict.IN_DOUBT),
        (b"HTTP/1.1 422 No\r\nContent-Encoding: gzip\r\nContent-Length: 99\r\n\r\nno gzip at all", Verdict.REJECT),
    ],
)
async def test_a_status_counts_though_its_body_never_comes_whole(
    head: bytes, verdict: Verdict, end: Callable[..., Step]
) -> None:
    async with server(Script([end(head, b'{"id": "c-')])) as script, opened(script.url, **FAST) as it:
        said = await it.target.send(record())

    assert said.verdict is verdict


async def test_an_answer_that_trickles_in_for_ever_ends_at_the_total_timeout() -> None:
    async def drip(_: Request, writer: asyncio.StreamWriter) -> None:
        for byte in b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n" + b"x" * 500:
            writer.write(bytes([byte]))
            await pause(0.02)

    async with server(Script([drip])) as script, opened(script.url, read_timeout_s=0.4, total_timeout_s=0.5) as it:
        said = await asyncio.wait_for(it.target.send(record()), 2)

    assert (said.verdict, said.error_code) == (Verdict.IN_DOUBT, "timeout")


async def test_a_port_without_a_server_is_known_not_created() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with opened(f"http://127.0.0.1:{nobody.getsockname()[1]}") as it:
            said = await it.target.send(record())

    assert (said.verdict, said.error_code, said.http_status) == (Verdict.RETRY, "connect_failed", None)


async def test_a_connection_that_does_not_come_about_in_time_is_known_not_created() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        async with opened(f"http://127.0.0.1:{full.getsockname()[1]}", **FAST) as it:
            said = await it.target.send(record())
        for one in crowd:
            one.close()

    assert (said.verdict, said.error_code) == (Verdict.RETRY, "connect_timeout")


async def test_a_total_timeout_shorter_than_the_connect_timeout_leaves_no_doubt() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):
            url = f"http://127.0.0.1:{full.getsockname()[1]}"
            async with opened(url, connect_timeout_s=5.0, total_timeout_s=0.2) as it:
                said = await it.target.send(record())

    assert said.verdict is Verdict.RETRY


async def test_an_exhausted_pool_is_known_not_created() -> None:
    script = Script([silence()])
    async with server(script), opened(script.url, **FAST | {"read_timeout_s": 5.0}, max_connections=1) as it:
        await it.target.check()
        busy = [asyncio.create_task(it.target.send(record())) for _ in range(2)]  # one connection is for tokens
        while len(script.calls) < 2:
            await pause(0.001)
        said = await it.target.send(record())
        for task in busy:
            task.cancel()

    assert (said.verdict, said.error_code) == (Verdict.RETRY, "connect_timeout")


async def test_an_unknown_name_is_known_not_created() -> None:
    async with opened("https://nobody.invalid", **FAST | {"connect_timeout_s": 2.0, "total_timeout_s": 3.0}) as it:
        said = await it.target.send(record())

    assert said.verdict is Verdict.RETRY
    assert said.error_code in {"dns_failure", "connect_timeout"}


async def test_plain_text_where_a_secure_connection_is_expected_is_known_not_created() -> None:
    async with server(Script([b""])) as script, opened(script.url.replace("http:", "https:"), **FAST) as it:
        said = await it.target.send(record())

    assert said.verdict is Verdict.RETRY
    assert not script.requests


async def test_kept_connections_are_used_again() -> None:
    async with server(Script([created()])) as script, opened(script.url) as it:
        for _ in range(5):
            await it.target.send(record())

    assert script.connections == 1


@pytest.mark.parametrize("with_reset", [False, True])
@pytest.mark.parametrize("count", [1, STALE_TRIES - 1])
async def test_kept_connections_that_the_server_closed_cause_no_doubt(count: int, with_reset: bool) -> None:
    """The closing has arrived at this machine, and the event loop has had no turn to see it."""
    script = Script([created()])
    async with server_apart(script) as loop, opened(script.url) as it:
        await it.target.check()
        await asyncio.gather(*(it.target.send(record()) for _ in range(count)))
        kept, before = script.connections, len(script.calls)
        close_all(script, loop, with_reset=with_reset)
        said = await it.target.send(record())

    assert (kept, before) == (count, count)
    assert said.verdict is Verdict.ACCEPT
    assert len(script.calls) == before + 1


async def test_a_pool_full_of_closed_connections_causes_no_doubt() -> None:
    script = Script([created()])
    async with server_apart(script) as loop, opened(script.url) as it:
        await it.target.check()
        await asyncio.gather(*(it.target.send(record()) for _ in range(STALE_TRIES + 2)))
        close_all(script, loop, with_reset=False)
        said = await it.target.send(record())

    assert (said.verdict, said.error_code) in {(Verdict.ACCEPT, ""), (Verdict.RETRY, "connection_stale")}
    assert len(script.calls) == STALE_TRIES + 2 + (said.verdict is Verdict.ACCEPT)


async def test_a_look_up_on_a_closed_connection_takes_another_one() -> None:
    script = Script([reply(200, {"content": [], "hasNext": False})])
    async with server_apart(script) as loop, opened(script.url) as it:
        await it.target.find(record())
        close_all(script, loop, with_reset=False)
        found = await it.target.find(record())

    assert found.failure is None
    assert len(script.requests) == it.limiter.slots


def test_another_event_loop_sees_closed_connections_too() -> None:
    uvloop = pytest.importorskip("uvloop")
    script = Script([created()])

    async def close_between() -> Verdict:
        async with server_apart(script) as loop, opened(script.url) as it:
            await it.target.send(record())
            close_all(script, loop, with_reset=False)
            return (await it.target.send(record())).verdict

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(close_between()) is Verdict.ACCEPT


async def test_a_server_that_slams_every_connection_is_asked_a_bounded_number_of_times() -> None:
    accepted = 0

    def slam(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        writer.transport.abort()

    listener = await asyncio.start_server(slam, "127.0.0.1", 0)
    async with listener, opened(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}", **FAST) as it:
        said = await it.target.send(record())

    assert said.verdict is Verdict.RETRY
    assert accepted <= STALE_TRIES


async def test_bytes_that_come_unasked_on_an_idle_connection_are_not_taken_for_an_answer() -> None:
    writers: list[asyncio.StreamWriter] = []

    async def keep(_: Request, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(created("c-right"))

    async with server(Script([keep])) as script, opened(script.url) as it:
        await it.target.send(record())
        writers[0].write(created("c-poison"))
        await writers[0].drain()
        await pause(0.01)
        said = await it.target.send(record())

    assert said.customer_id == "c-right"
    assert len(script.calls) == 2


async def test_a_look_up_that_the_server_drops_is_not_repeated_behind_the_rate_limits_back() -> None:
    async with server(Script([created(), hang_up()])) as script, opened(script.url) as it:
        await it.target.send(record())
        found = await it.target.find(record())

    assert found.failure is not None
    assert (found.failure.verdict, found.failure.error_code) == (Verdict.RETRY, "disconnected")
    assert len(script.requests) == it.limiter.slots == 3


async def test_a_cancelled_send_lets_go_of_its_connection_and_the_next_one_works() -> None:
    async with server(Script([silence(), created()])) as script, opened(script.url, max_connections=1) as it:
        await it.target.check()
        doomed = asyncio.create_task(it.target.send(record()))
        while not script.calls:
            await pause(0.001)
        doomed.cancel()
        with pytest.raises(asyncio.CancelledError):
            await doomed
        said = await it.target.send(record())

    assert said.verdict is Verdict.ACCEPT


async def test_closing_twice_is_harmless() -> None:
    async with server(Script([created()])) as script, opened(script.url) as it:
        await it.target.send(record())
        await it.target.aclose()


def test_idle_connections_are_dropped_before_servers_usually_do() -> None:
    assert http.KEEP_ALIVE_S < 5.0  # the default of several widespread servers


def test_everything_the_library_raises_is_caught() -> None:
    assert issubclass(aiohttp.ClientError, http.NETWORK_ERRORS)
    assert issubclass(TimeoutError, http.NETWORK_ERRORS)
