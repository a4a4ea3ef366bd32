"""Hashes over what would be sent: of each body, of all of them in their order, and of stretches of them. Keeps no body.

The root shows whether anything differs; the sums, in which the order does not count, show people where.
"""

from __future__ import annotations

import re
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import chain, groupby, islice
from typing import Self

from pydantic_core import to_json

from importer.core.batches import CheckedBatch, MappedBatch
from importer.core.labels import counted
from importer.core.ports import Numbers, Validator
from importer.core.states import RowState
from importer.journal import Journal
from importer.runs.plans.plan_file import PlanPart, Sha256

DIGEST_BYTES = 32
_NUMBERS = 4
"""64-bit numbers of a digest; the first of them is what is added up."""
_NONE = bytes(DIGEST_BYTES)
_MOST_CHUNKS = 1_024
_AT_ONCE = 8_192
_SUM = 1 << 64
_SHOWN = 3
"""Stretches that a sentence names."""
_SENT = frozenset(RowState) - {RowState.INVALID}


def digest_of(body: bytes, after: bytes | None, key: str, stamp: str) -> bytes:
    """Hash what one row sends: its body without the import key, which another workspace would make otherwise.

    Args:
        after: what steps after the create send; None or empty: nothing.
        key: its import key; empty: it is whatever the body carries.
        stamp: the name that the body carries the key under; empty: it carries none.

    Returns:
        32 bytes.
    """
    return _digest(body, after, key, *_marks(stamp))


def _marks(stamp: str) -> tuple[bytes, bytes]:
    """What is before an import key in a body, and the whole pair without it."""
    name = to_json(stamp) + b':"' if stamp else b""
    return name, name + b'"'


def _digest(body: bytes, after: bytes | None, key: str | None, name: bytes, blank: bytes) -> bytes:
    if name and key:
        body = body.replace(b'%b%b"' % (name, key.encode()), blank)
    elif name and name in body:  # a row that was refused after its body was written has lost its key
        body = re.sub(re.escape(name) + rb'[0-9a-f]{32}"', lambda _: blank, body)
    return sha256(b"%b\n%b" % (body, after) if after else body).digest()


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
    return numbers[::_NUMBERS]


def _written(total: int) -> str:
    return f"{total % _SUM:016x}"


def _in_words(stretches: Sequence[tuple[int, int]]) -> str:
    """Name rows: `row 5`, `rows 7 to 8, 12 to 20 and others`."""
    shown = [f"{first:,}" if first == last else f"{first:,} to {last:,}" for first, last in stretches[:_SHOWN]]
    others = " and others" if len(stretches) > _SHOWN else ""
    one = len(stretches) == 1 and stretches[0][0] == stretches[0][1]
    return f"{'row' if one else 'rows'} {', '.join(shown)}{others}" if shown else ""


# --------------------------------------------------------------------------- while a source is checked


@dataclass(frozen=True, slots=True)
class HashingValidator:
    """Checks rows as another validator does, and hashes their bodies beside. Implements `ports.Validator`.

    Args:
        stamp: the name that bodies carry their import key under; empty: they carry none.
        keeps_bodies: whether anybody wants the bodies themselves.
    """

    validator: Validator
    stamp: str
    keeps_bodies: bool

    def check(self, batch: MappedBatch) -> CheckedBatch:
        checked = self.validator.check(batch)
        bodies = checked.payloads
        digests = b"".join(self._with_after(checked) if checked.after else self._alone(checked))
        if self.keeps_bodies:
            return replace(checked, digests=digests)
        nobody = [None if body is None else b"" for body in bodies]
        return replace(checked, digests=digests, payloads=nobody, after=())

    def _with_after(self, checked: CheckedBatch) -> list[bytes]:
        name, blank = _marks(self.stamp)
        sent = zip(checked.payloads, checked.after, checked.keys, strict=True)
        return [_NONE if body is None else _digest(body, after, key, name, blank) for body, after, key in sent]

    def _alone(self, checked: CheckedBatch) -> list[bytes]:
        """The same without a call for each row: nearly all sources have nothing for after the create."""
        if not self.stamp:
            return [_NONE if body is None else sha256(body).digest() for body in checked.payloads]
        name, blank = _marks(self.stamp)
        marks = [b'%b%b"' % (name, key.encode()) if key else blank for key in checked.keys]
        sent = zip(checked.payloads, marks, strict=True)
        return [_NONE if body is None else sha256(body.replace(mark, blank, 1)).digest() for body, mark in sent]


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
        return self.digests.part(_NUMBERS * place, _NUMBERS * size).tobytes()

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


# --------------------------------------------------------------------------- of bodies that are stored


def digests_in(journal: Journal, run: int, stamp: str) -> Iterator[bytes]:
    """Hash the bodies that a journal holds for a run, in their order; those of invalid rows are left out.

    Args:
        stamp: as of `digest_of`.
    """
    return (digest for _, digest in _stored(journal, run, stamp))


def hashes_in(journal: Journal, run: int, stamp: str) -> BodyHashes:
    """Put the same together; the bodies are read twice."""
    return BodyHashes.of(digests_in(journal, run, stamp), (row for row, _ in _stored(journal, run, "")))


def _stored(journal: Journal, run: int, stamp: str) -> Iterator[tuple[int, bytes]]:
    for bodies in journal.steps(run).bodies(_SENT):
        yield from ((one.row, digest_of(one.payload, one.after, one.key, stamp)) for one in bodies)
