"""Text becomes records exactly: strict quoting, one number per record, and a mark on what is not clean.

A line with quotation marks that do not match is lost by itself; the lines after it are not.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from importer.core.errors import SourceError
from importer.profile.settings import SourceLimits
from importer.readers.table.blocks import Block, Mark, tabled
from importer.readers.text.damage import (
    BROKEN,
    REPLACEMENT,
    glued,
    has_glued_quote,
    mark_torn,
    mark_zero_bytes,
    undecodable,
)
from importer.readers.text.dialect import Dialect
from importer.readers.text.feed import UNDECODABLE, Feed
from importer.readers.text.plain import parsed

_LONGEST_RECORD_LINES = 1_000
_MOST_WASTED = 2_000_000


def read_blocks(feed: Feed, dialect: Dialect, limits: SourceLimits, name: str) -> Iterator[Block]:
    """Yield every record of a text, blank ones included.

    Raises:
        SourceError: a cell beyond the limit, or more broken rows than a table can have.
    """
    csv.field_size_limit(limits.max_cell_chars)
    records = _Records(feed, dialect, name)
    while text := feed.take():
        yield records.block(text)


class _Records:
    """Keeps count of records and lines from block to block."""

    def __init__(self, feed: Feed, dialect: Dialect, name: str) -> None:
        self._feed = feed
        self._dialect = dialect
        self._name = name
        self._number = 1
        self._line = 1
        self._wasted = 0
        self._first = True

    def block(self, text: str) -> Block:
        """Turn whole lines into a block; more are taken from the feed where the last record goes on."""
        if self._first:
            text = self._without_separator_line(text)
        if text.isspace():
            return self._blank_block(text)
        block = None if self._feed.offsets or "\x00" in text else self._even_block(text)
        if block is None:
            block = self._uneven_block(text)
        block.unterminated = self._feed.ended and not text.endswith(("\n", "\r"))
        return block

    def _blank_block(self, text: str) -> Block:
        """Count blank lines, and make no records of them: there may be a gigabyte."""
        lines = count_lines(text)
        self._number += lines
        self._line += lines
        return Block(range(0), [])

    def _without_separator_line(self, text: str) -> str:
        self._first = False
        if not self._dialect.separator_line:
            return text
        self._line += 1
        return "".join(_lines(text)[1:])

    def _even_block(self, text: str) -> Block | None:
        """Parse a block with records of one width; the rows are never held, which saves half the time."""
        table = parsed(text, self._dialect)
        if table is not None:
            lines = count_lines(text) if self._dialect.quote and self._dialect.quote in text else table.num_rows
        elif has_glued_quote(text, self._dialect):
            return None
        else:
            columns, lines = self._even_columns(text)
            if columns is None:
                return None
            table = tabled(columns)
        numbers = range(self._number, self._number + table.num_rows)
        self._number += table.num_rows
        self._line += lines
        return Block(numbers, None, table, {}, text)

    def _even_columns(self, text: str) -> tuple[list[list[str]] | None, int]:
        widths: set[int] = set()
        reader = self._dialect.reader(io.StringIO(text, newline=""))
        try:
            cells = list(chain.from_iterable(_noting_width(reader, widths)))
        except csv.Error:
            return None, 0
        if len(widths) != 1 or 0 in widths:
            return None, 0
        width = widths.pop()
        return [cells[i::width] for i in range(width)], reader.line_num

    def _uneven_block(self, text: str) -> Block:
        lines, first = _lines(text), self._line
        try:
            rows = list(self._dialect.reader(lines))
        except csv.Error:
            rows, starts, marks = self._parse_carefully(lines)
            text = "".join(lines)
        else:
            starts, marks = _starts(rows, self._line), {}
            self._line += len(lines)
        if has_glued_quote(text, self._dialect):
            self._mark_glued(lines, [start - first for start in starts], marks)
        if "\r" in text:
            mark_torn(text, lines, rows, [*(start - first for start in starts), self._line - first], marks)
        return self._finish(text, rows, starts, marks)

    def _mark_glued(self, lines: Sequence[str], starts: Sequence[int], marks: dict[int, list[Mark]]) -> None:
        """Mark rows in which a delimiter is missing before a quotation mark.

        Args:
            starts: the line on which each row begins.
        """
        pattern = glued(self._dialect)
        for at, line in enumerate(lines):
            if pattern.search(line):
                marks.setdefault(bisect_right(starts, at) - 1, [BROKEN])

    def _parse_carefully(self, lines: list[str]) -> tuple[list[list[str]], Sequence[int], dict[int, list[Mark]]]:
        """Parse record by record: the block ends inside a quoted cell, or a line in it is broken."""
        rows: list[list[str]] = []
        starts: list[int] = []
        marks: dict[int, list[Mark]] = {}
        whole, at, suspect = len(lines), 0, -1
        while at < whole:
            starts.append(self._line + at)
            row, taken = self._next(lines, at)
            if row is None or at == suspect:
                marks[len(rows)] = [BROKEN]
            if row is None:
                row, taken, suspect = self._forgiven(lines[at]), 1, at + taken - 1
            rows.append(row)
            at += taken
        self._feed.push_back("".join(lines[at:]))
        del lines[at:]
        self._line += at
        return rows, starts, marks

    def _forgiven(self, line: str) -> list[str]:
        """Read the one line of a broken record that is sure to be its own."""
        row: list[str] = next(iter(self._dialect.reader([line], strict=False)))
        return row

    def _next(self, lines: list[str], at: int) -> tuple[list[str] | None, int]:
        """Return the record that begins at a line, None when it is broken, and how many lines that took.

        The line on which a broken one was found may hold the rest of it.
        """
        reader = self._dialect.reader(chain(_from(lines, at), self._more(lines)))
        try:
            row = next(reader)
        except csv.Error as fault:
            if "limit" in str(fault) and reader.line_num <= 1:
                raise self._too_long(self._line + at) from fault
            self._waste(reader.line_num)
            return None, reader.line_num if "expected after" in str(fault) else 1
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
            mark_zero_bytes(rows, marks)
        if [] not in rows:
            return Block(numbers, rows, None, marks, text)
        keep = [i for i, row in enumerate(rows) if row]
        moved = {at: marks[i] for at, i in enumerate(keep) if i in marks}
        return Block([numbers[i] for i in keep], [rows[i] for i in keep], None, moved, text)

    def _mark_undecodable(self, rows: list[list[str]], starts: Sequence[int], marks: dict[int, list[Mark]]) -> None:
        for i, row in enumerate(rows):
            for column, cell in enumerate(row):
                count = cell.count(UNDECODABLE)
                if not count or not self._feed.offsets:
                    continue
                offset = self._feed.offsets[0]
                for _ in range(min(count, len(self._feed.offsets))):
                    self._feed.offsets.popleft()
                row[column] = cell.replace(UNDECODABLE, REPLACEMENT)
                marks.setdefault(i, []).append(undecodable(column, starts[i], offset))

    def _waste(self, lines: int) -> None:
        """Count lines that were read to find the end of a cell that has none."""
        self._wasted += lines
        if self._wasted > _MOST_WASTED:
            raise SourceError(
                f"Too many rows of '{self._name}' have quotation marks that do not match.",
                'Name the right quote in [source] (or quote = "none"), or export the file again.',
            )

    def _too_long(self, line: int) -> SourceError:
        return SourceError(
            f"Line {line:,} of '{self._name}' holds a cell of more than {csv.field_size_limit():,} characters.",
            "Correct that cell, or raise max_cell_chars in [source.limits].",
        )


def count_lines(text: str) -> int:
    """How many lines a text has; one at its end need not be terminated."""
    return text.count("\n") + text.count("\r") - text.count("\r\n") + (not text.endswith(("\n", "\r")))


def _lines(text: str) -> list[str]:
    return io.StringIO(text, newline="").readlines()


def _from(lines: Sequence[str], at: int) -> Iterator[str]:
    for i in range(at, len(lines)):  # the length is taken once: lines that come later arrive through `_more`
        yield lines[i]


def _noting_width(reader: Iterable[list[str]], widths: set[int]) -> Iterator[list[str]]:
    for row in reader:
        widths.add(len(row))
        yield row


def _starts(rows: Sequence[Sequence[str]], line: int) -> list[int]:
    starts = []
    for row in rows:
        starts.append(line)
        line += 1 + sum(cell.count("\n") + cell.count("\r") - cell.count("\r\n") for cell in row)
    return starts
