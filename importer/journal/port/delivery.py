"""One run while its rows are sent: the two marks that make a row safe, and what is asked about rows in doubt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from importer.core.contract import Contract
from importer.core.outcomes import Outcome
from importer.core.ports import Claims, Memory, ResentRows, StepClaims

CHARGED_FOR_S = 1.0
"""What is charged within shared limits has to start in this time, in seconds; else it is given back."""
RunBlocking = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs a blocking function elsewhere and gives its result; one at a time. Cancelled, it still waits for its end."""


@dataclass(frozen=True, slots=True)
class RunToSend:
    """How the rows of a run are sent, as far as the journal has to know.

    Args:
        scope: where import keys are unique.
        contract: what the records are.
        columns: customer field to source column, for the errors that the API reports.
        secret: the workspace's, for hashes of what was sent.
        verify_existing: give out rows that earlier runs created as well, to be looked up.
        on_existing: what becomes of rows that earlier runs created from other data: `report` warns of them, `skip` and
            `update` do not; of the others the update that `update` has planned is dropped.
        finds_only: rows are changes of customers: they are looked up, and their import keys are nobody's.
        shared_limits: counts of requests, and the seconds in which all who send to the scope may start no more; those
            of a minute and longer.
        lease: as `RunLots.hold` gave it: lots of the run are sent; empty: all of its rows.
    """

    run: int
    scope: str
    contract: Contract
    columns: Mapping[str, str] = field(default_factory=dict)
    secret: bytes = b""
    verify_existing: bool = False
    on_existing: str = "report"
    finds_only: bool = False
    lease: str = ""
    shared_limits: Sequence[tuple[int, float]] = ()


class RateLedger(Protocol):
    """The request starts of one scope, over all runs: for limits that outlast a run."""

    async def charge(self, starts: int) -> float:
        """Add starts to the slot of this moment, durably; what is given back comes off the slot last charged.

        Args:
            starts: how many; negative to give back.

        Returns:
            0; or for how many seconds they are refused, where limits are shared with other programs.
        """
        ...

    def earlier(self) -> Sequence[tuple[float, int]]:
        """Seconds since the end of each slot of the last day, and its count, the oldest first; drops older ones."""
        ...


class RunDelivery(Claims, StepClaims, Memory, ResentRows, Protocol):
    """The journal of one run while its rows are sent. The end of its block is the end of all writing."""

    @property
    def starts(self) -> RateLedger:
        """The ledger of request starts of the run's scope."""
        ...

    async def __aenter__(self) -> Self:
        """Begin to write."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait until nothing is being written, whatever came of it, and also where the run was cancelled."""
        ...

    def leave(self, outcome: Outcome) -> None:
        """Have a row wait for those that send the rest of the run: only this one stops.

        Args:
            outcome: says that it is unsent, or unknown, and so in doubt for the others.
        """
        ...

    async def flush(self) -> None:
        """Wait until every settle is on disk.

        Raises:
            JournalError: it is not, and will not be.
        """
        ...

    async def may_come_back(self) -> bool:
        """Whether rows of the run are left that others send: they come back where one of these ends."""
        ...

    async def say(self, sender: str, content: bytes) -> None:
        """Leave a message for whoever divided the run (`RunLots.heard`).

        Args:
            content: without personal data.
        """
        ...

    async def finish(self) -> None:
        """End what a stopping run leaves: rows never taken are `unsent`, rows in doubt are `unknown`.

        Steps stay as they are: those that were being sent are in doubt in the next pass.
        """
        ...

    def may_send(self) -> bool:
        """Whether a request may start: no other program can have taken over the run.

        Raises:
            JournalError: another one has.
        """
        ...

    def never_claimed(self, keys: AbstractSet[str]) -> set[str]:
        """Of some import keys those that no run of this scope has ever claimed: another workspace's."""
        ...
