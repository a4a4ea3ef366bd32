"""What a pass over a folder has to report. Decides the exit code, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from importer.core.errors import ExitCode
from importer.results import Report
from importer.runs.file_result import Fate, FileResult

_WORST_FIRST = (
    ExitCode.BALANCE,
    ExitCode.ACCESS,
    ExitCode.STOPPED,
    ExitCode.BUG,
    ExitCode.USAGE,
    ExitCode.SIGTERM,
    ExitCode.SIGINT,
    ExitCode.TRY_LATER,
    ExitCode.SOURCE,
    ExitCode.SOME_UNKNOWN,
    ExitCode.SOME_FAILED,
    ExitCode.BUSY,
    ExitCode.OK,
)
"""The interface's order (9, 5, 4, 8, 3) with every other code at its place: what ended the pass goes before a file."""


def worst(codes: Iterable[int]) -> ExitCode:
    """The exit code of several; 0 of none."""
    return min((ExitCode(code) for code in codes), key=_WORST_FIRST.index, default=ExitCode.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassReport:
    """One pass over a folder.

    Args:
        folder: an address as people may see it, or a path.
        imports: what became of every file that it got to.
        earlier: files of earlier passes, with open steps that were followed in this one, as their runs are now.
        growing: files that somebody was still writing; left for the next pass.
        waiting: files that the pass did not get to.
        missing: a file was expected, and none arrived.
        links: symbolic links among the files, which are left alone; each is reported once.
        stopped: with which code the pass was stopped while files waited; None: it went through.
        forecast: what the pass was expected to take, before its first file; {} where nothing could be said.
        notified: whether a notification arrived; None: there was nothing to say, or nobody to notify.
    """

    folder: Path | str
    target: str
    imports: Sequence[FileResult] = ()
    earlier: Sequence[FileResult] = ()
    growing: Sequence[str] = ()
    links: Sequence[str] = ()
    waiting: int = 0
    missing: bool = False
    stopped: ExitCode | None = None
    elapsed_s: float = 0.0
    forecast: Mapping[str, Any] = field(default_factory=dict)
    notified: bool | None = None

    @property
    def exit_code(self) -> ExitCode:
        """The worst of the files; 75 where the same command does more later: a file was growing, or is missing."""
        later = [ExitCode.TRY_LATER] if self.growing or self.missing else []
        stopped = [] if self.stopped is None else [self.stopped]
        return worst([*(done.exit_code for done in self.imports), *later, *stopped])

    @property
    def happened(self) -> bool:
        """Whether there is anything to report."""
        return bool(self.imports or self.missing or self.growing or self.stopped or self.completed)

    @property
    def completed(self) -> tuple[FileResult, ...]:
        """The files of earlier passes of which no step is open any more."""
        return tuple(one for one in self.earlier if not one.follow_up.get("open"))

    def followed(self, reports: Mapping[str, Report]) -> PassReport:
        """The same pass with what its runs, and earlier ones, came to once their open steps were followed.

        Args:
            reports: run id to the report.
        """
        now = {run_id: report.as_json() for run_id, report in reports.items()}
        imports = tuple(one.with_report(now[one.run_id]) if one.run_id in now else one for one in self.imports)
        earlier = {one.run_id: one for one in self.earlier}
        for run_id in now.keys() - {one.run_id for one in imports}:
            before = FileResult(file=now[run_id]["source"], fate=Fate.IMPORTED, exit_code=0, resumed=True)
            earlier[run_id] = before.with_report(now[run_id])
        return replace(self, imports=imports, earlier=tuple(earlier[run_id] for run_id in sorted(earlier)))

    def and_then(self, later: PassReport) -> PassReport:
        """Both passes together; a file that was held, or waited for an approval, counts as the second one left it."""
        again = {done.file for done in later.imports}
        open_ = {Fate.HELD, Fate.UNAPPROVED}
        settled = (done for done in self.imports if done.fate not in open_ or done.file not in again)
        return replace(
            later,
            imports=(*settled, *later.imports),
            earlier=tuple({one.run_id: one for one in (*self.earlier, *later.earlier)}.values()),
            links=(*self.links, *later.links),
            missing=later.missing or (self.missing and not later.imports),
            elapsed_s=self.elapsed_s + later.elapsed_s,
            notified=False if self.notified is False else self.notified if later.notified is None else later.notified,
        )

    @property
    def unapproved(self) -> int:
        """How many files wait for the approval of their plans."""
        return sum(one.fate is Fate.UNAPPROVED for one in self.imports)

    @property
    def counts(self) -> dict[str, int]:
        """Rows per state, over all files."""
        total: Counter[str] = Counter()
        for done in self.imports:
            total.update(done.counts)
        return dict(total)

    def as_json(self) -> dict[str, Any]:
        """The keys of every command, and then what became of each file."""
        error = next((done.error for done in self.imports if done.error and done.exit_code == self.exit_code), None)
        return {
            "command": "nightly",
            "run_id": self.imports[-1].run_id if self.imports else "",
            "source": str(self.folder),
            "target": self.target,
            "dry_run": False,
            "counts": self.counts,
            "issues": [],
            "files": {},
            "elapsed_seconds": round(self.elapsed_s, 3),
            "exit_code": int(self.exit_code),
            "error": error,
            "imports": [done.as_json() for done in self.imports],
            "earlier": [done.as_json() for done in self.earlier],
            "growing": list(self.growing),
            "links": list(self.links),
            "waiting": self.waiting,
            "unapproved": self.unapproved,
            "missing": self.missing,
            "forecast": dict(self.forecast),
            "notified": self.notified,
        }
