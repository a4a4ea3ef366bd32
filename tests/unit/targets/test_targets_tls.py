from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from importer.core.errors import ProfileError
from importer.core.outcomes import Verdict
from importer.targets.rocketkor.uploads import Uploads
from tests.unit.targets import pki
from tests.unit.targets.scripted import (
    CountingLimiter,
    Script,
    access,
    close_all,
    created,
    opened,
    pause,
    record,
    reply,
    server,
    server_apart,
)

NAMED = "https://api.example.com"


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def certified(tmp_path: Path) -> ssl.SSLContext:
    """What a server with a certificate of the tests' own authority needs."""
    (tmp_path / "cert.pem").write_text(pki.SERVER_CERTIFICATE)
    (tmp_path / "key.pem").write_text(pki.SERVER_KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the tests' own authority."""
    (tmp_path / "authority.pem").write_text(pki.AUTHORITY)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@dataclass
class ForwardProxy:
    """A proxy that tunnels every CONNECT to one port, whatever the name, and remembers what it was asked.

    Args:
        refusal: said instead of tunnelling; empty: it tunnels.
    """

    port: int
    refusal: bytes = b""
    asked: list[str] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
            if self.refusal:
                writer.write(self.refusal)
                await writer.drain()
            elif self.port:
                writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                there = await asyncio.open_connection("127.0.0.1", self.port)
                await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def running(proxy: ForwardProxy) -> AsyncIterator[ForwardProxy]:
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(proxy.serve(reader, writer)))

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        listener.close()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


@pytest.mark.usefixtures("trusted")
async def test_an_authority_of_ones_own_is_trusted_through_ssl_cert_file(certified: ssl.SSLContext) -> None:
    async with server(Script([created()]), ssl=certified) as script, opened(script.url) as it:
        said = [await it.target.send(record()) for _ in range(3)]

    assert {reply.verdict for reply in said} == {Verdict.ACCEPT}
    assert script.connections == 1


@pytest.mark.usefixtures("trusted")
async def test_new_secure_connections_are_not_mistaken_for_dead_ones(certified: ssl.SSLContext) -> None:
    async with server(Script([created()]), ssl=certified) as script, opened(script.url) as it:
        await it.target.check()
        said = await asyncio.gather(*(it.target.send(record()) for _ in range(16)))

    assert {reply.verdict for reply in said} == {Verdict.ACCEPT}
    assert script.connections == 16


async def test_an_unknown_authority_stops_the_run_before_anything_is_sent(certified: ssl.SSLContext) -> None:
    async with server(Script([created()]), ssl=certified) as script, opened(script.url) as it:
        said = await it.target.send(record())

    assert (said.verdict, said.error_code) == (Verdict.ABORT, "tls_certificate")
    assert "SSL_CERT_FILE" in said.message
    assert not script.requests


