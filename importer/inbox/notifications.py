"""Notifications of an inbox: how each pass went, and that one could not begin. A state that lasts is reported once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from importer.core.errors import BusyError, ExitCode, ProfileError, TryLaterError, UnreachableError, UsageError
from importer.inbox.report import PassReport
from importer.profile import Profile
from importer.profile.nightly import NotifySettings
from importer.results import steps_sentence
from importer.runs.archive import readable
from importer.runs.file_result import Fate, FileResult
from importer.runs.notifications.composing import (
    Notification,
    Summary,
    compose,
    compose_failure,
    created,
    printable,
)
from importer.runs.notifications.notifier import Notifier
from importer.runs.notifications.sender import sender_for
from importer.runs.wiring.remote_sources import is_remote, shown

Folder = Path | str


@dataclass(slots=True)
class PassNotifications:
    """The notifications of one folder, pass by pass.

    Args:
        environ: where the addresses come from.
    """

    settings: NotifySettings
    folder: Folder
    environ: Mapping[str, str]
    watching: bool = field(default=False, init=False)
    repeated: int = field(default=0, init=False)
    """How many passes in a row left the folder as the one before."""
    still_unapproved: bool = field(default=False, init=False)
    """Whether the last pass of a watched folder found only files that wait for an approval as they did before."""
    _held: tuple[tuple[str, ...], ...] = field(default=(), init=False)

    def notifier(self) -> Notifier:
        """What sends the notifications of one pass.

        Raises:
            UsageError: an address is not understood.
        """
        return Notifier(self.settings, sender_for(self.environ, self.settings.timeout_s))

    def failures_reported(self, notifier: Notifier) -> AbstractContextManager[None]:
        """Notify of a pass that cannot begin, or that ends in a way that nobody foresaw."""
        compose_about = partial(compose_failure, folder_in_full(self.folder))
        return notifier.failures_reported(compose_about, is_expected=self._is_expected)

    def _is_expected(self, error: BaseException) -> bool:
        """A closed window; and where a folder is watched, what the next pass may find otherwise."""
        if isinstance(error, UnreachableError | BusyError):
            return self.watching
        return isinstance(error, TryLaterError)

    async def sent(self, notifier: Notifier, report: PassReport) -> PassReport:
        """Notify of a pass, and return its report with whether that arrived."""
        again = self._is_repeated(report)
        if report.happened and not again:
            await asyncio.to_thread(notifier.notify, compose_pass(report, self.settings))
        return replace(report, notified=notifier.arrived)

    def _is_repeated(self, report: PassReport) -> bool:
        """Whether a watched folder is as the last pass left it: one notification is enough, and the pauses grow.

        They do not where files only wait for an approval: what somebody signs is sent in the next pass.
        """
        held = tuple(map(_state_of, filter(_is_open, report.imports)))
        again = self.watching and bool(held) and held == self._held and len(held) == len(report.imports)
        self.still_unapproved = again and report.unapproved == len(held)
        self._held, self.repeated = held, self.repeated + 1 if again and not self.still_unapproved else 0
        return again


def _is_open(one: FileResult) -> bool:
    return one.fate in {Fate.HELD, Fate.UNAPPROVED}


def _state_of(one: FileResult) -> tuple[str, ...]:
    """What a file is held by; which approvals are missing counts as well."""
    return one.file, str(int(one.exit_code)), one.error if one.fate is Fate.UNAPPROVED else ""


def compose_pass(report: PassReport, settings: NotifySettings) -> Notification:
    """Report how a pass went."""
    folder = report.folder.absolute() if isinstance(report.folder, Path) else report.folder
    summary = Summary(
        results=report.imports,
        headline=_headline(report),
        warnings=list(_warnings(report)),
        notes=[*_notes(report)],
        origin=f"Folder: {folder}. Target: {report.target}. Exit code: {int(report.exit_code)}.",
        elapsed_s=report.elapsed_s,
    )
    return compose(summary, settings)


def report_broken_profile(folder: Folder, code: ExitCode, environ: Mapping[str, str]) -> None:
    """Notify of a profile that cannot even be read; as the environment or the defaults say.

    Args:
        code: the exit code of what is wrong.
    """
    try:
        settings = Profile.load(environ=environ).notify
    except ProfileError:
        settings = NotifySettings()
    with suppress(UsageError):  # what is wrong with the profile is reported anyway, and matters more
        notifier = Notifier(settings, sender_for(environ, settings.timeout_s))
        notifier.notify(compose_failure(folder_in_full(folder), code))


def shown_folder(folder: Folder) -> Folder:
    """A folder for people: an address may hold a password."""
    return shown(str(folder)) if is_remote(folder) else Path(folder)


def folder_in_full(folder: Folder) -> str:
    """A folder for people who are not at this machine."""
    return shown(str(folder)) if is_remote(folder) else readable(str(Path(folder).absolute()))


def _warnings(report: PassReport) -> Iterator[str]:
    """What of the folder is not as it should be."""
    if report.missing:
        yield "No file came, although one is expected every day."
    for name in report.growing:
        yield f"{printable(name)} was still being written; the next pass takes it."
    if report.waiting:
        yield f"{report.waiting} more files wait for the next pass."


def _notes(report: PassReport) -> Iterator[str]:
    """What else there is to know."""
    for one in report.earlier:
        yield f"{printable(one.file)}, imported earlier: {steps_sentence(one.follow_up)}"
    for name in report.links:
        yield f"{printable(name)} is a symbolic link and was left alone."


def _headline(report: PassReport) -> str:
    if not report.imports:
        done = len(report.completed)
        return f"steps of {_files(done)} imported earlier are done" if done else "no file came"
    refused = sum(one.fate is Fate.REFUSED for one in report.imports)
    parts = [_files(len(report.imports)), created(report.imports)]
    parts += [f"{_files(refused)} refused"] if refused else []
    parts += [f"{_files(report.unapproved)} to approve"] if report.unapproved else []
    return ", ".join(parts)


def _files(count: int) -> str:
    return f"{count} file{'s' if count != 1 else ''}"
