"""A night: every file that arrived in a folder becomes a run, and goes where it belongs.

One file after another, the oldest first; what an earlier night began comes before anything new. A file that
cannot be used is put aside and the others go on; trouble that would befall every file ends the pass, and
leaves the file at hand for the next one. Decides nothing about rows: that is the run's.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from importer.core.errors import (
    BusyError,
    ExitCode,
    ImporterError,
    ProfileError,
    TryLaterError,
    UnreachableError,
    UsageError,
)
from importer.core.events import Event
from importer.core.ports import Events
from importer.delivery import StopSwitch, closing_at
from importer.inbox.arrivals import Arrivals, moment
from importer.inbox.folder import DropFolder, Seen
from importer.inbox.forecast import Foresight
from importer.inbox.local_folder import Inbox
from importer.inbox.metrics import NightCount
from importer.inbox.remote.arriving import RemoteInbox
from importer.journal import workspace_lock
from importer.profile import MetricsSettings, Profile
from importer.profile.nights import NotifySettings
from importer.runs.archive import readable
from importer.runs.begin import allowed
from importer.runs.context import Context, Machine, People
from importer.runs.hours import Hours
from importer.runs.look_again import look_again_at_all
from importer.runs.notifications.night import broken_off, compose
from importer.runs.notifications.night_report import Fate, Import, NightReport
from importer.runs.notifications.sender import Sender, sender_for
from importer.runs.preconditions import Confirm, require_named_target
from importer.runs.wiring import SystemClock, make_directory
from importer.runs.wiring.remote_sources import is_remote, shown

_GIVE_UP = frozenset({ExitCode.ACCESS, ExitCode.BALANCE, ExitCode.BUG, ExitCode.USAGE})
"""Watching on does no good when these end a pass: a person has to look."""

_SIGNALS = {"sigint": ExitCode.SIGINT, "sigterm": ExitCode.SIGTERM}
_LONGEST_REST_S = 900.0
Passed = Callable[[NightReport], None]


def _ignore(_: Event) -> None:
    """Nobody listens."""


_BUSY = ("Another night works in this folder", "Wait for it to end.")


@dataclass(slots=True)
class Night:
    """One folder, one profile.

    Args:
        folder: a path, or an address as in `importer.readers.remote`.
        on_event: gets everything that happens in every run; must not block.
        stop: what a signal handler sets.
        confirm: asked before the first request to a live target; None: refused unless `profile.yes`.
        force: import files although their content was imported before.
        as_new: import files that came back fixed like any others.
        environ: where the addresses of notifications come from.
    """

    profile: Profile
    folder: Path | str
    on_event: Events = _ignore
    stop: StopSwitch = field(default_factory=StopSwitch)
    confirm: Confirm | None = None
    clock: SystemClock = field(default_factory=SystemClock)
    force: bool = False
    as_new: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    _ends_at: float | None = None
    _closing: StopSwitch = field(default_factory=StopSwitch)
    _watching: bool = False
    _missed_on: float = -1.0
    _held: tuple[tuple[str, int], ...] = ()
    _held_passes: int = 0
    _links: set[str] = field(default_factory=set)
    _unreached: bool = False
    _count: NightCount = field(init=False)
    _foresight: Foresight = field(init=False)

    def __post_init__(self) -> None:
        self._count = NightCount(self.profile, self.on_event)
        self._foresight = Foresight(self.profile, self.on_event, self.clock, force=self.force)

    async def once(self) -> NightReport:
        """Take every file that is there, and return what became of it.

        Raises:
            TryLaterError: the window is closed; nothing was touched.
            ImporterError: nothing could be done at all; nothing was touched, and a notification was sent.
        """
        with self._count.counting():
            return await self._one_pass()

    async def _one_pass(self) -> NightReport:
        self._closing, self._unreached = StopSwitch(), False
        send = sender_for(self.environ, self.profile.notify.timeout_s)
        async with self._alarmed(send):
            self._check()
            report = await self._pass()
        self._count.one_pass(report, watching=self._watching)
        return await self._notified(report, send)

    async def watch(self, passed: Passed) -> NightReport:
        """Make pass after pass until stopped; `passed` gets the report of every pass in which something happened.

        Returns:
            What all passes came to.

        Raises:
            ImporterError: nothing could be done at all.
        """
        self._watching = True
        with self._count.counting():
            return await self._passes(passed)

    async def _passes(self, passed: Passed) -> NightReport:
        total = NightReport(folder=self._shown, target=self.profile.target)
        while not self.stop.requested:
            try:
                report = await self._one_pass()
            except (TryLaterError, BusyError):
                report = NightReport(folder=self._shown, target=self.profile.target)
            if report.happened or report.links:
                passed(report)
            total = total.and_then(report)
            if any(done.ends_pass and done.exit_code in _GIVE_UP for done in report.imports):
                break
            await self._rest(min(self.profile.nightly.poll_s * 2**self._held_passes, _LONGEST_REST_S))
        return total

    # ------------------------------------------------------------------ a pass

    def _check(self) -> None:
        """Refuse what no pass could fix."""
        if self.profile.dry_run:
            raise UsageError("A night cannot be a dry run: it puts files away.", "To check one file, use validate.")
        require_named_target(self.profile)
        allowed(Context(self.profile, people=People(self.confirm)))

    async def _pass(self) -> NightReport:
        began, hours = self.clock.now(), self._hours
        hours.require_open(began)
        self._ends_at = hours.ends_at(began)
        inbox = self._inbox()
        await asyncio.to_thread(inbox.open)
        with workspace_lock(*inbox.lock, began, busy=_BUSY):
            await asyncio.to_thread(inbox.recover)
            async with closing_at(self._ends_at, self._closing, self.clock, "The time allowed was over."):
                foreseen = await asyncio.to_thread(self._foresight.over, inbox, self._ends_at)
                await look_again_at_all(self.profile)
                report = await self._files(inbox)
        return replace(report, forecast=foreseen, elapsed_s=self.clock.now() - began)

    def _inbox(self) -> DropFolder:
        if is_remote(self.folder):
            make_directory(self.profile.workspace)
            return RemoteInbox(str(self.folder), self.profile, self.stop)
        return Inbox(Path(self.folder), self.profile.nightly)

    @property
    def _shown(self) -> Path | str:
        """The folder for people: an address may hold a password."""
        return shown(str(self.folder)) if is_remote(self.folder) else Path(self.folder)

    async def _files(self, inbox: DropFolder) -> NightReport:
        arrivals = Arrivals(self.profile, inbox, self._context, self.stop, self.clock, self.force, self.as_new)
        imports = await self._one_by_one(arrivals, await asyncio.to_thread(inbox.begun), [], begun=True)
        found, growing = await self._arrived_after(imports, inbox)
        imports = await self._one_by_one(arrivals, found, imports, begun=False)
        imports = await self._judged_again(arrivals, inbox, imports)
        over = self._is_closing or _is_over(imports)
        waiting = await self._waiting(inbox, growing) if over else 0
        return NightReport(
            folder=self._shown,
            target=self.profile.target,
            imports=tuple(imports),
            growing=() if self._watching else tuple(growing),
            links=self._new_links(inbox),
            waiting=waiting,
            missing=not imports and not growing and not over and await asyncio.to_thread(self._is_missing, inbox),
            stopped=self._stopped_code if (waiting or self._unreached) and not self._watching else None,
        )

    async def _arrived_after(self, imports: Sequence[Import], inbox: DropFolder) -> tuple[list[Path], list[str]]:
        """What is to be taken next; nothing where that cannot be known any more: what is done has to be reported."""
        if _is_over(imports):
            return [], []
        try:
            return await self._arrived(inbox)
        except UnreachableError:
            if not imports:
                raise
            self._unreached = True
            return [], []

    async def _waiting(self, inbox: DropFolder, growing: Sequence[str]) -> int:
        """How many files the pass did not get to; the place itself may be what ended it."""
        try:
            left = await asyncio.to_thread(inbox.look)
        except ImporterError:
            return 0
        return len([path for path in left if readable(path.name) not in growing])

    async def _one_by_one(
        self, arrivals: Arrivals, paths: Sequence[Path], imports: list[Import], *, begun: bool
    ) -> list[Import]:
        for path in paths:
            if self._is_closing or _is_over(imports):
                break
            done = await arrivals.take(path, begun=begun)
            if done is not None:
                imports = [*imports, done]
                self._count.file(done)
        return imports

    async def _judged_again(self, arrivals: Arrivals, inbox: DropFolder, imports: list[Import]) -> list[Import]:
        """Take up again what lacked a column before any other file had shown whose fault that is."""
        held = [done for done in imports if done.fate is Fate.HELD and not done.ends_pass]
        doubtful = {done.file for done in held if done.exit_code == ExitCode.USAGE}
        if not doubtful or all(done.fate is not Fate.IMPORTED for done in imports):
            return imports
        again = [path for path in await asyncio.to_thread(inbox.begun) if readable(path.name) in doubtful]
        others = [done for done in imports if done.file not in doubtful]
        return await self._one_by_one(arrivals, again, others, begun=True)

    async def _arrived(self, inbox: DropFolder) -> tuple[list[Path], list[str]]:
        """The files to take, and the names of those that somebody is still writing."""
        nightly, before, now = self.profile.nightly, dict[Path, Seen](), await asyncio.to_thread(inbox.look)
        if nightly.ready == "marker":
            found = inbox.complete(before, now)
            return found, _names(inbox.growing(now, found))
        if any(not inbox.is_marked(path) for path in now):
            before = now
            await self._rest(nightly.settle_s)
            now = await asyncio.to_thread(inbox.look)
        found = inbox.complete(before, now)
        return found, _names(inbox.growing(now, found))

    def _new_links(self, inbox: DropFolder) -> tuple[str, ...]:
        """Symbolic links that were not spoken of before."""
        found = {readable(name) for name in inbox.links()} - self._links
        self._links |= found
        return tuple(sorted(found))

    def _is_missing(self, inbox: DropFolder) -> bool:
        """Whether a file should have come today, and none was put away since the day began. Said once a day."""
        nightly, now, hours = self.profile.nightly, self.clock.now(), self._hours
        today = hours.midnight(now)
        too_early = nightly.expect_by is not None and not hours.has_passed(nightly.expect_by, now)
        if nightly.expect == "nothing" or too_early or self._missed_on == today:
            return False
        if inbox.last_tag() >= moment(today):
            return False
        self._missed_on = today
        return True

    # ------------------------------------------------------------------ surroundings

    def _context(self) -> Context:
        return Context(
            self.profile,
            "nightly",
            self._count,
            people=People(self.confirm),
            machine=Machine(self.clock, metrics=MetricsSettings()),
            ends_at=self._ends_at,
        )

    @asynccontextmanager
    async def _alarmed(self, send: Sender | None) -> AsyncIterator[None]:
        """Tell people of a pass that could not begin, or that broke off in a way that nobody foresaw."""
        code: ExitCode | None = ExitCode.BUG
        try:
            yield
            code = None
        except UnreachableError as error:
            code = None if self._watching else error.exit_code  # who watches looks again in a moment
            raise
        except TryLaterError:
            code = None
            raise
        except BusyError as error:  # a watched folder is looked at again soon, and nobody wants to know each time
            code = None if self._watching else error.exit_code
            raise
        except asyncio.CancelledError:
            code = ExitCode.SIGINT
            raise
        except ImporterError as error:
            code = error.exit_code
            raise
        finally:
            if code is not None and send is not None and "failed" in self.profile.notify.on:
                send(broken_off(_in_full(self.folder), code))

    async def _notified(self, report: NightReport, send: Sender | None) -> NightReport:
        notification, again = compose(report, self.profile.notify), self._is_held_again(report)
        if send is None or not report.happened or again or notification.level not in self.profile.notify.on:
            return report
        return replace(report, notified=await asyncio.to_thread(send, notification))

    def _is_held_again(self, report: NightReport) -> bool:
        """Whether a watched folder is where the last pass left it: said once is enough, and there is no hurry."""
        held = tuple((done.file, done.exit_code) for done in report.imports if done.fate is Fate.HELD)
        again = self._watching and bool(held) and held == self._held and len(held) == len(report.imports)
        self._held, self._held_passes = held, self._held_passes + 1 if again else 0
        return again

    async def _rest(self, delay_s: float) -> None:
        """Wait, but not past the moment when the night is asked to stop."""
        waiting = asyncio.ensure_future(self.clock.sleep(delay_s))
        stopping = asyncio.ensure_future(self.stop.wait())
        try:
            await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            stopping.cancel()

    @property
    def _hours(self) -> Hours:
        return Hours.of(self.profile.delivery, self.environ)

    @property
    def _is_closing(self) -> bool:
        return self.stop.requested or self._closing.requested

    @property
    def _stopped_code(self) -> ExitCode | None:
        if self._is_closing:
            return _SIGNALS.get(self.stop.reason, ExitCode.TRY_LATER)
        return ExitCode.TRY_LATER if self._unreached else None


def _is_over(imports: Sequence[Import]) -> bool:
    return bool(imports and imports[-1].ends_pass)


def _names(paths: Iterable[Path]) -> list[str]:
    return [readable(path.name) for path in paths]


def alarm(folder: Path | str, code: ExitCode, environ: Mapping[str, str]) -> None:
    """Tell people of a night whose profile cannot even be read; as the environment or the defaults say.

    Args:
        code: the exit code of what is wrong.
    """
    try:
        settings = Profile.load(environ=environ).notify
    except ProfileError:
        settings = NotifySettings()
    with suppress(UsageError):  # what is wrong with the profile is reported anyway, and matters more
        send = sender_for(environ, settings.timeout_s)
        if send is not None and "failed" in settings.on:
            send(broken_off(_in_full(folder), code))


def _in_full(folder: Path | str) -> str:
    """A folder for people who are not at this machine."""
    return shown(str(folder)) if is_remote(folder) else readable(str(Path(folder).absolute()))
