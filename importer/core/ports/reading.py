"""Reading and checking: a source becomes checked rows. Synchronous; may block, off the event loop."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from importer.core.batches import CheckedBatch, DuplicateVerdict, MappedBatch, RawBatch
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
        """Return whether every row observed so far can be mapped already.

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
            SourceError: a column of dates or amounts can be read both ways, and no option says which.
        """
        ...

    def map(self, batch: RawBatch) -> MappedBatch:
        """Turn one batch's columns into fields; errors of rows become issues. Only rows that are settled."""
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
        """This many of them from a place on, as an array of the caller's own."""
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
