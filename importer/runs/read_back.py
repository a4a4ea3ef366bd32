"""Customers of a run are read back and compared with what was sent, at any time after it. Changes nothing there."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial

from importer.core.errors import UsageError
from importer.core.states import RowState
from importer.core.steps import Step
from importer.journal import UPDATE_JOB, AfterCreateFacts, BodyOfRow, RunFacts, StoredRun
from importer.results import Report
from importer.runs.context import Context
from importer.runs.follow import steps_alone
from importer.runs.wiring import Workspace

_HAVE_A_CUSTOMER = frozenset({RowState.CREATED, RowState.EXISTING})


async def verify(context: Context, name: str, *, sample: float | None = None) -> Report:
    """Read back the customers of a run, those that existed before included.

    Args:
        name: a run id, a unique prefix of one, or `last`.
        sample: only this share of them, 0 to 1, chosen by chance; None: all.

    Raises:
        UsageError: the run has no customers, or what it sent was purged.
        ImporterError: as for `follow`.
    """
    return await steps_alone(context, name, partial(_plan, sample=sample), steps={Step.VERIFY})


def _plan(workspace: Workspace, stored: StoredRun, *, sample: float | None) -> None:
    if stored.facts.job == UPDATE_JOB:
        raise UsageError(
            f"The run {stored.header.run_id} changed customers that exist; it has read every one of them.",
            "Name the run that created them.",
        )
    steps, found = workspace.journal.steps(stored.run), 0
    chance = random.Random(stored.header.run_id)  # noqa: S311  # the same rows each time, no secret
    for rows in steps.bodies(_HAVE_A_CUSTOMER):
        chosen = _chosen(rows, sample, chance) or rows[: not found]
        steps.verify([row.ordinal for row in chosen])
        found += len(chosen)
    if not found:
        raise UsageError(
            f"The run {stored.header.run_id} has nothing to read back: no customer, or what it sent was purged.",
            "Name another run.",
        )
    had = workspace.runs.facts(stored.run).after_create
    names = tuple(step.value for step in Step if step.value in {*had.steps, Step.VERIFY.value})
    workspace.runs.note(stored.run, RunFacts(after_create=had.merged(AfterCreateFacts(steps=names))))


def _chosen(rows: Sequence[BodyOfRow], sample: float | None, chance: random.Random) -> Sequence[BodyOfRow]:
    if sample is None:
        return rows
    return [row for row in rows if chance.random() < sample]
