"""One file that arrived becomes a run, and goes where it belongs.

Whatever happens to it ends as an `Import`: what stopped it, whether that is its own fault, and where it is now.
Decides nothing about rows, which is the run's, and nothing about the other files, which is the night's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from importer import history
from importer.delivery import StopSwitch
from importer.errors import EmptySourceError, ExitCode, ImporterError, ProfileError, SourceError
from importer.journal import FINISHED, LOADING, StoredRun
from importer.nightly import Fate, Import, Inbox
from importer.profile import Profile
from importer.readers import content_hash
from importer.session import Session
from importer.wiring import SystemClock, open_workspace

_FINISHED_CODES = frozenset({ExitCode.OK, ExitCode.SOME_FAILED, ExitCode.SOME_UNKNOWN})
_THE_FILES_FAULT = frozenset({"max_errors", "max_error_rate", "fail_fast", "canary"})
"""Stops that say something about the file's rows; any other says something about the night."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The files of one pass, taken one at a time.

    Args:
        begin: makes the session of a file.
        stop: what stops the night stops the run at hand.
        force: import files although their content was imported before.
    """

    profile: Profile
    inbox: Inbox
    begin: Callable[[], Session]
    stop: StopSwitch
    clock: SystemClock
    force: bool = False

    async def take(self, path: Path, *, begun: bool) -> Import | None:
        """Import one file and put it where it belongs; whatever happens becomes an `Import`. None: it is gone."""
        session, began = self.begin(), self.clock.now()
        what = Import(file=path.name, fate=Fate.HELD, exit_code=ExitCode.BUG, resumed=begun, ends_pass=True)
        try:
            taken = path if begun else self.inbox.take(path)
            if taken is None:
                return None
            async with _passing_on(self.stop, session.stop):
                done = await self._imported(taken, session, what)
        except ImporterError as error:
            done = replace(what, exit_code=error.exit_code, error=str(error))
        return replace(done, elapsed_s=self.clock.now() - began)

    async def _imported(self, path: Path, session: Session, what: Import) -> Import:
        try:
            return await self._worked(path, session, what)
        except (SourceError, ProfileError) as error:
            empty = isinstance(error, EmptySourceError)
            what = replace(what, exit_code=error.exit_code, error=str(error), is_empty=empty)
            return self._refused(path, what)

    async def _worked(self, path: Path, session: Session, what: Import) -> Import:
        earlier = self._earlier(session, path)
        if earlier is None:
            report = await session.run(path, force=self.force)
        elif earlier.phase != FINISHED:
            what = replace(what, resumed=True)
            report = await session.resume(earlier.header.run_id)
        elif what.resumed and not self.inbox.has(earlier.header.run_id, path.name):
            # The run had finished when the night died, and only the file was left where it was.
            told = history.one_run(self.profile.workspace, earlier.header.run_id)
            return self._put(path, told, what, reason="")
        else:
            return self._known(path, earlier, what)
        return self._put(path, report.as_json(), what, reason=session.stop.reason)

    def _earlier(self, session: Session, path: Path) -> StoredRun | None:
        """The run that this file's content had, or began to have; None: it is to be imported as a new one."""
        scope, found = session.allowed().scope, content_hash(path)
        with closing(open_workspace(self.profile.workspace)) as workspace:
            earlier = workspace.runs.newest_with(scope, found)
        if earlier is None:
            return None
        cannot_go_on = earlier.header.profile_hash != self.profile.fingerprint
        if self.force and (earlier.phase == FINISHED or cannot_go_on):
            return None
        # Nothing was sent by a run that only read; elsewhere its file may be gone.
        return None if earlier.phase == LOADING and earlier.header.path != str(path.absolute()) else earlier

    def _put(self, path: Path, told: Mapping[str, Any], what: Import, *, reason: str) -> Import:
        """Put a file whose run ended where it belongs, its results beside it; one whose run only stopped stays."""
        code = ExitCode(told["exit_code"])
        what = replace(
            what,
            exit_code=code,
            run_id=told["run_id"],
            counts=told["counts"],
            error=told["error"] or "",
            report=Path(told["files"]["html"]).absolute() if "html" in told["files"] else None,
            forecast=told.get("forecast", {}),
        )
        files = [Path(file) for file in told["files"].values()]
        if not reason and code in _FINISHED_CODES:
            to = self.inbox.put_away(path, self.inbox.archive, what.run_id, files=files)
            return replace(what, fate=Fate.IMPORTED, put=to, ends_pass=False)
        if reason in _THE_FILES_FAULT or code == ExitCode.BALANCE:
            texts = {"why.txt": _why(what, f"`importer resume {what.run_id}` goes on with it.")}
            to = self.inbox.put_away(path, self.inbox.failed, what.run_id, files=files, texts=texts)
            return replace(what, fate=Fate.REFUSED, put=to, ends_pass=code == ExitCode.BALANCE)
        return what

    def _known(self, path: Path, earlier: StoredRun, what: Import) -> Import:
        run_id = earlier.header.run_id
        text = (
            f"{path.name} was not imported: a file with exactly this content was imported in run {run_id}.\n"
            "Nothing was sent. --force imports it again, matching every row by its key.\n"
        )
        texts = {"already-imported.txt": text}
        to = self.inbox.put_away(path, self.inbox.archive, moment(self.clock.now()), texts=texts)
        return replace(what, fate=Fate.KNOWN, exit_code=ExitCode.OK, run_id=run_id, put=to, ends_pass=False)

    def _refused(self, path: Path, what: Import) -> Import:
        """Put a file aside that cannot be used."""
        mend = "Mend it, and put it into the folder again; --force imports it although it was begun before."
        texts = {"why.txt": _why(what, mend)}
        try:
            to = self.inbox.put_away(path, self.inbox.failed, moment(self.clock.now()), texts=texts)
        except ImporterError as error:
            return replace(what, exit_code=error.exit_code, error=f"{what.error} {error}")
        return replace(what, fate=Fate.REFUSED, put=to, ends_pass=False)


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


def _why(what: Import, mend: str) -> str:
    return f"{what.file} was not imported (exit code {int(what.exit_code)}).\n\n{what.error}\n\n{mend}\n"
