"""The console as a server: which pages there are, what is before them, how it begins and ends."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import nicegui
import uvicorn
from fastapi import FastAPI
from nicegui import ui
from starlette.staticfiles import StaticFiles
from yarl import URL

from importer.console import plain_pages, sign_in
from importer.console.access import Access
from importer.console.console import Console
from importer.console.guard import Guard
from importer.console.jobs import Jobs
from importer.console.layout import log_bugs
from importer.console.pages import imports, run, settings
from importer.console.pages.new_import import pages as new_import
from importer.console.sessions import Sessions, key_of
from importer.console.texts import t
from importer.core.errors import UsageError
from importer.journal import Location
from importer.observe import configure
from importer.profile import ConsoleSettings, Profile
from importer.runs.context import Machine
from importer.runs.drafts.drafts import DraftService
from importer.runs.receipts import operator
from importer.runs.wiring import open_workspace

_ASSETS = files("importer.console") / "static"
_EVERY = frozenset({"0.0.0.0", "::"})  # noqa: S104  # refused without an address of its own
_DRAIN_S = 5
"""For how long open connections may go on when the console ends, in seconds."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A console that takes requests.

    Args:
        url: where it is.
        link: lets whoever opens it in, once; empty: users sign in.
    """

    url: str
    link: str = ""


async def serve(profile: Profile, host: str, port: int, ready: Callable[[Ready], None]) -> None:
    """Serve the console until it is stopped.

    Args:
        host: an address of this computer.
        port: 0 takes a free one.
        ready: called with where it is, and again with every further one-time link.

    Raises:
        UsageError: it would be reachable by others, and not be safe; or it cannot listen there.
    """
    require_safe(profile.console, host)
    _require_certificate(profile.console)
    with _listening(host, port) as listener:
        url = as_origin(profile.console.url or _url(profile.console, host, listener.getsockname()[1]))
        machine = Machine()
        _make_journal(profile.workspace)
        sessions = Sessions(key_of(profile.workspace), profile.console.idle_s, machine.clock.now, profile.workspace)
        access = Access(profile.console, sessions, operator().partition("@")[0], monotonic=machine.clock.monotonic)
        console = Console(profile, access, Jobs(machine.clock), DraftService(profile, machine), machine)
        announce = partial(_announce, ready, url, access)
        application = build(console, origins(url, listener.getsockname()[1]), announce)
        server = _server(application, profile.console)
        with configure(format=profile.log.format, level=profile.log.level):
            try:
                await _served(server, listener, announce)
            finally:
                await console.jobs.stop_all()


def _make_journal(workspace: Path) -> None:
    """Make the journal of a workspace that has none yet: what people prepare in the console goes with it."""
    if not Location.of_workspace(workspace).exists:
        open_workspace(workspace).close()


def build(console: Console, origins: frozenset[str], entered: Callable[[], None]) -> FastAPI:
    """Put the application together.

    Args:
        origins: as of `Guard`.
        entered: called when a one-time link was used.
    """
    application = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    log_bugs()
    for served in (application, nicegui.app):
        plain_pages.explain_errors(served)
    application.mount("/static", StaticFiles(directory=str(_ASSETS)), name="static")
    sign_in.register(
        application, console.access, secure=all(one.startswith("https:") for one in origins), entered=entered
    )
    for page in (imports, settings):
        page.register(console)
    for receiving in (run, new_import):
        receiving.register(console, application)
    ui.run_with(
        application,
        title=t("app.title"),
        dark=None,
        language="en-US",
        favicon=Path(str(_ASSETS / "favicon.svg")),
        tailwind=False,
        show_welcome_message=False,
    )
    application.add_middleware(Guard, access=console.access, origins=origins)
    return application


def require_safe(settings: ConsoleSettings, host: str) -> None:
    """Refuse to serve a network without users, or without TLS.

    Raises:
        UsageError: others could reach it, and not be safe.
    """
    outside = host if not _is_loopback(host) else _host_of(settings.url)
    if _is_loopback(outside):
        return
    if not settings.users:
        raise UsageError(
            f"The console would be open to everybody who reaches {outside}.",
            "Name its users in [console.users] of the profile, or leave out --host and `url`.",
        )
    if settings.certificate is None and not settings.url:
        raise UsageError(
            f"Passwords would go to {host} unencrypted.",
            "Set `certificate` and `private_key` in [console], or `url` to the https address of a proxy before it.",
        )
    if host in _EVERY and not settings.url:
        raise UsageError(
            f"No browser can open https://{host}, which means every address of this computer.",
            "Set `url` in [console] to the https address that browsers use.",
        )


def _require_certificate(settings: ConsoleSettings) -> None:
    """Refuse a certificate that cannot be used, before anything is made or begun."""
    if settings.certificate is None:
        return
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(settings.certificate, settings.private_key, password="")  # never asked for
    except OSError as error:  # of ssl, too: it is one
        raise UsageError(
            f"The certificate '{settings.certificate}' and its private key cannot be used.",
            "Give a certificate and its private key without a passphrase, as PEM files.",
        ) from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host_of(url: str) -> str:
    return urlsplit(url).hostname or "localhost"


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = (os.strerror(error.errno) if error.errno else str(error)).lower()
        raise UsageError(f"The console cannot listen on {host}:{port}: {reason}.", "Try --port 0.") from error


def _url(settings: ConsoleSettings, host: str, port: int) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.certificate else 'http'}://{name}:{port}"


def as_origin(url: str) -> str:
    """Write an address as browsers write it in `Origin` and `Host`: in small letters, without the usual port."""
    return str(URL(url).origin())


def origins(url: str, port: int) -> frozenset[str]:
    """The addresses by which browsers may use a console.

    Args:
        url: as of `as_origin`.
        port: on which it listens.
    """
    scheme = url.split("://", 1)[0]
    here = {as_origin(f"{scheme}://{name}:{port}") for name in ("127.0.0.1", "localhost", "[::1]")}
    return frozenset({url} | (here if _is_loopback(_host_of(url)) else set()))


def _announce(ready: Callable[[Ready], None], url: str, access: Access) -> None:
    ready(Ready(url, "" if access.has_users else f"{url}/enter/{access.link.token}"))


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn raises them once more at its end, before runs could be stopped cleanly."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _served(server: _Server, listener: socket.socket, announce: Callable[[], None]) -> None:
    """Say where it is, and serve until SIGINT or SIGTERM; a second one does not wait for open connections."""

    def end() -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, end)
    announce()
    await server.serve(sockets=[listener])


def _server(application: FastAPI, settings: ConsoleSettings) -> _Server:
    sockets = logging.getLogger("engineio.server")
    sockets.handlers.clear()  # its own one prints past our log, values and tracebacks included
    sockets.addFilter(lambda record: record.exc_info is not None)  # what a browser sent wrong is answered, no error
    config = uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        ws="wsproto",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_DRAIN_S,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.private_key,
    )
    return _Server(config)
