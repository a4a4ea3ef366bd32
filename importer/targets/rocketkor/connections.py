"""Connections that show when they failed: before a request's first byte left, or after.

The HTTP library alone leaves three doubts, each cured here. A kept connection that the server has
closed meanwhile looks like a lost answer: it is recognised just before writing, and another one is
taken. A connection that breaks during its set-up (a proxy that hangs up) raises the same errors as one
that breaks after the request: a flag says whether writing had begun. And idempotent requests are
repeated by the library on its own, past the rate limit: here nothing is.

Just before writing the request's slot is used, too: a limit counts what leaves, not what waits for its connection.
"""

from __future__ import annotations

import select
from collections.abc import Awaitable, Callable
from typing import Final
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

from importer.core.errors import ShareEndedError
from importer.core.ports import Slot

STALE_TRIES: Final = 4
"""Connections tried for one request before giving up: enough for a swept pool, bounded for a server that slams."""

# On a connection that has been used, whatever can be read before we ask is a closing, plain or of TLS, or bytes
# nobody asked for. On a new one TLS may still have tickets to deliver, so there only the closing itself counts,
# which Linux alone distinguishes. Systems without `poll` rely on the event loop's own notice of a closing.
_CAN_POLL: Final = hasattr(select, "poll")
_CLOSING: Final[int] = getattr(select, "POLLRDHUP", 0)
_WATCHES: Final[WeakKeyDictionary[ResponseHandler, Callable[[int], list[tuple[int, int]]]]] = WeakKeyDictionary()
"""Connections that have carried a request, and how to look at each."""


_MISDIRECTED: Final = 421
"""Says that a connection leads to a server that is not in charge (RFC 9110 15.5.20): no other request may use it."""


class StaleConnectionError(aiohttp.ClientConnectionError):
    """The server had closed this kept connection; nothing was written to it."""


class BrokenRequestError(aiohttp.ClientError):
    """A request that ended without an answer; the library's own exception is `cause`.

    Args:
        cause: what the library raised.
        begun: whether any byte of the request may have left.
    """

    def __init__(self, cause: BaseException, *, begun: bool) -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause
        self.begun = begun


class TruthfulRequest(aiohttp.ClientRequest):
    """A request that looks at its connection before it writes, and remembers whether it wrote."""

    begun = False
    slot: Slot
    watch: Callable[[int], list[tuple[int, int]]] | None = None
    protocol: ResponseHandler | None = None

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Write a request without a body; prepare one that has a body. A dead connection gets neither."""
        protocol = conn.protocol
        if protocol is None or protocol.should_close:
            raise StaleConnectionError
        self.protocol = protocol
        self.watch = _WATCHES.get(protocol) or _first_watch(conn, protocol)
        if not self.body:
            if self._is_dead(conn):
                raise StaleConnectionError
            self._begin()
        return await super().send(conn)

    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> None:
        """Write head and body in one piece, unless the connection is dead.

        Up to Python 3.11 this runs as a task of its own, one turn of the event loop after `send`: only
        here is there no turn left between the look and the writing.
        """
        if self._is_dead(conn):
            if conn.protocol is not None:
                conn.protocol.set_exception(StaleConnectionError())
            return
        try:
            self._begin()
        except ShareEndedError as error:
            if conn.protocol is not None:
                conn.protocol.set_exception(error)
            return
        await super().write_bytes(writer, conn, content_length)

    def _begin(self) -> None:
        self.slot.depart()
        self.begun = True

    def _is_dead(self, conn: Connection) -> bool:
        """Return whether the server has closed the connection, or sent something without being asked."""
        transport = conn.transport
        if transport is None or transport.is_closing():
            return True
        return self.watch is not None and bool(self.watch(0))


async def on_a_live_connection(
    request: aiohttp.ClientRequest,
    handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]],
    *,
    slot: Slot,
) -> aiohttp.ClientResponse:
    """Send on a connection that is alive; every failure comes out as a `BrokenRequestError`.

    Args:
        slot: used when the first byte leaves.
    """
    if isinstance(request, TruthfulRequest):
        request.slot = slot
    tries = STALE_TRIES
    while True:
        try:
            return _leaving_the_wrong_server(request, await handler(request))
        except StaleConnectionError as exc:
            tries -= 1
            if not tries:
                raise BrokenRequestError(exc, begun=False) from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise BrokenRequestError(exc, begun=getattr(request, "begun", True)) from exc


def _leaving_the_wrong_server(
    request: aiohttp.ClientRequest, response: aiohttp.ClientResponse
) -> aiohttp.ClientResponse:
    if response.status == _MISDIRECTED and isinstance(request, TruthfulRequest) and request.protocol is not None:
        request.protocol.force_close()
    return response


def _first_watch(conn: Connection, protocol: ResponseHandler) -> Callable[[int], list[tuple[int, int]]] | None:
    """Return the look at a new connection, and keep the stricter one for its later requests."""
    if not _CAN_POLL or conn.transport is None:
        return None
    sock = conn.transport.get_extra_info("socket")
    later, now = select.poll(), select.poll()
    later.register(sock, _CLOSING | select.POLLIN)
    now.register(sock, _CLOSING)
    _WATCHES[protocol] = later.poll
    return now.poll
