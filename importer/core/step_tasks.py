"""What passes between rooms about steps: plans, tasks, answers, results. Values only; the rules are in `steps`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from importer.core.outcomes import Attempt, FieldError, Reply
from importer.core.steps import Step, StepState


class PlannedStep(NamedTuple):
    """One step that a row will have once it has a customer.

    Args:
        part: which one, where a row may have several (`1`, `passport`); else empty.
        state: `waiting` or `not_ready`.
        detail: of one that is not ready, the names of the fields that are missing.
        guard: of a change, as of `StepTask`.
    """

    ordinal: int
    step: Step
    part: str = ""
    state: StepState = StepState.WAITING
    detail: tuple[str, ...] = ()
    guard: str = ""


class StepTask(NamedTuple):
    """One step of one row, taken from the journal to be worked on.

    Args:
        customer_id: of the row's customer.
        key: the row's import key.
        payload: UTF-8 JSON: for `verify` the body of the create; else the object of this step and part, empty where
            it has none.
        in_doubt: an earlier pass may have sent it.
        doubt_since: when that may have happened at the earliest, by the target's clock, seconds since the epoch.
        prior_attempts: requests that earlier passes made for it.
        reference: what the target calls it (the id of an application); empty: not known yet.
        looks: how often it was asked for since it was submitted.
        guard: of a change, the fingerprint (`core.contract.Changes`) of the customer that it may be made to; empty:
            whatever it is like.
        lists_only: of an update: say what it would change, and send nothing.
    """

    ordinal: int
    row: int
    step: Step
    part: str
    customer_id: str
    key: str
    payload: bytes
    in_doubt: bool = False
    doubt_since: float | None = None
    prior_attempts: int = 0
    reference: str = ""
    looks: int = 0
    guard: str = ""
    lists_only: bool = False


class StepReply(NamedTuple):
    """What one attempt of a step came to, or one look at it.

    Args:
        reply: the answer, judged as any other; `accept` where the step is done or submitted.
        state: with `accept`, its state now.
        reference: what the target calls it; empty: nothing, or as before.
        status: the target's own word for its state.
        outcome: the target's own word for what came of it, in capitals.
        detail: of `differs`, the fields that differ and how; of an update, the fields that change, masked.
    """

    reply: Reply
    state: StepState = StepState.DONE
    reference: str = ""
    status: str = ""
    outcome: str = ""
    detail: tuple[str, ...] = ()


class StepFound(NamedTuple):
    """What a look-up for a step in doubt has found.

    Args:
        references: what the target calls each thing that could be it; empty: there is none.
        failure: why there is nothing to trust; None: there is.
        took_s: the time of all its requests, in seconds; None: not measured.
    """

    references: tuple[str, ...] = ()
    failure: Reply | None = None
    took_s: float | None = None


class HeldLimit(NamedTuple):
    """One limit that a customer has; the same texts mean the same."""

    type: str
    currency: str
    amount: str


class Applications(NamedTuple):
    """Some of the identity verifications that were submitted at the target, by whomever.

    Args:
        customers: to what the target calls each of them the ids of the customers that it is about.
        is_last: there are no more.
        took_s: the time of all its requests, in seconds.
    """

    customers: Mapping[str, frozenset[str]]
    is_last: bool
    took_s: float = 0.0


FILE_SHA256 = "sha256"
"""The member of a document's object that holds the SHA-256 that its file must have; it is never sent."""


class UnreadFile(NamedTuple):
    """Why the file of a document was not read.

    Args:
        message: a sentence for everybody; it names neither the file nor its address.
        later: the same file may be read later.
        code: of the issue; empty: that of any document that was not uploaded.
    """

    message: str
    later: bool = False
    code: str = ""


class StepResult(NamedTuple):
    """The state of one step of one row after it was worked on. Further arguments as of `StepReply`.

    Args:
        error: what went wrong, or what a person has to know: code, field and sentence; None: nothing.
        next_at: when it is to be looked at again, seconds since the epoch by our clock; None: it need not be.
    """

    ordinal: int
    step: Step
    part: str
    state: StepState
    reference: str = ""
    status: str = ""
    outcome: str = ""
    detail: tuple[str, ...] = ()
    error: FieldError | None = None
    attempts: tuple[Attempt, ...] = ()
    next_at: float | None = None


@dataclass(frozen=True, slots=True)
class VerificationProfile:
    """One way in which a target verifies identities.

    Args:
        record_types: the types of records that it takes, as the contract names them.
        requires: what it asks for, as the target writes it; the contract reads it (`AfterCreate.missing`).
    """

    id: str
    name: str
    record_types: tuple[str, ...]
    requires: Mapping[str, Any]


class VerificationRules(NamedTuple):
    """What no page of the target says of identity verification, and a profile of ours sets.

    Args:
        countries: where customers can be verified, as the contract writes countries; empty: everywhere.
        individual_party: what the target calls a person among the parties of whom a profile asks something.
    """

    countries: tuple[str, ...] = ("USA",)
    individual_party: str = "individual"


class RowStep(NamedTuple):
    """One step of a row as it is reported. Arguments as of `StepResult`."""

    step: Step
    part: str
    state: StepState
    reference: str
    status: str
    outcome: str
    detail: tuple[str, ...]
    attempts: int


class StepCount(NamedTuple):
    """How many steps of a kind are in a state; those of rows without that step are not counted.

    Args:
        outcome: of a verification, the target's own word in capitals; of an update whether it `changed` the customer;
            else empty.
        entries: of a step with parts a row counts once for each.
    """

    step: Step
    state: StepState
    outcome: str
    entries: int
