"""The steps after the creates of one run: planned before the first request, reported afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from importer.core.outcomes import Attempt
from importer.core.states import RowState
from importer.core.step_tasks import PlannedStep, RowStep, StepCount
from importer.core.steps import AFTER_CREATE, Step, StepState


class BodyOfRow(NamedTuple):
    """What one row sends.

    Args:
        row: the number that a person sees.
        payload: the body of its create, UTF-8 JSON.
        after: what it brings for the steps after it, UTF-8 JSON; empty: nothing.
        customer_id: its customer, of a row that is still ready the one that an earlier run knows it by; empty: none is
            known.
        key: its import key, which the body carries; empty: it has none.
    """

    ordinal: int
    row: int
    state: RowState
    payload: bytes
    after: bytes
    customer_id: str = ""
    key: str = ""


class RunSteps(Protocol):
    """The steps of one run. Synchronous; steps are claimed and settled by `RunDelivery` (`core.ports.StepClaims`)."""

    def bodies(self, states: Collection[RowState]) -> Iterator[Sequence[BodyOfRow]]:
        """What the rows in some states send, a stretch of rows at a time, in their order.

        Rows that another row speaks for are left out, and rows whose bodies were purged.
        """
        ...

    def plan(self, planned: Sequence[PlannedStep], without: Sequence[int] = ()) -> None:
        """Keep the steps of some rows, in one commit; a verification that is not ready is a warning of its row.

        What these rows had `waiting` or `not_ready` before goes; any other entry of theirs stays as it is.

        Args:
            without: ordinals of rows that have no step (any more).
        """
        ...

    def verify(self, ordinals: Sequence[int]) -> None:
        """Have the customers of some rows read back, those included that were read back before."""
        ...

    def change(self, step: Step, planned: Sequence[PlannedStep]) -> None:
        """Have customers changed by one kind of step, and by nothing that an earlier plan of that kind has left.

        What is done stays done, and what is in doubt stays in doubt; all else begins anew, with the new guard. Other
        steps of these rows that are not begun go.
        """
        ...

    def states(self, step: Step) -> Mapping[tuple[int, str], StepState]:
        """The state of every step of one kind, by the ordinal of its row and its part, of rows that have it."""
        ...

    def refuse(self, refused: Sequence[PlannedStep], code: str, sentence: str) -> None:
        """End rows that are `ready`, and those that they speak for, as `invalid`, with an error of this code each.

        Args:
            refused: one a row; `detail` names the fields that are missing.
            sentence: with `{}` in the place of those names.

        Raises:
            JournalError: a row is not `ready`, or the journal cannot be written; nothing was changed.
        """
        ...

    def listed(self) -> Iterator[tuple[BodyOfRow, str]]:
        """The rows whose customers a list would change, or has changed since, and the guard of each, in their order."""
        ...

    def reopen(
        self, states: Collection[StepState], steps: Collection[Step] = AFTER_CREATE, *, guarded: bool = False
    ) -> None:
        """Open steps in some states for another pass (`steps.STEP_REOPENINGS`); their warnings go.

        Args:
            guarded: only changes that have a guard.
        """
        ...

    def counts(self) -> list[StepCount]:
        """The steps of the run by their state, of rows that have them (`steps.has_step`), in the order of `Step`."""
        ...

    def of_row(self, ordinal: int) -> list[RowStep]:
        """The steps that one row has (`steps.has_step`), or its group, in the order of `Step`."""
        ...

    def attempts(self, ordinal: int) -> list[tuple[Step, str, Attempt]]:
        """Every request that was made for a row's steps, with its step and part, by time."""
        ...
