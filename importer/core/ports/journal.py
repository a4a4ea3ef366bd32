"""The journal of one run, as reading and sending see it (the whole port: `importer.journal.port`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from importer.core.batches import CheckedBatch, DuplicateVerdict, RawBatch
from importer.core.outcomes import Claimed, Outcome, Record, Resent
from importer.core.step_tasks import StepResult, StepTask
from importer.core.steps import Step


class Intake(Protocol):
    """The journal, as reading and checking see it. Synchronous: used off the event loop."""

    def load(self, batch: RawBatch) -> None:
        """Keep the source's cells, so that no later step needs the file again."""
        ...

    def raw(self, after: int = -1) -> Iterator[RawBatch]:
        """Yield what was loaded, in source order.

        Args:
            after: ordinal of the first row of the last batch that is not wanted.
        """
        ...

    def record(self, batch: CheckedBatch) -> None:
        """Keep the verdicts, request bodies and issues of a checked batch."""
        ...

    def judged(self, verdict: DuplicateVerdict) -> None:
        """Apply what the whole source says about duplicates; the rows are final or ready after this.

        Raises:
            JournalError: as for every method here, when the journal cannot be written.
        """
        ...


class Memory(Protocol):
    """What delivery asks of the journal about rows in doubt."""

    async def sends_again(self, record: Record) -> None:
        """Keep durably that a row is about to be sent although an earlier create of it may have arrived.

        Returns only once it is on disk.

        Raises:
            JournalError: the journal cannot be written; the row may not be sent.
        """
        ...

    async def has_owner(self, customer_id: str) -> bool:
        """Whether a row of any run is known to be this customer."""
        ...


class ResentRows(Protocol):
    """What may be found out, and recorded, of rows that have ended."""

    async def resent(self) -> Sequence[Resent]:
        """The rows that were sent again and are to be looked at again, the earliest send first."""
        ...

    async def looked_at_last(self, record: Record) -> None:
        """A row that was sent again was looked at late enough."""
        ...

    async def owned_by_another(self, customer_id: str, record: Record) -> bool:
        """Whether another row of any run is known to be this customer."""
        ...

    async def shared_customers(self) -> Sequence[tuple[str, Sequence[int]]]:
        """Every customer that more than one created row bears, and the ordinals of those rows."""
        ...

    async def amend(self, outcome: Outcome) -> None:
        """Change how a row ended (`states.AMENDMENTS`).

        Raises:
            JournalError: the journal cannot be written, or the change is not allowed.
        """
        ...


class Claims(Protocol):
    """Rows to send, and how they ended: the durable truth about one run, as its delivery sees it."""

    async def claim(self, limit: int) -> Claimed:
        """Take up to `limit` records and mark them durably as being sent, in one commit.

        Returns only once the marks are on disk. Rows whose import key an earlier run created are
        settled as existing on the way, without a request. Nothing at all when none is left.

        Raises:
            JournalError: the journal cannot be written; nothing may be sent.
        """
        ...

    def settle(self, outcome: Outcome) -> None:
        """Record how a claimed record ended, without waiting; durable with the next commit, which is never far.

        Raises:
            JournalError: the journal cannot be written, or the transition is not allowed.
        """
        ...


class StepClaims(Protocol):
    """Steps to do, and how they stand: the durable truth about one run after its creates."""

    async def claim_steps(self, step: Step, limit: int) -> Sequence[StepTask]:
        """Take up to `limit` steps of one kind and mark them durably as being sent, in one commit.

        Those of rows that ended with a customer (`steps.has_step`), in the order of rows; those found in doubt when
        the pass began come last. A verification of a row of which a step failed that it needs
        (`NEEDED_BY_VERIFICATION`) ends `failed` on the way. Nothing at all when none is left.

        Raises:
            JournalError: the journal cannot be written; nothing may be sent.
        """
        ...

    def settle_step(self, result: StepResult) -> None:
        """Record the state of a step, without waiting; durable with the next commit, which is never far.

        What went wrong is a warning of the row, once the step is no longer open. Looks that leave a step `submitted`
        are counted, and their requests are not kept.

        Raises:
            JournalError: the journal cannot be written, or the transition is not allowed.
        """
        ...

    async def due_steps(self, limit: int) -> Sequence[StepTask]:
        """Give up to `limit` submitted steps whose next look is due, the longest due first, without payloads.

        None is given out twice before it was settled.
        """
        ...

    async def next_due(self) -> float | None:
        """When the next look at a submitted step is due, seconds since the epoch; None: there is none to wait for."""
        ...
