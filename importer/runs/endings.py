"""How a pass over a run ended: why it stopped, and with which exit code. Read off the counts and the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from importer.core.errors import ExitCode
from importer.core.states import LEFT_OPEN, RowState, as_reported
from importer.core.steps import UNDOING
from importer.journal import FINISHED, STOPPED, Journal, RunFacts, StoredRun
from importer.results import follow_up_of

_STOP_CODES: Mapping[str, ExitCode] = {
    "access": ExitCode.ACCESS,
    "max_errors": ExitCode.STOPPED,
    "max_error_rate": ExitCode.STOPPED,
    "fail_fast": ExitCode.STOPPED,
    "breaker": ExitCode.STOPPED,
    "canary": ExitCode.STOPPED,
    "window": ExitCode.TRY_LATER,
    "quota": ExitCode.TRY_LATER,
    "sigint": ExitCode.SIGINT,
    "sigterm": ExitCode.SIGTERM,
    "cut_off": ExitCode.STOPPED,
}
_FAILED = (RowState.INVALID, RowState.REJECTED, RowState.FAILED)
_CUT_OFF = "The run was cut off; its rows are shown as the journal has them."


@dataclass(frozen=True, slots=True)
class Ending:
    """How a pass over a run ended, apart from its counts.

    Args:
        reason: why it stopped; empty when it went through.
        message: the same as a sentence.
        started_at: of this pass, seconds since the epoch.
    """

    command: str
    started_at: float
    ended_at: float
    reason: str = ""
    message: str = ""


def ending_of(journal: Journal, stored: StoredRun, command: str, started_at: float, ended_at: float) -> Ending:
    """Return how the last pass over a run ended, as far as the journal knows: a pass that was cut off recorded nothing.

    Args:
        command: what is being done now, from `started_at` to `ended_at`.
    """
    counts = journal.runs.counts(stored.run)
    counted, noted = as_reported(counts), stored.facts.stopped_by
    if is_open(counts):
        return Ending(command, started_at, ended_at, "cut_off", _CUT_OFF)
    if stored.phase == FINISHED or not (noted or counted.get(RowState.UNSENT)):
        return Ending(command, started_at, ended_at)
    if stored.phase != STOPPED and not counted.get(RowState.UNSENT):
        return Ending(command, started_at, ended_at)  # the reason is that of an earlier pass
    message = stored.facts.stopped_message or _CUT_OFF
    return Ending(command, started_at, ended_at, noted or "cut_off", message)


def stop_code(reason: str) -> ExitCode:
    """Return the exit code of a pass that stopped.

    Args:
        reason: why, as the stop switch has it.
    """
    return _STOP_CODES[reason]


def follow_up(journal: Journal, run: int, facts: RunFacts) -> dict[str, Any]:
    """Return how the steps after a run's creates are, as reports have them; {} where it has none."""
    if not facts.after_create.steps:
        return {}
    return follow_up_of(one for one in journal.steps(run).counts() if one.step not in UNDOING)


def is_open(counts: Mapping[str, int]) -> bool:
    """Whether a pass that was cut off has left rows open."""
    return any(counts.get(state, 0) for state in LEFT_OPEN)


def exit_code(
    counts: Mapping[str, int],
    reason: str,
    *,
    balanced: bool = True,
    partial_ok: bool = False,
    refused: int = 0,
    follow_up: Mapping[str, Any] = MappingProxyType({}),
) -> ExitCode:
    """Return the exit code of a run; where several apply, the first in the order 9, that of the stop, 8, 3, 75 wins.

    Args:
        counts: rows per state.
        reason: why the run stopped; empty when it went through.
        partial_ok: rows and steps that failed do not fail the run.
        refused: lines of a file that came back which were not taken into the run.
        follow_up: its steps after the creates, as in the report; {}: it has none.
    """
    if not balanced:
        return ExitCode.BALANCE
    if reason:
        return _STOP_CODES[reason]
    if counts.get(RowState.UNKNOWN, 0):
        return ExitCode.SOME_UNKNOWN
    failed = refused or follow_up.get("failed") or any(counts.get(state, 0) for state in _FAILED)
    if failed and not partial_ok:
        return ExitCode.SOME_FAILED
    return ExitCode.TRY_LATER if follow_up.get("open") else ExitCode.OK
