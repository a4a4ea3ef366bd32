"""Batches are mapped and checked by a pool: in this process, in others beside it, or on other machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from importer.core.batches import CheckedBatch, RawBatch
from importer.core.events import Event
from importer.core.frames import frame_from_bytes, frame_to_bytes
from importer.core.ports import Events, Mapper, Validator

T = TypeVar("T")
U = TypeVar("U")


class Pool(Protocol):
    """Does work on items, in any place, and gives results back in order (`ProcessPool`, `DaskPool`)."""

    def map(self, jobs: Iterable[tuple[Callable[[T], U], T]]) -> Iterator[tuple[T, U]]:
        """Yield every item with its result, in order; takes only a few jobs ahead of what it has yielded."""
        ...

    @property
    def kind(self) -> str:
        """What it is called in logs."""
        ...

    @property
    def workers(self) -> int:
        """How many other processes there are at the moment."""
        ...

    def close(self) -> None:
        """End what is needed for no other item; harmless when done twice."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """A batch to be checked; it goes to another process as an Arrow stream."""

    batch: RawBatch

    def __reduce__(self) -> tuple[Any, ...]:
        batch = self.batch
        numbers, cells = batch.frame.index.to_numpy(), batch.packed(frame_to_bytes)
        return _arrived, (batch.first, numbers, cells, batch.issues, dict(batch.surplus))


def _arrived(first: int, rows: Sequence[int], cells: bytes, *rest: Any) -> Job:
    return Job(RawBatch(first, frame_from_bytes(cells, rows), *rest))


@dataclass(frozen=True, slots=True, eq=False)
class CheckBatch:
    """Maps and checks one batch, here or in another process; the result does not hold the batch itself.

    Args:
        mapper: as it was settled when this was made.
    """

    mapper: Mapper
    validator: Validator

    def __call__(self, job: Job) -> CheckedBatch:
        """Check a batch."""
        batch = job.batch
        checked = self.validator.check(self.mapper.map(batch))
        return replace(checked, raw=RawBatch(batch.first, batch.frame.iloc[:0, :0]))


@dataclass(frozen=True, slots=True)
class SharedChecker:
    """Maps and checks batches in all processes of a pool. Implements `ports.BatchChecker`."""

    mapper: Mapper
    validator: Validator
    pool: Pool
    emit: Events

    def check_all(self, batches: Iterable[RawBatch]) -> Iterator[CheckedBatch]:
        workers = 0
        for job, checked in self.pool.map(self._jobs(batches)):
            if self.pool.workers != workers:
                workers = self.pool.workers
                self.emit(Event("engine_changed", {"kind": self.pool.kind, "workers": workers}))
            yield replace(checked, raw=job.batch)
        self.pool.close()

    def _jobs(self, batches: Iterable[RawBatch]) -> Iterator[tuple[CheckBatch, Job]]:
        check, settled_on = CheckBatch(self.mapper, self.validator), None
        for batch in batches:
            if self.mapper.settled_on != settled_on:  # jobs that were handed out before do not know it
                check, settled_on = CheckBatch(self.mapper, self.validator), self.mapper.settled_on
            yield check, Job(batch)