@pytest.mark.usefixtures("trusted")
async def test_a_certificate_for_another_name_stops_the_run(
    certified: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server(Script([created()]), ssl=certified) as script, running(ForwardProxy(_port(script.url))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with opened("https://elsewhere.example.com") as it:
            said = await it.target.send(record())

    assert (said.verdict, said.error_code) == (Verdict.ABORT, "tls_certificate")
    assert not script.requests


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("with_reset", [False, True])
async def test_kept_secure_connections_that_the_server_closed_cause_no_doubt(
    certified: ssl.SSLContext, with_reset: bool
) -> None:
    script = Script([created()])
    async with server_apart(script, ssl=certified) as loop, opened(script.url) as it:
        await it.target.send(record())
        close_all(script, loop, with_reset=with_reset)
        said = await it.target.send(record())

    assert said.verdict is Verdict.ACCEPT


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
async def test_certificates_that_are_not_there_are_said_so(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(tmp_path / "gone"))
    with pytest.raises(ProfileError, match=name):
        async with opened(NAMED):
            pass


@pytest.mark.usefixtures("trusted")
async def test_the_proxy_of_the_environment_is_used_and_the_name_left_to_it(
    certified: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server(Script([created()]), ssl=certified) as script, running(ForwardProxy(_port(script.url))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("http://", "http://user:p%40ss@"))
        async with opened(NAMED) as it:
            said = await it.target.send(record())

    assert said.verdict is Verdict.ACCEPT
    assert proxy.asked[0].startswith("CONNECT api.example.com:443 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n" in proxy.asked[0]
    assert "canary" not in proxy.asked[0]
    assert "Bearer" not in proxy.asked[0]
    assert script.requests[0].headers["host"] == "api.example.com"
    assert "proxy-authorization" not in script.requests[0].headers


@pytest.mark.usefixtures("trusted")
async def test_no_proxy_and_loopback_are_reached_directly(
    certified: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(ForwardProxy(0, b"HTTP/1.1 500 Never\r\n\r\n")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        async with server(Script([created()]), ssl=certified) as script, opened(script.url) as it:
            secure = await it.target.send(record())
        async with server(Script([created()])) as script, opened(script.url) as it:
            plain = await it.target.send(record())
        monkeypatch.setenv("NO_PROXY", "example.org,nobody.invalid")
        async with opened("https://nobody.invalid", connect_timeout_s=1.0) as it:
            direct = await it.target.send(record())

    assert (secure.verdict, plain.verdict) == (Verdict.ACCEPT, Verdict.ACCEPT)
    assert direct.error_code in {"dns_failure", "connect_timeout"}
    assert not proxy.asked


@pytest.mark.parametrize(
    ("refusal", "verdict", "code"),
    [
        (b"HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n", Verdict.ABORT, "proxy_auth"),
        (b"HTTP/1.1 401 Login\r\nContent-Length: 0\r\n\r\n", Verdict.ABORT, "proxy_auth"),
        (b"HTTP/1.1 403 Filtered\r\nContent-Length: 0\r\n\r\n", Verdict.ABORT, "proxy_refused"),
        (b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n", Verdict.RETRY, "proxy_failed"),
        (b"gibberish\r\n\r\n", Verdict.RETRY, "answer_unreadable"),
        (b"", Verdict.RETRY, "disconnected"),
    ],
)
async def test_a_proxy_that_does_not_let_us_through_leaves_no_doubt(
    refusal: bytes, verdict: Verdict, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(ForwardProxy(0, refusal)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with opened(NAMED, connect_timeout_s=1.0) as it:
            said = await it.target.send(record())

    assert (said.verdict, said.error_code) == (verdict, code)


async def test_a_proxy_that_is_not_there_leaves_no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(ForwardProxy(0)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    async with opened(NAMED) as it:
        said = await it.target.send(record())

    assert (said.verdict, said.error_code) == (Verdict.RETRY, "proxy_failed")


@pytest.mark.usefixtures("trusted")
async def test_a_proxy_that_dies_once_the_token_is_there_leaves_no_doubt_about_a_create(
    certified: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server(Script([created()]), ssl=certified) as script, running(ForwardProxy(_port(script.url))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with opened(NAMED, connect_timeout_s=1.0) as it:
            await it.target.check()
            proxy.port = 0  # takes the CONNECT and hangs up
            for writer in script.writers:
                writer.transport.abort()
            await pause(0.05)
            said = await it.target.send(record())

    assert (said.verdict, said.error_code) == (Verdict.RETRY, "disconnected")
    assert not script.calls


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "http://", "http://[broken"])
async def test_a_proxy_address_that_cannot_be_used_is_said_so(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ProfileError, match="HTTPS_PROXY"):
        async with opened(NAMED):
            pass


def test_secure_loopback_is_allowed() -> None:
    assert access("https://localhost:8443").is_loopback


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("by_proxy", [False, True])
async def test_uploads_take_the_trust_and_the_proxy_of_the_surroundings(
    certified: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, by_proxy: bool
) -> None:
    async with server(Script([reply(200)]), ssl=certified) as host, running(ForwardProxy(_port(host.url))) as proxy:
        if by_proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        address = f"{NAMED if by_proxy else host.url}/put?signature=s"
        uploads = Uploads(access("http://127.0.0.1"), CountingLimiter())
        said = await uploads.put(address, b"%PDF-")
        await uploads.aclose()

    assert said.verdict is Verdict.ACCEPT
    assert [request.path for request in host.requests] == ["/put?signature=s"]
    assert len(proxy.asked) == by_proxy


async def test_bytes_go_to_no_host_that_is_not_trusted(certified: ssl.SSLContext) -> None:
    async with server(Script([reply(200)]), ssl=certified) as host:
        uploads = Uploads(access("http://127.0.0.1"), CountingLimiter())
        said = await uploads.put(f"{host.url}/put", b"%PDF-")
        await uploads.aclose()

    assert (said.verdict, said.error_code) == (Verdict.REJECT, "tls_certificate")
    assert host.requests == []


async def test_a_proxy_that_cannot_be_used_ends_the_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "ftp://proxy.example.com")
    uploads = Uploads(access("http://127.0.0.1"), CountingLimiter())

    assert (await uploads.put(f"{NAMED}/put", b"%PDF-")).verdict is Verdict.REJECT
