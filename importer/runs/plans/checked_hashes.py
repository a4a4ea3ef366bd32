"""The hashes of what would be sent of a source, gathered while it is checked: before all invalid rows are known."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from importer.core.batches import CheckedBatch
from importer.core.ports import Numbers
from importer.runs.plans.bodies import DIGEST_BYTES, NUMBERS, BodyHashes


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
        return BodyHashes.of(self._digests(invalid), chain.from_iterable(self._rows(invalid)))

    def _digests(self, invalid: Sequence[int]) -> Iterator[bytes]:
        """The digests of rows that are sent, a batch at a time."""
        for place, first, size in self._batches():
            digests = self.digests.part(NUMBERS * place, NUMBERS * size).tobytes()
            sent = _sent(invalid, first, size)
            yield b"".join(digests[DIGEST_BYTES * begin : DIGEST_BYTES * end] for begin, end in sent)

    def _rows(self, invalid: Sequence[int]) -> Iterator[array[int]]:
        """The numbers of these rows, a stretch at a time."""
        for place, first, size in self._batches():
            rows = self.rows.part(place, size)
            yield from (rows[begin:end] for begin, end in _sent(invalid, first, size))

    def _batches(self) -> Iterator[tuple[int, int, int]]:
        """The place of each batch here, the ordinal of its first row, and how many there are."""
        place = 0
        for first, size in self._firsts:
            yield place, first, size
            place += size


def _sent(invalid: Sequence[int], first: int, size: int) -> Iterator[tuple[int, int]]:
    """Where stretches of rows that are sent begin and end in a batch."""
    begin = 0
    for ordinal in invalid[bisect_left(invalid, first) : bisect_left(invalid, first + size)]:
        yield begin, ordinal - first
        begin = ordinal - first + 1
    yield begin, size
