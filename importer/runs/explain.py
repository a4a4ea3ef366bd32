"""One row of a run, explained: its cells, its body, its issues, every request and its outcome. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from importer.core.batches import Change, Checked
from importer.core.columns import extra_columns
from importer.core.corrections import Correction
from importer.core.errors import UsageError
from importer.core.issues import Issue
from importer.core.outcomes import Attempt
from importer.core.results import RowResult
from importer.core.states import RowState
from importer.journal import Location, known_secret
from importer.runs import registry
from importer.runs.kept_corrections import kept_corrections

MASK = "•••"
"""What is shown instead of a value."""


def explain(workspace: Path, name: str, row: int, *, show_values: bool = False) -> dict[str, Any]:
    """Explain one row: its cells, what was or would be sent, what was changed for it, every request, its outcome.

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
        checked = _again_checked(workspace, opened, found)
        corrected = [one for one in _kept_corrections(opened, workspace) if one.row == row]
        return _explained(opened, found, checked, corrected, show_values=show_values)


def _kept_corrections(opened: registry.OpenedRun, workspace: Path) -> list[Correction]:
    stored = opened.stored
    return kept_corrections(opened.journal, stored.run, workspace / stored.header.run_id)


def _again_checked(workspace: Path, opened: registry.OpenedRun, found: RowResult) -> Checked:
    """Check a row again as its run did: what was changed, and for a dry run what would be sent."""
    from importer.runs.rechecker import Rechecker  # noqa: PLC0415  # checking takes long to load, and no other look needs it

    rechecker = Rechecker.of(opened.journal, opened.stored, known_secret(Location.of_workspace(workspace)))
    return Checked() if rechecker is None else rechecker.row(found.row, found.cells)


def _explained(
    opened: registry.OpenedRun,
    found: RowResult,
    checked: Checked,
    corrected: Sequence[Correction],
    *,
    show_values: bool,
) -> dict[str, Any]:
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
        "corrected": [_correction(one, show_values=show_values) for one in corrected],
        "cells": cells if show_values else {name: MASK if text else "" for name, text in cells.items()},
        "body": body if show_values else _masked(body),
        "changes": [_change(change, show_values=show_values) for change in checked.changes],
        "after": checked.after if show_values else _masked(checked.after),
        "steps": _steps(opened, found.ordinal),
        "issues": [_issue(issue) for issue in (*found.errors, *found.warnings)],
        "attempts": [_attempt(attempt) for attempt in replay.attempts(found.ordinal)],
        "candidates": list(found.candidates),
    }


def _correction(one: Correction, *, show_values: bool) -> dict[str, Any]:
    """A cell that was corrected before it was checked: what the source holds, and what was read instead."""
    return {"column": one.column, **_values(one.before, one.after, show_values=show_values)}


def _values(before: str, after: str, *, show_values: bool) -> dict[str, str]:
    values = {"before": before, "after": after}
    return values if show_values else {name: MASK if text else "" for name, text in values.items()}


def _steps(opened: registry.OpenedRun, ordinal: int) -> list[dict[str, Any]]:
    """The steps after the row's create, each with its requests; details name fields and never hold a value."""
    steps = opened.journal.steps(opened.stored.run)
    tried = steps.attempts(ordinal)
    return [
        {
            "step": one.step.value,
            "part": one.part,
            "state": one.state.value,
            "reference": one.reference,
            "status": one.status,
            "outcome": one.outcome,
            "detail": list(one.detail),
            "attempts": [_attempt(made) for step, part, made in tried if (step, part) == (one.step, one.part)],
        }
        for one in steps.of_row(ordinal)
    ]


def _masked(value: Any) -> Any:
    """The same shape with every value masked; names of fields stay."""
    if isinstance(value, Mapping):
        return {name: _masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return value if isinstance(value, bool) or value is None else MASK


def _change(change: Change, *, show_values: bool) -> dict[str, Any]:
    values = _values(change.before, change.after, show_values=show_values)
    return {"rule": change.rule, "field": change.field, "column": change.column, **values}


def _issue(issue: Issue) -> dict[str, Any]:
    facts = asdict(issue)
    del facts["ordinal"]
    return facts


def _attempt(attempt: Attempt) -> dict[str, Any]:
    facts = attempt._asdict()
    started = datetime.fromtimestamp(attempt.started_at, UTC).isoformat(timespec="milliseconds")
    return {**facts, "started_at": started, "duration_s": round(attempt.duration_s, 4)}
