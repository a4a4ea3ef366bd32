"""What the added columns say of the steps after a create, for one stored batch. Reads only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from importer.core.columns import (
    DIFFERENCES,
    IDV_ID,
    IDV_OUTCOME,
    IDV_STATUS,
    LIMITS,
    STEP_COLUMNS,
    VERIFIED,
)
from importer.core.steps import Step, StepState
from importer.journal.sql.database import Connection
from importer.journal.sql.steps import HAS_STEP

_READ_BACK = MappingProxyType({StepState.DONE: "same", StepState.DIFFERS: "differs"})
_SET = MappingProxyType({StepState.DONE: "set", StepState.SENDING: "waiting"})
_DECIDED = frozenset({StepState.SUBMITTED, StepState.DONE, StepState.NEEDS_PERSON})
"""Verifications of which the target has said something."""


def has_steps(connection: Connection, run: int) -> bool:
    """Whether a run has steps after its creates, be it for none of its rows."""
    planned, facts = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM steps WHERE steps.run = runs.run AND step NOT IN ('suspend', 'delete')), facts"
        " FROM runs WHERE run = ?",
        (run,),
    ).fetchone()
    return bool(planned or json.loads(facts).get("after_create", {}).get("steps"))


def follow_up(connection: Connection, run: int, first: int, size: int) -> Mapping[str, Sequence[str]]:
    """The texts of the added columns for consecutive rows; rows of a group show what its speaking row has."""
    columns = {name: [""] * size for name in STEP_COLUMNS}
    for ordinal, step, state, reference, status, outcome, detail in connection.execute(
        "SELECT r.ordinal, s.step, s.state, s.reference, s.status, s.outcome, s.detail FROM rows r"
        " JOIN steps s ON s.run = r.run AND s.ordinal = coalesce(r.leader, r.ordinal)"
        f" WHERE r.run = ? AND r.ordinal >= ? AND r.ordinal < ? AND {HAS_STEP}"
        " AND s.step IN ('limits', 'verification', 'verify', 'update') ORDER BY r.ordinal, s.step",
        (run, first, first + size),
    ):
        place, now = ordinal - first, StepState(state)
        if step in {Step.UPDATE, Step.VERIFY}:
            said = [columns[DIFFERENCES][place], *json.loads(detail)]  # what was changed, then what differs still
            columns[DIFFERENCES][place] = "; ".join(filter(None, said))
        if step == Step.VERIFY:
            columns[VERIFIED][place] = _READ_BACK.get(now, "")
        elif step == Step.LIMITS:
            columns[LIMITS][place] = _SET.get(now, now.value)
        elif step == Step.VERIFICATION:
            columns[IDV_STATUS][place] = _status(now, status)
            columns[IDV_OUTCOME][place], columns[IDV_ID][place] = outcome, reference
    return columns


def _status(state: StepState, status: str) -> str:
    if state in _DECIDED:
        return (status or state.value).upper()
    return StepState.UNKNOWN.value if state is StepState.SENDING else state.value
