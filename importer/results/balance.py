"""The balance proof: counts taken again from the written file, and compared with what the run believes.

Reads the file as any other program would, stretch by stretch while further ones are written. Never looks at the rows
in memory or in the journal: a proof that shares the maker's data proves nothing.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat, takewhile
from pathlib import Path
from typing import NamedTuple

from importer.core.columns import STATUS_COLUMN
from importer.core.errors import BalanceError, StorageError
from importer.core.states import DRY_RUN_STATES, FINAL_STATES
from importer.results.table import LINE_END, Header

_LONGEST_CELL = 1 << 30
_STATES = frozenset(FINAL_STATES) | frozenset(DRY_RUN_STATES)
_HEADER = 0
_QUOTED_CELL = re.compile(r'"(?:(?<=[,\n]")|(?<=\A"))[^"]*+(?:""[^"]*+)*+"(?=[,\r]|\Z)')


class Stretch(NamedTuple):
    """Whole rows of a file: its bytes from `start` up to `end`. The first one begins with the header."""

    path: Path
    start: int
    end: int


class Tally(NamedTuple):
    """The content of a stretch.

    Args:
        states: state to rows.
        damaged: the first row that is not what was meant to be written, from 1; 0 is the header; None: there is none.
        unreadable: the kind of error that reading met; "": there was none.
    """

    states: Mapping[str, int]
    damaged: int | None = None
    unreadable: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class CountRows:
    """Counts the rows of a stretch, here or in another process; never raises.

    Quoted cells are blanked first: nothing in them is counted. Where a line has no quotation mark then, the line
    is a row and every comma separates two cells: such lines are counted together. Elsewhere the csv
    module reads the row, and finds the line on which it ends.

    Args:
        source_columns: how many columns there are before those that the importer adds.
        added: the names of those.
    """

    source_columns: int
    added: tuple[str, ...]

    def __call__(self, stretch: Stretch) -> Tally:
        """Count a stretch."""
        # The module's limit is global; it is only ever raised, since cells longer than its default are legal here.
        csv.field_size_limit(max(_LONGEST_CELL, csv.field_size_limit()))
        try:
            return self._count(_read(stretch), with_header=stretch.start == 0)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            return Tally({}, unreadable=type(error).__name__)

    def _count(self, lines: list[str], *, with_header: bool) -> Tally:
        if with_header:
            reader = csv.reader(lines, strict=True)
            if not self._is_header(next(reader, [])):
                return Tally({}, damaged=_HEADER)
            del lines[: reader.line_num]
        states = self._states(lines)
        if states is None:
            return Tally({}, damaged=self._first_damaged(lines))
        if lines and not lines[-1].endswith(LINE_END):  # it would be one row with the first of the next stretch
            return Tally({}, damaged=len(states))
        return Tally(Counter(states))

    @property
    def _width(self) -> int:
        return self.source_columns + len(self.added)

    @property
    def _at(self) -> int:
        """The place of the state: found by position, so a source column may have any name."""
        return self.source_columns + self.added.index(STATUS_COLUMN)

    def _is_header(self, row: Sequence[str]) -> bool:
        return len(row) == self._width and tuple(row[-len(self.added) :]) == self.added

    def _states(self, lines: list[str]) -> list[str] | None:
        """Return the state of every row; None where a row is damaged."""
        states, plain, after = [], [], 0
        for place in [place for place, line in enumerate(lines) if '"' in line]:
            if place < after:
                continue  # a further line of the row before
            plain += lines[after:place]
            reader = csv.reader(_from(lines, place), strict=True)
            row = next(reader)
            if len(row) != self._width:
                return None
            states.append(row[self._at])
            after = place + reader.line_num
        plain += lines[after:]
        behind = self._width - self._at
        even = not plain or set(map(str.count, plain, repeat(","))) == {self._width - 1}
        states += [line.rsplit(",", behind)[1] for line in plain] if even else [""]
        return states if _STATES.issuperset(states) else None

    def _first_damaged(self, lines: Sequence[str]) -> int:
        rows = csv.reader(lines, strict=True)
        return 1 + sum(1 for _ in takewhile(lambda row: len(row) == self._width and row[self._at] in _STATES, rows))


def _read(stretch: Stretch) -> list[str]:
    with stretch.path.open("rb") as file:
        file.seek(stretch.start)
        text = file.read(stretch.end - stretch.start).decode("utf-8")
    blanked = _QUOTED_CELL.sub("", text) if '"' in text else text
    return io.StringIO(text if '"' in blanked else blanked, newline="").readlines()


def _from(lines: Sequence[str], place: int) -> Iterator[str]:
    return (lines[at] for at in range(place, len(lines)))


Share = Callable[[Iterable[tuple[CountRows, Stretch]]], Iterable[tuple[Stretch, Tally]]]
"""Does work on items, in order, maybe several at once and elsewhere; takes only a few ahead."""


def _here(jobs: Iterable[tuple[CountRows, Stretch]]) -> Iterator[tuple[Stretch, Tally]]:
    for count, stretch in jobs:
        yield stretch, count(stretch)


class Recount:
    """Counts a `results.csv` while it is written.

    Args:
        header: of the table.
        share: who does the counting.
    """

    def __init__(self, header: Header, share: Share = _here) -> None:
        self._count = CountRows(len(header.source_names), header.added)
        self._share = share
        self._tallies: list[tuple[Stretch, Tally]] = []

    def follow(self, stretches: Iterable[Stretch]) -> None:
        """Count every stretch; the next one is asked for while others are counted."""
        self._tallies = list(self._share((self._count, stretch) for stretch in stretches))

    def counts(self, path: Path) -> dict[str, int]:
        """Add up what was counted.

        Args:
            path: where the file is now.

        Returns:
            `read`, and every state that occurs.

        Raises:
            BalanceError: the header or a row is not what was meant to be written, or the stretches are not all of it.
            StorageError: the file could not be read.
        """
        counts: Counter[str] = Counter()
        for _, tally in self._tallies:
            if tally.unreadable:
                raise _unreadable(path, tally.unreadable)
            if tally.damaged == _HEADER:
                msg = f"{path} does not have the columns that were written."
                raise BalanceError(msg)
            if tally.damaged is not None:
                msg = f"Data row {counts.total() + tally.damaged} of {path} is damaged."
                raise BalanceError(msg, "Export the run: its results are written again.")
            counts.update(tally.states)
        if not self._is_all_of(path):
            msg = f"{path} holds something else than what was counted."
            raise BalanceError(msg, "Export the run: its results are written again.")
        return {"read": counts.total(), **dict(sorted(counts.items()))}

    def _is_all_of(self, path: Path) -> bool:
        try:
            size = path.stat().st_size
        except OSError as error:
            raise _unreadable(path, type(error).__name__) from error
        stretches = [stretch for stretch, _ in self._tallies]
        ends = [0, *(stretch.end for stretch in stretches)]
        return ends == [*(stretch.start for stretch in stretches), size]


def _unreadable(path: Path, kind: str) -> StorageError:
    msg = f"The results cannot be read back from {path} ({kind})."
    return StorageError(msg, "Export the run: they are written again.")


def compare(expected: Mapping[str, int], found: Mapping[str, int]) -> None:
    """Compare the run's counts with the recount; a count that is missing is 0.

    Raises:
        BalanceError: they differ; the message names every difference.
    """
    names = [name for name in {**expected, **found} if expected.get(name, 0) != found.get(name, 0)]
    if names:
        parts = [f"{name}: {expected.get(name, 0):,} expected, {found.get(name, 0):,} found" for name in names]
        msg = f"The balance does not close between the run and results.csv ({'; '.join(parts)})."
        raise BalanceError(msg, "Keep the run directory and report this.")
    total = sum(count for name, count in found.items() if name != "read")
    if total != found.get("read", 0):
        msg = f"The balance does not close: {found.get('read', 0):,} rows read, {total:,} accounted for."
        raise BalanceError(msg, "Keep the run directory and report this.")
