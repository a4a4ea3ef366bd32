"""What happened, read back: runs, one run, one row. Reads the journal and the run directories; changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from importer.core.batches import Change, Checked
from importer.core.columns import extra_columns
from importer.core.commands import Commands
from importer.core.errors import UsageError
from importer.core.issues import Issue
from importer.core.outcomes import Attempt
from importer.core.results import RowResult
from importer.core.states import RowState, as_they_stand
from importer.journal import (
    FINISHED,
    LOADING,
    RUNNING,
    STOPPED,
    Location,
    StoredRun,
    has_secret,
    open_journal,
    workspace_secret,
)
from importer.results import Report, verdict
from importer.runs import registry

MASK = "•••"


def all_runs(workspace: Path) -> list[dict[str, Any]]:
    """Every run of a workspace, dry runs included, the newest first."""
    found = registry.listed(workspace)
    journals = dict.fromkeys(one.journal for one in found if one.journal is not None)
    lines = {line["run_id"]: line for journal in journals for line in _lines(workspace, journal)}
    return [lines.get(one.run_id) or _as_line(registry.report_of(workspace / one.run_id)) for one in found]


def _lines(workspace: Path, location: Location) -> list[dict[str, Any]]:
    with closing(open_journal(location, writes=False)) as journal:
        lines = [_as_line(asdict(summary)) for summary in journal.runs.summaries()]
        return [{**line, "state": _state(workspace, journal.runs.find(line["run_id"]))} for line in lines]


def _state(workspace: Path, stored: StoredRun) -> str:
    """What a run is at: one that nobody works on any more has stopped, whatever it was at when it was cut off."""
    if stored.phase in {FINISHED, STOPPED}:
        return stored.phase
    return RUNNING if registry.worker_of(workspace, stored) else STOPPED


def one_run(workspace: Path, name: str) -> dict[str, Any]:
    """The report of a run, as its `report.json` has it; where that is not what the journal knows, what that knows.

    Args:
        name: a run id, a unique beginning of one, or `last`.

    Raises:
        UsageError: there is no such run, or more than one.
    """
    found = registry.find(workspace, name)
    report = registry.report_of(workspace / found.run_id)
    if found.journal is None:
        return _from_here(report, workspace)
    with registry.opened(found) as opened:
        if report and _is_true(report, opened):
            return _from_here(report, workspace)
        return _from_journal(workspace, opened)


def _from_here(report: dict[str, Any], workspace: Path) -> dict[str, Any]:
    """A report with its paths and its command as they are typed by whoever reads it now, wherever that is."""
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
            files=files,
            error=report["error"],
            path=typed.get("file", ""),
            commands=Commands.of_kept(typed, workspace),
        )
    )
    shown = {kind: str(path) for kind, path in files.items()}
    return {**report, "files": shown, "next_step": judged.next_step, "next_command": judged.command}


def _is_true(report: Mapping[str, Any], opened: registry.OpenedRun) -> bool:
    """Whether a report says what the journal knows: whoever was cut off could not write another one."""
    counts = as_they_stand(opened.summary.counts)
    reported = {state: count for state, count in report["counts"].items() if count or state == "read"}
    return opened.stored.phase in {FINISHED, STOPPED} and reported == counts


def _from_journal(workspace: Path, opened: registry.OpenedRun) -> dict[str, Any]:
    from importer.runs.reports import report_of  # noqa: PLC0415  # what draws pages takes long to load, and is rarely needed

    stored, now = opened.stored, opened.summary.ended_at or opened.summary.started_at
    line = _as_line(asdict(opened.summary))
    line |= {"counts": as_they_stand(line["counts"]), "state": _state(workspace, stored)}
    if line["purged_at"]:
        return {**_NOTHING, **line, "error": _PURGED}
    if worker := registry.worker_of(workspace, stored):
        return {**_NOTHING, **line, "error": f"This run has not ended: {worker} works on it."}
    if stored.phase == LOADING:
        return {**_NOTHING, **line, **_again(stored), "error": _NOT_READ}
    report = report_of(opened.journal, stored, now).as_json()
    error = f"{report['error'] or _NO_FILES} `{stored.commands.export(line['run_id'])}` writes its files."
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
}
_NOT_READ = "This run was cut off before its source was read to the end; nothing was sent."
_NO_FILES = "Its files are not those of its journal."
_PURGED = "The cells and files of this run were purged; its ids, keys and counts remain."


def one_row(workspace: Path, name: str, row: int, *, show_values: bool = False) -> dict[str, Any]:
    """One row's story: cells, what was or would be sent, what was altered for it, every request, outcome.

    Args:
        row: the number that a person sees in the spreadsheet.
        show_values: False masks every cell and every value that was sent.

    Raises:
        UsageError: there is no such run or row.
    """
    with registry.opened_run(workspace, name) as opened:
        stored = opened.stored
        stored.require_whole()
        stored.require_loaded()
        found = opened.journal.replay(stored.run).row(row)
        if found is None:
            raise UsageError(
                f"The run {stored.header.run_id} has no data row {row}.", "Rows are numbered as in the spreadsheet."
            )
        return _story(opened, found, _again_checked(workspace, opened, found), show_values=show_values)


def _again_checked(workspace: Path, opened: registry.OpenedRun, found: RowResult) -> Checked:
    """The row as its run checked it: what was altered, and for a dry run what would be sent."""
    from importer.runs.as_sent import Rechecker  # noqa: PLC0415  # checking takes long to load, and no other look needs it

    secret = workspace_secret(workspace) if has_secret(workspace) else None
    rechecker = Rechecker.of(opened.journal, opened.stored, secret)
    return Checked() if rechecker is None else rechecker.row(found.row, found.cells)


def _story(opened: registry.OpenedRun, found: RowResult, checked: Checked, *, show_values: bool) -> dict[str, Any]:
    header, replay = opened.stored.header, opened.journal.replay(opened.stored.run)
    payload, is_valid = replay.payload(found.ordinal), found.state is RowState.VALID
    body = json.loads(payload) if payload else checked.body if is_valid else {}
    columns = (*opened.summary.columns, *extra_columns(len(found.surplus)))
    cells = dict(zip(columns, (*found.cells, *found.surplus), strict=True))
    return {
        "run_id": header.run_id,
        "source": header.source,
        "dry_run": header.dry_run,
        "row": found.row,
        "state": found.state.value,
        "customer_id": found.customer_id,
        "import_key": found.key or replay.key(found.ordinal) or (checked.key if is_valid else ""),
        "group": replay.group(found.ordinal),
        "shows_values": show_values,
        "cells": cells if show_values else {name: MASK if text else "" for name, text in cells.items()},
        "body": body if show_values else _masked(body),
        "changes": [_change(change, show_values=show_values) for change in checked.changes],
        "issues": [_issue(issue) for issue in (*found.errors, *found.warnings)],
        "attempts": [_attempt(attempt) for attempt in replay.attempts(found.ordinal)],
        "candidates": list(found.candidates),
    }


def _masked(value: Any) -> Any:
    """The same shape with every value masked; names of fields stay."""
    if isinstance(value, Mapping):
        return {name: _masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return value if isinstance(value, bool) or value is None else MASK


def _change(change: Change, *, show_values: bool) -> dict[str, Any]:
    values = {"before": change.before, "after": change.after}
    shown = values if show_values else {name: MASK if text else "" for name, text in values.items()}
    return {"rule": change.rule, "field": change.field, "column": change.column, **shown}


def _issue(issue: Issue) -> dict[str, Any]:
    facts = asdict(issue)
    del facts["ordinal"]
    return facts


def _attempt(attempt: Attempt) -> dict[str, Any]:
    facts = attempt._asdict()
    started = datetime.fromtimestamp(attempt.started_at, UTC).isoformat(timespec="milliseconds")
    return {**facts, "started_at": started, "duration_s": round(attempt.duration_s, 4)}


def _as_line(run: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("run_id", "source", "target", "dry_run", "state", "counts", "exit_code")
    purged_at = run.get("purged_at")
    purged = None if purged_at is None else datetime.fromtimestamp(purged_at, UTC).isoformat(timespec="seconds")
    return {**{key: run[key] for key in keys}, "purged_at": purged}
