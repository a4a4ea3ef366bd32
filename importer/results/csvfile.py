"""A CSV file as RFC 4180 has it: commas, quotes where needed, lines that end in CR LF.

Writes what the csv module would write, about five times faster: rows in which nothing needs quotes
(nearly all of them) are joined, the others are left to the module.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TextIO

LINE_END = "\r\n"
"""Also makes the csv module quote a lone carriage return inside a cell, so that it can be read back."""


class CsvTable:
    """Writes a header and then rows of texts into an open stream.

    Args:
        stream: opened with `newline=""`.
        names: the header.
    """

    def __init__(self, stream: TextIO, names: Sequence[str]) -> None:
        self._stream = stream
        self._commas = len(names) - 1
        self._buffer = io.StringIO(newline="")
        self._quoting = csv.writer(self._buffer, lineterminator=LINE_END)
        self.write([names])

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Append rows, each as long as the header."""
        if rows:
            self._stream.write(LINE_END.join([self._line(row) for row in rows]) + LINE_END)

    def _line(self, row: Sequence[str]) -> str:
        line = ",".join(row)
        if '"' in line or "\n" in line or "\r" in line or line.count(",") != self._commas or not line:
            return self._quoted(row)
        return line

    def _quoted(self, row: Sequence[str]) -> str:
        self._buffer.seek(0)
        self._buffer.truncate()
        self._quoting.writerow(row)
        return self._buffer.getvalue().removesuffix(LINE_END)
