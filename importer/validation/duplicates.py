"""Rows of one source that are the same customer, or look like it, or are one business with several contacts.

At most fifty-two bytes a row, which need not be memory; sixteen more, and eight of memory, where rows are grouped.
Import keys that are equal mean the same customer: an error, unless the profile allows it. Equal email addresses,
phone numbers, or names with birth dates may be chance: a warning that names the other rows.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from operator import itemgetter
from types import MappingProxyType
from typing import Literal

from importer.core.batches import CheckedBatch, DuplicateVerdict
from importer.core.contract import Contract, Likeness
from importer.core.contract.keyed_hashes import KEY_BYTES, occurrence_key
from importer.core.issues import IssueCollector, IssueKind
from importer.core.ports import Numbers

NAMED_ROWS = 10
_Found = tuple[int, IssueKind]
_NO_GROUP = bytes(16)
_NO_KEY = "0" * (2 * KEY_BYTES)
FEW_ROWS = 20_000
"""Up to here a dictionary does it; beyond, memory has to stay flat."""


class HeldNumbers:
    """Keeps numbers in memory. Implements `importer.core.ports.Numbers`."""

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
    """Implements `importer.core.ports.Duplicates`.

    Args:
        contract: what the records are.
        policy: `reject`: no row of a group is sent; `first`: the first one is; `allow`: all are, each with a key of
            its own.
        columns: dotted name to source column, for messages.
        numbers: makes a column of numbers of an `array` type code; what shows who is alike is kept in those.
    """

    def __init__(
        self,
        contract: Contract,
        policy: Literal["reject", "first", "allow"],
        *,
        columns: Mapping[str, str] = MappingProxyType({}),
        numbers: Callable[[str], Numbers] = HeldNumbers,
    ) -> None:
        self._contract, self._policy = contract, policy
        alike = contract.identity.likenesses
        self._likenesses: Mapping[str, Likeness] = {kind: one for kind, one in alike.items() if one.code}
        self._columns = columns
        self._first_halves, self._second_halves = numbers("Q"), numbers("Q")
        """Of the keys; the first half alone shows who may be alike."""
        self._rows = array("I")
        self._prints = {kind: numbers("Q") for kind in self._likenesses}
        self._seen: set[str] = set()
        """Kinds of likeness that a row had."""
        self._stretches: list[tuple[int, int]] = []
        self._groups = (numbers("Q"), numbers("Q"))
        """Both halves of a hash of the group of every row; zeros for a row of its own."""
        self._mains: set[int] = set()
        self._leaders: array[int] = array("q")
        """For every place the place of the row that speaks for its group, -1 for a row of its own; empty: none is."""

    def observe(self, batch: CheckedBatch) -> None:
        """Remember the keys of a batch, and each likeness."""
        self._stretches.append((len(self._rows), batch.raw.first))
        halves = array("Q", bytes.fromhex("".join([key or _NO_KEY for key in batch.keys])))
        self._first_halves.extend(halves[::2])
        self._second_halves.extend(halves[1::2])
        self._rows.extend(batch.raw.rows)
        for kind in self._prints:
            self._note(kind, batch.likenesses.get(kind), len(batch.raw))
        if batch.groups:
            halves = array("Q", b"".join(map(_group_hash, batch.groups)))
            self._groups[0].extend(halves[::2])
            self._groups[1].extend(halves[1::2])
            self._mains.update(batch.mains)

    def _note(self, kind: str, numbers: array[int] | None, size: int) -> None:
        """Keep what each row of a batch has of a kind of likeness; of kinds that no row has had yet, nothing."""
        if not numbers and kind not in self._seen:
            return
        if kind not in self._seen:
            self._seen.add(kind)
            self._prints[kind].extend(array("Q", bytes(8 * (len(self._rows) - size))))
        self._prints[kind].extend(array("Q", numbers.tobytes() if numbers else bytes(8 * size)))

    def judge(self) -> DuplicateVerdict:
        """Say which rows are duplicates, and what becomes of them."""
        if not self._rows:
            return DuplicateVerdict()
        issues = IssueCollector()
        _take(issues, self._lead())
        rekeyed: dict[int, str] = {}
        groups: list[list[int]] = []
        for group in self._same_keys():
            if self._policy == "allow":
                groups.append([self._ordinal(place) for place in dict.fromkeys(map(self._customer, group))])
                rekeyed |= self._own_keys(group)
            else:
                _take(issues, self._refusals(group))
        for kind, one in self._likenesses.items():
            alike = _groups(self._prints[kind]) if kind in self._seen else ()
            for group in alike:
                if not self._one_customer(group):
                    _take(issues, self._warnings(group, one))
        return DuplicateVerdict(issues.log(), rekeyed, groups, self._leading_ordinals())

    # ------------------------------------------------------------------ rows that are one business

    def _lead(self) -> Iterator[_Found]:
        """Choose the row that speaks for each group: the marked one, or the first; say which groups cannot be."""
        groups = self._contract.identity.groups
        if groups is None or not len(self._groups[0]):
            return
        self._leaders = array("q", [-1]) * len(self._rows)
        for group in self._of_one_business():
            marked = [place for place in group if self._ordinal(place) in self._mains]
            leader = marked[0] if marked else group[0]
            for place in group:
                self._leaders[place] = leader
            if len(marked) > 1:
                text = "The main contact is marked here and in {others} of the same business; mark one of them."
                yield from self._unfit(marked, groups.several_mains, text, groups.name_field)
            if len(group) > groups.most:
                text = f"This row and {{others}} are one business by group_by; {groups.most} contacts are the most."
                yield from self._unfit(group, "group_too_large", text, groups.name_field)

    def _of_one_business(self) -> Iterator[list[int]]:
        halves, others = self._groups
        for candidates in _groups(halves):
            exact: dict[int, list[int]] = {}
            for place in candidates:
                exact.setdefault(others[place], []).append(place)
            yield from (group for group in exact.values() if len(group) > 1)

    def _unfit(self, group: Sequence[int], code: str, text: str, name: str) -> Iterator[_Found]:
        for place in group:
            yield self._issue(place, code, text.format(others=self._others(place, group)), (name,))

    def _leading_ordinals(self) -> Sequence[int]:
        if not self._leaders:
            return ()
        found = array("q", [-1]) * (self._ordinal(len(self._rows) - 1) + 1)
        for place, leader in enumerate(self._leaders):
            if leader >= 0:
                found[self._ordinal(place)] = self._ordinal(leader)
        return found

    def _customer(self, place: int) -> int:
        """The row that speaks for the customer of a row: its own, or its group's."""
        leader = self._leaders[place] if self._leaders else -1
        return place if leader < 0 else leader

    # ------------------------------------------------------------------ rows that are alike

    def _same_keys(self) -> Iterator[list[int]]:
        """Find groups of equal keys, in row order."""
        for candidates in _groups(self._first_halves):
            alike: dict[bytes, list[int]] = {}
            for place in candidates:
                alike.setdefault(self._key(place), []).append(place)
            yield from (group for group in alike.values() if len(set(map(self._customer, group))) > 1)

    def _one_customer(self, group: Sequence[int]) -> bool:
        if len(set(map(self._customer, group))) == 1:
            return True
        keys = {self._first_halves[place] for place in group}
        return len(keys) == 1 and 0 not in keys

    def _key(self, place: int) -> bytes:
        return array("Q", [self._first_halves[place], self._second_halves[place]]).tobytes()

    def _own_keys(self, group: Sequence[int]) -> dict[int, str]:
        """Give every customer of a group but the first a key of its own; the rows of one customer share it."""
        customers = dict.fromkeys(map(self._customer, group))
        number = {customer: n for n, customer in enumerate(customers, 1)}
        numbered = [(place, number[self._customer(place)]) for place in group]
        return {self._ordinal(place): occurrence_key(self._key(place).hex(), n) for place, n in numbered if n > 1}

    def _refusals(self, group: Sequence[int]) -> Iterator[_Found]:
        kept = self._customer(group[0]) if self._policy == "first" else -1
        for place in [place for place in group if self._customer(place) != kept]:
            if self._policy == "reject":
                text = f"This customer also appears in {self._others(place, group)} of this file; keep one of them."
            else:
                text = f"This customer also appears in row {self._rows[group[0]]} of this file, which is kept."
            yield self._issue(place, "duplicate_in_file", text, (self._contract.identity.reference_field,))

    def _warnings(self, group: Sequence[int], alike: Likeness) -> Iterator[_Found]:
        what = self._contract.codes[alike.code].message.partition(" in other rows")[0]
        for place in group:
            text = f"{what} in {self._others(place, group)} of this file."
            yield self._issue(place, alike.code, text, alike.fields)

    def _issue(self, place: int, code: str, text: str, names: Sequence[str]) -> _Found:
        name = next((name for name in names if name in self._columns), "")
        severity = self._contract.codes[code].severity
        return self._ordinal(place), IssueKind(code, text, name, self._columns.get(name, ""), severity)

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


def _take(issues: IssueCollector, found: Iterator[_Found]) -> None:
    """Take the issues of one group: their texts name its rows, so no others are like them."""
    for ordinal, kind in found:
        issues.add(ordinal, kind)
    issues.forget_kinds()


def _group_hash(group: str) -> bytes:
    return blake2b(group.encode(), digest_size=16).digest() if group else _NO_GROUP


def _groups(column: Numbers) -> Iterator[list[int]]:
    """Find the places of equal numbers, each group in row order; zeros are not numbers."""
    if len(column) > FEW_ROWS:
        from importer.validation.equal_numbers import groups  # noqa: PLC0415 - numpy takes longer than a small file

        yield from groups(column.whole)
        return
    found: dict[int, list[int]] = {}
    for place, number in enumerate(column.whole()):
        if number:
            found.setdefault(number, []).append(place)
    yield from (places for places in found.values() if len(places) > 1)
