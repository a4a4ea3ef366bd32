"""The text of a notification: how an import went, its counts, and where the report is. Pure.

File names, numbers and paths only: no cell, no header, no message of a file, since it goes through mail and chat.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from importer.core.errors import ExitCode
from importer.core.labels import counted
from importer.profile.nightly import NotifySettings
from importer.results import steps_sentence
from importer.runs.file_result import Fate, FileResult

Level = Literal["done", "failed", "degraded"]

_LONGEST_NAME = 100
_SHOWN_FILES = 50
_STATES = ("created", "existing", "invalid", "rejected", "failed", "unknown", "unsent")
_REASONS = {
    ExitCode.BUG: "an error of the program, or the disk is full",
    ExitCode.USAGE: "the profile does not fit",
    ExitCode.STOPPED: "stopped, too much went wrong",
    ExitCode.ACCESS: "access was refused: the credentials or their rights",
    ExitCode.SOURCE: "the file cannot be used",
    ExitCode.BUSY: "another run was at work",
    ExitCode.BALANCE: "the counts do not add up",
    ExitCode.TRY_LATER: "the time or the day's quota was used up, or a place could not be reached",
    ExitCode.SIGINT: "stopped by hand",
    ExitCode.SIGTERM: "stopped by hand",
}
CORRECTED = "{:,} came with other data than before; nothing was changed (differs_from_imported in the report)."
"""Of rows with customers that were imported earlier."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One message."""

    level: Level
    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a notification reports: one run, or everything that arrived in a folder.

    Args:
        results: its files.
        headline: what came of them, for the title.
        warnings: what else is not as it should be, although it worked.
        notes: what else there is to know.
        origin: the last line: which run or folder, and with which exit code.
    """

    results: Sequence[FileResult]
    headline: str
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    origin: str
    elapsed_s: float


def compose(summary: Summary, settings: NotifySettings) -> Notification:
    """Report how an import went."""
    warnings = list(_warnings(summary, settings))
    level: Level = "failed" if any(map(_has_failed, summary.results)) else "degraded" if warnings else "done"
    lines = [*warnings, *map(_line, summary.results[:_SHOWN_FILES])]
    if len(summary.results) > _SHOWN_FILES:
        lines.append(f"… and {len(summary.results) - _SHOWN_FILES} more files.")
    return Notification(
        level, f"Customer import {level}: {summary.headline}", "\n".join([*lines, *summary.notes, summary.origin])
    )


def compose_failure(about: str, code: int, *, level: Level = "failed") -> Notification:
    """Report an import that could not begin, or ended in a way that nobody foresaw.

    Args:
        about: the file, the run or the folder; never a secret.
    """
    reason = _REASONS.get(ExitCode(code), "it ended unexpectedly")
    body = f"{about}: {reason}. Exit code: {int(code)}.\nNothing is lost; the log says more."
    return Notification(level, f"Customer import {level}: {about}", body)


def created(results: Sequence[FileResult]) -> str:
    """How many customers were created, in words."""
    return f"{sum(one.counts.get('created', 0) for one in results):,} customers created"


def printable(file: str, longest: int | None = _LONGEST_NAME) -> str:
    """A file's name on one line, without anything that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in file)[:longest]


# --------------------------------------------------------------------------- levels


def _has_failed(one: FileResult) -> bool:
    if one.fate is Fate.HELD:
        return one.exit_code != ExitCode.TRY_LATER
    return one.fate is Fate.REFUSED and not one.is_empty


def _warnings(summary: Summary, settings: NotifySettings) -> Iterator[str]:
    """What is not as it should be, although it worked."""
    for one in summary.results:
        yield from _warnings_of(one, settings)
    yield from summary.warnings
    if settings.max_duration_s is not None and summary.elapsed_s > settings.max_duration_s:
        yield f"It took {summary.elapsed_s:,.0f} s, more than {settings.max_duration_s:,.0f} s."


def _warnings_of(one: FileResult, settings: NotifySettings) -> Iterator[str]:
    name = printable(one.file)
    if settings.max_reject_share is not None and one.reject_share > settings.max_reject_share:
        yield f"{name}: {one.reject_share:.0%} of its rows made no customer."
    if settings.empty_source and one.is_empty:
        yield f"{name} is empty."
    if failed := one.follow_up.get("failed"):
        yield f"{name}: {counted(failed, 'step')} after its creates failed or found a difference."
    if one.fate is Fate.UNAPPROVED:
        yield f"{name} is not sent before its plan is approved."
    if one.fate is Fate.HELD and one.exit_code == ExitCode.TRY_LATER:
        yield f"{name} is not finished{'' if one.next_step else ': the next pass goes on with it'}."


# --------------------------------------------------------------------------- lines


def _line(one: FileResult) -> str:
    lines = [f"{printable(one.file)}: {_outcome(one)}"]
    if one.report:
        lines.append(f"  report: {one.report}")
    if one.next_step:
        lines.append(f"  next: {printable(one.next_step, None)}")
    return "\n".join(lines)


def _outcome(one: FileResult) -> str:
    if one.fate is Fate.KNOWN:
        return "imported before, nothing was sent."
    if one.fate is Fate.IMPORTED:
        return _rows(one)
    if one.fate is Fate.UNAPPROVED:
        return f"{printable(one.error, None)} Nothing was sent."
    reason = f"{_REASONS.get(ExitCode(one.exit_code), 'not imported')} (exit code {int(one.exit_code)})."
    return " ".join([reason, _what_follows(one), *([_rows(one)] if one.counts else [])])


def _what_follows(one: FileResult) -> str:
    if one.fate is Fate.REFUSED:
        return f"It is in {printable(str(one.put), None)}."
    return "Not finished." if one.next_step else "The next pass goes on with it."


def _rows(one: FileResult) -> str:
    """A file's rows, and how many ended in which state."""
    states = ", ".join(f"{one.counts[state]:,} {state}" for state in _STATES if one.counts.get(state))
    resumed = " (begun earlier)" if one.resumed else ""
    rows = f"{counted(one.counts.get('read', 0), 'row')}{resumed}{': ' if states else ''}{states}."
    corrected = CORRECTED.format(one.corrections) if one.corrections else ""
    return " ".join(part for part in (rows, steps_sentence(one.follow_up), corrected) if part)
