"""The inbox: every file that arrives in a folder becomes a run, and goes where it belongs.

Passes over the folder, once or until stopped, with everything around them: hours, the folder's lock, notifications,
metrics and the forecast. Decides nothing about rows: that is the run's.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path

from importer.core.errors import BusyError, ExitCode, TryLaterError, UsageError
from importer.core.events import Event
from importer.core.ports import Events
from importer.delivery import StopSwitch, closing_at
from importer.inbox.approval import FileApproval
from importer.inbox.file_import import NO_OVERRIDES, FileImporter, Overrides
from importer.inbox.folder import InboxFolder
from importer.inbox.folder_pass import DailyFile, FolderPass, Stops
from importer.inbox.forecast import InboxForecaster
from importer.inbox.local_folder import LocalFolder
from importer.inbox.metrics import PassMetrics
from importer.inbox.notifications import PassNotifications, shown_folder
from importer.inbox.remote.folder import RemoteFolder
from importer.inbox.report import PassReport
from importer.journal import Location, locks_of, workspace_secret
from importer.profile import MetricsSettings, Profile
from importer.runs.consent import Confirm, require_consent, require_named_target
from importer.runs.context import Context, Machine, People
from importer.runs.documents import files_among
from importer.runs.file_result import FileResult
from importer.runs.follow import follow_all
from importer.runs.hours import Hours
from importer.runs.look_again import look_again_at_all
from importer.runs.plans.authorship import Author
from importer.runs.plans.gate import requirement
from importer.runs.wiring import SystemClock, destination, make_directory
from importer.runs.wiring.engine import require_sendable
from importer.runs.wiring.remote_sources import is_remote

_GIVE_UP = frozenset({ExitCode.ACCESS, ExitCode.BALANCE, ExitCode.BUG, ExitCode.USAGE})
"""Watching on does no good when these end a pass: a person has to look."""
_LONGEST_PAUSE_S = 900.0
_BUSY = ("Another importer nightly works in this folder", "Wait for it to end.")


def _ignore(_: Event) -> None:
    """Nobody observes."""


def _nobody() -> None:
    """No key signs."""


def _team(workspace: Path) -> str:
    """What hosts that share a journal claim the files at an address as; empty: this workspace shares none."""
    if not Location.of_workspace(workspace).url:
        return ""
    return blake2b(b"inbox", key=workspace_secret(workspace), digest_size=4).hexdigest()


@dataclass(slots=True)
class Inbox:
    """One folder, one profile.

    Args:
        folder: a path, or an address as in `importer.readers.remote`.
        on_event: gets everything that happens in every run; must not block.
        confirm: asked before the first request to a live target; None: refused unless `profile.yes`.
        environ: where the addresses of notifications come from.
        author: gives the key that signs plans which files wait with; None: none does.
    """

    profile: Profile
    folder: Path | str
    on_event: Events = _ignore
    confirm: Confirm | None = None
    clock: SystemClock = field(default_factory=SystemClock)
    overrides: Overrides = NO_OVERRIDES
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    author: Author = _nobody
    stop: StopSwitch = field(default_factory=StopSwitch, init=False)
    """What a signal handler sets."""
    _watching: bool = field(default=False, init=False)
    _links: set[str] = field(default_factory=set, init=False)
    _hours: Hours = field(init=False)
    _daily_file: DailyFile = field(init=False)
    _metrics: PassMetrics = field(init=False)
    _forecaster: InboxForecaster = field(init=False)
    _notifications: PassNotifications = field(init=False)

    def __post_init__(self) -> None:
        documents = self.profile.documents.folder
        if not (documents.is_absolute() or is_remote(self.folder)) and files_among(
            self.profile.contract, self.profile.mapping
        ):  # a file that is being imported is in another folder
            there = Path(self.folder).absolute() / documents
            self.profile = self.profile.with_options({"documents.folder": str(there)})
        self._hours = Hours.of(self.profile.delivery, self.environ)
        self._daily_file = DailyFile(self.profile.nightly, self._hours)
        self._metrics = PassMetrics(self.profile, self.on_event)
        self._forecaster = InboxForecaster(self.profile, self.on_event, self.clock, force=self.overrides.force)
        self._notifications = PassNotifications(self.profile.notify, self.folder, self.environ)

    async def once(self) -> PassReport:
        """Take every file that is there, and return what became of it.

        Raises:
            TryLaterError: the window is closed; nothing was touched.
            ImporterError: nothing could be done at all; nothing was touched, and a notification was sent.
        """
        with self._metrics.counting():
            return await self._one_pass()

    async def watch(self, on_report: Callable[[PassReport], None]) -> PassReport:
        """Make pass after pass until stopped.

        Args:
            on_report: gets the report of every pass in which something happened.

        Returns:
            All passes together.

        Raises:
            ImporterError: nothing could be done at all.
        """
        self._watching = self._notifications.watching = True
        with self._metrics.counting():
            return await self._passes(on_report)

    async def _passes(self, on_report: Callable[[PassReport], None]) -> PassReport:
        total, stops = self._empty, Stops(self.stop, StopSwitch(), self.clock)
        while not self.stop.requested:
            try:
                report = await self._one_pass()
            except (TryLaterError, BusyError):
                report = self._empty
            if (report.happened and not self._notifications.still_unapproved) or report.links:
                on_report(report)
            total = total.and_then(report)
            if any(one.ends_pass and one.exit_code in _GIVE_UP for one in report.imports):
                break
            pause_s = self.profile.nightly.poll_s * 2**self._notifications.repeated
            await stops.wait(min(pause_s, _LONGEST_PAUSE_S))
        return total

    # ------------------------------------------------------------------ a pass

    async def _one_pass(self) -> PassReport:
        notifier = self._notifications.notifier()
        with self._notifications.failures_reported(notifier):
            report = await self._pass(self._check())
        self._metrics.pass_ended(report, watching=self._watching)
        return await self._notifications.sent(notifier, report)

    def _check(self) -> FileApproval | None:
        """Refuse what no pass could fix, and return what the target asks of files; None: nothing."""
        if self.profile.dry_run:
            raise UsageError("nightly cannot be a dry run: it moves files.", "To check one file, use validate.")
        if self.profile.source.corrections is not None:
            raise UsageError(
                "[source] corrections are those of one file, and nightly imports whatever arrives.",
                "Leave them out of its profile.",
            )
        require_named_target(self.profile)
        where = destination(self.profile)
        require_sendable(self.profile, embedded=where.embedded)
        asked = requirement(self.profile, where)
        require_consent(where, self.profile, self.confirm)
        if asked is None:
            return None
        given = self.overrides
        return FileApproval(self.profile, asked, self.author, self.clock.now, given.force, given.as_new)

    async def _pass(self, approval: FileApproval | None) -> PassReport:
        began = self.clock.now()
        self._hours.require_open(began)
        ends_at, folder = self._hours.ends_at(began), self._opened_folder(approves=approval is not None)
        await asyncio.to_thread(folder.open)
        with self._alone(folder, began):
            await asyncio.to_thread(folder.recover)
            stops = Stops(self.stop, StopSwitch(), self.clock)
            async with closing_at(ends_at, stops.by_hours, self.clock, "The time allowed was over."):
                forecast = await asyncio.to_thread(self._forecaster.forecast, folder, ends_at)
                await look_again_at_all(self.profile)
                earlier = await follow_all(self.profile, self.stop, waits=False)
                report = (await self._over(folder, stops, ends_at, approval).run()).followed(earlier)
                if not (stops.requested or self._watching):
                    report = report.followed(await follow_all(self.profile, self.stop, waits=True))
        report = replace(report, forecast=forecast, links=self._new_links(report), elapsed_s=self.clock.now() - began)
        return replace(report, growing=(), stopped=None) if self._watching else report

    @contextmanager
    def _alone(self, folder: InboxFolder, began: float) -> Iterator[None]:
        """Keep other passes out of a folder: those of this host, and of the others that share the journal.

        Not every network file system has locks that other hosts see.
        """
        workspace, (place, name) = self.profile.workspace, folder.lock
        with ExitStack() as held:
            held.enter_context(locks_of(place).hold(name, began, busy=_BUSY))
            if place != workspace and Location.of_workspace(workspace).url:
                held.enter_context(locks_of(workspace).hold(f"nightly-{folder.identity}", began, busy=_BUSY))
            yield

    def _over(
        self, folder: InboxFolder, stops: Stops, ends_at: float | None, approval: FileApproval | None
    ) -> FolderPass:
        def begin() -> Context:
            return Context(
                self.profile,
                "nightly",
                self._metrics,
                people=People(self.confirm),
                machine=Machine(self.clock, metrics=MetricsSettings()),
                ends_at=ends_at,
            )

        importer = FileImporter(self.profile, folder, begin, self.stop, self.clock, self.overrides, approval)

        async def import_file(path: Path, *, claimed: bool) -> FileResult | None:
            result = await importer.import_file(path, claimed=claimed)
            if result is not None:
                self._metrics.file_ended(result)
            return result

        return FolderPass(self.profile.nightly, folder, import_file, stops, self._daily_file, self._empty)

    def _opened_folder(self, *, approves: bool) -> InboxFolder:
        if is_remote(self.folder):
            make_directory(self.profile.workspace)
            return RemoteFolder(str(self.folder), self.profile, self.stop, _team(self.profile.workspace))
        return LocalFolder(Path(self.folder), self.profile.nightly, approves=approves)

    @property
    def _empty(self) -> PassReport:
        return PassReport(folder=shown_folder(self.folder), target=self.profile.target)

    def _new_links(self, report: PassReport) -> tuple[str, ...]:
        """Symbolic links that were not reported before."""
        found = tuple(name for name in report.links if name not in self._links)
        self._links |= set(found)
        return found
