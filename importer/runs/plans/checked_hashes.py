"""The hashes of what would be sent of a source, gathered while it is checked: before all invalid rows are known."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from importer.core.batches import CheckedBatch
from importer.core.ports import Numbers
from importer.runs.plans.bodies import NUMBERS, BodyHashes


@dataclass(frozen=True, slots=True)
class CheckedHashes:
    """The hashes of the bodies of a source while it is checked. Their memory does not grow with the rows.

    Args:
        digests: four numbers a row.
        rows: the number of each row, as a person sees it.
    """

    digests: Numbers
    rows: Numbers
    _firsts: list[tuple[int, int]] = field(default_factory=list)
    """The ordinal of the first row of each batch, and how many there are."""

    def observe(self, batch: CheckedBatch) -> None:
        """Keep the hashes of a batch."""
        self._firsts.append((batch.raw.first, len(batch.raw)))
        self.digests.extend(array("Q", batch.digests))
        self.rows.extend(array("Q", batch.raw.rows))

    def judged(self, invalid: Sequence[int]) -> BodyHashes:
        """Put them together.

        Args:
            invalid: ordinals of the rows that are not sent, ascending.
        """
        return BodyHashes.of(
            (self._digests(place, size) for place, size in self._sent(invalid)),
            chain.from_iterable(self.rows.part(place, size) for place, size in self._sent(invalid)),
        )

    def _digests(self, place: int, size: int) -> bytes:
        return self.digests.part(NUMBERS * place, NUMBERS * size).tobytes()

    def _sent(self, invalid: Sequence[int]) -> Iterator[tuple[int, int]]:
        """The places and lengths of stretches of rows that are sent."""
        place = 0
        for first, size in self._firsts:
            left_out = invalid[bisect_left(invalid, first) : bisect_left(invalid, first + size)]
            begin = first
            for ordinal in (*left_out, first + size):
                if ordinal > begin:
                    yield place + begin - first, ordinal - begin
                begin = ordinal + 1
            place += size
