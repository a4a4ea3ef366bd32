"""The server's life: opens the store, listens on loopback, and stops cleanly."""

from __future__ import annotations

import asyncio
import signal
import ssl
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.http import RawRequestMessage

from importer.emulator.contents import Contents
from importer.emulator.documents import LARGEST_BYTES
from importer.emulator.ledger import Ledger
from importer.emulator.page import PREFIX, AdminPages
from importer.emulator.routes import UPLOADS
from importer.emulator.service import Service
from importer.emulator.settings import EmulatorSettings
from importer.emulator.store import Store

_SHUTDOWN_S = 1.0
_KEEP_ALIVE_S = 75.0
_BODY_BYTES = 1024**2
"""The largest body but that of an upload."""


class _Request(web.BaseRequest):
    """A request that knows when it was first seen, before any task was started for it, and how large it may be."""

    ATTRS = web.BaseRequest.ATTRS | {"arrived_s"}

    def __init__(self, message: RawRequestMessage, *args: Any, **kwargs: Any) -> None:
        self.arrived_s = time.monotonic()
        largest = LARGEST_BYTES if UPLOADS in message.path else _BODY_BYTES
        super().__init__(message, *args, client_max_size=largest, **kwargs)


class Emulator:
    """A local RocketKOR server. Use it as an asynchronous context manager, or call `start` and `stop`.

    Args:
        settings: how it behaves; None: the defaults.
        clock: seconds since the epoch; None: the machine's clock.
        tls: serve https with this context; None: http.
    """

    def __init__(
        self,
        settings: EmulatorSettings | None = None,
        *,
        clock: Callable[[], float] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.settings = settings or EmulatorSettings()
        self.ledger = Ledger()
        self._clock = clock or time.time  # noqa: TID251 - a server of its own: this is where its clock is passed in
        self._tls = tls
        self._running: _Running | None = None

    @property
    def api_key(self) -> str:
        return self.settings.api_key

    @property
    def api_secret(self) -> str:
        return self.settings.api_secret

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:PORT`, without a slash at the end; known once it is started."""
        host = "127.0.0.1" if self.settings.host == "localhost" else self.settings.host
        return f"{'https' if self._tls else 'http'}://{f'[{host}]' if ':' in host else host}:{self._started().port}"

    async def start(self) -> None:
        """Open the store and listen.

        Raises:
            ValueError: the store cannot be used.
            OSError: the port is taken.
        """
        store = Store(self.settings.store)
        running = _Running(self.settings, store, self.ledger, lambda: self._clock() + self.settings.clock_ahead_s)
        try:
            await running.listen(self._tls)
        except BaseException:
            store.close()
            raise
        self._running = running

    async def stop(self) -> None:
        """Stop: answer requests in work within a second, then cut them, and close the store."""
        running, self._running = self._running, None
        if running is not None:
            await running.end()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def largest_window(self, per_s: float) -> int:
        """Find the largest number of arrivals in any rolling window of `per_s` seconds."""
        return self.ledger.largest_window(per_s)

    def counts(self) -> dict[str, dict[str, int]]:
        """Count requests per kind and status."""
        return self.ledger.counts()

    def customers(self) -> Iterator[dict[str, Any]]:
        """Give every customer in the order of creation, visible in lists or not."""
        return self._started().contents.customers()

    def beneficiaries(self, customer_id: str | None = None) -> Iterator[dict[str, Any]]:
        """Give the beneficial owners of a customer; None: of all."""
        return self._started().contents.beneficiaries(customer_id)

    def limits(self, customer_id: str) -> list[dict[str, Any]]:
        """Give the limits of a customer; amounts are `Decimal`."""
        return self._started().contents.limits(customer_id)

    def applications(self) -> Iterator[dict[str, Any]]:
        """Give every application for identity verification, as it is now."""
        return self._started().contents.applications()

    def documents(self) -> Iterator[dict[str, Any]]:
        """Give every document, with `status`, and `length` and `sha256` of the bytes that arrived."""
        return self._started().contents.documents()

    def numbers(self, per_s: float = 1.0) -> dict[str, Any]:
        """Give everything that `/_emulator/ledger` shows."""
        return self._started().pages.numbers(per_s)

    def _started(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the emulator is not started")
        return self._running


class _Running:
    """A started server."""

    def __init__(self, settings: EmulatorSettings, store: Store, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._settings = settings
        self.store = store
        self.contents = Contents(store, settings, clock)
        self.pages = AdminPages(self.contents, ledger)
        self._service = Service(settings, store, ledger, clock)
        self._runner = web.ServerRunner(self._server(), shutdown_timeout=_SHUTDOWN_S)
        self.port = 0

    def _server(self) -> web.Server:
        loop = asyncio.get_running_loop()
        return web.Server(
            self._handle,
            request_factory=lambda *parts: _Request(*parts, loop),
            access_log=None,
            keepalive_timeout=_KEEP_ALIVE_S,
        )

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if (request.method, request.path) == ("GET", "/"):
            return web.Response(status=302, headers={"Location": PREFIX})
        if request.path.startswith(PREFIX):
            return await self.pages.handle(request)
        arrived_s = request.arrived_s if isinstance(request, _Request) else time.monotonic()
        return await self._service.handle(request, arrived_s)

    async def listen(self, tls: ssl.SSLContext | None) -> None:
        await self._runner.setup()
        host = "127.0.0.1" if self._settings.host == "localhost" else self._settings.host
        try:
            await web.TCPSite(self._runner, host, self._settings.port, backlog=1024, ssl_context=tls).start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = int(self._runner.addresses[0][1])

    async def end(self) -> None:
        self._service.stop()
        try:
            await self._runner.cleanup()
        finally:
            self.store.close()


async def run_forever(settings: EmulatorSettings, on_ready: Callable[[Emulator], None]) -> signal.Signals:
    """Serve until SIGINT or SIGTERM, then stop cleanly.

    Args:
        on_ready: called once with the listening emulator; the place to print its address and credentials.

    Returns:
        The signal that ended it.

    Raises:
        ValueError: the store cannot be used.
        OSError: the port is taken.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[signal.Signals] = loop.create_future()

    def end(by: signal.Signals) -> None:
        if not ended.done():
            ended.set_result(by)

    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, end, one)
    try:
        async with Emulator(settings) as emulator:
            on_ready(emulator)
            return await ended
    finally:
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(one)
