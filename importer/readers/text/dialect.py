"""How a text separates, quotes and escapes its cells. Values only; how a dialect is found: `dialect_detection`."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from importer.core.sources import Detected


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are written.

    Args:
        delimiter: one character.
        quote: one character, or "" where quotation marks mean nothing.
        escape: one character, or "".
        padded: whether there is a blank between a delimiter and the quotation mark after it.
        separator_line: whether the first line is Excel's `sep=;`, which no spreadsheet shows.
        width: cells that most of the first records have.
        detected: the findings, with confidence and evidence.
    """

    delimiter: str
    quote: str = '"'
    escape: str = ""
    padded: bool = False
    separator_line: bool = False
    width: int = 0
    detected: tuple[Detected, ...] = ()

    def reader(self, lines: Iterable[str], *, strict: bool = True) -> Any:
        """Return a `csv.reader` of this dialect."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            escapechar=self.escape or None,
            skipinitialspace=self.padded,
            strict=strict,
        )
