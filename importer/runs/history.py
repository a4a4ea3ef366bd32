"""What happened, read back: all runs, and the report of one. Reads journals and run directories; changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from importer.core.commands import Commands
from importer.core.states import as_reported
from importer.journal import (
    FINISHED,
    LOADING,
    RUNNING,
    STOPPED,
    Journal,
    Location,
    StoredRun,
    open_journal,
)
from importer.results import Report, undone_of, verdict
from importer.runs import registry
from importer.runs.drafts.removing import draft_at
from importer.runs.endings import follow_up


def all_runs(workspace: Path) -> list[dict[str, Any]]:
    """Return every run of a workspace, dry runs included, the newest first."""
    found = registry.listed(workspace)
    journals = dict.fromkeys(one.journal for one in found if one.journal is not None)
    lines = {line["run_id"]: line for journal in journals for line in _lines(workspace, journal)}
    return [lines.get(one.run_id) or _as_line(registry.written_report(workspace / one.run_id)) for one in found]


@dataclass(frozen=True, slots=True)
class Begun:
    """How a run came about.

    Args:
        by: the person who sent it, as far as somebody has signed in; else who ran the program, as `user@host`; empty:
            it has no receipt that says so.
        by_night: whether nightly began it.
        draft: the draft that it is a check or a run of; empty: of none.
    """

    by: str
    by_night: bool
    draft: str = ""


def begun_by(workspace: Path) -> dict[str, Begun]:
    """Return how the runs of a workspace came about: as their receipts say it, else as they noted it themselves."""
    found: dict[str, Begun] = {}
    for location in dict.fromkeys(one.journal for one in registry.listed(workspace) if one.journal is not None):
        with closing(open_journal(location, writes=False)) as journal:
            for one in (journal.runs.find(run_id) for _, run_id in journal.runs.ids()):
                draft = draft_at(workspace, Path(one.header.path))
                found[one.header.run_id] = Begun(one.facts.begun_by, by_night=False, draft=draft)
            found |= _by_receipts(journal, found)
    return found


def _by_receipts(journal: Journal, known: Mapping[str, Begun]) -> dict[str, Begun]:
    """Who began the runs of a journal, and who acted last."""
    found: dict[str, Begun] = {}
    for receipt in journal.receipts.all():
        body = json.loads(receipt.body)
        run_id, first = body["run_id"], found.get(body["run_id"])
        by = [one["by"] for one in body.get("acts", ())] or [first.by if first else body["operator"]]
        by_night = first.by_night if first else body["command"] == "nightly"
        found[run_id] = replace(known[run_id], by=by[-1], by_night=by_night)
    return found


def _lines(workspace: Path, location: Location) -> list[dict[str, Any]]:
    with closing(open_journal(location, writes=False)) as journal:
        lines = [_as_line(asdict(summary)) for summary in journal.runs.summaries()]
        return [{**line, **_now(workspace, journal, journal.runs.find(line["run_id"]))} for line in lines]


def _now(workspace: Path, journal: Journal, stored: StoredRun) -> dict[str, Any]:
    """What a line says of a run as it is now: its state, and how many steps after its creates are open."""
    steps = follow_up(journal, stored.run, stored.facts)
    return {"state": _state(workspace, stored), "open_steps": steps.get("open", 0)}


def _state(workspace: Path, stored: StoredRun) -> str:
    """Return the state of a run: one that no process works on has stopped, whatever its phase when it was cut off."""
    if stored.phase in {FINISHED, STOPPED}:
        return stored.phase
    return RUNNING if registry.worker_of(workspace, stored) else STOPPED


def one_run(workspace: Path, name: str) -> dict[str, Any]:
    """Return the report of a run as its `report.json` has it; where the journal knows better, as the journal has it.

    Args:
        name: a run id, a unique beginning of one, or `last`.

    Raises:
        UsageError: there is no such run, or more than one.
    """
    found = registry.find(workspace, name)
    report = registry.written_report(workspace / found.run_id)
    if found.journal is None:
        return _from_here(report, workspace)
    with registry.opened(found) as opened:
        if report and _is_true(report, opened):
            return _from_here(report, workspace)
        return _from_journal(workspace, opened)


def _from_here(report: dict[str, Any], workspace: Path) -> dict[str, Any]:
    """Return a report with its paths and its command as its reader has to type them, from whatever folder."""
    home = workspace / report["run_id"]
    paths = {kind: Path(path) for kind, path in report["files"].items()}
    files = {kind: home / path.name if path.parent.name == home.name else path for kind, path in paths.items()}
    typed = report.get("typed", {})
    judged = verdict(
        Report(
            command="show",
            source=report["source"],
            target=report["target"],
            dry_run=report["dry_run"],
            exit_code=report["exit_code"],
            elapsed_seconds=report["elapsed_seconds"],
            run_id=report["run_id"],
            counts=report["counts"],
            state=report.get("state", ""),
            follow_up=report.get("follow_up", {}),
            undone=report.get("undone", {}),
            stopped_by=report.get("stopped_by", ""),
            files=files,
            error=report["error"],
            path=typed.get("file", ""),
            commands=Commands.of_kept(typed, workspace),
        )
    )
    shown = {kind: str(path) for kind, path in files.items()}
    return {**report, "files": shown, "next_step": judged.next_step, "next_command": judged.command}


def _is_true(report: Mapping[str, Any], opened: registry.OpenedRun) -> bool:
    """Whether a report agrees with the journal: a pass that was cut off could not write another one."""
    counts = as_reported(opened.summary.counts)
    reported = {state: count for state, count in report["counts"].items() if count or state == "read"}
    undone = undone_of(opened.journal.steps(opened.stored.run).counts())
    as_now = reported == counts and report.get("undone", {}) == undone
    return opened.stored.phase in {FINISHED, STOPPED} and as_now


def _from_journal(workspace: Path, opened: registry.OpenedRun) -> dict[str, Any]:
    from importer.runs.reports import report_of  # noqa: PLC0415  # what draws pages takes long to load, and is rarely needed

    stored, now = opened.stored, opened.summary.ended_at or opened.summary.started_at
    line = _as_line(asdict(opened.summary))
    line |= {"counts": as_reported(line["counts"]), "state": _state(workspace, stored)}
    if line["purged_at"]:
        return {**_NOTHING, **line, "error": _PURGED}
    if worker := registry.worker_of(workspace, stored):
        return {**_NOTHING, **line, "error": f"This run has not ended: {worker} works on it."}
    if stored.phase == LOADING:
        return {**_NOTHING, **line, **_again(stored), "error": _NOT_READ}
    report = report_of(opened.journal, stored, now).as_json()
    files = _OTHER_FILES if (workspace / line["run_id"]).exists() else _NO_FILES
    error = f"{report['error'] or files} `{stored.commands.export(line['run_id'])}` writes its files."
    return {**report, "state": line["state"], "purged_at": None, "error": error}


def _again(stored: StoredRun) -> dict[str, str]:
    """How to begin again with a run that was cut off before its source was read."""
    resume = "" if stored.header.dry_run else stored.commands.resume(stored.header.run_id)
    step = f"To go on with it, run: {resume}" if resume else "Check the source again."
    return {"next_step": step, "next_command": resume}


_NOTHING: Mapping[str, Any] = {
    "issues": [],
    "files": {},
    "elapsed_seconds": 0.0,
    "verdict": "",
    "next_step": "",
    "next_command": "",
    "source_info": None,
    "follow_up": {},
    "undone": {},
}
_NOT_READ = "This run was cut off before its source was read to the end; nothing was sent."
_NO_FILES = "Its files are not in this workspace."
_OTHER_FILES = "Its files are not those of its journal."
_PURGED = "The cells and files of this run were purged; its ids, keys and counts remain."


def _as_line(run: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("run_id", "source", "target", "dry_run", "state", "counts", "exit_code")
    purged_at = run.get("purged_at")
    purged = None if purged_at is None else datetime.fromtimestamp(purged_at, UTC).isoformat(timespec="seconds")
    return {**{key: run[key] for key in keys}, "purged_at": purged}
