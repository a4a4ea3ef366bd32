"""Splits blocks without quotation marks straight into columns: the exact parser's answer, sooner.

Without quotation marks, escapes and stray carriage returns a record is a line and a cell is what stands
between two delimiters. Lines of uneven width are left to the exact parser.
"""

from __future__ import annotations

import csv
from itertools import repeat

from importer.readers.text.dialect import Dialect


def split_columns(text: str, dialect: Dialect) -> tuple[list[list[str]], list[str]] | None:
    """Split whole lines into columns.

    Returns:
        The columns and the lines; None where the text needs the exact parser.
    """
    width, delimiter = dialect.width, dialect.delimiter
    if width < 2 or "\x00" in text or (dialect.quote and dialect.quote in text) or dialect.escape:
        return None
    if "\r" in text:
        if text.count("\r") != text.count("\r\n"):
            return None
        text = text.replace("\r\n", "\n")
    lines = text.removesuffix("\n").split("\n")
    if set(map(str.count, lines, repeat(delimiter))) != {width - 1}:
        return None
    if len(text) > csv.field_size_limit() and max(map(len, lines)) > csv.field_size_limit():
        return None
    cells = delimiter.join(lines).split(delimiter)
    return [cells[i::width] for i in range(width)], lines
