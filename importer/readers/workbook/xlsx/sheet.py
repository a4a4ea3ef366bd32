"""A sheet of an `.xlsx` as blocks of text: each cell what a person sees, error cells and empty formulas marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zipfile import ZipFile

from importer.profile.settings import SourceLimits
from importer.readers.table.blocks import Block
from importer.readers.workbook.sheetrows import BlockBuilder, SheetFacts
from importer.readers.workbook.xlsx.markup import Runs
from importer.readers.workbook.xlsx.plans import RowTexts
from importer.readers.workbook.xlsx.rows import RawRow, read_rows

_ROW_BYTES = 8 << 20
"""Hundreds of times what a row of a table takes."""
_TAIL_BYTES = 16 << 20
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell ref="[A-Z]+(\d+):[A-Z]+(\d+)"')
_HIDDEN_COLUMN = re.compile(rb'<(?:\w+:)?col\b[^>]*hidden="(?:1|true)"')


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

    def blocks(self, facts: SheetFacts) -> Iterator[Block]:
        """Yield the sheet's rows from the start, in blocks; `facts` is complete after the last one."""
        builder = BlockBuilder()
        texts = self._texts.texts
        for row in self._rows(facts):
            builder.add(row.number, *texts(row))
            if builder.full:
                yield builder.take()
        if builder.rows:
            yield builder.take()

    def _rows(self, facts: SheetFacts) -> Iterator[RawRow]:
        with self._archive.open(self._part) as stream:
            runs = Runs(stream, "sheetData", "row", max(_ROW_BYTES, 4 * self._longest), self._name)
            for run in runs:
                for row in read_rows(run, runs.prefix, self._name):
                    facts.hidden_rows += row.hidden
                    yield row
            tail = runs.tail + stream.read(_TAIL_BYTES)
        facts.hidden_columns = bool(_HIDDEN_COLUMN.search(runs.head))
        facts.filtered = b"autoFilter" in tail
        facts.merged = max((int(last) for first, last in _MERGED.findall(tail) if first != last), default=0)
