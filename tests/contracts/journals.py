"""A run in a journal that is spoken to by its port alone: every adapter is held to the same tests."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from importer.core.batches import CheckedBatch, DuplicateVerdict, RawBatch
from importer.core.frames import raw_batch
from importer.core.issues import Issue
from importer.core.outcomes import Claimed, Outcome, Record, Resent
from importer.core.states import RowState
from importer.core.step_tasks import StepResult, StepTask
from importer.core.steps import Step
from importer.customers.contract import CUSTOMERS
from importer.journal import (
    Comparison,
    IssueChange,
    Journal,
    Location,
    Merging,
    Revision,
    RunDelivery,
    RunFacts,
    RunHeader,
    RunToSend,
    keep_elsewhere,
)
from importer.journal import open_journal as open_it
from tests.postgres import shared_server

SCOPE = "https://api.example.com#main"
FIRST, SECOND, THIRD = "20261122T083000Z-00000a", "20261123T083000Z-00000b", "20261124T083000Z-00000c"
SECRET = b"a fictional secret of 32 bytes.."
COLUMNS = {"lastName": "Surname", "limits.daily": "Daily limit", "documents.passport.file": "Passport"}
GROUPED = Merging("importKey", ("businessName",), {})
IGNORED = Comparison(CUSTOMERS, "ignore", external_id_decides=True, target="live", columns={})

Opener = Callable[[Path], Journal]


def sqlite(folder: Path) -> Journal:
    """The journal of a folder in a file of SQLite."""
    return open_it(Location.of_workspace(folder))


def postgres(folder: Path) -> Journal:
    """The journal of a folder in PostgreSQL; one of another folder is emptied for it."""
    if not Location.of_workspace(folder).url:
        keep_elsewhere(folder, shared_server().emptied())
    return open_it(Location.of_workspace(folder))


ADAPTERS: dict[str, Opener] = {"postgres": postgres, "sqlite": sqlite}
"""Name of an adapter to what opens a journal of a folder, made when it is not there."""


@dataclass
class Book:
    """One run in a journal, as whoever sends its rows sees it."""

    journal: Journal
    run: int
    scope: str = SCOPE
    now_s: float = 1_000.0
    how: Mapping[str, Any] = field(default_factory=dict)
    rows: RunDelivery = field(init=False)

    def __post_init__(self) -> None:
        to_send = RunToSend(self.run, self.scope, CUSTOMERS, COLUMNS, SECRET, **self.how)
        self.rows = self.journal.delivery(to_send, lambda: self.now_s, run_blocking=_at_once)

    def again(self) -> Book:
        """The same run in another life of the program."""
        return Book(self.journal, self.run, self.scope, how=self.how)

    def claim(self, limit: int = 100, now: float = 1_000.0) -> Claimed:
        self.now_s = now
        return asyncio.run(self.rows.claim(limit))

    def settle(self, *outcomes: Outcome, left: bool = False) -> None:
        """Settle rows, or leave them to others that send."""

        async def settle() -> None:
            for outcome in outcomes:
                self.rows.leave(outcome) if left else self.rows.settle(outcome)
            await self.rows.flush()

        asyncio.run(settle())

    def claim_steps(self, step: Step, limit: int = 100, now: float = 1_000.0) -> Sequence[StepTask]:
        self.now_s = now
        return asyncio.run(self.rows.claim_steps(step, limit))

    def settle_steps(self, *results: StepResult) -> None:
        async def settle() -> None:
            for result in results:
                self.rows.settle_step(result)
            await self.rows.flush()

        asyncio.run(settle())

    def due_steps(self, limit: int = 100, now: float = 1_000.0) -> Sequence[StepTask]:
        self.now_s = now
        return asyncio.run(self.rows.due_steps(limit))

    def next_due(self) -> float | None:
        return asyncio.run(self.rows.next_due())

    def create_all(self) -> None:
        """Send every row; each is created."""
        self.settle(*(created(record.ordinal, record.key) for record in self.claim().records))

    def finish(self) -> None:
        asyncio.run(self.rows.finish())

    def send_again(self, ordinal: int, now: float = 1_000.0) -> None:
        self.now_s = now
        asyncio.run(self.rows.sends_again(_record(ordinal)))

    def amend(self, outcome: Outcome) -> None:
        asyncio.run(self.rows.amend(outcome))

    def resent(self) -> Sequence[Resent]:
        return asyncio.run(self.rows.resent())

    def looked_at_last(self, ordinal: int) -> None:
        asyncio.run(self.rows.looked_at_last(_record(ordinal)))

    def shared_customers(self) -> Sequence[tuple[str, Sequence[int]]]:
        return asyncio.run(self.rows.shared_customers())

    def is_owned(self, customer_id: str, ordinal: int | None = None) -> bool:
        """Whether any row has a customer; with an ordinal, any other row."""
        if ordinal is None:
            return asyncio.run(self.rows.has_owner(customer_id))
        return asyncio.run(self.rows.owned_by_another(customer_id, _record(ordinal)))

    def states(self) -> dict[int, str]:
        return {result.ordinal: result.state.value for result in self.journal.replay(self.run).results()}

    def revise(self, *revisions: Revision) -> None:
        stored = self.journal.runs.find(dict(self.journal.runs.ids())[self.run])
        self.journal.returns(stored).write(
            revisions,
            issues=IssueChange(("returned_row_done",), ()),
            prints={},
            how=IGNORED,
            facts=RunFacts(),
            brought={},
            profile=None,
        )


def begin(journal: Journal, run_id: str = FIRST, *, scope: str = SCOPE, profile: str = "bead") -> int:
    header = RunHeader(run_id, scope, "live", "a.csv", "/data/a.csv", "c0ffee", profile, dry_run=False, started_at=1.0)
    return journal.runs.begin(header).run


def fill(
    journal: Journal,
    run: int,
    keys: Sequence[str | None],
    *,
    batch_rows: int = 3,
    issues: Sequence[Issue] = (),
    payloads: Sequence[bytes] = (),
    after: Sequence[bytes | None] = (),
    leaders: Sequence[int] = (),
) -> None:
    """Load and check one row a key; None is an invalid row.

    Args:
        payloads: one a row; empty: each names its key.
        after: what each row brings for steps after its create; empty: nothing.
        leaders: for every row the one that speaks for it, or -1; empty: rows are not grouped.
    """
    intake = journal.intake(run, CUSTOMERS, merging=GROUPED if leaders else None)
    intake.restart()
    batches = [_batch(first, keys[first : first + batch_rows]) for first in range(0, len(keys), batch_rows)]
    for batch in batches:
        intake.load(batch)
    for batch in batches:
        mine = list(keys[batch.first : batch.first + batch_rows])
        own = payloads[batch.first : batch.first + batch_rows] or [f'{{"key":"{key}"}}'.encode() for key in mine]
        bodies = [None if key is None else body for key, body in zip(mine, own, strict=True)]
        found = [issue for issue in issues if batch.first <= issue.ordinal < batch.first + len(mine)]
        brought = after[batch.first : batch.first + batch_rows]
        intake.record(CheckedBatch(batch, bodies, mine, [""] * len(mine), tuple(found), after=brought))
    intake.judged(DuplicateVerdict(leaders=array("q", leaders)))


def filled(journal: Journal, run_id: str, keys: Sequence[str | None], *, scope: str = SCOPE) -> Book:
    """A new run with these rows."""
    run = begin(journal, run_id, scope=scope)
    fill(journal, run, keys)
    return Book(journal, run, scope)


def created(ordinal: int, key: str, customer_id: str = "") -> Outcome:
    return Outcome(ordinal, key, RowState.CREATED, customer_id=customer_id or f"cust-{ordinal}")


def _batch(first: int, keys: Sequence[str | None]) -> RawBatch:
    ordinals = range(first, first + len(keys))
    cells = ([f"name {ordinal}" for ordinal in ordinals], [str(ordinal) for ordinal in ordinals])
    return raw_batch(first, range(first + 2, first + 2 + len(keys)), cells)


def _record(ordinal: int) -> Record:
    return Record(ordinal, ordinal + 2, "", b"{}")


async def _at_once(work: Callable[[], Any]) -> Any:
    return work()
