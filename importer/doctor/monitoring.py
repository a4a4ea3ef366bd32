"""Notifications and metrics: whether they can be sent and published. Sends nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from importer.core.errors import ExitCode, ImporterError
from importer.doctor.finding import Finding, readable_by_others
from importer.profile import MetricsSettings, Profile
from importer.runs.notifications.sender import URLS, addresses, sender_for


def check_notifications(profile: Profile, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Whether all addresses of notifications can be used; nothing is sent."""
    try:
        known, send = len(addresses(environ)), sender_for(environ, profile.notify.timeout_s)
    except ImporterError as error:
        yield Finding.from_error("notify", error)
        return
    yield from readable_by_others("notify", f"{URLS}_FILE", environ)
    if send is not None:
        yield Finding.ok("notify", f"{known} address{'es' if known != 1 else ''} understood, none tried")
    elif profile.notify.runs:
        yield Finding.fail("notify", f"notify.runs is on, and {URLS} names nobody", f"Set {URLS}.", ExitCode.USAGE)
    else:
        yield Finding.ok("notify", f"no notifications are sent: {URLS} is not set")


def check_metrics(settings: MetricsSettings) -> Iterator[Finding]:
    """Whether metrics can be published; a run goes on without them, unnoticed."""
    found = [*_textfile(settings.textfile), *_port(settings)]
    yield from found
    if settings.wanted and not found:
        yield Finding.ok("metrics", "they can be published")


def _textfile(path: Path | None) -> Iterator[Finding]:
    if path is None:
        return
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK) or path.is_dir():
        fix = "Make its folder, and let the importer write to it."
        yield Finding.warn("metrics", f"{path} cannot be written", fix)
    elif path.suffix != ".prom":
        fix = "Give it a name that ends with .prom."
        yield Finding.warn("metrics", f"the node exporter does not read {path.name}", fix)


def _port(settings: MetricsSettings) -> Iterator[Finding]:
    if settings.port is None:
        return
    where = (settings.address, settings.port)
    try:
        family = socket.AF_INET6 if ":" in settings.address else socket.AF_INET
        with closing(socket.socket(family)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        fix = "Free it, or choose another metrics.port; a run or a watch that is at work has it open."
        yield Finding.warn("metrics", f"port {settings.port} of {settings.address} cannot be served: {reason}", fix)
