"""One file that arrived becomes a run.

Whatever happens to it ends as a `FileResult`: what stopped it, whether that is its own fault, and where it is now.
Decides nothing about rows, which is the run's, and nothing about the other files, which is the pass's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from importer.core.errors import (
    ApprovalMissingError,
    EmptySourceError,
    ExitCode,
    ImporterError,
    MissingColumnError,
    PlanRefusedError,
    ReturnRefusedError,
    SourceError,
    StillWrittenError,
    TransformError,
    UnreadableSourceError,
)
from importer.core.events import Event
from importer.delivery import StopSwitch, stopped_with
from importer.inbox.approval import FileApproval, file_of, planned
from importer.inbox.archiving import Archiver
from importer.inbox.folder import InboxFolder
from importer.journal import FINISHED, LOADING, StoredRun
from importer.profile import Profile
from importer.readers import content_hash
from importer.results import Report
from importer.runs import history, registry
from importer.runs.accounts import known_scope
from importer.runs.archive import readable
from importer.runs.context import Context
from importer.runs.export import export
from importer.runs.file_result import Fate, FileResult
from importer.runs.kept_profile import is_other_profile, recalled
from importer.runs.plans.import_plan import ImportPlan
from importer.runs.resume import resume
from importer.runs.retry import retry
from importer.runs.returns import routing
from importer.runs.run import run
from importer.runs.wiring import SystemClock, destination, open_workspace

_DONE = frozenset({"read", "created", "existing"})
_MISFIT = (MissingColumnError, TransformError)
_OF_ONE_FILE = (StillWrittenError, UnreadableSourceError, *_MISFIT)
"""Errors that the other files need not have."""

_RETURN_REFUSED = (
    "Put the rows of each run into the folder as a file of their own, with the columns '_run' and '_row' as they were"
    " handed out, and run nightly with the workspace and the target of that run. With --as-new it imports such a file"
    " like any other."
)


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a person wants although it is not the rule.

    Args:
        force: import files although their content was imported before.
        as_new: import files with fixed rows of earlier runs like any others.
    """

    force: bool = False
    as_new: bool = False


NO_OVERRIDES = Overrides()


