"""A run in one sentence, for the top of every report, and what to do next. Words only, no markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from importer.core.commands import FRAME, STDIN
from importer.core.errors import ExitCode
from importer.core.labels import counted
from importer.core.states import RowState
from importer.core.steps import StepState
from importer.results.follow_up import undone_sentence
from importer.results.report_data import ReportData

Tone = Literal["good", "mixed", "bad"]

_DONE = (RowState.CREATED, RowState.EXISTING)
_RESUMABLE = {ExitCode.STOPPED, ExitCode.SIGINT, ExitCode.SIGTERM, ExitCode.TRY_LATER, ExitCode.ACCESS}
_LIST = "list"
"""The job of a run that lists what an update would change."""
_FOR_GOOD, _FOR_NOW = {"changed_since", "value_hidden", "cannot_change"}, {"update_failed", "update_unknown"}
"""Codes of updates that fail again under the same row and list, and of those that may not."""
_REHEARSED_AT = "emulator"
"""The target at which no customer is real."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a run in words.

    Args:
        sentence: for people; numbers, states, the target.
        advice: what to do now, up to the command; empty when there is nothing to do.
        command: the complete command for it; empty when there is none.
        file: the file whose rows are to be fixed before that; None: there is nothing to fix first.
    """

    tone: Tone
    sentence: str
    advice: str = ""
    command: str = ""
    file: Path | None = None

    @property
    def next_step(self) -> str:
        """The advice and its command in one line."""
        return f"{self.advice} {self.command}".strip()


def verdict(report: ReportData) -> Verdict:
    """Judge a report."""
    if report.exit_code == ExitCode.BALANCE:
        return Verdict("bad", "The balance does not close: do not trust these files.", report.error or "")
    if not report.counts.get("read"):
        return Verdict("bad", report.error or "No row was read.")
    return _dry(report) if report.dry_run else _real(report)


# --------------------------------------------------------------------------- dry runs


def _dry(report: ReportData) -> Verdict:
    invalid, read = report.counts.get(RowState.INVALID, 0), report.counts["read"]
    if invalid:
        they = "it" if invalid == 1 else "they"
        sentence = f"{invalid:,} of {counted(read, 'row')} {_need(invalid)} fixing before {they} can be"
        return Verdict("mixed", f"{sentence} imported. Nothing was sent.", *_fix(report))
    sentence = f"{_all(read)} can be imported. Nothing was sent."
    if report.path == STDIN:
        return Verdict("good", sentence, "Send the same data to:", report.commands.run(STDIN))
    if report.path == FRAME:
        return Verdict("good", sentence, "To import it: await importer.run(frame), with the same profile.")
    return Verdict("good", sentence, "To import it, run:", report.commands.run(report.path or report.source))


# --------------------------------------------------------------------------- runs that sent


def _real(report: ReportData) -> Verdict:
    parts = (_came_to(report), undone_sentence(report.undone), _steps(report), _known(report), _nothing_real(report))
    sentence = " ".join(part for part in parts if part)
    commands, run_id = report.commands, report.run_id
    if report.exit_code in _RESUMABLE and not _waits(report):
        advice = f"{_taken_back(report)} To go on with it, run:".strip()
        return Verdict("bad", f"The run stopped early. {sentence}", advice, commands.resume(run_id))
    if report.counts.get(RowState.UNKNOWN):
        advice = "Unknown rows are looked up first, and sent only if they are not there. Run:"
        return Verdict("bad", sentence, advice, commands.retry(run_id))
    if report.counts.get(RowState.FAILED):
        return Verdict("bad", sentence, "To send the failed rows again, run:", commands.retry(run_id))
    if _steps_in(report, StepState.FAILED, StepState.UNKNOWN) or report.follow_up.get("open"):
        return _with_steps_to_do(report, sentence)
    if _done(report) < report.counts["read"]:
        return Verdict("mixed", sentence, *_fix(report))
    return _with_steps_for_people(report, sentence)


def _with_steps_to_do(report: ReportData, sentence: str) -> Verdict:
    """All rows are done as far as they can be, and steps after their creates are not."""
    commands, run_id = report.commands, report.run_id
    if _fails_again(report):
        advice = "_warnings in results.csv says why. Correct the rows, or look at the customers, then list anew:"
        return Verdict("bad", sentence, advice, commands.update(report.path or report.source, "--dry-run"))
    if _steps_in(report, StepState.FAILED, StepState.UNKNOWN):
        return Verdict("bad", sentence, "To try the failed steps again, run:", commands.retry(run_id))
    return Verdict("mixed", sentence, "To go on with the open steps, run:", commands.follow(run_id))


def _fails_again(report: ReportData) -> bool:
    """Whether an update has failed for reasons alone that trying again does not change."""
    codes = {cluster.code for cluster in report.clusters}
    return bool(report.job and codes & _FOR_GOOD) and not codes & _FOR_NOW


def _with_steps_for_people(report: ReportData, sentence: str) -> Verdict:
    """Every row is at the target; what is left is for a person to look at."""
    commands, run_id = report.commands, report.run_id
    if report.job == _LIST:
        return Verdict("good", sentence, *_to_update(report))
    if _steps_in(report, StepState.DIFFERS):
        advice = "_differences in results.csv names what differs. After a correction at the target, run:"
        return Verdict("mixed", sentence, advice, commands.verify(run_id))
    if _steps_in(report, StepState.NEEDS_PERSON):
        advice = "Do at the target what _idv_status in results.csv asks for, then run:"
        return Verdict("mixed", sentence, advice, commands.follow(run_id))
    return Verdict("good", sentence, "To see this run again, run:", commands.show(run_id))


def _taken_back(report: ReportData) -> str:
    """How the first rows are taken back that a canary did not like."""
    if report.stopped_by != "canary" or not report.counts.get(RowState.CREATED) or report.undone:
        return ""
    return f"To take back what it created, `{report.commands.undo(report.run_id)}` lists it first."


def _to_update(report: ReportData) -> tuple[str, str]:
    """How what was listed is done: the advice, and the command."""
    if not _steps_in(report, StepState.LISTED):
        return "There is nothing to change.", ""
    advice = "_differences in results.csv shows every field before and after, masked. To change them, "
    if report.command != "update" and not report.commands.config:  # a run does not know the path of its profile
        return f"{advice}update this file with the profile and target that it was listed with.", ""
    return f"{advice}run:", report.commands.update(report.path or report.source)


def _updated(report: ReportData) -> str:
    """What became of the customers that an update is about."""
    read, updates, left = report.counts["read"], report.follow_up.get("updates", {}), _left(report)
    if report.job == _LIST:
        would = _steps_in(report, StepState.LISTED)
        sentence = f"{would:,} of {counted(read, 'customer')} would change at {report.target}; nothing was changed"
    else:
        sentence = f"{updates.get('changed', 0):,} of {counted(read, 'customer')} changed at {report.target}"
    same = updates.get("unchanged", 0)
    as_they_are = f"{same:,} {'was' if same == 1 else 'were'} as the file says already" if same else ""
    return "; ".join(part for part in (sentence, as_they_are, left) if part) + "."


def _came_to(report: ReportData) -> str:
    if report.job:
        return _updated(report)
    done, read = _done(report), report.counts["read"]
    left = _left(report)
    if report.target == _REHEARSED_AT:
        if done == read:
            passed = "" if report.follow_up.get("failed") else " passed"
            return f"Rehearsal{passed}: {_all(read, 'all')} would be imported."
        return f"Rehearsal: {done:,} of {counted(read, 'row')} would be imported; {left}."
    if done == read:
        return f"{_all(read, 'All', 'customer')} {'is' if read == 1 else 'are'} imported into {report.target}."
    return f"{done:,} of {counted(read, 'customer')} imported into {report.target}; {left}."


def _nothing_real(report: ReportData) -> str:
    return "Nothing real was changed." if report.target == _REHEARSED_AT else ""


def _left(report: ReportData) -> str:
    """The rows without a customer, by reason."""
    counts = report.counts
    fixing = counts.get(RowState.INVALID, 0) + counts.get(RowState.REJECTED, 0)
    failed, unknown, unsent = (counts.get(state, 0) for state in (RowState.FAILED, RowState.UNKNOWN, RowState.UNSENT))
    parts = (
        f"{counted(fixing, 'row')} {_need(fixing)} fixing" if fixing else "",
        f"{counted(failed, 'row')} failed" if failed else "",
        f"{counted(unknown, 'row')} {'is' if unknown == 1 else 'are'} in doubt" if unknown else "",
        f"{counted(unsent, 'row')} {'was' if unsent == 1 else 'were'} not sent" if unsent else "",
    )
    return ", ".join(part for part in parts if part)


def _waits(report: ReportData) -> bool:
    """Whether the run went through, and only waits for steps after its creates."""
    return report.exit_code == ExitCode.TRY_LATER and report.state == "finished" and bool(report.follow_up.get("open"))


def _steps(report: ReportData) -> str:
    """The steps that are not done, as far as something is to be done about them."""
    parts = (
        (_steps_in(report, StepState.FAILED, StepState.UNKNOWN), "{} failed", "{} failed"),
        (_steps_in(report, StepState.DIFFERS), "{} customer differs", "{} customers differ"),
        (_steps_in(report, StepState.NEEDS_PERSON), "{} needs a person", "{} need a person"),
        (report.follow_up.get("open", 0), "{} is open", "{} are open"),
    )
    words = [(one if count == 1 else many).format(f"{count:,}") for count, one, many in parts if count]
    what = "Updates" if report.job else "Steps after the create"
    return f"{what}: {', '.join(words)}." if words else ""


def _steps_in(report: ReportData, *states: StepState) -> int:
    steps = report.follow_up.get("steps", {}).values()
    return sum(counts.get(state, 0) for counts in steps for state in states)


def _known(report: ReportData) -> str:
    """What is only known from earlier runs: the target was not asked about these customers."""
    count = sum(known["rows"] for known in report.known_from)
    if not count:
        return ""
    were = f"{count:,} {'was' if count == 1 else 'were'} imported already, {_by(report.known_from)}"
    return f"{were}; the target was not asked. --verify-existing asks it."


def _by(known: Sequence[Mapping[str, Any]]) -> str:
    newest = max(known, key=lambda one: one["last_at"])
    newest_run = f"by run {newest['run_id']} on {datetime.fromtimestamp(newest['last_at'], UTC):%Y-%m-%d}"
    others = len(known) - 1
    return f"{newest_run} and {others} earlier {'run' if others == 1 else 'runs'}" if others else newest_run


# --------------------------------------------------------------------------- what to fix


def _fix(report: ReportData) -> tuple[str, str, Path]:
    """How the rows that were refused come back: the advice, the command, and the file to fix."""
    file = report.files.get("annotated") or report.files.get("rejects") or Path("rejects.csv")
    where = "the marked cells say why" if "annotated" in report.files else "the last columns say why"
    if report.dry_run:
        advice = f"Fix the rows in {file} ({where}). Then import all rows, fixed and valid, with:"
    else:
        advice = f"Fix the rows in {file} ({where}), then run:"
    return advice, report.returns(file), file


# --------------------------------------------------------------------------- words


def _done(report: ReportData) -> int:
    return sum(report.counts.get(state, 0) for state in _DONE)


def _all(count: int, word: str = "All", what: str = "row") -> str:
    one = "the" if word.islower() else "The"
    return f"{one if count == 1 else word} {counted(count, what)}"


def _need(count: int) -> str:
    return "needs" if count == 1 else "need"
