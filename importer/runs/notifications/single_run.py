"""A single run, and those outside who are to hear of it: people, and Prometheus. A night does so itself (`night`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Self

from importer.core.errors import (
    AlreadyImportedError,
    BusyError,
    ExitCode,
    ImporterError,
    InterruptedRunError,
    TryLaterError,
    UsageError,
)
from importer.observe import count_refused
from importer.profile import Profile
from importer.profile.nights import NotifySettings
from importer.results import Report
from importer.runs.context import Context
from importer.runs.notifications.night import Notification
from importer.runs.notifications.run import compose_run, refused_run
from importer.runs.notifications.sender import URLS, Sender, sender_for

_NO_RUN = (UsageError, BusyError, AlreadyImportedError, TryLaterError, InterruptedRunError)
"""Somebody mistyped, came too early or was late: the last run is still the one before."""


@contextmanager
def refusals_counted(context: Context) -> Iterator[Context]:
    """Count a run that is refused before anything of it exists: from then on it counts itself."""
    began = set[str]()
    try:
        yield context.heard_by(lambda event: began.add(event.name))
    except ImporterError as error:
        if not (began or context.profile.dry_run or isinstance(error, _NO_RUN)):
            count_refused(context.profile.metrics, context.profile.target, error.exit_code)
        raise


@dataclass(slots=True)
class Announcer:
    """Sends how a run went, once. What goes wrong with that never becomes the run's trouble.

    Args:
        send: None: nobody is to hear of it.
        about: the file or the run that was named.
        arrived: whether the notification did; None: there was none.
    """

    settings: NotifySettings
    send: Sender | None
    about: str
    arrived: bool | None = None

    @classmethod
    def of(cls, profile: Profile, about: str, environ: Mapping[str, str]) -> Self:
        """Find out who is to be notified; of a dry run nobody is.

        Raises:
            UsageError: an address is not understood, or notifications were asked for and nobody is named.
        """
        settings = profile.notify
        if profile.dry_run or not settings.runs:
            return cls(settings, None, about)
        send = sender_for(environ, settings.timeout_s)
        if send is None:
            raise UsageError(
                f"Notifications of runs are asked for, and {URLS} names nobody.",
                f"Set {URLS} or {URLS}_FILE, or leave out --notify and notify.runs.",
            )
        return cls(settings, send, about)

    async def notified(self, work: Coroutine[Any, Any, Report]) -> Report:
        """Do the work, and send how it went; its errors are sent and travel on."""
        async with self._alarmed():
            report = await work
        if self.send is not None:
            await asyncio.to_thread(self._send, compose_run(report.as_json(), self.settings, report.commands))
        return report

    @asynccontextmanager
    async def _alarmed(self) -> AsyncIterator[None]:
        """Notify of a run that could not begin; a closed window is not a failure: whoever starts it tries again."""
        code: ExitCode | None = ExitCode.BUG
        try:
            yield
            code = None
        except TryLaterError:
            code = None
            raise
        except asyncio.CancelledError:
            code = ExitCode.SIGINT
            raise
        except ImporterError as error:
            code = error.exit_code
            raise
        finally:
            if code is not None and self.send is not None:
                self._send(refused_run(self.about, code))

    def _send(self, notification: Notification) -> None:
        if self.send is not None and notification.level in self.settings.on:
            self.arrived = self.send(notification)
