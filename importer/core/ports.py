"""The seams: what each room promises to the others. Protocols of one to three methods, no code.

Synchronous ports may block (they run off the event loop); asynchronous ones never do. Errors are
stated here once; implementations stay silent about them.
"""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, runtime_checkable

from importer.core.batches import CheckedBatch, DuplicateVerdict, MappedBatch, RawBatch
from importer.core.events import Event
from importer.core.outcomes import Claimed, Found, Outcome, Record, Reply, Resent
from importer.core.sources import Detected, SourceInfo


class Reader(Protocol):
    """An open source."""

    @property
    def info(self) -> SourceInfo:
        """What the source is; known before the first batch. Its warnings may grow until the last one was read."""
        ...

    def batches(self) -> Iterator[RawBatch]:
        """Yield the data rows in source order; may be called again from the start.

        Raises:
            SourceError: the source is broken at some later place.
        """
        ...

    def close(self) -> None:
        """Release the file; harmless when called twice."""
        ...


class Mapper(Protocol):
    """Source columns become customer fields. Pure."""

    @property
    def columns(self) -> Mapping[str, str]:
        """To each field the source column(s) it comes from; "" for a constant."""
        ...

    def observe(self, batch: RawBatch) -> None:
        """See a batch before anything is mapped, so that whole columns can be judged (day or month first?)."""
        ...

    def settle(self) -> bool:
        """Tell whether every row observed so far can be mapped already.

        What is still to be observed can then refuse the source, in `decide`, but not change how those rows are read.
        """
        ...

    @property
    def settled_on(self) -> tuple[object, ...]:
        """What was settled up to now: a copy of the mapper is good as long as this is the same."""
        ...

    def decide(self) -> tuple[Detected, ...]:
        """Settle what needed the whole column, with the evidence; call once, after the last `observe`.

        Raises:
            SourceError: a date column can be read both ways, and no option says which.
        """
        ...

    def map(self, batch: RawBatch) -> MappedBatch:
        """Turn one batch's columns into fields; row trouble becomes issues. Only rows that are settled."""
        ...


class Validator(Protocol):
    """Customer fields become request bodies, or issues. Pure; never raises for a row."""

    def check(self, batch: MappedBatch) -> CheckedBatch:
        """Check and normalise all rows of a batch, finding all errors of a row at once."""
        ...


class BatchChecker(Protocol):
    """Maps and checks many batches; maybe several at once, and elsewhere."""

    def check_all(self, batches: Iterable[RawBatch]) -> Iterator[CheckedBatch]:
        """Yield every batch checked, in order; takes only a few batches ahead of what it has yielded."""
        ...


class Numbers(Protocol):
    """A number for every row of a source, in row order. Its memory need not grow with the rows."""

    def extend(self, numbers: array[int]) -> None:
        """Append the numbers of further rows."""
        ...

    def whole(self) -> array[int]:
        """All of them at once, as an array of the caller's own."""
        ...

    def part(self, first: int, size: int) -> array[int]:
        """So many of them from a place on, as an array of the caller's own."""
        ...

    def __getitem__(self, place: int) -> int: ...

    def __len__(self) -> int: ...


class Duplicates(Protocol):
    """Rows of one source that are the same customer. Sees every checked batch, judges once at the end."""

    def observe(self, batch: CheckedBatch) -> None:
        """Remember the keys and likenesses of a batch; flat memory (bytes per row, not objects)."""
        ...

    def judge(self) -> DuplicateVerdict:
        """Say which rows are duplicates, and what becomes of them."""
        ...


