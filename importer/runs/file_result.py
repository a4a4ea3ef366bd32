"""What became of one file: a value for reports, notifications and faces. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from importer.core.errors import ExitCode

FINISHED_CODES = frozenset({ExitCode.OK, ExitCode.SOME_FAILED, ExitCode.SOME_UNKNOWN})
"""Runs that ended like this are done with, whatever became of their rows (see `went_through`)."""
_NOT_IMPORTED = ("invalid", "rejected", "failed", "unknown")


class Fate(StrEnum):
    """What became of a file."""

    IMPORTED = "imported"
    """Its run finished; a file of an inbox is in the archive."""
    KNOWN = "known"
    """Its content was imported before; it is in the archive, and nothing was sent."""
    REFUSED = "refused"
    """It cannot be used, or too many of its rows were refused; it is among the failed."""
    HELD = "held"
    """Its run stopped, or could not begin; a later run, or the next pass over its folder, goes on with it."""
    UNAPPROVED = "unapproved"
    """It waits until people have approved its plan; the next pass after that sends what the plan says."""


def went_through(report: Mapping[str, Any]) -> bool:
    """Whether a run is done with, whatever became of its rows; steps after its creates may be open.

    Args:
        report: as in the run's `report.json`.
    """
    code = report["exit_code"]
    return code in FINISHED_CODES or (code == ExitCode.TRY_LATER and report.get("state") == "finished")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """One file that was to be imported.

    Args:
        file: its name.
        resumed: an earlier run had begun it.
        counts: as in the run's report; {} where there was no run.
        error: the sentence that stopped it, for the person at the machine; empty when nothing did.
        put: where the file is now; a text where that is an address; None: where it was.
        plan: what has to be approved before it is sent; None: nothing.
        report: the run's report for people; None where there is none.
        is_empty: there was nothing in it.
        is_return: it held fixed rows of an earlier run, which `run_id` names.
        follow_up: the steps after its creates, as in the run's report; {}: it has none.
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
    plan: Path | None = None
    report: Path | None = None
    forecast: Mapping[str, Any] = field(default_factory=dict)
    follow_up: Mapping[str, Any] = field(default_factory=dict)
    elapsed_s: float = 0.0
    is_empty: bool = False
    is_return: bool = False
    corrections: int = 0
    next_step: str = ""
    ends_pass: bool = False

    def with_report(self, report: Mapping[str, Any]) -> FileResult:
        """The same file with what the report of its run says.

        Args:
            report: as in the run's `report.json`.
        """
        page = report["files"].get("html")
        return replace(
            self,
            exit_code=ExitCode(report["exit_code"]),
            run_id=report["run_id"],
            counts=report["counts"],
            error=report.get("error") or "",
            report=Path(page).absolute() if page else None,
            forecast=report.get("forecast", {}),
            follow_up=report.get("follow_up", {}),
            corrections=sum(one["count"] for one in report["issues"] if one["code"] == "differs_from_imported"),
        )

    @property
    def reject_share(self) -> float:
        """The share of the rows that made no customer, of those that were tried."""
        refused = sum(self.counts.get(state, 0) for state in _NOT_IMPORTED)
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
            "plan": None if self.plan is None else str(self.plan),
            "report": None if self.report is None else str(self.report),
            "next_step": self.next_step,
            "forecast": dict(self.forecast),
            "follow_up": dict(self.follow_up),
            "elapsed_seconds": round(self.elapsed_s, 3),
        }
