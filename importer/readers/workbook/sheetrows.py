"""What every kind of workbook offers, and how its rows are put into blocks."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from importer.core.labels import counted
from importer.readers.table.blocks import Block, Mark
from importer.readers.workbook.sheets import Sheet

LAST_ROW = 1_048_576
LAST_COLUMN = 16_384
"""The largest sheet that any spreadsheet program makes."""
_FIRST_BLOCK_ROWS = 256
"""Opening a source reads its first block twice: to find the header, and to see that there is data."""
_BLOCK_ROWS = 4_096


@dataclass(slots=True)
class SheetFacts:
    """What is known about a sheet once it was read to its end.

    Args:
        hidden_rows: rows that a filter or the user has hidden.
        merged: last row of the lowest cells that are merged over several rows; 0 when there are none.
    """

    hidden_rows: int = 0
    hidden_columns: bool = False
    filtered: bool = False
    merged: int = 0

    def sentences(self) -> Iterator[str]:
        """Return what a person should know about it."""
        if self.hidden_rows:
            how = "hidden by a filter" if self.filtered else "hidden"
            are, they = ("is", "it is") if self.hidden_rows == 1 else ("are", "they are")
            yield f"{counted(self.hidden_rows, 'row')} of the sheet {are} {how}; {they} read like the others."
        if self.hidden_columns:
            yield "Some columns of the sheet are hidden; they are read like the others."
        if self.merged > 1:
            yield (
                f"Cells are merged over several rows, the last ones in row {self.merged:,}: "
                "only the first row of such a cell has its value."
            )


class Book(Protocol):
    """An open workbook of one kind."""

    @property
    def sheets(self) -> Sequence[Sheet]:
        """Its worksheets in order."""
        ...

    def blocks(self, sheet: Sheet, facts: SheetFacts) -> Generator[Block]:
        """Yield a sheet's rows from the start; `facts` is complete after the last one."""
        ...

    def close(self) -> None:
        """Release what it holds, but not the file itself; harmless when called twice."""
        ...


@dataclass(slots=True)
class BlockBuilder:
    """Rows that wait to become a block."""

    size: int = _FIRST_BLOCK_ROWS
    last: int = 0
    numbers: list[int] = field(default_factory=list)
    rows: list[Sequence[str]] = field(default_factory=list)
    marks: dict[int, Sequence[Mark]] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether it is time to take a block."""
        return len(self.rows) >= self.size

    def add(self, number: int, cells: Sequence[str], marks: Sequence[Mark]) -> None:
        """Add a row.

        Args:
            number: its row number; 0 for the one after the last.

        Raises:
            ValueError: the rows are out of order or beyond the end of any sheet: the workbook is damaged.
        """
        number = number or self.last + 1
        if not self.last < number <= LAST_ROW:
            raise ValueError("rows out of order")
        self.last = number
        if marks:
            self.marks[len(self.rows)] = marks
        self.numbers.append(number)
        self.rows.append(cells)

    def take(self) -> Block:
        """Return the rows so far as a block, and begin another."""
        block = Block(self.numbers, self.rows, None, self.marks)
        self.size = _BLOCK_ROWS
        self.numbers, self.rows, self.marks = [], [], {}
        return block
