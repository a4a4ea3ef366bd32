"""A single run as others hear of it: notifications for people, and the metric of a run that was refused.

An inbox does both itself, for all its files together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from importer.core.commands import Commands
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
from importer.profile.nightly import NotifySettings
from importer.results import Report
from importer.runs.context import Context
from importer.runs.file_result import Fate, FileResult, went_through
from importer.runs.notifications.composing import (
    Notification,
    Summary,
    compose,
    compose_failure,
    created,
    printable,
)
from importer.runs.notifications.notifier import Notifier
from importer.runs.notifications.sender import URLS, sender_for

_NOT_A_RUN = (UsageError, BusyError, AlreadyImportedError, TryLaterError, InterruptedRunError)
"""Somebody mistyped, came too early or was late: the last run is still the one before."""


_DID = {"follow": "open steps followed", "verify": "customers read back"}
"""What a command did that creates no customer."""


@contextmanager
def refusals_counted(context: Context) -> Iterator[Context]:
    """Count a run that is refused before anything of it exists: from then on it counts itself."""
    began = set[str]()
    try:
        yield context.with_sink(lambda event: began.add(event.name))
    except ImporterError as error:
        if not (began or context.profile.dry_run or isinstance(error, _NOT_A_RUN)):
            count_refused(context.profile.metrics, context.profile.target, error.exit_code)
        raise


def notifier_of(profile: Profile, environ: Mapping[str, str]) -> Notifier:
    """Find out who is to be notified of a run; of a dry run nobody is.

    Raises:
        UsageError: an address is not understood, or notifications were asked for and nobody is named.
    """
    settings = profile.notify
    if profile.dry_run or not settings.runs:
        return Notifier(settings, None)
    send = sender_for(environ, settings.timeout_s)
    if send is None:
        raise UsageError(
            f"Notifications of runs are asked for, and {URLS} names nobody.",
            f"Set {URLS} or {URLS}_FILE, or leave out --notify and notify.runs.",
        )
    return Notifier(settings, send)


async def notified(notifier: Notifier, about: str, work: Coroutine[Any, Any, Report]) -> Report:
    """Do the work of a run, and send how it went; its errors are sent and travel on.

    Args:
        about: the file or the run that was named.
    """
    with notifier.failures_reported(
        # A closed window is not a failure: whoever starts the run tries again.
        lambda code: refused_run(about, code),
        is_expected=lambda error: isinstance(error, TryLaterError),
    ):
        report = await work
    if notifier.send is not None:
        notification = compose_run(report.as_json(), notifier.settings, report.commands)
        await asyncio.to_thread(notifier.notify, notification)
    return report


def compose_run(report: Mapping[str, Any], settings: NotifySettings, commands: Commands) -> Notification:
    """Report how a run went.

    Args:
        report: as in the run's `report.json`.
        commands: composes the command that is named; its reader is in another folder, so with every path in full.
    """
    result = _result(report, commands.for_everywhere())
    summary = Summary(
        results=[result],
        headline=f"{printable(result.file)}, {_DID.get(report.get('command', '')) or created([result])}",
        origin=f"Run: {result.run_id}. Target: {report['target']}. Exit code: {int(result.exit_code)}.",
        elapsed_s=report["elapsed_seconds"],
    )
    return compose(summary, settings)


def refused_run(about: str, code: int) -> Notification:
    """Report a run that could not begin, or ended in a way that nobody foresaw.

    Args:
        about: the file, the address or the run that was asked for; of a path or an address only its name is given.
    """
    return compose_failure(_name(about), code, level="degraded" if code == ExitCode.BUSY else "failed")


def _result(report: Mapping[str, Any], commands: Commands) -> FileResult:
    code = report["exit_code"]
    fate = Fate.IMPORTED if went_through(report) else Fate.HELD
    return FileResult(
        file=report["source"], fate=fate, exit_code=code, next_step=_next_step(report, commands)
    ).with_report(report)


def _next_step(report: Mapping[str, Any], commands: Commands) -> str:
    code, run_id = report["exit_code"], report["run_id"]
    if went_through(report):
        return commands.follow(run_id) if report.get("follow_up", {}).get("open") else ""
    return commands.show(run_id) if code == ExitCode.BALANCE else commands.resume(run_id)


def _name(about: str) -> str:
    """The last part of a path or an address: what precedes it may be a user and a password."""
    path = urlsplit(about).path if "://" in about else about
    return printable(PurePosixPath(path).name) or "the source"
