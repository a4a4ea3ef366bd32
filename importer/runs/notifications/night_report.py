"""What a night has to report: one value per file, one for the pass. Decides the exit code, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from importer.core.errors import ExitCode

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


class Fate(StrEnum):
    """What became of a file."""

    IMPORTED = "imported"
    """Its run finished; it is in the archive."""
    KNOWN = "known"
    """Its content was imported before; it is in the archive, and nothing was sent."""
    REFUSED = "refused"
    """It cannot be used, or too many of its rows were refused; it is among the failed."""
    HELD = "held"
    """Its run stopped, or could not begin; the next pass goes on with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One file of a pass.

    Args:
        file: its name.
        resumed: an earlier pass had begun it.
        counts: as in the run's report; {} where there was no run.
        error: the sentence that stopped it, for the person at the machine; empty when nothing did.
        put: where the file is now; a text where that is an address.
        report: the run's report for people; None where there is none.
        is_empty: there was nothing in it.
        is_return: it held fixed rows of an earlier run, which `run_id` names.
        corrections: rows of customers that were imported before with other data; nobody changed them.
        next_step: what to do about it now, with the command in full; empty: nothing.
        ends_pass: whatever stopped it would stop every other file as well.
    """

    file: str
    fate: Fate
    exit_code: int
    run_id: str = ""
    resumed: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    put: Path | str | None = None
    report: Path | None = None
    forecast: Mapping[str, Any] = field(default_factory=dict)
    elapsed_s: float = 0.0
    is_empty: bool = False
    is_return: bool = False
    corrections: int = 0
    next_step: str = ""
    ends_pass: bool = False

    @property
    def reject_share(self) -> float:
        """The share of the rows that made no customer, of those that were tried."""
        refused = sum(self.counts.get(state, 0) for state in ("invalid", "rejected", "failed", "unknown"))
        return refused / self.counts["read"] if self.counts.get("read") else 0.0

    def as_json(self) -> dict[str, Any]:
        """Everything in plain JSON types."""
        return {
            "file": self.file,
            "fate": self.fate.value,
            "exit_code": int(self.exit_code),
            "run_id": self.run_id,
            "resumed": self.resumed,
            "counts": dict(self.counts),
            "corrections": self.corrections,
            "error": self.error or None,
            "put": None if self.put is None else str(self.put),
            "report": None if self.report is None else str(self.report),
            "next_step": self.next_step,
            "forecast": dict(self.forecast),
            "elapsed_seconds": round(self.elapsed_s, 3),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NightReport:
    """One pass over a folder.

    Args:
        folder: an address as people may see it, or a path.
        growing: files that somebody was still writing; left for the next pass.
        waiting: files that the pass did not get to.
        missing: a file was expected, and none came.
        links: symbolic links among the files, which are left alone; each is named once.
        stopped: with which code the pass was stopped while files waited; None: it went through.
        forecast: what the pass was expected to take, before its first file; {} where nothing could be said.
        notified: whether a notification arrived; None: there was nothing to say, or nobody to notify.
    """

    folder: Path | str
    target: str
    imports: Sequence[Import] = ()
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
        """Whether there is anything to speak of."""
        return bool(self.imports or self.missing or self.growing or self.stopped)

    def and_then(self, later: NightReport) -> NightReport:
        """What two passes came to; a file that the first one held counts as the second one left it."""
        again = {done.file for done in later.imports}
        settled = (done for done in self.imports if done.fate is not Fate.HELD or done.file not in again)
        return replace(
            later,
            imports=(*settled, *later.imports),
            links=(*self.links, *later.links),
            missing=later.missing or (self.missing and not later.imports),
            elapsed_s=self.elapsed_s + later.elapsed_s,
            notified=False if self.notified is False else self.notified if later.notified is None else later.notified,
        )

    @property
    def counts(self) -> dict[str, int]:
        """Rows per state, over all files."""
        total: Counter[str] = Counter()
        for done in self.imports:
            total.update(done.counts)
        return dict(total)

    def as_json(self) -> dict[str, Any]:
        """The interface's keys, and then what each file came to."""
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
            "growing": list(self.growing),
            "links": list(self.links),
            "waiting": self.waiting,
            "missing": self.missing,
            "forecast": dict(self.forecast),
            "notified": self.notified,
        }
