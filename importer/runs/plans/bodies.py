"""Hashes over what would be sent: of each body, of all of them in their order, and of stretches of them. Keeps no body.

The root shows whether anything differs; the sums, in which the order does not count, show people where.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, groupby, islice
from typing import Any, Self

from importer.core.batches import digest_of
from importer.core.contract import Bodies, contract_of
from importer.core.labels import counted
from importer.core.record_json import record_json
from importer.core.states import RowState
from importer.journal import BodyOfRow, Journal
from importer.profile import kind_in
from importer.runs.plans.plan_file import PlanPart, Sha256

DIGEST_BYTES = 32
NUMBERS = 4
"""64-bit numbers of a digest; the first of them is what is added up."""
_MOST_CHUNKS = 1_024
_AT_ONCE = 8_192
_SUM = 1 << 64
_SHOWN = 3
"""Stretches that a sentence names."""
_SENT = frozenset(RowState) - {RowState.INVALID}


class BodyHashes(PlanPart):
    """Hashes over all bodies that are sent, in their order.

    Args:
        root: SHA-256 over the SHA-256 of each.
        count: of bodies.
        chunk: bodies of one stretch, a power of two.
        chunks: the sum of each stretch, in which the order does not count.
        rows: the number of the first row of each stretch, as a person sees it; in the end that of the last row of all.
        sum: of all.
    """

    root: Sha256
    count: int
    chunk: int
    chunks: tuple[str, ...]
    rows: tuple[int, ...]
    sum: str

    @classmethod
    def of(cls, digests: Iterable[bytes], rows: Iterable[int] | None = None) -> Self:
        """Put them together.

        Args:
            digests: one or more of them at a time.
            rows: the number of each row; None: they are counted from 1.
        """
        root, sums = sha256(), _Sums()
        numbers = iter(range(1, sys.maxsize) if rows is None else rows)
        for block in _blocks(digests):
            root.update(block)
            size = len(block) // DIGEST_BYTES
            sums.add(_firsts(block), list(islice(numbers, size)))
        return cls(
            root=root.hexdigest(),
            count=sums.count,
            chunk=sums.chunk,
            chunks=tuple(map(_written, sums.sums)),
            rows=tuple(sums.rows) + ((sums.last,) if sums.count else ()),
            sum=_written(sum(sums.sums)),
        )

    def differences(self, other: BodyHashes) -> list[str]:
        """Say what is otherwise in others, in parts of a sentence; empty: they are the same.

        Args:
            other: what would be sent now.
        """
        if self.root == other.root:  # a count that is not that of the bodies was put there by hand
            return [] if self.count == other.count else [f"the number of bodies ({self.count:,} or {other.count:,})"]
        where, more = _in_words(list(self._stretches(other))), other.count - self.count
        if not more and self.sum == other.sum:
            return [f"the order of the rows{f' ({where})' if where else ''}"]
        count = [f"{counted(abs(more), 'row')} {'more' if more > 0 else 'fewer'}"] if more else []
        return [*count, *([where] if where else [])]

    def _stretches(self, other: BodyHashes) -> Iterator[tuple[int, int]]:
        """The first and the last row of each stretch of these rows that differs; those that adjoin are one."""
        mine, theirs = self._sums(max(self.chunk, other.chunk)), other._sums(max(self.chunk, other.chunk))
        rows = (*self.rows[: -1 : max(1, other.chunk // self.chunk)], *(one + 1 for one in self.rows[-1:]))
        differing = [place for place, one in enumerate(mine) if place >= len(theirs) or theirs[place] != one]
        for _, places in groupby(enumerate(differing), lambda one: one[1] - one[0]):
            stretch = [place for _, place in places]
            yield rows[stretch[0]], rows[stretch[-1] + 1] - 1

    def _sums(self, chunk: int) -> list[int]:
        """The sums of longer stretches."""
        size, sums = chunk // self.chunk, [int(one, 16) for one in self.chunks]
        return [sum(sums[at : at + size]) % _SUM for at in range(0, len(sums), size)]


class _Sums:
    """Sums of stretches, which get longer as there are more of them."""

    def __init__(self) -> None:
        self.count = 0
        self.chunk = 1
        self.sums: list[int] = []
        self.rows: list[int] = []
        self.last = 0

    def add(self, numbers: array[int], rows: Sequence[int]) -> None:
        """Add one number of each body, and its row."""
        begun = min(-self.count % self.chunk, len(numbers))
        if begun:
            self.sums[-1] += sum(numbers[:begun])
        for at in range(begun, len(numbers), self.chunk):
            self.sums.append(sum(numbers[at : at + self.chunk]))
            self.rows.append(rows[at])
        self.count += len(numbers)
        self.last = rows[-1]
        while len(self.sums) > _MOST_CHUNKS:
            self.chunk *= 2
            self.sums = [sum(self.sums[at : at + 2]) for at in range(0, len(self.sums), 2)]
            self.rows = self.rows[::2]


def _blocks(digests: Iterable[bytes]) -> Iterator[bytes]:
    """Digests in larger pieces, none of them empty."""
    block = bytearray()
    for digest in digests:
        block += digest
        if len(block) >= _AT_ONCE * DIGEST_BYTES:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


def _firsts(digests: bytes) -> array[int]:
    """A number of each digest, the same on every machine."""
    numbers = array("Q", digests)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers[::NUMBERS]


def _written(total: int) -> str:
    return f"{total % _SUM:016x}"


def _in_words(stretches: Sequence[tuple[int, int]]) -> str:
    """Name rows: `row 5`, `rows 7 to 8, 12 to 20 and others`."""
    shown = [f"{first:,}" if first == last else f"{first:,} to {last:,}" for first, last in stretches[:_SHOWN]]
    others = " and others" if len(stretches) > _SHOWN else ""
    one = len(stretches) == 1 and stretches[0][0] == stretches[0][1]
    return f"{'row' if one else 'rows'} {', '.join(shown)}{others}" if shown else ""


# --------------------------------------------------------------------------- of bodies that are stored


@dataclass(frozen=True, slots=True)
class Stamp:
    """How the bodies of a journal carry their import keys.

    Args:
        bodies: writes them.
        name: the name that they are under; empty: no body carries one.
    """

    bodies: Bodies
    name: str

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Take it from a profile, as a run keeps it.

        Raises:
            ProfileError: this program lacks its kind of target.
        """
        return cls(contract_of(kind_in(settings)).bodies, settings["delivery"]["import_key_metadata"])

    def without_key(self, body: bytes) -> bytes:
        """Leave an import key out of a body, since another workspace would make another one."""
        if not (self.name and body):
            return body
        record = json.loads(body)
        self.bodies.unstamp(record, self.name)
        return record_json(record)


def stored_digest(payload: bytes, after: bytes | None, stamp: Stamp) -> bytes:
    """Hash what is sent of a row as it is hashed while it is checked (`CheckedBatch.digests`)."""
    return digest_of(stamp.without_key(payload), after)


def digests_in(journal: Journal, run: int, stamp: Stamp) -> Iterator[bytes]:
    """Hash the bodies that a journal holds for a run, in their order; those of invalid rows are left out."""
    return (stored_digest(one.payload, one.after, stamp) for one in _stored(journal, run))


def hashes_in(journal: Journal, run: int, stamp: Stamp) -> BodyHashes:
    """Put the same together; the bodies are read twice."""
    return BodyHashes.of(digests_in(journal, run, stamp), (one.row for one in _stored(journal, run)))


def _stored(journal: Journal, run: int) -> Iterator[BodyOfRow]:
    return chain.from_iterable(journal.steps(run).bodies(_SENT))
