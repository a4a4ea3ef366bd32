"""What happened, read back: runs, one run, one row. Reads the journal and the run directories; changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from importer import registry
from importer.commands import Commands
from importer.errors import UsageError
from importer.journal import Database, Replay, Runs
from importer.records import Attempt, Issue, RowResult, extra_columns

MASK = "•••"


def all_runs(workspace: Path) -> list[dict[str, Any]]:
    """Every run of a workspace, dry runs included, the newest first."""
    found = registry.listed(workspace)
    journals = dict.fromkeys(one.journal for one in found if one.journal is not None)
    lines = {line["run_id"]: line for journal in journals for line in _lines(journal)}
    return [lines.get(one.run_id) or _as_line(registry.report_of(workspace / one.run_id)) for one in found]


def _lines(journal: Path) -> list[dict[str, Any]]:
    with closing(Database(journal, writes=False)) as database:
        return [_as_line(asdict(summary)) for summary in Runs(database).summaries()]


def one_run(workspace: Path, name: str) -> dict[str, Any]:
    """The report of a run, as its `report.json` has it; where there is none yet, what the journal knows.

    Args:
        name: a run id, a unique beginning of one, or `last`.

    Raises:
        UsageError: there is no such run, or more than one.
    """
    found = registry.find(workspace, name)
    report = registry.report_of(workspace / found.run_id)
    if report or found.journal is None:
        return report
    with registry.opened(found) as opened:
        return _without_report(_as_line(asdict(opened.summary)), opened.stored.commands)


def _without_report(line: Mapping[str, Any], commands: Commands) -> dict[str, Any]:
    resume = "" if line["dry_run"] else commands.resume(line["run_id"])
    rest = {
        "issues": [],
        "files": {},
        "elapsed_seconds": 0.0,
        "verdict": "",
        "next_step": f"To go on with it, run: {resume}" if resume else "Check the source again.",
        "next_command": resume,
        "source_info": None,
    }
    if line["purged_at"]:
        return {**line, **rest, "next_step": "", "next_command": "", "error": _PURGED}
    return {**line, **rest, "state": "stopped", "error": _UNFINISHED}


_UNFINISHED = "This run has not ended, or it was cut off."
_PURGED = "The cells and files of this run were purged; its ids, keys and counts remain."


def one_row(workspace: Path, name: str, row: int, *, show_values: bool = False) -> dict[str, Any]:
    """One row's story: cells, request body, every request, outcome.

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
        found = Replay(opened.database, stored.run).row(row)
        if found is None:
            raise UsageError(
                f"The run {stored.header.run_id} has no data row {row}.", "Rows are numbered as in the spreadsheet."
            )
        return _story(opened, found, show_values=show_values)


def _story(opened: registry.OpenedRun, found: RowResult, *, show_values: bool) -> dict[str, Any]:
    header, replay = opened.stored.header, Replay(opened.database, opened.stored.run)
    payload = replay.payload(found.ordinal)
    body = json.loads(payload) if payload else {}
    columns = (*opened.summary.columns, *extra_columns(len(found.surplus)))
    cells = dict(zip(columns, (*found.cells, *found.surplus), strict=True))
    return {
        "run_id": header.run_id,
        "source": header.source,
        "dry_run": header.dry_run,
        "row": found.row,
        "state": found.state.value,
        "customer_id": found.customer_id,
        "import_key": found.key or replay.key(found.ordinal),
        "group": replay.group(found.ordinal),
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


def _as_line(run: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("run_id", "source", "target", "dry_run", "state", "counts", "exit_code")
    purged_at = run.get("purged_at")
    purged = None if purged_at is None else datetime.fromtimestamp(purged_at, UTC).isoformat(timespec="seconds")
    return {**{key: run[key] for key in keys}, "purged_at": purged}
