"""The plan of an undo: the file that lists which customers of a run are suspended or deleted, and which are not.

It holds ids, row numbers and fingerprints, nothing else of a customer. Its own hash shows whether it was edited.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from importer.core.atomic_files import storage_error, write_file
from importer.core.commands import Commands
from importer.core.errors import UsageError
from importer.core.step_tasks import PlannedStep
from importer.core.steps import Step
from importer.journal import BodyOfRow, StoredRun

FILE = "undo-plan.json"
_MOST_BYTES = 1 << 30

Action = Literal["suspend", "delete"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Entry(_Part):
    """One customer that is suspended or deleted.

    Args:
        guard: its fingerprint when the plan was made: of another one nothing is changed.
    """

    row: int
    ordinal: int
    customer_id: str
    guard: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Skipped(_Part):
    """One row whose customer is left alone, and a sentence that says why."""

    row: int
    customer_id: str
    why: str


class UndoPlan(_Part):
    """What an undo of a run does.

    Args:
        scope: target and account.
        made_at: in UTC, ISO 8601.
        created: hash of all customers that the run has created: another one once it has gone on.
        sha256: of all else in the file.
    """

    format: Literal["undo-plan 1"] = "undo-plan 1"
    run_id: str
    target: str
    scope: str
    action: Action
    made_at: str
    created: str
    entries: tuple[Entry, ...]
    skipped: tuple[Skipped, ...]
    sha256: str = ""

    @classmethod
    def of(cls, stored: StoredRun, made_at: float, **content: Any) -> Self:
        """Make a plan.

        Args:
            made_at: seconds since the epoch.
            content: the other fields.
        """
        header, when = stored.header, datetime.fromtimestamp(made_at, UTC).isoformat(timespec="seconds")
        plan = cls(run_id=header.run_id, target=header.target, scope=header.scope, made_at=when, **content)
        return plan.model_copy(update={"sha256": plan.computed()})

    @property
    def step(self) -> Step:
        """What is done to each customer."""
        return Step(self.action)

    def computed(self) -> str:
        """The hash that the plan must bear."""
        return hashlib.sha256(_written(self.model_dump(mode="json", exclude={"sha256"}))).hexdigest()

    def planned(self) -> list[PlannedStep]:
        """Its customers as the journal takes them."""
        return [PlannedStep(one.ordinal, self.step, guard=one.guard) for one in self.entries]

    def write(self, path: Path) -> None:
        """Write the file, for its owner alone.

        Raises:
            StorageError: it cannot be written.
        """
        content = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=1).encode()
        try:
            write_file(path, content + b"\n")
        except OSError as error:
            raise storage_error(error, path.parent) from error

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            UsageError: it is not there, is not a plan, or was edited.
        """
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise UsageError(f"'{path}' is too large for a plan of an undo.")
            plan = cls.model_validate_json(path.read_bytes())
        except OSError as error:
            reason = (error.strerror or "unknown error").lower()
            raise UsageError(f"The plan '{path}' cannot be read: {reason}.", _MAKE) from None
        except ValidationError:
            raise UsageError(f"'{path}' is not a plan of an undo.", _MAKE) from None
        if plan.sha256 != plan.computed():
            raise UsageError(f"The plan '{path}' was edited since it was made; nothing was sent.", _MAKE)
        return plan

    def require(self, stored: StoredRun, action: Action, commands: Commands) -> None:
        """Refuse a plan of another run, or for something else.

        Raises:
            UsageError: it is one.
        """
        header = stored.header
        again = f"Make one: {commands.undo(header.run_id, delete=action == 'delete')}"
        if (self.run_id, self.target, self.scope) != (header.run_id, header.target, header.scope):
            raise UsageError(f"The plan is one of the run {self.run_id}, not of {header.run_id}.", again)
        if self.action != action:
            option = "with" if self.action == "delete" else "without"
            raise UsageError(
                f"The plan is one to {self.action} customers, not to {action} them.",
                f"Apply it {option} --delete, or make another one.",
            )

    def require_current(self, created: Sequence[BodyOfRow], commands: Commands) -> None:
        """Refuse a plan of a run that has gone on since, or one that names what the run has not created.

        Args:
            created: all customers that the run has created.

        Raises:
            UsageError: it is one.
        """
        again = f"Make it again: {commands.undo(self.run_id, delete=self.action == 'delete')}"
        if self.created != hash_of(created):
            raise UsageError("The run has gone on since the plan was made; nothing was sent.", again)
        if not {(one.ordinal, one.row, one.customer_id) for one in self.entries} <= {
            (one.ordinal, one.row, one.customer_id) for one in created
        }:
            raise UsageError("The plan names customers that the run has not created; nothing was sent.", again)


def hash_of(created: Iterable[BodyOfRow]) -> str:
    """Write down which customers a run has created."""
    found = hashlib.sha256()
    for one in created:
        found.update(f"{one.ordinal} {one.customer_id}\n".encode())
    return found.hexdigest()


def _written(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


_MAKE = "Make the plan again, with --plan."
