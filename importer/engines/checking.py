"""Mapping and checking batches over all cores. Implements `ports.BatchChecker`; judges nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from importer.core.batches import CheckedBatch, RawBatch
from importer.core.frames import frame_from_bytes, frame_to_bytes
from importer.core.ports import Mapper, Validator
from importer.engines.process_pool import ProcessPool


@dataclass(frozen=True, slots=True)
class Job:
    """A batch to be checked; it goes to another process as an Arrow stream."""

    batch: RawBatch

    def __reduce__(self) -> tuple[Any, ...]:
        batch, frame = self.batch, self.batch.frame
        return _arrived, (batch.first, frame.index.to_numpy(), frame_to_bytes(frame), batch.issues, dict(batch.surplus))


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
    """Checks batches with all hands."""

    mapper: Mapper
    validator: Validator
    pool: ProcessPool

    def check_all(self, batches: Iterable[RawBatch]) -> Iterator[CheckedBatch]:
        for job, checked in self.pool.map(self._jobs(batches)):
            yield replace(checked, raw=job.batch)
        self.pool.close()

    def _jobs(self, batches: Iterable[RawBatch]) -> Iterator[tuple[CheckBatch, Job]]:
        check, settled_on = CheckBatch(self.mapper, self.validator), None
        for batch in batches:
            if self.mapper.settled_on != settled_on:  # what was handed out before does not know it
                check, settled_on = CheckBatch(self.mapper, self.validator), self.mapper.settled_on
            yield check, Job(batch)
