"""Brings notifications to people through Apprise. A failing notification is a warning, never more.

Addresses (`slack://…`, `mailto://…`) hold secrets: they come from the environment or a file, and are never
logged, shown or kept in another place. Apprise itself logs addresses that it does not understand, so its log is off.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from importer.core.distribution import how_to_install
from importer.core.errors import UsageError
from importer.runs.notifications.composing import Notification

URLS = "IMPORTER_NOTIFY_URLS"
_MAX_FILE_BYTES = 64 * 1024
_TALKATIVE = ("apprise", "urllib3", "requests")
_KINDS = {"done": "success", "degraded": "warning", "failed": "failure"}


class Sender(Protocol):
    """Sends one notification to everybody who is named."""

    def __call__(self, notification: Notification, /) -> bool:
        """Send it; False when it did not arrive everywhere. Never raises."""
        ...


def sender_for(environ: Mapping[str, str], timeout_s: float) -> Sender | None:
    """Prepare to send to whom the environment names; None when it names nobody.

    Args:
        environ: `IMPORTER_NOTIFY_URLS` holds addresses with white space between them, or the file of
            `IMPORTER_NOTIFY_URLS_FILE` one a line (`#` begins a comment).
        timeout_s: how long one notification may take.

    Raises:
        UsageError: an address is not understood, the file cannot be read, or Apprise is not installed.
    """
    urls = addresses(environ)
    if not urls:
        return None
    apprise = _apprise(urls)
    return lambda notification: _in_time(lambda: _sent(apprise, notification), timeout_s)


def addresses(environ: Mapping[str, str]) -> list[str]:
    """The addresses that the environment names, unread; they hold secrets.

    Raises:
        UsageError: the file cannot be read, or addresses come from two places.
    """
    direct, path = environ.get(URLS, ""), environ.get(f"{URLS}_FILE", "")
    if direct.strip() and path.strip():
        raise UsageError(f"{URLS} and {URLS}_FILE are both set.", "Keep one of them.")
    lines = _content(Path(path)).splitlines() if path.strip() else [direct]
    return [url for line in lines if not line.lstrip().startswith("#") for url in line.split()]


def _content(path: Path) -> str:
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"The file '{path}' of {URLS}_FILE cannot be read: {error.strerror or 'no reason given'}."
        ) from None
    if len(content) > _MAX_FILE_BYTES:
        raise UsageError(f"The file '{path}' of {URLS}_FILE is too long to hold addresses.")
    return content.decode("utf-8-sig", errors="replace")


def _apprise(urls: Sequence[str]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import apprise  # noqa: PLC0415  # an optional group, and slow to import
    except ImportError:
        raise UsageError(
            f"{URLS} is set, and the library for notifications is not installed.", how_to_install("notify")
        ) from None
    recipients = apprise.Apprise()
    with _shut(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what its plug-ins import is not our users' concern
        for number, url in enumerate(urls, 1):
            if not recipients.add(url):
                raise UsageError(
                    f"Address {number} of {len(urls)} in {URLS} is not understood.",
                    "Addresses look like slack://…, mailto://… or json://host/path; white space separates them.",
                )
    return recipients


def _sent(apprise: Any, notification: Notification) -> bool:
    with _shut():
        return bool(
            apprise.notify(
                title=notification.title,
                body=notification.body,
                notify_type=_KINDS[notification.level],
                body_format="text",
            )
        )


def _in_time(send: Callable[[], bool], timeout_s: float) -> bool:
    """Call it in a thread that the process does not wait for: a server may take a request and never answer."""
    arrived: list[bool] = []
    thread = threading.Thread(target=lambda: arrived.append(send()), name="notification", daemon=True)
    thread.start()
    thread.join(timeout_s)
    return bool(arrived and arrived[0])


@contextmanager
def _shut() -> Iterator[None]:
    """Discard what these libraries log."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.setLevel(level)
            logger.propagate = propagate
