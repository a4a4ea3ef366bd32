"""Rows of one source that are the same customer, or look like it. Forty-four bytes a row, which need not be memory.

Import keys that are equal mean the same customer: an error, unless the profile allows it. Equal email addresses,
phone numbers, or names with birth dates may be chance: a warning that names the other rows.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Literal

from importer.customers.identity import KEY_BYTES, occurrence_key
from importer.customers.rules import ISSUE_CODES
from importer.ports import Numbers
from importer.records import CheckedBatch, DuplicateVerdict, Issue

LIKENESSES: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "email": ("duplicate_email", ("primaryEmail.value", "contacts.primary.primaryEmail.value")),
        "phone": ("duplicate_phone", ("primaryPhoneNumber.number", "contacts.primary.primaryPhoneNumber.number")),
        "name_birth": ("duplicate_name_birth", ("lastName",)),
    }
)
"""Kind of likeness to its issue code and the fields it may stand for."""
NAMED_ROWS = 10
_NO_KEY = "0" * (2 * KEY_BYTES)
FEW_ROWS = 20_000
"""Up to here a dictionary does it; beyond, memory has to stay flat."""


class HeldNumbers:
    """Keeps numbers in memory. Implements `importer.ports.Numbers`."""

    def __init__(self, typecode: str) -> None:
        self._held = array(typecode)

    def extend(self, numbers: array[int]) -> None:
        self._held.extend(numbers)

    def whole(self) -> array[int]:
        return self._held[:]

    def part(self, first: int, size: int) -> array[int]:
        return self._held[first : first + size]

    def __getitem__(self, place: int) -> int:
        return self._held[place]

    def __len__(self) -> int:
        return len(self._held)


class DuplicateJudge:
    """Implements `importer.ports.Duplicates`.

    Args:
        policy: `reject`: no row of a group is sent; `first`: the first one is; `allow`: all are, each with a key of
            its own.
        columns: dotted name to source column, for messages.
        numbers: makes a column of numbers of an `array` type code; what tells who is alike is kept in those.
    """

    def __init__(
        self,
        policy: Literal["reject", "first", "allow"],
        *,
        columns: Mapping[str, str] = MappingProxyType({}),
        numbers: Callable[[str], Numbers] = HeldNumbers,
    ) -> None:
        self._policy = policy
        self._columns = columns
        self._first_halves, self._second_halves = numbers("Q"), numbers("Q")
        """Of the keys; the first half alone tells who may be alike."""
        self._rows = array("I")
        self._prints = {kind: numbers("Q") for kind in LIKENESSES}
        self._stretches: list[tuple[int, int]] = []

    def observe(self, batch: CheckedBatch) -> None:
        """Remember the keys of a batch, and 64 bits of each likeness."""
        self._stretches.append((len(self._rows), batch.raw.first))
        halves = array("Q", bytes.fromhex("".join([key or _NO_KEY for key in batch.keys])))
        self._first_halves.extend(halves[::2])
        self._second_halves.extend(halves[1::2])
        self._rows.extend(batch.raw.rows)
        for kind, numbers in self._prints.items():
            texts = batch.likenesses.get(kind)
            prints = array("q", map(hash, texts)).tobytes() if texts else bytes(8 * len(batch.raw))
            numbers.extend(array("Q", prints))

    def judge(self) -> DuplicateVerdict:
        """Say which rows are duplicates, and what becomes of them."""
        if not self._rows:
            return DuplicateVerdict()
        issues: list[Issue] = []
        rekeyed: dict[int, str] = {}
        groups: list[list[int]] = []
        for group in self._same_keys():
            if self._policy == "allow":
                groups.append(list(map(self._ordinal, group)))
                rekeyed |= {self._ordinal(place): self._own_key(place, n) for n, place in enumerate(group[1:], 2)}
            else:
                issues += self._refusals(group)
        for kind, (code, names) in LIKENESSES.items():
            for group in _groups(self._prints[kind]):
                if not self._one_customer(group):
                    issues += self._warnings(group, code, names)
        return DuplicateVerdict(tuple(sorted(issues, key=attrgetter("ordinal"))), rekeyed, groups)

    def _same_keys(self) -> Iterator[list[int]]:
        """Find groups of equal keys, in row order."""
        for candidates in _groups(self._first_halves):
            alike: dict[bytes, list[int]] = {}
            for place in candidates:
                alike.setdefault(self._key(place), []).append(place)
            yield from (group for group in alike.values() if len(group) > 1)

    def _one_customer(self, group: Sequence[int]) -> bool:
        keys = {self._first_halves[place] for place in group}
        return len(keys) == 1 and 0 not in keys

    def _key(self, place: int) -> bytes:
        return array("Q", [self._first_halves[place], self._second_halves[place]]).tobytes()

    def _own_key(self, place: int, n: int) -> str:
        return occurrence_key(self._key(place).hex(), n)

    def _refusals(self, group: Sequence[int]) -> Iterator[Issue]:
        for place in group if self._policy == "reject" else group[1:]:
            if self._policy == "reject":
                text = f"The same customer stands in {self._others(place, group)} of this file; keep one of them."
            else:
                text = f"The same customer stands in row {self._rows[group[0]]} of this file, which is kept."
            yield self._issue(place, "duplicate_in_file", text, ("externalId",))

    def _warnings(self, group: Sequence[int], code: str, names: Sequence[str]) -> Iterator[Issue]:
        what = ISSUE_CODES[code].message.partition(" in other rows")[0]
        for place in group:
            yield self._issue(place, code, f"{what} in {self._others(place, group)} of this file.", names)

    def _issue(self, place: int, code: str, text: str, names: Sequence[str]) -> Issue:
        name = next((name for name in names if name in self._columns), "")
        severity = ISSUE_CODES[code].severity
        return Issue(self._ordinal(place), code, text, name, self._columns.get(name, ""), severity)

    def _others(self, place: int, group: Sequence[int]) -> str:
        """Name the other rows of a group, the first few of them by number."""
        shown = [str(self._rows[other]) for other in group[: NAMED_ROWS + 1] if other != place][:NAMED_ROWS]
        more = len(group) - 1 - len(shown)
        if more:
            return f"rows {', '.join(shown)} and {more:,} more"
        return f"row {shown[0]}" if len(shown) == 1 else f"rows {', '.join(shown[:-1])} and {shown[-1]}"

    def _ordinal(self, place: int) -> int:
        start, first = self._stretches[bisect_right(self._stretches, place, key=itemgetter(0)) - 1]
        return first + place - start


def _groups(column: Numbers) -> Iterator[list[int]]:
    """Find the places of equal numbers, each group in row order; zeros are no numbers."""
    if len(column) > FEW_ROWS:
        from importer.validation.equal_numbers import groups  # noqa: PLC0415 - numpy takes longer than a small file

        yield from groups(column.whole)
        return
    found: dict[int, list[int]] = {}
    for place, number in enumerate(column.whole()):
        if number:
            found.setdefault(number, []).append(place)
    yield from (places for places in found.values() if len(places) > 1)
