"""The balance proof: counts taken again from the written file, and compared with what the run believes.

Reads the file as any other program would. Never looks at the rows in memory or in the journal:
a proof that shares the maker's data proves nothing.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from importer.errors import BalanceError, StorageError
from importer.records import DRY_RUN_STATES, FINAL_STATES
from importer.results.table import ADDED_COLUMNS

if TYPE_CHECKING:
    from _csv import Reader

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

    Where no quotation mark stands, every line is a row and every comma parts two cells: such a piece is
    counted without taking it to pieces. What holds one goes to the csv module, which also says where a
    cell with line breaks ends.
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
            if '"' in "".join(piece):
                self._count_carefully(csv.reader(chain(piece, stream), strict=True), len(piece))
            else:
                self._count_plain(piece)
        return self._counts

    def _check_header(self, header: list[str]) -> None:
        if len(header) != self._width or header[-len(ADDED_COLUMNS) :] != list(ADDED_COLUMNS):
            msg = f"{self._path} does not have the columns that were written."
            raise BalanceError(msg)

    def _count_plain(self, piece: list[str]) -> None:
        behind = self._width - self._at
        tails = [line.rsplit(",", behind) for line in piece]
        states = [tail[1] for tail in tails if len(tail) == behind + 1]
        even = set(map(str.count, piece, repeat(","))) == {self._width - 1}
        if even and len(states) == len(piece) and _STATES.issuperset(states):
            self._rows += len(piece)
            self._counts.update(states)
        else:
            self._count_carefully(csv.reader(piece, strict=True), len(piece))

    def _count_carefully(self, rows: Reader, lines: int) -> None:
        """Count row by row, as long as the rows begin in the piece."""
        status = itemgetter(self._at)
        while rows.line_num < lines and (row := next(rows, None)) is not None:
            self._rows += 1
            if len(row) != self._width or status(row) not in _STATES:
                msg = f"Data row {self._rows} of {self._path} is damaged."
                raise BalanceError(msg, "Write the results again with: importer export.")
            self._counts[status(row)] += 1


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
