"""HTTP and nothing else: one request out, one answer in; what it means is decided elsewhere.

Never follows a redirect, never repeats a request, never keeps a cookie, never reads an answer beyond
its limit. Proxy and certificates are settled once, from the environment, when the client is opened.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.http import HttpProcessingError
from yarl import URL

from importer.core.distribution import installed_version
from importer.core.errors import ProfileError
from importer.core.ports import Slot
from importer.targets.access import TargetAccess
from importer.targets.rocketkor.connections import TruthfulRequest, on_a_live_connection

ANSWER_LIMIT_BYTES: Final = 1024 * 1024
"""An answer about one customer beyond this is cut off and its connection closed."""

KEEP_ALIVE_S: Final = 2.0
"""Idle connections are dropped after this: before servers do (5 s is usual), so that no request meets a closing one."""

_CONNECT_SHARE: Final = 0.8

NETWORK_ERRORS: Final = (aiohttp.ClientError, OSError, HttpProcessingError, ValueError)
"""What a network and a hostile server can make the library raise; anything else is a bug of ours."""


class Answer(NamedTuple):
    """What came back; `body` is None when it broke off or never came, and cut at the limit when it was longer.

    `took_s` is the time from the request's start, in seconds; None: not measured.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes | None
    took_s: float | None = None


@dataclass(frozen=True, slots=True)
class Proxy:
    """The way out of this network; credentials travel in a header, never in the address."""

    url: URL
    headers: Mapping[str, str] | None


class HttpClient:
    """Connections of one kind.

    Args:
        access: where, and how patient.
        tls: trust for https; None for plain http.
        proxy: the way out; None for a direct connection.
        bare: requests bear no header beyond those that the protocol asks for: they go to another host than the API's.
    """

    def __init__(
        self, access: TargetAccess, tls: ssl.SSLContext | None, proxy: Proxy | None, *, bare: bool = False
    ) -> None:
        # A connection that takes longer could only end in the total timeout, which does not show what was sent.
        connect_s = min(access.connect_timeout_s, access.total_timeout_s * _CONNECT_SHARE)
        self._options: dict[str, Any] = {"allow_redirects": False}
        if proxy is not None:
            self._options |= {"proxy": proxy.url, "proxy_headers": proxy.headers}
        if bare:
            self._options |= {"skip_auto_headers": ("Content-Type", *_headers(access))}
        self._bodiless = self._options | {"skip_auto_headers": ("Content-Type",)}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=access.max_connections + 1,  # one more for the token, when all workers wait for answers
                keepalive_timeout=KEEP_ALIVE_S,
                ssl=tls if tls is not None else True,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=None if bare else _headers(access),
            timeout=aiohttp.ClientTimeout(
                total=access.total_timeout_s,
                connect=connect_s,
                sock_connect=connect_s,
                sock_read=access.read_timeout_s,
            ),
            request_class=TruthfulRequest,
        )

    async def call(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        slot: Slot,
        data: bytes | None = None,
        *,
        limit_bytes: int = ANSWER_LIMIT_BYTES,
    ) -> Answer:
        """Make one request and read its answer, whatever it is.

        Args:
            slot: hears when the request leaves, or fails to, and when it is answered.
            limit_bytes: how much of the answer's body is read.

        Raises:
            one of `NETWORK_ERRORS`: no status line arrived.
        """
        options = self._options if data or method == "GET" else self._bodiless
        clock = asyncio.get_running_loop().time
        began = clock()
        way = (partial(on_a_live_connection, slot=slot),)
        try:
            async with self._session.request(
                method, url, headers=headers, data=data, middlewares=way, **options
            ) as response:
                slot.answered()
                body = await _read(response, limit_bytes)
                return Answer(response.status, response.headers, body, clock() - began)
        finally:
            slot.answered()  # what met no connection counts as well: a target that is down is spared, too

    async def aclose(self) -> None:
        """Close every connection; harmless when called twice."""
        await self._session.close()


async def open_http_client(access: TargetAccess) -> HttpClient:
    """Settle proxy and trust from the environment, without a request.

    Raises:
        ProfileError: SSL_CERT_FILE or HTTPS_PROXY say something that cannot be used.
    """
    if access.base_url.startswith("http://"):
        return HttpClient(access, None, None)
    tls = await asyncio.to_thread(trust)
    return HttpClient(access, tls, None if access.is_loopback else proxy_for(urlsplit(access.base_url).netloc))


async def _read(response: aiohttp.ClientResponse, limit_bytes: int) -> bytes | None:
    content = response.content
    try:
        body = await content.readany()
        if content.at_eof():  # the whole of it in one piece: every answer in good weather
            return body
        pieces, size = [body], len(body)
        while size < limit_bytes and (piece := await content.readany()):
            pieces.append(piece)
            size += len(piece)
    except NETWORK_ERRORS:
        response.close()
        return None
    if size >= limit_bytes:
        response.close()
    return b"".join(pieces)[:limit_bytes]


def trust() -> ssl.SSLContext:
    """Trust what the system trusts, or SSL_CERT_FILE and SSL_CERT_DIR instead."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        path = os.environ.get(name, "")
        if path and not Path(path).exists():
            msg = f"{name} points to {path}, which does not exist."
            raise ProfileError(msg, "Correct it, or unset it to trust what this machine trusts.")
    return ssl.create_default_context()


def proxy_for(host: str) -> Proxy | None:
    """Find the proxy for a host (and port): HTTPS_PROXY, unless NO_PROXY names the host."""
    text = getproxies().get("https", "")
    if not text or proxy_bypass(host):
        return None
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host:
        msg = "HTTPS_PROXY is not the address of an http proxy."
        raise ProfileError(msg, "Write it like http://proxy.example.com:8080, or unset it.")
    if url.raw_user is None:
        return Proxy(url, None)
    pair = f"{unquote(url.raw_user)}:{unquote(url.raw_password or '')}"
    return Proxy(url.with_user(None), {"Proxy-Authorization": f"Basic {b64encode(pair.encode()).decode()}"})


def _headers(access: TargetAccess) -> dict[str, str]:
    return {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": access.user_agent or f"importer/{installed_version()}",
    }
