"""Records of the wrong width become rows of the right one, each with an issue. Pure.

A short record is an error, since any of its cells may be the one that is missing. It is a warning only
where the program that wrote the file has the habit of leaving out blank cells at the end. A long one
is an error too where there is text beyond the header, and that text is kept. Blank cells beyond it
are nothing where the header or most records have them; a single record that has them may hold a delimiter
too many, and is a warning. In a workbook nothing is ever short, since every cell knows its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

import pyarrow.compute as pc

from importer.core.columns import surplus_of
from importer.core.issues import Severity
from importer.readers.table.blocks import Block, Mark, tabled
from importer.readers.table.columns import Columns
from importer.readers.table.row_filter import is_blank

_BESIDE = Mark(
    "cell_outside_table",
    "The row has a cell beyond the last column of the header; it is not imported.",
    severity=Severity.WARNING,
)
_OUTSIDE = Mark(
    "cell_outside_table",
    "All cells of the row are beyond the last column of the header: move them into the table, or delete them.",
)
_CAME_BACK = Mark(
    "row_too_long",
    "The row still has extra cells in its columns '_extra_…': move them to where they belong, or delete them.",
)
_SUFFICIENT = frozenset({"quotes_broken", "row_torn"})
_FEWEST = 5
"""Short or long records among the first ones from which on they are a habit, not an accident."""
_ENOUGH_ROWS = 3
"""Complete records from which on the looks of columns are known."""


class Ragged:
    """Brings the records of a block to the width of the header.

    Args:
        columns: the header's columns.
        header_cells: cells of the header's own record, blank ones at its end included.
        sample: data records from the beginning of the source.
        grid: whether the source is a grid, in which blank cells at a record's end need not be written.
    """

    def __init__(self, columns: Columns, header_cells: int, sample: Sequence[Sequence[str]], *, grid: bool) -> None:
        self._width = columns.width
        self._columns = columns
        self._extras = (*columns.beyond, *columns.extras)
        self._header_cells = header_cells
        self._grid = grid
        fewest = max(_FEWEST, len(sample) / 10)
        long = [row for row in sample if len(row) > max(columns.width, header_cells)]
        usual = len(long) >= fewest or len(long) > len(sample) / 2
        self._trailing = usual and sum(_beyond(row, self._width) for row in long) <= 0.1 * len(long)
        self._shapes = _Shapes([row[: self._width] for row in sample if self._is_complete(row)])
        short = [row for row in sample if 1 < len(row) < columns.width]
        fitting = sum(map(self._shapes.fit, short))
        self._habit = len(short) >= fewest and fitting >= 0.9 * len(short)

    def fit(self, block: Block) -> Block:
        """Return the same records as a table; those that had to be padded or cut are marked."""
        fitted = self._in_width(block)
        return self._with_extras(fitted) if self._extras else fitted

    def _in_width(self, block: Block) -> Block:
        table = block.table
        if table is not None and block.width == self._width:
            return block
        if table is not None and self._width < block.width <= self._header_cells and _is_blank(block, self._width):
            kept = table.select(range(self._width))
            return Block(block.numbers, None, kept, block.marks, block.text, block.unterminated)
        rows = block.as_rows()
        if self._grid:
            return self._fit_grid(block, rows)
        if set(map(len, rows)) == {self._width}:
            return Block(block.numbers, None, tabled(list(zip(*rows, strict=True))), block.marks, text=block.text)
        return self._fit_rows(block, rows)

    def _fit_grid(self, block: Block, rows: Sequence[Sequence[str]]) -> Block:
        marks = {i: list(found) for i, found in block.marks.items()}
        surplus = self._surplus(rows)
        for i in surplus:
            marks.setdefault(i, []).append(_BESIDE if _beyond(rows[i][: self._width], 0) else _OUTSIDE)
        if any(len(row) > self._width for row in rows):
            rows = [row[: self._width] for row in rows]
        columns: list[Sequence[str]] = list(zip_longest(*rows, fillvalue=""))
        columns += [("",) * len(rows)] * (self._width - len(columns))
        return Block(block.numbers, None, tabled(columns), marks, block.text, surplus=surplus)

    def _fit_rows(self, block: Block, rows: Sequence[Sequence[str]]) -> Block:
        marks = {i: list(found) for i, found in block.marks.items()}
        torn = self._torn(rows)
        for i, row in enumerate(rows):
            mark = self._mark(row, torn=i in torn, cut=block.unterminated and i == len(rows) - 1)
            if mark and not any(found.code in _SUFFICIENT for found in marks.get(i, ())):
                marks.setdefault(i, []).append(mark)
        fitted = [self._fit(row) for row in rows]
        columns = list(zip(*fitted, strict=True)) if fitted else [()] * self._width
        return Block(block.numbers, None, tabled(columns), marks, text=block.text, surplus=self._surplus(rows))

    def _surplus(self, rows: Sequence[Sequence[str]]) -> dict[int, tuple[str, ...]]:
        """Return the cells beyond the table, by the row's position."""
        long = ((i, row) for i, row in enumerate(rows) if len(row) > self._width)
        return {i: found for i, row in long if (found := surplus_of(row, self._width))}

    def _with_extras(self, block: Block) -> Block:
        """Read the columns of surplus cells as surplus cells again: a fixed file that comes back."""
        columns, surplus = list(map(block.column, range(block.width))), dict(block.surplus)
        marks = {i: list(found) for i, found in block.marks.items()}
        for i in sorted({i for pick in self._extras for i, cell in enumerate(columns[pick]) if cell.strip()}):
            kept = [columns[pick][i] for pick in self._extras]
            surplus[i] = surplus_of([*kept, *surplus.get(i, ())], 0)
            if not any(found.code in _SUFFICIENT for found in marks.get(i, ())):
                marks.setdefault(i, []).append(self._mark_of_extras(columns, i))
        return replace(block, marks=marks, surplus=surplus)

    def _mark_of_extras(self, columns: Sequence[Sequence[str]], i: int) -> Mark:
        """The mark that such a row had where it came from: a cell beside the table of a workbook is a warning."""
        sheet = self._columns.sheet
        if not (self._columns.beyond if sheet is None else columns[sheet][i].strip()):
            return _CAME_BACK
        return _BESIDE if any(columns[pick][i].strip() for pick in self._columns.picks) else _OUTSIDE

    def _fit(self, row: Sequence[str]) -> Sequence[str]:
        if len(row) == self._width:
            return row
        return [*row[: self._width], *[""] * (self._width - len(row))]

    def _mark(self, row: Sequence[str], *, torn: bool, cut: bool) -> Mark | None:
        if len(row) < self._width and any(map(str.strip, row)):
            return self._short(row, torn=torn, cut=cut)
        return self._long(row) if len(row) > max(self._width, self._header_cells) or _beyond(row, self._width) else None

    def _is_complete(self, row: Sequence[str]) -> bool:
        return self._width <= len(row) <= self._header_cells or (self._trailing and len(row) > self._width)

    def _short(self, row: Sequence[str], *, torn: bool, cut: bool) -> Mark:
        seen = f"The row has {len(row)} cells, the header has {self._width}"
        if cut:
            return Mark("row_cut_off", f"{seen}, and the file ends in it: it was cut off. Export it again.")
        if torn:
            return Mark("row_torn", f"{seen}: a line break in a cell tore it apart. Put that cell in quotation marks.")
        if self._habit and len(row) > 1 and self._shapes.fit(row):
            return Mark("row_too_short", f"{seen}: the last ones are taken as blank.", severity=Severity.WARNING)
        return Mark("row_too_short", f"{seen}: a delimiter is missing. Add it where the blank cell belongs.")

    def _long(self, row: Sequence[str]) -> Mark | None:
        seen = f"The row has {len(row)} cells, the header has {self._width}"
        if _beyond(row, self._width) or (self._shapes.known and not self._shapes.fit(row[: self._width])):
            extra = len(row) - self._width
            cells = "1 extra cell" if extra == 1 else f"{extra} extra cells"
            return Mark(
                "row_too_long", f"The row has {cells}: move what they hold to where it belongs, or delete them."
            )
        if self._trailing:
            return None
        message = f"{seen}: the extra ones are blank. Check that the others are in the right columns."
        return Mark("row_too_long", message, severity=Severity.WARNING)

    def _torn(self, rows: Sequence[Sequence[str]]) -> set[int]:
        """Find adjacent lines that make one complete record when joined at a line break inside a cell."""
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


