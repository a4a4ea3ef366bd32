"""A run in one sentence, for the top of every report, and what to do next. Words only, no markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from importer.errors import ExitCode
from importer.records import RowState
from importer.results.report import Report

Tone = Literal["good", "mixed", "bad"]

_DONE = (RowState.CREATED, RowState.EXISTING)
_NOT_DONE = (RowState.INVALID, RowState.REJECTED, RowState.FAILED, RowState.UNKNOWN, RowState.UNSENT)
_RESUMABLE = {ExitCode.STOPPED, ExitCode.SIGINT, ExitCode.SIGTERM, ExitCode.TRY_LATER, ExitCode.ACCESS}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run came to.

    Args:
        sentence: for people; numbers and states only.
        next_step: what to do now; empty when there is nothing to do.
    """

    tone: Tone
    sentence: str
    next_step: str = ""


def verdict(report: Report) -> Verdict:
    """Judge a report."""
    if report.exit_code == ExitCode.BALANCE:
        return Verdict("bad", "The balance does not close: do not trust these files.", report.error or "")
    if not report.counts.get("read"):
        return Verdict("bad", report.error or "No row was read.")
    return _dry(report) if report.dry_run else _real(report)


def _dry(report: Report) -> Verdict:
    invalid = report.counts.get(RowState.INVALID, 0)
    rows = _rows(report.counts["read"])
    if not invalid:
        return Verdict("good", f"{_all(report.counts['read'])} can be imported.", f"Type: importer run {report.source}")
    sentence = f"{invalid:,} of {rows} cannot be imported yet."
    return Verdict("mixed", sentence, f"Mend the marked cells, then type: importer validate {_rejects(report)}")


def _real(report: Report) -> Verdict:
    counts = report.counts
    done = sum(counts.get(state, 0) for state in _DONE)
    if done == counts["read"]:
        sentence = f"{_all(done)} {_are(done)} at the target{_split(report, _DONE, ': ', '')}."
        return Verdict("good", sentence, f"Type: importer show {report.run_id}")
    sentence = f"{done:,} of {_rows(counts['read'])} {_are(done)} at the target{_split(report, _DONE, ' (', ')')}"
    sentence += f"{_split(report, _NOT_DONE, '; not there: ', '')}."
    if report.exit_code in _RESUMABLE:
        stopped = f"The run stopped early. {sentence}"
        return Verdict("bad", stopped, f"Type: importer resume {report.run_id}")
    if counts.get(RowState.UNKNOWN):
        return Verdict("bad", sentence, f"Type: importer retry {report.run_id} (unknown rows are looked up first)")
    if counts.get(RowState.FAILED):
        return Verdict("bad", sentence, f"Type: importer retry {report.run_id}")
    return Verdict("mixed", sentence, f"Mend the marked cells, then type: importer run {_rejects(report)}")


def _rejects(report: Report) -> str:
    return str(report.files.get("annotated") or report.files.get("rejects") or "rejects.csv")


def _split(report: Report, states: Sequence[RowState], before: str, behind: str) -> str:
    parts = [f"{report.counts[state]:,} {state}" for state in states if report.counts.get(state)]
    return before + ", ".join(parts) + behind if parts else ""


def _all(count: int) -> str:
    return f"{'The' if count == 1 else 'All'} {_rows(count)}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"
