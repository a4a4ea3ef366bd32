"""One file that arrived becomes a run, and goes where it belongs.

Whatever happens to it ends as an `Import`: what stopped it, whether that is its own fault, and where it is now.
Decides nothing about rows, which is the run's, and nothing about the other files, which is the night's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from importer.core.commands import Commands
from importer.core.errors import (
    EmptySourceError,
    ExitCode,
    ImporterError,
    MissingColumnError,
    ReturnRefusedError,
    SourceError,
    StillWrittenError,
    TransformError,
    UnreadableSourceError,
)
from importer.core.events import Event
from importer.delivery import StopSwitch
from importer.inbox.folder import DropFolder
from importer.journal import FINISHED, LOADING, Place, StoredRun
from importer.profile import Profile
from importer.readers import content_hash
from importer.runs import archive_index, history
from importer.runs.accounts import known_scope
from importer.runs.archive import readable
from importer.runs.begin import allowed
from importer.runs.context import Context
from importer.runs.notifications.night import printable
from importer.runs.notifications.night_report import Fate, Import
from importer.runs.preconditions import is_other_profile, recalled
from importer.runs.resume import resume
from importer.runs.retry import retry
from importer.runs.returns import routing
from importer.runs.run import run
from importer.runs.wiring import SystemClock, open_workspace

_THE_FILES_FAULT = frozenset({"max_errors", "max_error_rate", "fail_fast", "canary"})
"""Stops that say something about the file's rows; any other says something about the night."""

_DONE = frozenset({"read", "created", "existing"})
_MISFIT = (MissingColumnError, TransformError)
_OF_ONE_FILE = (StillWrittenError, UnreadableSourceError, *_MISFIT)
"""Trouble that the other files need not have."""