class Target(Protocol):
    """The other side. One attempt a call: never sleeps, never retries."""

    async def send(self, record: Record) -> Reply:
        """Try once to create the customer.

        Network trouble is a verdict, not an exception. Cancellation travels on: whoever cancels a
        send after it began has a record in doubt.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


class Finder(Protocol):
    """Look-ups at the other side."""

    async def find(self, record: Record) -> Found:
        """Fetch every customer that could be this record (all pages), by its known id, externalId or else email."""
        ...

    async def get(self, customer_id: str) -> Found:
        """Fetch one customer: one candidate, none when there is no such customer, or the trouble."""
        ...


@runtime_checkable
class Lister(Protocol):
    """What the other side holds, whoever made it."""

    async def newest(self) -> Found:
        """Fetch one page of customers, the newest first, or the trouble."""
        ...


class Recognition(Protocol):
    """Whether a customer at the target is the record in hand. Pure; a contract provides it.

    The proof is the stamp: every create carries its import key under a name that the profile chooses. Servers may
    change the letters of both.
    """

    def bears(self, body: Mapping[str, Any], key: str) -> bool:
        """Whether a customer bears an import key, under whatever name."""
        ...

    def stamp_of(self, body: Mapping[str, Any], name: str) -> object | None:
        """What a customer bears under the name of the stamp, whoever put it there; None: nothing."""
        ...

    def differences(
        self, payload: bytes, body: Mapping[str, Any], stamp: str, *, loses_metadata: bool = False
    ) -> tuple[str, ...]:
        """Name the fields that differ between what was sent and a customer, the stamp aside.

        Args:
            stamp: the name of the stamp; empty: creates are not stamped.
            loses_metadata: the target was seen to lose what it keeps like a stamp: that does not differ, then.
        """
        ...


class Checker(Protocol):
    """Whether the other side lets us in."""

    async def check(self) -> Reply | None:
        """Log in once, for real: at the start of a run, and for `doctor`.

        Returns:
            None when that worked; a reply that says what is wrong when nobody answered sensibly.

        Raises:
            AccessError: the credentials were refused.
        """
        ...


@runtime_checkable
class Timekeeper(Protocol):
    """What the other side's clock says."""

    @property
    def server_ahead_s(self) -> float | None:
        """How far its clock was ahead of ours when it was last asked for a token, in seconds; None: not known."""
        ...


class Slot(Protocol):
    """One request start of the allowance: kept from others until a whole window after the request has arrived."""

    def depart(self) -> None:
        """The first byte leaves now; harmless when called again."""
        ...

    def answered(self) -> None:
        """The answer begins to come in, or none will: the request has arrived by now; harmless when called again."""
        ...

    def give_back(self) -> None:
        """Nothing was tried: the slot counts as never taken; harmless after `depart`."""
        ...


class Limiter(Protocol):
    """The run's allowance of request starts, shared by all workers and all kinds of request."""

    async def reserve(self, *, finishing: bool = False) -> Slot:
        """Wait until one request may start, however long its connection then takes.

        Args:
            finishing: the request only finishes what was begun (a look-up, a token for it), so it may
                start although the run is stopping.

        Raises:
            StoppingError: the run is stopping, and this request would begin something new, or could not start in
                the time that is left.
        """
        ...

    def learn(self, reply: Reply, /) -> None:
        """Take the answer to a request that no row made, a token exchange: the pool learns from it, too."""
        ...


class Clock(Protocol):
    """Time, passed in so that tests can own it."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Wait."""
        ...


class Stop(Protocol):
    """The only thing that flows upstream beside pull: a read-only flag."""

    @property
    def requested(self) -> bool:
        """Whether no further record may be taken."""
        ...

    @property
    def reason(self) -> str:
        """Why: `sigint`, `max_errors`, `access`, …; empty while not requested."""
        ...

    async def wait(self) -> None:
        """Wait until a stop is requested."""
        ...


class Events(Protocol):
    """Where happenings are told. Must not block and must not raise."""

    def __call__(self, event: Event, /) -> None:
        """Take one event."""
        ...


Take = Callable[[int], Awaitable[Sequence[Record]]]
"""Up to so many claimed records; empty when none is left or the run stops."""

Deliver = Callable[[Record], Awaitable[Outcome]]
"""One record becomes one outcome, however many attempts that takes."""

Settle = Callable[[Outcome], None]
"""Record an outcome. Never waits, so no cancellation comes between what happened and its record."""


class Engine(Protocol):
    """Many records at once. Knows no HTTP, no journal, no retry."""

    @property
    def max_in_flight(self) -> int:
        """How many records it may hold: this bounds the rows in doubt after a crash."""
        ...

    def aside(self) -> AbstractAsyncContextManager[None]:
        """Give the place of the record in hand to another one while the block lasts: it only waits for time to pass."""
        ...

    async def run(self, take: Take, deliver: Deliver, settle: Settle) -> None:
        """Deliver every record that `take` gives and settle each at most once.

        A record that was taken and not settled (the engine was cancelled) is in doubt.
        """
        ...


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
