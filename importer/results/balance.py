"""The balance proof: counts taken again from the written file, and compared with what the run believes.

Reads the file as any other program would. Never looks at the rows in memory or in the journal:
a proof that shares the maker's data proves nothing.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, count, repeat, takewhile
from pathlib import Path
from typing import TextIO

from importer.errors import BalanceError, StorageError
from importer.records import DRY_RUN_STATES, FINAL_STATES
from importer.results.table import ADDED_COLUMNS

_LONGEST_CELL = 1 << 30
_PIECE_CHARS = 1 << 20
_STATES = frozenset(FINAL_STATES) | frozenset(DRY_RUN_STATES)


def recount(path: Path, columns: Sequence[str]) -> dict[str, int]:
    """Count the data rows of a written `results.csv`, in all and per state.

    Columns are found by position, so a source column may bear any name.

    Args:
        path: the file.
        columns: the source's columns, as the table was written with them.

    Returns:
        `read`, and every state that occurs.

    Raises:
        BalanceError: the header or a row is not what was meant to be written.
        StorageError: the file cannot be read.
    """
    # The module's limit is global; it is only ever raised, since cells longer than its default are legal here.
    csv.field_size_limit(max(_LONGEST_CELL, csv.field_size_limit()))
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            counts = _Recount(path, len(columns)).count(stream)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"The results cannot be read back from {path} ({type(error).__name__})."
        raise StorageError(msg, "Write them again with: importer export.") from error
    return {"read": counts.total(), **dict(sorted(counts.items()))}


class _Recount:
    """Counts one file, a piece of whole lines at a time.

    Where no quotation mark stands in a line, the line is a row and every comma parts two cells: such lines
    are counted together. Where one stands, the csv module reads the row, which also says on which line it ends.
    """

    def __init__(self, path: Path, width: int) -> None:
        self._path = path
        self._width = width + len(ADDED_COLUMNS)
        self._at = width + ADDED_COLUMNS.index("_status")
        self._rows = 0
        self._counts: Counter[str] = Counter()

    def count(self, stream: TextIO) -> Counter[str]:
        self._check_header(next(csv.reader(stream, strict=True), []))
        while piece := stream.readlines(_PIECE_CHARS):
            quoted = [at for at, line in enumerate(piece) if '"' in line]
            states = self._states(piece, quoted, stream)
            if states is None:
                raise self._damage(csv.reader(chain(piece, stream), strict=True))
            self._rows += len(states)
            self._counts.update(states)
        return self._counts

    def _check_header(self, header: list[str]) -> None:
        if len(header) != self._width or header[-len(ADDED_COLUMNS) :] != list(ADDED_COLUMNS):
            msg = f"{self._path} does not have the columns that were written."
            raise BalanceError(msg)

    def _states(self, piece: list[str], quoted: Sequence[int], stream: TextIO) -> list[str] | None:
        """Return the state of every row of a piece; None where a row is damaged."""
        states, plain, after = [], [], 0
        for at in quoted:
            if at < after:
                continue  # a further line of the row before
            plain += piece[after:at]
            reader = csv.reader(_lines_from(piece, at, stream), strict=True)
            row = next(reader)
            if len(row) != self._width:
                return None
            states.append(row[self._at])
            after = at + reader.line_num
        plain += piece[after:]
        behind = self._width - self._at
        even = not plain or set(map(str.count, plain, repeat(","))) == {self._width - 1}
        states += [line.rsplit(",", behind)[1] for line in plain] if even else [""]
        return states if _STATES.issuperset(states) else None

    def _damage(self, rows: Iterator[list[str]]) -> BalanceError:
        """Find the first damaged row of a piece."""
        good = takewhile(lambda row: len(row) == self._width and row[self._at] in _STATES, rows)
        number = self._rows + sum(1 for _ in good) + 1
        msg = f"Data row {number} of {self._path} is damaged."
        return BalanceError(msg, "Write the results again with: importer export.")


def _lines_from(piece: list[str], at: int, stream: TextIO) -> Iterator[str]:
    """Yield lines of a piece from one on, and then further ones, which become part of the piece."""
    for place in count(at):
        if place == len(piece):
            line = stream.readline()
            if not line:
                return
            piece.append(line)
        yield piece[place]


def compare(expected: Mapping[str, int], found: Mapping[str, int]) -> None:
    """Compare the run's counts with the recount; a count that is missing is nought.

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
