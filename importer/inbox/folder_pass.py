"""One pass over a folder: which files it takes, in which order, and when it ends.

What an earlier pass claimed comes before anything new, and older files before newer ones. After a file that cannot be
used the others go on; an error that affects every file ends the pass, and leaves the current file for the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from importer.core.errors import ExitCode, ImporterError, UnreachableError
from importer.delivery import StopSwitch
from importer.inbox.archiving import moment
from importer.inbox.folder import FileState, InboxFolder
from importer.inbox.report import PassReport
from importer.profile.nightly import NightlySettings
from importer.runs.archive import readable
from importer.runs.file_result import Fate, FileResult
from importer.runs.hours import Hours
from importer.runs.wiring import SystemClock

_SIGNALS = {"sigint": ExitCode.SIGINT, "sigterm": ExitCode.SIGTERM}


class ImportFile(Protocol):
    """Imports one file; None: it is gone."""

    def __call__(self, path: Path, /, *, claimed: bool) -> Awaitable[FileResult | None]: ...


@dataclass(frozen=True, slots=True)
class Stops:
    """What ends a pass early: a person, or the hours.

    Args:
        by_person: what a signal handler sets.
        by_hours: what the end of the hours sets.
    """

    by_person: StopSwitch
    by_hours: StopSwitch
    clock: SystemClock

    @property
    def requested(self) -> bool:
        """Whether no further file is to be taken."""
        return self.by_person.requested or self.by_hours.requested

    @property
    def exit_code(self) -> ExitCode:
        """With what a pass ends that was stopped."""
        return _SIGNALS.get(self.by_person.reason, ExitCode.TRY_LATER)

    async def wait(self, delay_s: float) -> None:
        """Wait, but not past the moment when a person stops the pass."""
        waiting = asyncio.ensure_future(self.clock.sleep(delay_s))
        stopping = asyncio.ensure_future(self.by_person.wait())
        try:
            await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            stopping.cancel()


@dataclass(slots=True)
class DailyFile:
    """Whether a file should have arrived today. Reported once a day."""

    settings: NightlySettings
    hours: Hours
    _reported: float = -1.0

    def is_missing(self, folder: InboxFolder, now: float) -> bool:
        """Whether one was expected, and none was put away since the day began.

        Args:
            now: seconds since the epoch.
        """
        settings, today = self.settings, self.hours.midnight(now)
        too_early = settings.expect_by is not None and not self.hours.has_passed(settings.expect_by, now)
        if settings.expect == "nothing" or too_early or self._reported == today:
            return False
        if folder.newest_tag() >= moment(today):
            return False
        self._reported = today
        return True


@dataclass(slots=True)
class FolderPass:
    """One pass.

    Args:
        empty: the report of a pass in which nothing happens.
    """

    settings: NightlySettings
    folder: InboxFolder
    import_file: ImportFile
    stops: Stops
    daily_file: DailyFile
    empty: PassReport
    _results: list[FileResult] = field(default_factory=list, init=False)
    _unreached: bool = field(default=False, init=False)

    async def run(self) -> PassReport:
        """Take every file that is complete, and report what became of each."""
        await self._import(await asyncio.to_thread(self.folder.claimed), claimed=True)
        complete, growing = await self._arrived()
        await self._import(complete, claimed=False)
        await self._import_again()
        waiting = await self._count_waiting(growing) if self._is_over else 0
        return replace(
            self.empty,
            imports=tuple(self._results),
            growing=tuple(growing),
            links=tuple(sorted(map(readable, self.folder.links()))),
            waiting=waiting,
            missing=await self._is_missing(growing),
            stopped=self._stopped(waiting),
        )

    @property
    def _is_over(self) -> bool:
        return self.stops.requested or bool(self._results and self._results[-1].ends_pass)

    async def _import(self, paths: Sequence[Path], *, claimed: bool) -> None:
        for path in paths:
            if self._is_over:
                break
            result = await self.import_file(path, claimed=claimed)
            if result is not None:
                self._results.append(result)

    async def _import_again(self) -> None:
        """Import again what lacked a column before any other file had shown that the profile is right."""
        held = [one for one in self._results if one.fate is Fate.HELD and not one.ends_pass]
        doubtful = {one.file for one in held if one.exit_code == ExitCode.USAGE}
        if self._is_over or not doubtful or all(one.fate is not Fate.IMPORTED for one in self._results):
            return
        again = [path for path in await asyncio.to_thread(self.folder.claimed) if readable(path.name) in doubtful]
        self._results = [one for one in self._results if one.file not in doubtful]
        await self._import(again, claimed=True)

    async def _arrived(self) -> tuple[list[Path], list[str]]:
        """The files to take, and the names of those that somebody is still writing.

        Neither where that cannot be found out any more: what is done has to be reported.
        """
        if self._is_over:
            return [], []
        try:
            return await self._settled()
        except UnreachableError:
            if not self._results:
                raise
            self._unreached = True
            return [], []

    async def _settled(self) -> tuple[list[Path], list[str]]:
        before, now = dict[Path, FileState](), await asyncio.to_thread(self.folder.scan)
        if self.settings.ready == "stable" and any(not self.folder.is_marked(path) for path in now):
            before = now
            await self.stops.wait(self.settings.settle_s)
            now = await asyncio.to_thread(self.folder.scan)
        complete = self.folder.complete(before, now)
        return complete, [readable(path.name) for path in self.folder.growing(now, complete)]

    async def _count_waiting(self, growing: Sequence[str]) -> int:
        """How many files the pass did not get to; the folder itself may be what ended it."""
        try:
            left = await asyncio.to_thread(self.folder.scan)
        except ImporterError:
            return 0
        return sum(readable(path.name) not in growing for path in left)

    async def _is_missing(self, growing: Sequence[str]) -> bool:
        if self._results or growing or self._is_over:
            return False
        return await asyncio.to_thread(self.daily_file.is_missing, self.folder, self.stops.clock.now())

    def _stopped(self, waiting: int) -> ExitCode | None:
        """With which code the pass was stopped although there was more to do; None: it was not."""
        if self.stops.requested and (waiting or self._unreached):
            return self.stops.exit_code
        return ExitCode.TRY_LATER if self._unreached else None
