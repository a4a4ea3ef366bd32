"""Many small writes, one commit: a plain commit a row was measured at about 280 a second.

Writers hand in operations; whatever has gathered while the last commit was on its way to the disk
goes into the next one. Writes without a waiter are delayed for a moment, so that more of them share the commit, which
writes whole pages.
Order is kept. The first failure is final: every later write raises it, so that nothing is sent once the journal
cannot be written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from importer.core.errors import JournalError
from importer.core.runtime import ended
from importer.journal.port.delivery import RunBlocking
from importer.journal.sql.database import Connection, Database

T = TypeVar("T")
COMPANY_S = 0.05
"""How long writes without a waiter are delayed, so that many of them share a commit, in seconds."""

Operation = Callable[[Connection], Any]


@dataclass(frozen=True, slots=True)
class _Gathered:
    """An operation over many items; more may join while it waits for its commit."""

    write: Callable[[Connection, Sequence[Any]], None]
    items: list[Any]

    def __call__(self, tx: Connection) -> None:
        self.write(tx, self.items)


class GroupCommit:
    """Commits operations in groups, off the event loop.

    Args:
        run_blocking: runs a blocking function elsewhere and gives its result; one at a time. Cancelled, it still
            waits for the function's end.

    Used as a context manager, whose end is the end of all writing.
    """

    def __init__(self, database: Database, run_blocking: RunBlocking) -> None:
        self._db = database
        self._run_blocking = run_blocking
        self._pending: list[tuple[Operation, asyncio.Future[Any] | None]] = []
        self._drain: asyncio.Task[None] | None = None
        self._failure: JournalError | None = None
        self._hurry = asyncio.Event()
        """Set while a caller waits for a commit."""

    async def submit(self, operation: Operation) -> Any:
        """Run an operation in the next commit and wait until it is on disk.

        Raises:
            JournalError: this write or an earlier one failed.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._enqueue(operation, future)
        return await future

    def post(self, operation: Operation) -> None:
        """Run an operation in the next commit, without waiting for it.

        Raises:
            JournalError: an earlier write failed.
        """
        self._enqueue(operation, None)

    def gather(self, write: Callable[[Connection, Sequence[T]], None], item: T) -> None:
        """Write an item in the next commit, together with the others of its kind, without waiting for it.

        Raises:
            JournalError: an earlier write failed.
        """
        last = self._pending[-1][0] if self._pending else None
        if isinstance(last, _Gathered) and last.write == write and self._failure is None:
            last.items.append(item)
        else:
            self._enqueue(_Gathered(write, [item]), None)

    async def flush(self) -> None:
        """Wait until everything handed in is on disk.

        Raises:
            JournalError: it is not, and will not be.
        """
        while self._drain is not None:
            self._hurry.set()
            await asyncio.shield(self._drain)
        if self._failure is not None:
            raise self._failure

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait until nothing is being written, whatever came of it, and also where the run was cancelled.

        Only then may the journal be closed: SQLite does not survive a connection that another thread still uses.
        """
        while self._drain is not None:
            self._hurry.set()
            await ended(self._drain)

    def _enqueue(self, operation: Operation, future: asyncio.Future[Any] | None) -> None:
        if self._failure is not None:
            raise self._failure
        self._pending.append((operation, future))
        if future is not None:
            self._hurry.set()
        if self._drain is None:
            self._drain = asyncio.create_task(self._commit_groups(), name="journal")

    async def _commit_groups(self) -> None:
        try:
            while self._pending and self._failure is None:
                await self._wait_for_company()
                group, self._pending = self._pending, []
                await self._commit(group)
        finally:
            self._drain = None

    async def _wait_for_company(self) -> None:
        try:
            async with asyncio.timeout(COMPANY_S):
                await self._hurry.wait()
        except TimeoutError:
            pass
        self._hurry.clear()

    async def _commit(self, group: list[tuple[Operation, asyncio.Future[Any] | None]]) -> None:
        futures = [future for _, future in group]
        try:
            results = await self._run_blocking(lambda: self._apply([operation for operation, _ in group]))
        except JournalError as error:
            self._fail(futures, error)
            return
        except (Exception, asyncio.CancelledError) as error:
            # A bug, or the end of the loop: no caller may wait for this commit for ever.
            self._fail(futures, JournalError(f"The journal stopped writing ({type(error).__name__})."))
            raise
        for future, result in zip(futures, results, strict=True):
            if future is not None and not future.done():
                future.set_result(result)

    def _fail(self, futures: list[asyncio.Future[Any] | None], error: JournalError) -> None:
        self._failure = error
        waiting = futures + [future for _, future in self._pending]
        self._pending = []
        for future in waiting:
            if future is not None and not future.done():
                future.set_exception(error)

    def _apply(self, operations: list[Operation]) -> list[Any]:
        with self._db.transaction(brief=True) as tx:
            return [operation(tx) for operation in operations]
