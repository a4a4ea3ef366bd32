"""Steps after a create, and changes of customers: what they are, the state of each, and what may follow what.

A step is an entry of the journal of its own. Only a row that was created has steps; one that existed has
`verify` and `update` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from importer.core.states import RowState


class Step(StrEnum):
    """What happens to the customer of a row, in this order."""

    BENEFICIARIES = "beneficiaries"
    LIMITS = "limits"
    DOCUMENTS = "documents"
    VERIFICATION = "verification"
    VERIFY = "verify"
    UPDATE = "update"
    SUSPEND = "suspend"
    DELETE = "delete"


AFTER_CREATE = (Step.BENEFICIARIES, Step.LIMITS, Step.DOCUMENTS, Step.VERIFICATION, Step.VERIFY)
"""What a profile plans for every row that is created."""
CHANGES = frozenset({Step.UPDATE, Step.SUSPEND, Step.DELETE})
"""Changes of a customer as a whole, each asked for by a command of its own."""
UNDOING = frozenset({Step.SUSPEND, Step.DELETE})
"""What takes a create back; only the command for that goes on with it."""


@dataclass(frozen=True, slots=True)
class StepRule:
    """How a step may be repeated.

    Args:
        repeatable: a request of it changes nothing when it comes twice.
        reads_first: an attempt reads the customer, and does only what is still to be done; whether an earlier one may
            have arrived (`StepTask.in_doubt`) says what it makes of a customer that is as it would leave it.
        looked_up: what a request in doubt has made can be found at the target.
        parts: a row may have several of it, each an entry of its own.
    """

    repeatable: bool = False
    reads_first: bool = False
    looked_up: bool = False
    parts: bool = False


STEP_RULES: Mapping[Step, StepRule] = MappingProxyType(
    {
        Step.BENEFICIARIES: StepRule(looked_up=True, parts=True),
        Step.LIMITS: StepRule(repeatable=True),
        Step.DOCUMENTS: StepRule(parts=True),
        Step.VERIFICATION: StepRule(looked_up=True),
        Step.VERIFY: StepRule(repeatable=True),
        Step.UPDATE: StepRule(repeatable=True, reads_first=True),
        Step.SUSPEND: StepRule(repeatable=True, reads_first=True),
        Step.DELETE: StepRule(repeatable=True, reads_first=True),
    }
)

LOOKED_UP_STEPS = frozenset(step for step, rule in STEP_RULES.items() if rule.looked_up)
NEEDED_BY_VERIFICATION = frozenset({Step.BENEFICIARIES, Step.DOCUMENTS})
"""Steps that a verification waits for: without them its result would be about something else."""


class StepState(StrEnum):
    """The state of one step of one row."""

    WAITING = "waiting"
    """Not begun."""
    SENDING = "sending"
    """Begun; found so after a crash, it is in doubt."""
    SUBMITTED = "submitted"
    """Done on our side; the target has not decided yet."""
    DONE = "done"
    DIFFERS = "differs"
    """Read back, and not the same as what was sent."""
    LISTED = "listed"
    """What it would change was read and listed; nothing was sent."""
    NOT_READY = "not_ready"
    """The row lacks what the step asks for; nothing was sent."""
    NEEDS_PERSON = "needs_person"
    """The target waits for a person."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Sent, and neither the answer nor look-ups could show what came of it."""


class Difference(StrEnum):
    """How a field of a customer that was read back differs from what was sent."""

    ANOTHER_VALUE = "another value"
    MISSING_THERE = "missing there"
    NOT_SENT = "not sent"


OPEN_STEPS = frozenset({StepState.WAITING, StepState.SENDING, StepState.SUBMITTED})
"""Steps with something left to do."""

FAILED_STEPS = frozenset({StepState.DIFFERS, StepState.FAILED, StepState.UNKNOWN})
"""Steps that make a run end with the exit code of rows that failed."""

STEP_TRANSITIONS: Mapping[StepState, frozenset[StepState]] = MappingProxyType(
    {
        # `failed` after `waiting`: a step before it failed. `waiting` after `sending`: no byte of the request left.
        StepState.WAITING: frozenset({StepState.SENDING, StepState.FAILED}),
        StepState.SENDING: frozenset(
            {
                StepState.WAITING,
                StepState.SUBMITTED,
                StepState.DONE,
                StepState.DIFFERS,
                StepState.LISTED,
                StepState.NEEDS_PERSON,
                StepState.FAILED,
                StepState.UNKNOWN,
            }
        ),
        StepState.SUBMITTED: frozenset(
            {StepState.SUBMITTED, StepState.DONE, StepState.NEEDS_PERSON, StepState.FAILED, StepState.UNKNOWN}
        ),
        StepState.DONE: frozenset(),
        StepState.DIFFERS: frozenset(),
        StepState.LISTED: frozenset(),
        StepState.NOT_READY: frozenset(),
        StepState.NEEDS_PERSON: frozenset(),
        StepState.FAILED: frozenset(),
        StepState.UNKNOWN: frozenset(),
    }
)
"""What may follow what inside one pass. The journal refuses any other change."""

STEP_REOPENINGS: Mapping[StepState, StepState] = MappingProxyType(
    {
        StepState.FAILED: StepState.WAITING,
        StepState.UNKNOWN: StepState.SENDING,
        StepState.DIFFERS: StepState.WAITING,
        StepState.LISTED: StepState.WAITING,
        StepState.NEEDS_PERSON: StepState.SUBMITTED,
        StepState.DONE: StepState.WAITING,
    }
)
"""What another pass may open again. `unknown` becomes *in doubt*; `done` is opened for `verify` alone, which changes
nothing."""


def has_step(step: Step, state: RowState) -> bool:
    """Whether a row that ended in a state has a step."""
    if state is RowState.CREATED:
        return step is not Step.UPDATE
    return state is RowState.EXISTING and step in {Step.VERIFY, Step.UPDATE}


def in_short(fields: Sequence[str]) -> str:
    """Name fields for a sentence; of an object that lacks most of its fields only the object."""
    inside: dict[str, list[str]] = {}
    for name in fields:
        inside.setdefault(name.rpartition(".")[0], []).append(name)
    short = [[parent] if parent and len(names) >= _MOST else names for parent, names in inside.items()]
    return ", ".join(name for names in short for name in names)


_MOST = 4
"""So many missing fields of one object are named as the object."""


def parts_of(after: Mapping[str, Any]) -> Iterator[tuple[Step, str, Any]]:
    """List the steps that a row brings objects for, each with its part and object.

    Args:
        after: what validation has kept of a row for after its create, by the names of steps.
    """
    for step in AFTER_CREATE:
        if step in after:
            parts = after[step] if STEP_RULES[step].parts else {"": after[step]}
            yield from ((step, part, one) for part, one in parts.items())
