"""The plan of an undo: the file that lists which customers of a run are suspended or deleted, and which are not.

It holds ids, row numbers and fingerprints, nothing else of a customer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from importer.core.commands import Commands
from importer.core.errors import PlanRefusedError
from importer.core.step_tasks import PlannedStep
from importer.core.steps import Step
from importer.journal import BodyOfRow, StoredRun
from importer.runs.plans.plan_file import PlanFile, PlanPart, Sha256

Action = Literal["suspend", "delete"]


class Entry(PlanPart):
    """One customer that is suspended or deleted.

    Args:
        guard: its fingerprint when the plan was made: of another one nothing is changed.
    """

    row: int
    ordinal: int
    customer_id: str
    guard: Sha256


class Skipped(PlanPart):
    """One row whose customer is left alone, and a sentence that says why."""

    row: int
    customer_id: str
    why: str


class UndoPlan(PlanFile):
    """What an undo of a run does.

    Args:
        created: hash of all customers that the run has created: another one once it has gone on.
        entries: as many as `rows`.
    """

    what: ClassVar[str] = "a plan of an undo"

    format: Literal["undo-plan 2"] = "undo-plan 2"
    job: Literal["undo"] = "undo"
    action: Action
    created: str
    entries: tuple[Entry, ...]
    skipped: tuple[Skipped, ...]

    @property
    def step(self) -> Step:
        """What is done to each customer."""
        return Step(self.action)

    def planned(self) -> list[PlannedStep]:
        """Its customers as the journal takes them."""
        return [PlannedStep(one.ordinal, self.step, guard=one.guard) for one in self.entries]

    def require(self, stored: StoredRun, action: Action, commands: Commands) -> None:
        """Refuse a plan of another run, or for something else.

        Raises:
            PlanRefusedError: it is one.
        """
        header = stored.header
        again = f"Make one: {commands.undo(header.run_id, delete=action == 'delete')}"
        if (self.run_id, self.target, self.scope) != (header.run_id, header.target, header.scope):
            raise PlanRefusedError(f"The plan is one of the run {self.run_id}, not of {header.run_id}.", again)
        if self.action != action:
            option = "with" if self.action == "delete" else "without"
            raise PlanRefusedError(
                f"The plan is one to {self.action} customers, not to {action} them.",
                f"Apply it {option} --delete, or make another one.",
            )

    def require_current(self, created: Sequence[BodyOfRow], commands: Commands) -> None:
        """Refuse a plan of a run that has gone on since, or one that names what the run has not created.

        Args:
            created: all customers that the run has created.

        Raises:
            PlanRefusedError: it is one.
        """
        again = f"Make it again: {commands.undo(self.run_id, delete=self.action == 'delete')}"
        if self.created != hash_of(created):
            raise PlanRefusedError("The run has gone on since the plan was made; nothing was sent.", again)
        if not {(one.ordinal, one.row, one.customer_id) for one in self.entries} <= {
            (one.ordinal, one.row, one.customer_id) for one in created
        }:
            raise PlanRefusedError("The plan names customers that the run has not created; nothing was sent.", again)


def hash_of(created: Iterable[BodyOfRow]) -> str:
    """Write down which customers a run has created."""
    found = hashlib.sha256()
    for one in created:
        found.update(f"{one.ordinal} {one.customer_id}\n".encode())
    return found.hexdigest()
