"""One run's journal while its rows are sent: every operation in the next group commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import Self

from importer.core.outcomes import Claimed, Outcome, Record, Resent
from importer.core.step_tasks import StepResult, StepTask
from importer.core.steps import Step
from importer.journal.port.delivery import RunBlocking, RunToSend
from importer.journal.port.lots import Message
from importer.journal.sql.claims import Claims
from importer.journal.sql.database import Database
from importer.journal.sql.group_commit import GroupCommit
from importer.journal.sql.resent import (
    forget_resent,
    is_customer_of_a_row,
    keep_resent,
    resent_rows,
    shared_customers,
)
from importer.journal.sql.starts import Starts
from importer.journal.sql.step_claims import StepClaims


class RunDelivery:
    """Claims, settles and looks again. Implements `port.RunDelivery`.

    Args:
        now: seconds since the epoch, by our own clock.
        target_now: the same by the target's clock, as far as that is known: rows are marked with it as being sent.
        run_blocking: runs a commit off the event loop.
    """

    def __init__(
        self,
        database: Database,
        sending: RunToSend,
        now: Callable[[], float],
        target_now: Callable[[], float],
        run_blocking: RunBlocking,
    ) -> None:
        self._run = sending.run
        self.may_send = database.may_send
        self._claims = Claims(database, sending)
        self._lots, self._lease = database.lots(sending.run) if sending.lease else None, sending.lease
        self._steps = StepClaims(database, sending.run, self._claims.endings)
        self._commits = GroupCommit(database, run_blocking)
        self._now = now
        self._target_now = target_now
        self.starts = Starts(database, sending.scope, self._commits, now, sending.shared_limits)

    async def __aenter__(self) -> Self:
        await self._commits.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._commits.__aexit__(kind, error, trace)

    async def claim(self, limit: int) -> Claimed:
        now = self._target_now()
        claimed: Claimed = await self._commits.submit(lambda tx: self._claims.claim(tx, limit, now))
        return claimed

    def settle(self, outcome: Outcome) -> None:
        # Not waited for: a settle that a crash swallows leaves its row in doubt, which a look-up resolves.
        self._commits.gather(self._claims.endings.settle, outcome)

    def leave(self, outcome: Outcome) -> None:
        self._commits.gather(self._claims.endings.put_back, outcome)

    async def claim_steps(self, step: Step, limit: int) -> Sequence[StepTask]:
        now = self._target_now()
        tasks: Sequence[StepTask] = await self._commits.submit(lambda tx: self._steps.claim(tx, step, limit, now))
        return tasks

    def settle_step(self, result: StepResult) -> None:
        self._commits.gather(self._steps.settle, result)

    async def due_steps(self, limit: int) -> Sequence[StepTask]:
        now = self._now()
        tasks: Sequence[StepTask] = await self._commits.submit(lambda tx: self._steps.due(tx, limit, now))
        return tasks

    async def next_due(self) -> float | None:
        now = self._now()
        due: float | None = await self._commits.submit(lambda tx: self._steps.next_due(tx, now))
        return due

    async def sends_again(self, record: Record) -> None:
        now = self._now()
        await self._commits.submit(lambda tx: keep_resent(tx, self._run, record.ordinal, now))

    async def has_owner(self, customer_id: str) -> bool:
        owned: bool = await self._commits.submit(lambda tx: is_customer_of_a_row(tx, customer_id))
        return owned

    async def amend(self, outcome: Outcome) -> None:
        await self._commits.submit(lambda tx: self._claims.endings.amend(tx, outcome))

    async def resent(self) -> Sequence[Resent]:
        found: list[Resent] = await self._commits.submit(lambda tx: resent_rows(tx, self._run))
        return found

    async def looked_at_last(self, record: Record) -> None:
        await self._commits.submit(lambda tx: forget_resent(tx, self._run, record.ordinal))

    async def owned_by_another(self, customer_id: str, record: Record) -> bool:
        owned: bool = await self._commits.submit(
            lambda tx: is_customer_of_a_row(tx, customer_id, (self._run, record.ordinal))
        )
        return owned

    async def shared_customers(self) -> Sequence[tuple[str, Sequence[int]]]:
        found: list[tuple[str, Sequence[int]]] = await self._commits.submit(lambda tx: shared_customers(tx, self._run))
        return found

    async def flush(self) -> None:
        await self._commits.flush()

    async def may_come_back(self) -> bool:
        lots = self._lots
        return lots is not None and bool(await self._commits.submit(lambda tx: lots.give_up_done(tx, self._lease)))

    async def say(self, sender: str, content: bytes) -> None:
        lots = self._lots
        if lots is not None:
            await self._commits.submit(lambda tx: lots.say(tx, Message(sender, content)))

    async def finish(self) -> None:
        await self._commits.submit(self._claims.finish)

    def never_claimed(self, keys: AbstractSet[str]) -> set[str]:
        return self._claims.never_claimed(keys)
