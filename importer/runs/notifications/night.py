"""What a notification says about a pass: how it went, counts, and where the report is. Pure.

File names, numbers and paths only: no cell, no header, no message of a file, since it goes through mail and chat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from importer.core.errors import ExitCode
from importer.core.labels import counted
from importer.profile.nights import NotifySettings
from importer.runs.notifications.night_report import Fate, Import, NightReport

Level = Literal["done", "failed", "degraded"]

_LONGEST_NAME = 100
_SHOWN_FILES = 50
_STATES = ("created", "existing", "invalid", "rejected", "failed", "unknown", "unsent")
WHY = {
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
"""Of rows whose customers were imported earlier."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One message."""

    level: Level
    title: str
    body: str


def compose(report: NightReport, settings: NotifySettings) -> Notification:
    """Say how a pass went."""
    notable = _notable(report, settings)
    level: Level = "failed" if _has_failed(report) else "degraded" if notable else "done"
    lines = [*notable, *(_line(done) for done in report.imports[:_SHOWN_FILES])]
    if len(report.imports) > _SHOWN_FILES:
        lines.append(f"… and {len(report.imports) - _SHOWN_FILES} more files.")
    lines.extend(f"{printable(name)} is a symbolic link and was left alone." for name in report.links)
    lines.append(f"Folder: {_in_full(report.folder)}. Target: {report.target}. Exit code: {int(report.exit_code)}.")
    return Notification(level, f"Customer import {level}: {_headline(report)}", "\n".join(lines))


def broken_off(folder: str, code: int) -> Notification:
    """Say that a pass could not begin, or ended in a way that nobody foresaw."""
    why = WHY.get(ExitCode(code), "it ended unexpectedly")
    body = f"Folder: {folder}. {why[0].upper()}{why[1:]}. Exit code: {code}.\nNothing is lost; the log says more."
    return Notification("failed", "Customer import failed", body)


def _has_failed(report: NightReport) -> bool:
    refused = (done.fate is Fate.REFUSED and not done.is_empty for done in report.imports)
    return any(refused) or any(map(_is_held_by_trouble, report.imports))


def _is_held_by_trouble(done: Import) -> bool:
    return done.fate is Fate.HELD and done.exit_code != ExitCode.TRY_LATER


def _notable(report: NightReport, settings: NotifySettings) -> list[str]:
    """What is not as it should be, although it worked."""
    found = [line for done in report.imports for line in _notable_in(done, settings)]
    if report.missing:
        found.append("No file came, although one is expected every day.")
    found.extend(f"{printable(name)} was still being written; the next pass takes it." for name in report.growing)
    if report.waiting:
        found.append(f"{report.waiting} more files wait for the next pass.")
    if settings.max_duration_s is not None and report.elapsed_s > settings.max_duration_s:
        found.append(f"It took {report.elapsed_s:,.0f} s, more than {settings.max_duration_s:,.0f} s.")
    return found


def rejects(done: Import, settings: NotifySettings) -> list[str]:
    """What to say of a file of which too much made no customer; nothing of any other."""
    if settings.max_reject_share is None or done.reject_share <= settings.max_reject_share:
        return []
    return [f"{printable(done.file)}: {done.reject_share:.0%} of its rows made no customer."]


def _notable_in(done: Import, settings: NotifySettings) -> list[str]:
    name, found = printable(done.file), rejects(done, settings)
    if settings.empty_source and done.is_empty:
        found.append(f"{name} is empty.")
    if done.fate is Fate.HELD and done.exit_code == ExitCode.TRY_LATER:
        found.append(f"{name} is not finished: the next pass goes on with it.")
    return found


def _line(done: Import) -> str:
    name = printable(done.file)
    if done.fate is Fate.KNOWN:
        return f"{name}: imported before, nothing was sent."
    if done.fate is Fate.IMPORTED:
        text = f"{name}: {rows_of(done)}"
    else:
        where = (
            f" It is in {printable(str(done.put), None)}."
            if done.fate is Fate.REFUSED
            else " The next pass goes on with it."
        )
        text = f"{name}: {WHY.get(ExitCode(done.exit_code), 'not imported')} (exit code {int(done.exit_code)}).{where}"
        if done.counts:
            text += f" {rows_of(done)}"
    text += f"\n  report: {done.report}" if done.report else ""
    return f"{text}\n  next: {printable(done.next_step, None)}" if done.next_step else text


def rows_of(done: Import) -> str:
    """A file's rows, and how many ended in which state."""
    states = ", ".join(f"{done.counts[state]:,} {state}" for state in _STATES if done.counts.get(state))
    resumed = " (begun earlier)" if done.resumed else ""
    read = done.counts.get("read", 0)
    rows = f"{counted(read, 'row')}{resumed}{': ' if states else ''}{states}."
    return f"{rows} {CORRECTED.format(done.corrections)}" if done.corrections else rows


def _headline(report: NightReport) -> str:
    if not report.imports:
        return "no file came"
    counts, files = report.counts, len(report.imports)
    refused = sum(done.fate is Fate.REFUSED for done in report.imports)
    parts: Sequence[str] = (
        f"{files} file{'s' if files != 1 else ''}",
        f"{counts.get('created', 0):,} customers created",
        *([f"{refused} file{'s' if refused != 1 else ''} refused"] if refused else []),
    )
    return ", ".join(parts)


def _in_full(folder: Path | str) -> str:
    """The folder for people who are not at this machine."""
    return str(folder.absolute()) if isinstance(folder, Path) else folder


def printable(file: str, longest: int | None = _LONGEST_NAME) -> str:
    """A file's name on one line, without anything that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in file)[:longest]
