"""What happened, read back: runs, one run, one row. Reads the journal and the run directories; changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from importer.errors import UsageError
from importer.journal import Replay, StoredRun
from importer.records import Attempt, Issue, RowResult
from importer.wiring import JOURNAL_NAME, Workspace, open_workspace

MASK = "•••"


def all_runs(workspace: Path) -> list[dict[str, Any]]:
    """Every run of a workspace, dry runs included, the newest first."""
    sent = _journalled(workspace)
    checked = [_as_line(report) for report in _reports(workspace) if report["dry_run"]]
    return sorted([*sent, *checked], key=lambda run: str(run["run_id"]), reverse=True)


def one_run(workspace: Path, name: str) -> dict[str, Any]:
    """The report of a run, as its `report.json` has it; where there is none yet, what the journal knows.

    Args:
        name: a run id, a unique beginning of one, or `last`.

    Raises:
        UsageError: there is no such run, or more than one.
    """
    run_id = _find(workspace, name)
    for report in _reports(workspace):
        if report["run_id"] == run_id:
            return report
    line = next(run for run in _journalled(workspace) if run["run_id"] == run_id)
    rest = {
        "dry_run": False,
        "issues": [],
        "files": {},
        "elapsed_seconds": 0.0,
        "verdict": "",
        "next_step": f"Type: importer resume {run_id}",
        "source_info": None,
    }
    if line["purged_at"]:
        return {**line, **rest, "next_step": "", "error": _PURGED}
    return {**line, **rest, "state": "stopped", "error": _UNFINISHED}


_UNFINISHED = "This run has not ended, or it was cut off: `importer resume` goes on with it."
_PURGED = "The cells and files of this run were purged; its ids, keys and counts remain."


def one_row(workspace: Path, name: str, row: int, *, show_values: bool = False) -> dict[str, Any]:
    """One row's story: cells, request body, every request, outcome.

    Args:
        row: the number that a person sees in the spreadsheet.
        show_values: False masks every cell and every value that was sent.

    Raises:
        UsageError: there is no such run or row.
    """
    run_id = name if name == "last" else _find(workspace, name, sent_only=True)
    with closing(open_workspace(workspace, create=False)) as opened:
        stored = opened.runs.find(run_id)
        stored.require_whole()
        stored.require_loaded()
        replay = Replay(opened.database, stored.run)
        found = replay.row(row)
        if found is None:
            raise UsageError(
                f"The run {stored.header.run_id} has no data row {row}.", "Rows are numbered as in the spreadsheet."
            )
        return _story(opened, stored, replay, found, show_values=show_values)


def _story(
    workspace: Workspace, stored: StoredRun, replay: Replay, found: RowResult, *, show_values: bool
) -> dict[str, Any]:
    columns = workspace.runs.summary(stored.run).columns
    payload = replay.payload(found.ordinal)
    body = json.loads(payload) if payload else {}
    cells = dict(zip(columns, found.cells, strict=True))
    return {
        "run_id": stored.header.run_id,
        "row": found.row,
        "state": found.state.value,
        "customer_id": found.customer_id,
        "import_key": found.key,
        "cells": cells if show_values else {name: MASK if text else "" for name, text in cells.items()},
        "body": body if show_values else _masked(body),
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


def _issue(issue: Issue) -> dict[str, Any]:
    told = asdict(issue)
    del told["ordinal"]
    return told


def _attempt(attempt: Attempt) -> dict[str, Any]:
    told = attempt._asdict()
    started = datetime.fromtimestamp(attempt.started_at, UTC).isoformat(timespec="milliseconds")
    return {**told, "started_at": started, "duration_s": round(attempt.duration_s, 4)}


def _journalled(workspace: Path) -> list[dict[str, Any]]:
    if not (workspace / JOURNAL_NAME).exists():
        return []
    with closing(open_workspace(workspace, create=False)) as opened:
        return [_as_line(asdict(summary)) for summary in opened.runs.summaries()]


def _reports(workspace: Path) -> Iterator[dict[str, Any]]:
    """The reports of the run directories; copies elsewhere and damaged ones are none."""
    for path in sorted(workspace.glob("*/report.json")):
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(report, dict) and report.get("run_id") == path.parent.name:
            yield report


def _as_line(run: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("run_id", "source", "target", "dry_run", "state", "counts", "exit_code")
    purged_at = run.get("purged_at")
    purged = None if purged_at is None else datetime.fromtimestamp(purged_at, UTC).isoformat(timespec="seconds")
    return {**{key: run[key] for key in keys}, "purged_at": purged}


def _find(workspace: Path, name: str, *, sent_only: bool = False) -> str:
    """The id that `name` stands for.

    Args:
        sent_only: a dry run is no answer: nothing of it is remembered.
    """
    known = {str(run["run_id"]): bool(run["dry_run"]) for run in all_runs(workspace)}
    if name == "last" and known:
        return next(iter(known))
    fitting = [run_id for run_id in known if run_id.startswith(name)] if name != "last" else []
    if len(fitting) > 1:
        raise UsageError(f"'{name}' fits several runs.", "Give more of the run id; `importer runs` lists them.")
    if not fitting:
        raise UsageError(f"There is no run '{name}' in the workspace '{workspace}'.", "`importer runs` lists them.")
    if sent_only and known[fitting[0]]:
        raise UsageError(f"{fitting[0]} is a dry run: nothing of it is remembered.", "Its results.csv tells every row.")
    return fitting[0]
