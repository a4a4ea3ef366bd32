"""Text becomes records exactly: strict quoting, one number per record, and a mark on whatever is not clean.

A line whose quotation marks make no sense costs that line, never the lines after it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

from importer.errors import SourceError
from importer.profile.settings import SourceLimits
from importer.readers.table.blocks import Block, Mark
from importer.readers.text.dialect import Dialect
from importer.readers.text.feed import UNDECODABLE, Feed
from importer.records import Severity

QuickParser = Callable[[str, Dialect], list[list[str]] | None]
"""Parses whole lines into columns, or gives None where it cannot prove to be exact."""

_UNINTERRUPTED_ROWS = 1_000
_LONGEST_RECORD_LINES = 1_000
_MOST_BROKEN = 1_000
_REPLACEMENT = "\ufffd"
_BROKEN = Mark(
    "quotes_broken",
    "The quotation marks of the row do not match: double those inside a cell, or remove them.",
)

_ZERO_PADDING = Mark("zero_byte", "The cell ended in zero bytes, which were left out.", severity=Severity.WARNING)
_ZERO_BYTE = Mark("zero_byte", "The cell holds a zero byte, where text was lost: retype it.")


def read_blocks(
    feed: Feed, dialect: Dialect, limits: SourceLimits, name: str, quick: Sequence[QuickParser] = ()
) -> Iterator[Block]:
    """Yield every record of a text, blank ones included.

    Args:
        quick: tried one after the other on every block; the first that can prove to be exact is believed.

    Raises:
        SourceError: a cell beyond the limit, or more broken rows than a table can have.
    """
    csv.field_size_limit(limits.max_cell_chars)
    records = _Records(feed, dialect, name, quick)
    while text := feed.take():
        yield records.block(text)


class _Records:
    """Keeps count of records and lines from block to block."""

    def __init__(self, feed: Feed, dialect: Dialect, name: str, quick: Sequence[QuickParser]) -> None:
        self._quick = quick
        self._feed = feed
        self._dialect = dialect
        self._name = name
        self._number = 1
        self._line = 1
        self._broken = 0
        self._first = True

    def block(self, text: str) -> Block:
        block = (None if self._first else self._quick_block(text)) or self._exact_block(text)
        block.unterminated = self._feed.ended and not text.endswith(("\n", "\r"))
        return block

    def _quick_block(self, text: str) -> Block | None:
        if self._feed.offsets:
            return None
        found = (columns for parse in self._quick if (columns := parse(text, self._dialect)) is not None)
        columns = next(found, None)
        if columns is None:
            return None
        count = len(columns[0])
        numbers = range(self._number, self._number + count)
        self._number += count
        self._line += count
        return Block(numbers, None, columns, {}, text)

    def _exact_block(self, text: str) -> Block:
        lines = _lines(text)
        if self._first and self._dialect.separator_line:
            lines = lines[1:]
            self._line += 1
        self._first = False
        return self._finish(text, *self._parse(lines))

    def _parse(self, lines: list[str]) -> tuple[list[list[str]], Sequence[int], dict[int, list[Mark]]]:
        try:
            rows = self._parsed(lines)
        except csv.Error:
            return self._parse_carefully(lines)
        starts: Sequence[int] = range(self._line, self._line + len(rows))
        if len(rows) != len(lines):
            starts = _starts(rows, self._line)
        self._line += len(lines)
        return rows, starts, {}

    def _parsed(self, lines: list[str]) -> list[list[str]]:
        """Parse a block a little at a time: the parser lets no other thread run while it works."""
        reader = self._dialect.reader(lines)
        rows: list[list[str]] = []
        while piece := list(islice(reader, _UNINTERRUPTED_ROWS)):
            rows += piece
        return rows

    def _parse_carefully(self, lines: list[str]) -> tuple[list[list[str]], Sequence[int], dict[int, list[Mark]]]:
        """Parse record by record: the block ends inside a quoted cell, or a line in it is broken."""
        rows: list[list[str]] = []
        starts: list[int] = []
        marks: dict[int, list[Mark]] = {}
        whole, at = len(lines), 0
        while at < whole:
            starts.append(self._line + at)
            row, taken = self._next(lines, at)
            if row is None:
                marks[len(rows)] = [self._mark_broken()]
                row = next(iter(self._dialect.reader([lines[at]], strict=False)))
            rows.append(row)
            at += taken
        self._feed.push_back("".join(lines[at:]))
        self._line += at
        return rows, starts, marks

    def _next(self, lines: list[str], at: int) -> tuple[list[str] | None, int]:
        """Return the record that begins at a line and how many lines it has; None when it is broken."""
        reader = self._dialect.reader(chain(_from(lines, at), self._more(lines)))
        try:
            row = next(reader)
        except csv.Error as fault:
            if "limit" in str(fault):
                raise self._too_long(self._line + at) from fault
            return None, 1
        return row, reader.line_num

    def _more(self, lines: list[str]) -> Iterator[str]:
        """Take further lines for a cell that goes on, and keep them in `lines`."""
        for _ in range(_LONGEST_RECORD_LINES):
            fresh = _lines(self._feed.take())
            lines.extend(fresh)
            yield from fresh

    def _finish(self, text: str, rows: list[list[str]], starts: Sequence[int], marks: dict[int, list[Mark]]) -> Block:
        numbers = range(self._number, self._number + len(rows))
        self._number += len(rows)
        if self._feed.offsets:
            self._mark_undecodable(rows, starts, marks)
        if "\x00" in text:
            _mark_zero_bytes(rows, marks)
        return Block(numbers, rows, None, marks, text)

    def _mark_undecodable(self, rows: list[list[str]], starts: Sequence[int], marks: dict[int, list[Mark]]) -> None:
        for i, row in enumerate(rows):
            for column, cell in enumerate(row):
                count = cell.count(UNDECODABLE)
                if not count or not self._feed.offsets:
                    continue
                offset = self._feed.offsets[0]
                for _ in range(min(count, len(self._feed.offsets))):
                    self._feed.offsets.popleft()
                row[column] = cell.replace(UNDECODABLE, _REPLACEMENT)
                marks.setdefault(i, []).append(_undecodable(column, starts[i], offset))

    def _mark_broken(self) -> Mark:
        self._broken += 1
        if self._broken > _MOST_BROKEN:
            raise SourceError(
                f"More than {_MOST_BROKEN:,} rows of '{self._name}' have quotation marks that do not match.",
                'Name the right quote in [source] (or quote = "none"), or export the file again.',
            )
        return _BROKEN

    def _too_long(self, line: int) -> SourceError:
        return SourceError(
            f"Line {line:,} of '{self._name}' holds a cell of more than {csv.field_size_limit():,} characters.",
            "Correct that cell, or raise max_cell_chars in [source.limits].",
        )


def _mark_zero_bytes(rows: list[list[str]], marks: dict[int, list[Mark]]) -> None:
    """Take zero bytes out of cells: padding at a cell's end is harmless, anywhere else text is missing."""
    for i, row in enumerate(rows):
        for column, cell in enumerate(row):
            if "\x00" in cell:
                row[column] = cell.replace("\x00", "")
                marks.setdefault(i, []).append(_ZERO_PADDING if cell.rstrip("\x00") == row[column] else _ZERO_BYTE)
                marks[i][-1] = replace(marks[i][-1], column=column)


def _undecodable(column: int, line: int, offset: int) -> Mark:
    return Mark(
        "undecodable",
        f"A character cannot be read in this file's encoding (line {line:,}, byte {offset:,}): retype it.",
        column,
        Severity.ERROR,
    )


def _lines(text: str) -> list[str]:
    return io.StringIO(text, newline="").readlines()


def _from(lines: Sequence[str], at: int) -> Iterator[str]:
    for i in range(at, len(lines)):  # the length is taken once: lines that come later arrive through `_more`
        yield lines[i]


def _starts(rows: Sequence[Sequence[str]], line: int) -> list[int]:
    starts = []
    for row in rows:
        starts.append(line)
        line += 1 + sum(cell.count("\n") + cell.count("\r") - cell.count("\r\n") for cell in row)
    return starts