def _is_blank(block: Block, start: int) -> bool:
    return all(pc.all(is_blank(block.cells(place))).as_py() for place in range(start, block.width))


def _beyond(row: Sequence[str], width: int) -> bool:
    return any(map(str.strip, row[width:]))


def _shape(cell: str) -> str:
    """Return the rough look of a cell: "" blank, `@` address, `#` number or date, `a` words, `m` words and numbers."""
    text = cell.strip()
    if not text:
        return ""
    if "@" in text:
        return "@"
    digits = any(map(str.isdigit, text))
    letters = any(map(str.isalpha, text))
    if digits and letters:
        return "m"
    return "#" if digits else "a"


class _Shapes:
    """What the cells of each column look like, to judge whether the cells of a record are in their columns.

    Args:
        rows: complete records.
    """

    def __init__(self, rows: Sequence[Sequence[str]]) -> None:
        self._looks = [{_shape(cell) for cell in column} for column in zip(*rows, strict=True)]
        self.known = len(rows) >= _ENOUGH_ROWS

    def fit(self, row: Sequence[str]) -> bool:
        """Whether the cells look like those of the first columns."""
        if not self.known or len(row) > len(self._looks):
            return False
        return all((look := _shape(cell)) == "" or look in self._looks[i] for i, cell in enumerate(row))