_RETURN_REFUSED = (
    "Put the rows of each run into the folder as a file of their own, with the columns '_run' and '_row' as they were"
    " handed out, in a night with the workspace and the target of that run. A night with --as-new imports such a file"
    " like any other."
)
_GOES_ON = (
    "`{}` goes on with it: the results here are\nwritten again, and the folder moves to the archive when it ends well."
)
_GREW = "Somebody was still writing it while it was imported; the next pass imports the rest. What was sent is known."


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The files of one pass, taken one at a time.

    Args:
        begin: makes the context of a file.
        stop: what stops the night stops the run at hand.
        force: import files although their content was imported before.
        as_new: import files that came back fixed like any others.
    """

    profile: Profile
    inbox: DropFolder
    begin: Callable[[], Context]
    stop: StopSwitch
    clock: SystemClock
    force: bool = False
    as_new: bool = False

    async def take(self, path: Path, *, begun: bool) -> Import | None:
        """Import one file and put it where it belongs; whatever happens becomes an `Import`. None: it is gone."""
        context, began = self.begin(), self.clock.now()
        context.emit(Event("file_taken"))
        what = Import(file=readable(path.name), fate=Fate.HELD, exit_code=ExitCode.BUG, resumed=begun, ends_pass=True)
        try:
            taken = path if begun else await asyncio.to_thread(self.inbox.take, path)
            if taken is None:
                return None
            async with _passing_on(self.stop, context.stop):
                done = await self._imported(taken, context, what)
        except ImporterError as error:
            ends_pass = not isinstance(error, _OF_ONE_FILE)
            done = replace(what, exit_code=error.exit_code, error=str(error), ends_pass=ends_pass)
        context.emit(Event("file_done"))
        return replace(done, elapsed_s=self.clock.now() - began)

    async def _imported(self, path: Path, context: Context, what: Import) -> Import:
        try:
            return await self._worked(path, context, what)
        except _MISFIT as error:
            if not self._is_proven():
                raise
            what = replace(what, exit_code=ExitCode.SOURCE, error=str(error))
            return await asyncio.to_thread(self._refused, path, context, what)
        except ReturnRefusedError as error:  # its hint names a file that is about to be moved away
            message = f"{error.message.replace(str(path), what.file)} {_RETURN_REFUSED}"
            what = replace(what, exit_code=error.exit_code, error=message)
            return await asyncio.to_thread(self._refused, path, context, what)
        except SourceError as error:
            empty = isinstance(error, EmptySourceError)
            what = replace(what, exit_code=error.exit_code, error=str(error), is_empty=empty)
            return await asyncio.to_thread(self._refused, path, context, what)

    async def _worked(self, path: Path, context: Context, what: Import) -> Import:
        await asyncio.to_thread(self.inbox.at_hand, path)
        content = content_hash(path)
        if not self.as_new and await asyncio.to_thread(routing.runs_of, path, self.profile.source) is not None:
            what = replace(what, is_return=True)
            report = await run(context, path)
            return await asyncio.to_thread(self._put, path, content, report.as_json(), what, reason=context.stop.reason)
        earlier = self._earlier(context, path, content)
        if earlier is None:
            report = await run(context, path, force=self.force, as_new=self.as_new)
        elif self._is_to_be_checked_again(earlier):
            what = replace(what, resumed=earlier.phase != FINISHED)
            report = await retry(context, earlier.header.run_id)
        elif earlier.phase != FINISHED:
            what = replace(what, resumed=True)
            report = await resume(context, earlier.header.run_id)
        elif what.resumed and await asyncio.to_thread(self._is_left_of, earlier, path):
            # The run had finished when the night died, and only the file was left where it was.
            past = history.one_run(self.profile.workspace, earlier.header.run_id)
            return await asyncio.to_thread(self._put, path, content, past, what, reason="")
        else:
            return await asyncio.to_thread(self._known, path, earlier, what)
        return await asyncio.to_thread(self._put, path, content, report.as_json(), what, reason=context.stop.reason)

    def _is_left_of(self, run: StoredRun, path: Path) -> bool:
        return run.header.path == str(path.absolute()) and not self.inbox.has(run.header.run_id, path.name)

    def _earlier(self, context: Context, path: Path, content: str) -> StoredRun | None:
        """The run that this file's content had, or began to have; None: it is to be imported as a new one."""
        earlier = self._run_of(context, content)
        if earlier is None:
            return None
        cannot_go_on = earlier.header.profile_hash != self.profile.fingerprint
        if self.force and (earlier.phase == FINISHED or cannot_go_on):
            return None
        # Nothing was sent by a run that only read; elsewhere its file may be gone.
        return None if earlier.phase == LOADING and earlier.header.path != str(path.absolute()) else earlier

    def _is_to_be_checked_again(self, earlier: StoredRun) -> bool:
        """Whether rows of a run are not done, and the profile of the nights has changed since it checked them."""
        if not is_other_profile(recalled(self.profile, earlier), earlier):
            return False
        with closing(open_workspace(self.profile.workspace)) as workspace:
            counts = workspace.runs.counts(earlier.run)
        return any(count and name not in _DONE for name, count in counts.items())

    def _run_of(self, context: Context, content: str) -> StoredRun | None:
        with closing(open_workspace(self.profile.workspace)) as workspace:
            return workspace.journal.earlier.newest_with(known_scope(workspace, allowed(context)), content)

    def _is_proven(self) -> bool:
        """Whether some file was imported under this profile: one that does not fit is then the odd one out."""
        with closing(open_workspace(self.profile.workspace)) as workspace:
            return workspace.journal.earlier.knows_profile(self.profile.fingerprint)

    # ------------------------------------------------------------------ where it goes

    def _put(self, path: Path, content: str, report: Mapping[str, Any], what: Import, *, reason: str) -> Import:
        """Put a file whose run ended where it belongs, its results beside it; one whose run only stopped stays.

        Raises:
            StillWrittenError: it is not what it was before the run; whatever came to it would never be imported.
        """
        code = ExitCode(report["exit_code"])
        what = _as_reported(what, report)
        ended = not reason and code in archive_index.FINISHED_CODES
        if not ended and reason not in _THE_FILES_FAULT and code != ExitCode.BALANCE:
            return what
        if content_hash(path) != content:
            self._outgrown(what.run_id)
            return replace(what, exit_code=ExitCode.TRY_LATER, error=_GREW, ends_pass=False)
        files = [Path(file) for file in report["files"].values()]
        if what.is_return:
            return self._put_return(path, what, files, ended=ended)
        if ended:
            to = self._away(path, self.inbox.archive, what.run_id, files=files)
            next_step = self._next(what)
            return replace(what, fate=Fate.IMPORTED, put=to, next_step=next_step, ends_pass=False)
        texts = {archive_index.WHY: _why(what, _GOES_ON.format(self._commands.resume(what.run_id)))}
        to = self._away(path, self.inbox.failed, what.run_id, files=files, texts=texts)
        return replace(what, fate=Fate.REFUSED, put=to, ends_pass=code == ExitCode.BALANCE)

    def _put_return(self, path: Path, what: Import, files: Sequence[Path], *, ended: bool) -> Import:
        """Put a file away that held fixed rows of a run: it is not that run's source, and its folder is its own."""
        text = (
            f"{what.file} held rows of the run {what.run_id}, and was taken back into it.\n"
            f"`{self._commands.show(what.run_id)}` shows how that run ended.\n"
        )
        to = self._away(
            path,
            self.inbox.archive if ended else self.inbox.failed,
            moment(self.clock.now()),
            run_id=what.run_id,
            is_return=True,
            files=files,
            texts={"returned.txt": text},
        )
        fate, next_step = (Fate.IMPORTED, self._next(what)) if ended else (Fate.REFUSED, "")
        return replace(what, fate=fate, put=to, next_step=next_step, ends_pass=what.exit_code == ExitCode.BALANCE)

    @property
    def _commands(self) -> Commands:
        """Commands in full: whoever reads them stands elsewhere."""
        return self.profile.commands.for_everywhere()

    def _next(self, what: Import) -> str:
        """What a person may want to do about a file that was imported with losses."""
        if what.counts.get("failed") or what.counts.get("unknown"):
            return f"To send again what is failed or unknown, run: {self._commands.retry(what.run_id)}"
        if not what.counts.get("invalid") and not what.counts.get("rejected"):
            return ""
        rejects = self.profile.workspace / what.run_id / "rejects.csv"
        fix = "Fix the rows in rejects.csv (the last columns say why) and put it into the folder again"
        return f"{fix}, or run: {self._commands.retry_fixed(what.run_id, rejects)}"

    def _outgrown(self, run_id: str) -> None:
        with closing(open_workspace(self.profile.workspace)) as workspace:
            archive_index.outgrown(workspace.journal, workspace.runs.find(run_id))

    def _known(self, path: Path, earlier: StoredRun, what: Import) -> Import:
        run_id = earlier.header.run_id
        text = (
            f"{what.file} was not imported: a file with exactly this content was imported in run {run_id}.\n"
            "Nothing was sent. --force imports it again, matching every row by its key.\n"
        )
        tag = moment(self.clock.now())
        to = self._away(path, self.inbox.archive, tag, texts={"already-imported.txt": text}, run_id=run_id)
        return replace(what, fate=Fate.KNOWN, exit_code=ExitCode.OK, run_id=run_id, put=to, ends_pass=False)

    def _refused(self, path: Path, context: Context, what: Import) -> Import:
        """Put a file aside that cannot be used."""
        fix = "Fix it, and put it into the folder again; --force imports it although it was begun before."
        texts = {archive_index.WHY: _why(what, fix)}
        try:
            run_id = self._begun(context, path)
            to = self._away(path, self.inbox.failed, run_id or moment(self.clock.now()), texts=texts, run_id=run_id)
        except ImporterError as error:
            return replace(what, exit_code=error.exit_code, error=f"{what.error} {error}")
        return replace(what, fate=Fate.REFUSED, put=to, ends_pass=False)

    def _begun(self, context: Context, path: Path) -> str:
        """The run that a file began and did not end; empty when there is none."""
        try:
            run = self._run_of(context, content_hash(path))
        except SourceError:  # it cannot even be read
            return ""
        return run.header.run_id if run is not None and run.phase != FINISHED else ""

    def _away(
        self, path: Path, place: Path, tag: str, *, run_id: str | None = None, is_return: bool = False, **beside: Any
    ) -> Path | str:
        """Put a file away and keep where.

        Args:
            run_id: its run; None: the tag is; empty: it has none.
            is_return: it held fixed rows of that run, and is not its source.
        """
        of_run, name = tag if run_id is None else run_id, readable(path.name)
        with closing(open_workspace(self.profile.workspace)) as workspace:
            stored = workspace.runs.find(of_run) if of_run else None

            def note(folder: Path) -> None:
                run, archive = stored.run if stored else None, self.inbox.archive.absolute()
                found = Place(folder.absolute(), name, run, self.clock.now(), archive, is_return)
                archive_index.put(workspace.journal, stored, found)

            to = self.inbox.put_away(path, place, tag, before=note, **beside)
            return to.absolute() if isinstance(to, Path) else to


def _as_reported(what: Import, report: Mapping[str, Any]) -> Import:
    """Take over what a run's report says."""
    return replace(
        what,
        exit_code=ExitCode(report["exit_code"]),
        run_id=report["run_id"],
        counts=report["counts"],
        error=report["error"] or "",
        report=Path(report["files"]["html"]).absolute() if "html" in report["files"] else None,
        forecast=report.get("forecast", {}),
        corrections=sum(one["count"] for one in report["issues"] if one["code"] == "differs_from_imported"),
    )


@asynccontextmanager
async def _passing_on(stop: StopSwitch, to: StopSwitch) -> AsyncIterator[None]:
    """Whatever stops the night stops the run at hand."""

    async def pass_on() -> None:
        await stop.wait()
        to.request(stop.reason, stop.message)

    task = asyncio.create_task(pass_on(), name="passing-on")
    try:
        yield
    finally:
        task.cancel()


def moment(now: float) -> str:
    """A moment as folders are named by it."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"


def _why(what: Import, fix: str) -> str:
    error = printable(what.error or "", None)
    return f"{printable(what.file)} was not imported (exit code {int(what.exit_code)}).\n\n{error}\n\n{fix}\n"
