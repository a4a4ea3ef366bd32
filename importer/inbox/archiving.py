"""Where a file goes when its run is over: the archive, the failed, or nowhere, with everything about it beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from importer.core.commands import Commands
from importer.core.errors import ExitCode
from importer.inbox.folder import InboxFolder, is_planned, plan_of
from importer.journal import Place
from importer.profile import Profile
from importer.readers import content_hash
from importer.runs import archive_index
from importer.runs.archive import readable
from importer.runs.file_result import Fate, FileResult, went_through
from importer.runs.notifications.composing import printable
from importer.runs.wiring import SystemClock, open_workspace

_THE_FILES_FAULT = frozenset({"max_errors", "max_error_rate", "fail_fast", "canary"})
"""Stops that say something about the file's rows; any other says something about the pass."""

_GOES_ON = (
    "`{}` goes on with it: the results here are\nwritten again, and the folder moves to the archive when it ends well."
)
_GREW = "Somebody was still writing it while it was imported; the next pass imports the rest. What was sent is known."
_FIX = "Fix it, and put it into the folder again; --force imports it although it was begun before."


@dataclass(frozen=True, slots=True)
class Archiver:
    """Puts the files of one folder away, and keeps in the journal where."""

    profile: Profile
    folder: InboxFolder
    clock: SystemClock

    def after_run(
        self, path: Path, content: str, report: Mapping[str, Any], result: FileResult, *, reason: str
    ) -> FileResult:
        """Put a file away after its run, the results beside it; one with a run that only stopped stays.

        Args:
            content: its hash before the run.
            report: as in the run's `report.json`.
            reason: what stopped the run; empty when nothing did.
        """
        result = result.with_report(report)
        ended = not reason and went_through(report)
        if not ended and reason not in _THE_FILES_FAULT and result.exit_code != ExitCode.BALANCE:
            return result
        if content_hash(path) != content:
            self._note_outgrown(result.run_id)
            return replace(result, exit_code=ExitCode.TRY_LATER, error=_GREW, ends_pass=False)
        files = [Path(file) for file in report["files"].values()]
        if result.is_return:
            return self._after_return(path, result, files, ended=ended)
        if ended:
            to = self._put_away(path, self.folder.archive, result.run_id, files=files)
            next_step = self._next_step(result)
            return replace(result, fate=Fate.IMPORTED, put=to, next_step=next_step, ends_pass=False)
        texts = {archive_index.WHY: _why(result, _GOES_ON.format(self._commands.resume(result.run_id)))}
        to = self._put_away(path, self.folder.failed, result.run_id, files=files, texts=texts)
        return replace(result, fate=Fate.REFUSED, put=to, ends_pass=result.exit_code == ExitCode.BALANCE)

    def _after_return(self, path: Path, result: FileResult, files: Sequence[Path], *, ended: bool) -> FileResult:
        """Put a file away that held fixed rows of a run: it is not that run's source, and its folder is its own."""
        text = (
            f"{result.file} held rows of the run {result.run_id}, and was taken back into it.\n"
            f"`{self._commands.show(result.run_id)}` shows how that run ended.\n"
        )
        to = self._put_away(
            path,
            self.folder.archive if ended else self.folder.failed,
            moment(self.clock.now()),
            run_id=result.run_id,
            is_return=True,
            files=files,
            texts={"returned.txt": text},
        )
        fate, next_step = (Fate.IMPORTED, self._next_step(result)) if ended else (Fate.REFUSED, "")
        ends_pass = result.exit_code == ExitCode.BALANCE
        return replace(result, fate=fate, put=to, next_step=next_step, ends_pass=ends_pass)

    def known(self, path: Path, run_id: str, result: FileResult) -> FileResult:
        """Put a file away with content that an earlier run imported."""
        text = (
            f"{result.file} was not imported: a file with exactly this content was imported in run {run_id}.\n"
            "Nothing was sent. --force imports it again, matching every row by its key.\n"
        )
        tag = moment(self.clock.now())
        to = self._put_away(path, self.folder.archive, tag, texts={"already-imported.txt": text}, run_id=run_id)
        return replace(result, fate=Fate.KNOWN, exit_code=ExitCode.OK, run_id=run_id, put=to, ends_pass=False)

    def refused(self, path: Path, run_id: str, result: FileResult) -> FileResult:
        """Put a file away that cannot be used.

        Args:
            run_id: the run that it began and did not end; empty: it never became one.
        """
        texts, tag = {archive_index.WHY: _why(result, _FIX)}, run_id or moment(self.clock.now())
        to = self._put_away(path, self.folder.failed, tag, texts=texts, run_id=run_id)
        return replace(result, fate=Fate.REFUSED, put=to, ends_pass=False)

    # ------------------------------------------------------------------ pieces

    def _put_away(
        self,
        path: Path,
        place: Path,
        tag: str,
        *,
        run_id: str | None = None,
        is_return: bool = False,
        files: Sequence[Path] = (),
        **beside: Any,
    ) -> Path | str:
        """Put a file away and keep where; the plan that it waited with is beside it from then on.

        Args:
            run_id: its run; None: the tag is; empty: it has none.
            is_return: it held fixed rows of that run, and is not its source.
        """
        of_run, name = tag if run_id is None else run_id, readable(path.name)
        files = [*files, plan_of(path)] if is_planned(path) else files
        with closing(open_workspace(self.profile.workspace)) as workspace:
            stored = workspace.runs.find(of_run) if of_run else None

            def note(folder: Path) -> None:
                run, archive = stored.run if stored else None, self.folder.archive.absolute()
                found = Place(folder.absolute(), name, run, self.clock.now(), archive, is_return)
                archive_index.put(workspace.journal, stored, found)

            to = self.folder.put_away(path, place, tag, before=note, files=files, **beside)
            return to.absolute() if isinstance(to, Path) else to

    def _note_outgrown(self, run_id: str) -> None:
        with closing(open_workspace(self.profile.workspace)) as workspace:
            archive_index.outgrown(workspace.journal, workspace.runs.find(run_id))

    @property
    def _commands(self) -> Commands:
        """Commands in full: their reader is in another folder."""
        return self.profile.commands.for_everywhere()

    def _next_step(self, result: FileResult) -> str:
        """What a person may want to do about a file that was imported with losses."""
        if result.counts.get("failed") or result.counts.get("unknown") or result.follow_up.get("failed"):
            return f"To send again what is failed or unknown, run: {self._commands.retry(result.run_id)}"
        if not result.counts.get("invalid") and not result.counts.get("rejected"):
            return ""
        rejects = self.profile.workspace / result.run_id / "rejects.csv"
        fix = "Fix the rows in rejects.csv (the last columns say why) and put it into the folder again"
        return f"{fix}, or run: {self._commands.retry_fixed(result.run_id, rejects)}"


def moment(now: float) -> str:
    """A moment as folders are named by it."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"


def _why(result: FileResult, fix: str) -> str:
    error = printable(result.error, None)
    return f"{printable(result.file)} was not imported (exit code {int(result.exit_code)}).\n\n{error}\n\n{fix}\n"
