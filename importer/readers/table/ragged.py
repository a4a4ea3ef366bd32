"""Records of the wrong width become rows of the right one, each with the issue that says so. Pure.

A short record is an error, since any of its cells may be the one that is missing. It is a warning only
where the program that wrote the file has the habit of leaving out blank cells at the end. A long one
is an error likewise, unless a habit of delimiters too many at the end explains it. In a workbook
nothing is ever short, since every cell knows its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from importer.readers.table.blocks import Block, Mark
from importer.readers.table.columns import Columns
from importer.readers.table.shapes import Shapes
from importer.records import Severity

_OUTSIDE = Mark(
    "cell_outside_table",
    "The row has a cell beyond the last column of the header, which was left out.",
    severity=Severity.WARNING,
)
_SAID_ENOUGH = frozenset({"quotes_broken", "row_torn"})
_FEWEST = 5
"""Short or long records among the first ones from which on they are a habit, not an accident."""


class Ragged:
    """Brings the records of a block to the width of the header.

    Args:
        columns: the header's columns.
        sample: data records from the beginning of the source.
        grid: whether the source is a grid, in which blank cells at a record's end need not be written.
    """

    def __init__(self, columns: Columns, sample: Sequence[Sequence[str]], *, grid: bool) -> None:
        self._width = columns.width
        self._grid = grid
        fewest = max(_FEWEST, len(sample) / 10)
        long = [row for row in sample if len(row) > columns.width]
        self._trailing = len(long) >= fewest and sum(_beyond(row, self._width) for row in long) <= 0.1 * len(long)
        self._shapes = Shapes([row[: self._width] for row in sample if self._is_complete(row)])
        short = [row for row in sample if 1 < len(row) < columns.width]
        fitting = sum(map(self._shapes.fit, short))
        self._habit = len(short) >= fewest and fitting >= 0.9 * len(short)

    def mend(self, block: Block) -> Block:
        """Return the same records column by column; those that had to be padded or cut are marked."""
        if block.columns is not None and len(block.columns) == self._width:
            return block
        rows = block.as_rows()
        if self._grid:
            return self._mend_grid(block, rows)
        if set(map(len, rows)) == {self._width}:
            return Block(block.numbers, None, list(zip(*rows, strict=True)), block.marks, text=block.text)
        return self._mend_rows(block, rows)

    def _mend_grid(self, block: Block, rows: Sequence[Sequence[str]]) -> Block:
        marks = {i: list(found) for i, found in block.marks.items()}
        columns: list[Sequence[str]] = list(zip_longest(*rows, fillvalue=""))
        if len(columns) > self._width:
            for i, row in enumerate(rows):
                if _beyond(row, self._width):
                    marks.setdefault(i, []).append(_OUTSIDE)
        columns = columns[: self._width] + [("",) * len(rows)] * (self._width - len(columns))
        return Block(block.numbers, None, columns, marks, block.text)

    def _mend_rows(self, block: Block, rows: Sequence[Sequence[str]]) -> Block:
        marks = {i: list(found) for i, found in block.marks.items()}
        torn = self._torn(rows)
        for i, row in enumerate(rows):
            mark = self._mark(row, torn=i in torn, cut=block.unterminated and i == len(rows) - 1)
            if mark and not any(found.code in _SAID_ENOUGH for found in marks.get(i, ())):
                marks.setdefault(i, []).append(mark)
        mended = [self._fit(row) for row in rows]
        columns = list(zip(*mended, strict=True)) if mended else [()] * self._width
        return Block(block.numbers, None, columns, marks, text=block.text)

    def _fit(self, row: Sequence[str]) -> Sequence[str]:
        if len(row) == self._width:
            return row
        return [*row[: self._width], *[""] * (self._width - len(row))]

    def _mark(self, row: Sequence[str], *, torn: bool, cut: bool) -> Mark | None:
        if len(row) < self._width and any(map(str.strip, row)):
            return self._short(row, torn=torn, cut=cut)
        if len(row) > self._width and not self._only_trailing(row):
            return self._long(row)
        return None

    def _is_complete(self, row: Sequence[str]) -> bool:
        return len(row) == self._width or (self._trailing and len(row) > self._width)

    def _only_trailing(self, row: Sequence[str]) -> bool:
        """Whether a long record has nothing but delimiters too many at its end, as others have."""
        return self._trailing and not _beyond(row, self._width) and self._shapes.fit(row[: self._width])

    def _short(self, row: Sequence[str], *, torn: bool, cut: bool) -> Mark:
        seen = f"The row has {len(row)} cells, the header has {self._width}"
        if cut:
            return Mark("row_cut_off", f"{seen}, and the file ends in it: it was cut off. Export it again.")
        if torn:
            return Mark("row_torn", f"{seen}: a line break in a cell tore it apart. Put that cell in quotation marks.")
        if self._habit and len(row) > 1 and self._shapes.fit(row):
            return Mark("row_too_short", f"{seen}: the last ones are taken as blank.", severity=Severity.WARNING)
        return Mark("row_too_short", f"{seen}: a delimiter is missing. Add it where the blank cell belongs.")

    def _long(self, row: Sequence[str]) -> Mark:
        return Mark(
            "row_too_long",
            f"The row has {len(row)} cells, the header has {self._width}: put a cell that holds the delimiter "
            "in quotation marks.",
        )

    def _torn(self, rows: Sequence[Sequence[str]]) -> set[int]:
        """Find neighbours that make one whole record when joined at a line break inside a cell."""
        torn: set[int] = set()
        run: list[int] = []
        for i, row in enumerate(rows):
            if not row or len(row) >= self._width:
                run = run if not row else []
                continue
            run.append(i)
            torn.update(self._whole(rows, run))
        return torn

    def _whole(self, rows: Sequence[Sequence[str]], run: Sequence[int]) -> Sequence[int]:
        joined = 1
        for back in range(len(run) - 1, -1, -1):
            joined += len(rows[run[back]]) - 1
            if joined == self._width and back < len(run) - 1:
                return run[back:]
            if joined > self._width:
                break
        return ()


def _beyond(row: Sequence[str], width: int) -> bool:
    return any(map(str.strip, row[width:]))
