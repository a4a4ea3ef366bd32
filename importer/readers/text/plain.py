"""Parts clean blocks of text at their delimiters, at the speed of one search; says nothing unless that is exact.

Where no quotation mark stands, a line is a record and a delimiter parts two cells. Anything else, down to one line
of another width, is left to the other parsers.
"""

from __future__ import annotations

from itertools import repeat

from importer.readers.text.dialect import Dialect

Columns = list[list[str]]


def suits(dialect: Dialect) -> bool:
    """Tell whether a dialect has blocks that can be parted so."""
    return not dialect.escape and not dialect.padded and dialect.width > 1


def part_columns(text: str, dialect: Dialect, longest: int) -> Columns | None:
    """Part whole lines into columns.

    Args:
        longest: characters that a cell may have.

    Returns:
        The columns, each cell exactly the text that stands there; None where that cannot be proved.
    """
    if (dialect.quote and dialect.quote in text) or "\x00" in text or text.startswith("\ufeff"):
        return None
    if "\r" in text:
        if text.count("\r") != text.count("\r\n"):
            return None
        text = text.replace("\r\n", "\n")
    text = text.removesuffix("\n")
    lines = text.split("\n")
    delimiter, width = dialect.delimiter, dialect.width
    if set(map(str.count, lines, repeat(delimiter))) != {width - 1} or max(map(len, lines)) > longest:
        return None
    cells = text.replace("\n", delimiter).split(delimiter)
    return [cells[place::width] for place in range(width)]
