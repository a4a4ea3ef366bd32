"""What a notification says about one run that somebody, or a scheduler, started by itself. Pure.

Names, numbers and paths only, as in `notifications`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from importer.core.commands import Commands
from importer.core.errors import ExitCode
from importer.profile.nights import NotifySettings
from importer.runs.notifications.night import WHY, Level, Notification, printable, rejects, rows_of
from importer.runs.notifications.night_report import Fate, Import

_FINISHED = frozenset({ExitCode.OK, ExitCode.SOME_FAILED, ExitCode.SOME_UNKNOWN})


def compose_run(report: Mapping[str, Any], settings: NotifySettings, commands: Commands) -> Notification:
    """Say how a run went.

    Args:
        report: as in the run's `report.json`.
        commands: composes the command that is named; its reader stands elsewhere, so with every path in full.
    """
    done = _as_import(report, commands.for_everywhere())
    notable = [*rejects(done, settings), *_too_long(report["elapsed_seconds"], settings)]
    level = _level(done, notable=bool(notable))
    lines = [*notable, _line(done), *([f"  report: {done.report}"] if done.report else [])]
    lines += [f"Next: {done.next_step}"] if done.next_step else []
    lines.append(f"Run: {done.run_id}. Target: {report['target']}. Exit code: {int(done.exit_code)}.")
    created = f"{done.counts.get('created', 0):,} customers created"
    return Notification(level, f"Customer import {level}: {printable(done.file)}, {created}", "\n".join(lines))


def refused_run(about: str, code: int) -> Notification:
    """Say that a run could not begin, or ended in a way that nobody foresaw.

    Args:
        about: the file, the address or the run that was asked for; of a path or an address only its name is given.
    """
    why = WHY.get(ExitCode(code), "it ended unexpectedly")
    level: Level = "degraded" if code == ExitCode.BUSY else "failed"
    body = f"{_name(about)}: {why}. Exit code: {code}.\nNothing is lost; the log says more."
    return Notification(level, f"Customer import {level}: {_name(about)}", body)


def _as_import(report: Mapping[str, Any], commands: Commands) -> Import:
    page, finished = report["files"].get("html"), report["exit_code"] in _FINISHED
    return Import(
        file=report["source"],
        fate=Fate.IMPORTED if finished else Fate.HELD,
        exit_code=report["exit_code"],
        run_id=report["run_id"],
        counts=report["counts"],
        report=Path(page).absolute() if page else None,
        corrections=sum(one["count"] for one in report["issues"] if one["code"] == "differs_from_imported"),
        next_step="" if finished else _next(report["exit_code"], report["run_id"], commands),
    )


def _next(code: int, run_id: str, commands: Commands) -> str:
    return commands.show(run_id) if code == ExitCode.BALANCE else commands.resume(run_id)


def _level(done: Import, *, notable: bool) -> Level:
    if done.fate is Fate.HELD:
        return "degraded" if done.exit_code == ExitCode.TRY_LATER else "failed"
    return "degraded" if notable else "done"


def _line(done: Import) -> str:
    sentence = f"{printable(done.file)}: {rows_of(done)}"
    if done.fate is Fate.IMPORTED:
        return sentence
    return f"{sentence} Not finished: {WHY.get(ExitCode(done.exit_code), 'not finished')}."


def _too_long(elapsed_s: float, settings: NotifySettings) -> list[str]:
    if settings.max_duration_s is None or elapsed_s <= settings.max_duration_s:
        return []
    return [f"It took {elapsed_s:,.0f} s, more than {settings.max_duration_s:,.0f} s."]


def _name(about: str) -> str:
    """The last part of a path or an address: what stands before it may be a user and a password."""
    path = urlsplit(about).path if "://" in about else about
    return printable(PurePosixPath(path).name) or "the source"