@dataclass(frozen=True, slots=True)
class FileImporter:
    """Imports the files of one pass, one at a time.

    Args:
        begin: makes the context of a file.
        stop: what stops the pass stops the run under way.
        approval: what the target asks of files before they are sent; None: nothing.
    """

    profile: Profile
    folder: InboxFolder
    begin: Callable[[], Context]
    stop: StopSwitch
    clock: SystemClock
    overrides: Overrides
    approval: FileApproval | None = None

    async def import_file(self, path: Path, *, claimed: bool) -> FileResult | None:
        """Import one file and put it where it belongs; whatever happens becomes a `FileResult`. None: it is gone.

        Args:
            claimed: an earlier pass claimed it.
        """
        context, began = self.begin(), self.clock.now()
        context.emit(Event("file_taken"))
        result = FileResult(
            file=readable(path.name), fate=Fate.HELD, exit_code=ExitCode.BUG, resumed=claimed, ends_pass=True
        )
        try:
            ours = path if claimed else await asyncio.to_thread(self.folder.claim, path)
            if ours is None:
                return None
            async with stopped_with(self.stop, context.stop):
                result = await self._imported(ours, context, result)
        except ImporterError as error:
            ends_pass = not isinstance(error, _OF_ONE_FILE)
            result = replace(result, exit_code=error.exit_code, error=str(error), ends_pass=ends_pass)
        context.emit(Event("file_done"))
        return replace(result, elapsed_s=self.clock.now() - began)

    async def _imported(self, path: Path, context: Context, result: FileResult) -> FileResult:
        try:
            return await self._run(path, context, result)
        except (ApprovalMissingError, PlanRefusedError) as error:  # of its run, or of rows that come back
            return replace(result, fate=Fate.UNAPPROVED, exit_code=error.exit_code, error=str(error), ends_pass=False)
        except _MISFIT as error:
            if not self._is_proven():
                raise
            result = replace(result, exit_code=ExitCode.SOURCE, error=str(error))
        except ReturnRefusedError as error:  # its hint names a file that is about to be moved away
            message = f"{error.message.replace(str(path), result.file)} {_RETURN_REFUSED}"
            result = replace(result, exit_code=error.exit_code, error=message)
        except SourceError as error:
            empty = isinstance(error, EmptySourceError)
            result = replace(result, exit_code=error.exit_code, error=str(error), is_empty=empty)
        return await asyncio.to_thread(self._refused, path, context, result)

    async def _run(self, path: Path, context: Context, result: FileResult) -> FileResult:
        if waiting := await asyncio.to_thread(self._waiting, path, context, result):
            return waiting
        await asyncio.to_thread(self.folder.fetch, path)
        content = content_hash(path)
        if await self._is_return(path):
            result = replace(result, is_return=True)
            back = await self._taken_back(context, path, result)
            if isinstance(back, FileResult):
                return back
            report = back
        elif (earlier := self._earlier(context, path, content)) is None:
            result = replace(result, resumed=False) if self.approval else result
            begun = await self._new_run(context, path, result)
            if isinstance(begun, FileResult):
                return begun
            report = begun
        elif earlier.phase != FINISHED or self._is_to_be_checked_again(earlier):
            result = replace(result, resumed=earlier.phase != FINISHED)
            gone_on = await self._gone_on(context, path, earlier, result)
            if isinstance(gone_on, FileResult):
                return gone_on
            report = gone_on
        else:
            return await asyncio.to_thread(self._imported_before, path, content, earlier, result)
        put = self._archiver.after_run
        return await asyncio.to_thread(put, path, content, report.as_json(), result, reason=context.stop.reason)

    async def _taken_back(self, context: Context, path: Path, result: FileResult) -> Report | FileResult:
        """Take fixed rows back into their run, by their plan where they need one."""
        if self.approval is None:
            return await run(context, path)
        found = await asyncio.to_thread(routing.runs_of, path, self.profile.source)
        run_id = await asyncio.to_thread(routing.to, self.profile, found or (), path)
        return await self.approval.sent_again(context, path, run_id, result, fixed=True)

    async def _gone_on(
        self, context: Context, path: Path, earlier: StoredRun, result: FileResult
    ) -> Report | FileResult:
        """Go on with the run that a file began; where its plan does not hold any more, one is made of the rest."""
        run_id = earlier.header.run_id
        try:
            if self._is_to_be_checked_again(earlier):
                return await retry(context, run_id)
            return await resume(context, run_id)
        except ApprovalMissingError:
            if self.approval is None:
                raise
            return await self.approval.sent_again(context, path, run_id, result, fixed=False)

    def _waiting(self, path: Path, context: Context, result: FileResult) -> FileResult | None:
        """What a file waits for whose plan is not approved; None: no plan, or its run was begun, or nobody asks."""
        found = planned(path) if self.approval else None
        if self.approval is None or found is None:
            return None
        if not file_of(found) or (isinstance(found, ImportPlan) and self._earlier(context, path, file_of(found))):
            return None  # its run was begun, whose own plan may hold again
        return self.approval.waiting(path, replace(result, resumed=False))

    async def _new_run(self, context: Context, path: Path, result: FileResult) -> Report | FileResult:
        """Import a file as a new run, by its plan where it needs one."""
        if self.approval is None:
            return await run(context, path, force=self.overrides.force, as_new=self.overrides.as_new)
        return await self.approval.imported(context, path, result)

    async def _is_return(self, path: Path) -> bool:
        """Whether a file holds fixed rows of earlier runs, which go back into them."""
        if self.overrides.as_new:
            return False
        return await asyncio.to_thread(routing.runs_of, path, self.profile.source) is not None

    def _imported_before(self, path: Path, content: str, earlier: StoredRun, result: FileResult) -> FileResult:
        run_id = earlier.header.run_id
        if result.resumed and self._is_left_of(earlier, path):
            # The run had finished when the pass was killed, and only the file was left where it was.
            past = self._past(run_id)
            return self._archiver.after_run(path, content, past, result, reason="")
        return self._archiver.known(path, run_id, result)

    def _is_left_of(self, earlier: StoredRun, path: Path) -> bool:
        """Whether a run was over before its file was put away, here or on another host that shares the folder."""
        began_at = Path(earlier.header.path)
        if (began_at.parent.name, began_at.name) != (path.parent.name, path.name):
            return False
        with closing(open_workspace(self.profile.workspace)) as workspace:
            places = [one for one in workspace.journal.places.of(earlier.run) if not one.returned]
        # Where this folder puts files, they are looked for: a place is noted before its file is moved there.
        is_elsewhere = any(place.archive != self.folder.archive.absolute() for place in places)
        return not (is_elsewhere or self.folder.has_archived(earlier.header.run_id, path.name))

    def _past(self, run_id: str) -> Mapping[str, Any]:
        """The report of a run that is over; its files are written here where another host had them."""
        workspace = self.profile.workspace
        if registry.written_report(workspace / run_id):
            return history.one_run(workspace, run_id)
        return export(self.begin(), run_id).as_json()

    def _earlier(self, context: Context, path: Path, content: str) -> StoredRun | None:
        """The run that this file's content had, or began to have; None: it is to be imported as a new one."""
        earlier = self._run_of(context, content)
        if earlier is None:
            return None
        cannot_go_on = earlier.header.profile_hash != self.profile.fingerprint
        if self.overrides.force and (earlier.phase == FINISHED or cannot_go_on):
            return None
        is_here = earlier.header.path == str(path.absolute())
        if earlier.phase == LOADING and is_here and self.approval and self.approval.forget_begun(earlier):
            return None
        # A run that only read sent nothing, and its file at another path may be gone.
        return None if earlier.phase == LOADING and not is_here else earlier

    def _is_to_be_checked_again(self, earlier: StoredRun) -> bool:
        """Whether rows of a run are not done, and the profile has changed since it checked them."""
        if not is_other_profile(recalled(self.profile, earlier), earlier):
            return False
        with closing(open_workspace(self.profile.workspace)) as workspace:
            counts = workspace.runs.counts(earlier.run)
        return any(count and name not in _DONE for name, count in counts.items())

    def _run_of(self, context: Context, content: str) -> StoredRun | None:
        with closing(open_workspace(self.profile.workspace)) as workspace:
            return workspace.journal.earlier.newest_with(known_scope(workspace, destination(context.profile)), content)

    def _is_proven(self) -> bool:
        """Whether some file was imported under this profile: one that does not fit is then the odd one out."""
        with closing(open_workspace(self.profile.workspace)) as workspace:
            return workspace.journal.earlier.knows_profile(self.profile.fingerprint)

    def _refused(self, path: Path, context: Context, result: FileResult) -> FileResult:
        """Put a file among the failed that cannot be used."""
        try:
            return self._archiver.refused(path, self._unfinished_run(context, path), result)
        except ImporterError as error:
            return replace(result, exit_code=error.exit_code, error=f"{result.error} {error}")

    def _unfinished_run(self, context: Context, path: Path) -> str:
        """The run that a file began and did not end; empty when there is none."""
        try:
            found = self._run_of(context, content_hash(path))
        except SourceError:  # it cannot even be read
            return ""
        return found.header.run_id if found is not None and found.phase != FINISHED else ""

    @property
    def _archiver(self) -> Archiver:
        return Archiver(self.profile, self.folder, self.clock)
