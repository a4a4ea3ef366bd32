"""A sheet of an `.xlsx` as blocks of text: each cell what a person sees, error cells and empty formulas marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from zipfile import ZipFile

from importer.profile.settings import SourceLimits
from importer.readers.table.blocks import Block, Mark
from importer.readers.workbook.xlsx.markup import Runs
from importer.readers.workbook.xlsx.plans import RowTexts
from importer.readers.workbook.xlsx.rows import RawRow, read_rows

LAST_ROW = 1_048_576
_FIRST_BLOCK_ROWS = 256
"""Opening a source reads its first block twice: to find the header, and to see that there is data."""
_BLOCK_ROWS = 4_096
_ROW_BYTES = 64 << 20
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell ref="[A-Z]+(\d+):[A-Z]+(\d+)"')
_HIDDEN_COLUMN = re.compile(rb'<(?:\w+:)?col\b[^>]*hidden="(?:1|true)"')


@dataclass(slots=True)
class SheetFacts:
    """What is known about a sheet once it was read to its end.

    Args:
        hidden_rows: rows that a filter or the user has hidden.
        merged: last row of the lowest cells that were merged over several rows; 0 when there are none.
    """

    hidden_rows: int = 0
    hidden_columns: bool = False
    filtered: bool = False
    merged: int = 0


@dataclass(slots=True)
class _Pile:
    """Rows that wait to become a block."""

    size: int = _FIRST_BLOCK_ROWS
    last: int = 0
    numbers: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    marks: dict[int, list[Mark]] = field(default_factory=dict)

    def add(self, number: int, cells: list[str], marks: list[Mark]) -> None:
        self.last = number or self.last + 1
        if marks:
            self.marks[len(self.rows)] = marks
        self.numbers.append(self.last)
        self.rows.append(cells)

    def take(self) -> Block:
        block = Block(self.numbers, self.rows, None, self.marks)
        self.size = _BLOCK_ROWS
        self.numbers, self.rows, self.marks = [], [], {}
        return block


class SheetXml:
    """One sheet's part.

    Args:
        archive: the container.
        part: the sheet's part in it.
        texts: makes text of its cells.
        limits: `[source.limits]`.
        name: the source's name for people.
    """

    def __init__(self, archive: ZipFile, part: str, texts: RowTexts, *, limits: SourceLimits, name: str) -> None:
        self._archive = archive
        self._part = part
        self._texts = texts
        self._longest = limits.max_cell_chars
        self._name = name
        self.facts = SheetFacts()

    def blocks(self) -> Iterator[Block]:
        """Yield the sheet's rows from the start, in blocks; `facts` is complete after the last one."""
        facts = SheetFacts()
        pile = _Pile()
        texts = self._texts.texts
        for row in self._rows(facts):
            if row.number and not pile.last < row.number <= LAST_ROW:
                raise ValueError("rows out of order")
            pile.add(row.number, *texts(row.cells))
            if len(pile.rows) >= pile.size:
                yield pile.take()
        if pile.rows:
            yield pile.take()
        self.facts = facts

    def _rows(self, facts: SheetFacts) -> Iterator[RawRow]:
        with self._archive.open(self._part) as stream:
            runs = Runs(stream, "sheetData", "row", max(_ROW_BYTES, 4 * self._longest), self._name)
            for run in runs:
                for row in read_rows(run, runs.prefix, self._name):
                    facts.hidden_rows += row.hidden
                    yield row
            tail = runs.tail + stream.read(_ROW_BYTES)
        facts.hidden_columns = bool(_HIDDEN_COLUMN.search(runs.head))
        facts.filtered = b"autoFilter" in tail
        facts.merged = max((int(last) for first, last in _MERGED.findall(tail) if first != last), default=0)
