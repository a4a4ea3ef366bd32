"""What is not clean in the records of a text: quotation marks, torn rows, zero bytes, undecodable bytes. Marks only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from importer.core.issues import Severity
from importer.readers.table.blocks import Mark
from importer.readers.text.dialect import Dialect

REPLACEMENT = "\ufffd"
"""What a cell has instead of bytes that are not text."""
BROKEN = Mark(
    "quotes_broken",
    "The quotation marks of the row do not match: double those inside a cell, or remove them.",
)
_TORN = Mark("row_torn", "A lone carriage return in a cell tore the row apart here: put that cell in quotation marks.")
_ZERO_PADDING = Mark("zero_byte", "The cell ended in zero bytes, which were left out.", severity=Severity.WARNING)
_ZERO_BYTE = Mark("zero_byte", "The cell holds a zero byte, where text was lost: retype it.")


def mark_torn(
    text: str, lines: Sequence[str], rows: Sequence[list[str]], starts: Sequence[int], marks: dict[int, list[Mark]]
) -> None:
    """Mark both halves of a row that ends in a lone carriage return, where lines end in another way.

    Args:
        starts: the line on which each row begins, and the one after the last row.
    """
    lone = text.count("\r") - text.count("\r\n")
    if not lone or lone >= text.count("\n"):  # none, or it is how the lines of this file end
        return
    for i, end in enumerate(starts[1:]):
        if lines[end - 1].endswith("\r") and rows[i] and i + 1 < len(rows) and rows[i + 1]:
            for half in (i, i + 1):
                marks.setdefault(half, []).append(_TORN)


def mark_zero_bytes(rows: list[list[str]], marks: dict[int, list[Mark]]) -> None:
    """Take zero bytes out of cells: padding at a cell's end is harmless, anywhere else text is missing."""
    for i, row in enumerate(rows):
        for column, cell in enumerate(row):
            if "\x00" in cell:
                row[column] = cell.replace("\x00", "")
                marks.setdefault(i, []).append(_ZERO_PADDING if cell.rstrip("\x00") == row[column] else _ZERO_BYTE)
                marks[i][-1] = replace(marks[i][-1], column=column)


def undecodable(column: int, line: int, offset: int) -> Mark:
    """Return the mark of a character that the file's encoding does not have.

    Args:
        column: position of the cell in the record, from 0.
        line: the line of the file on which the record begins.
        offset: the byte in the file.
    """
    return Mark(
        "undecodable",
        f"A character cannot be read in this file's encoding (line {line:,}, byte {offset:,}): retype it.",
        column,
        Severity.ERROR,
    )


def has_glued_quote(text: str, dialect: Dialect) -> bool:
    """Whether a quoted cell begins in the middle of another one, which the csv module takes for letters.

    A quotation mark of a sound text is next to a delimiter, a line end or another one: counting them is
    much faster than looking for the pattern, and rules most texts out.
    """
    quote, delimiter = dialect.quote, dialect.delimiter
    if not quote or quote not in text:
        return False
    beside = (f"{delimiter}{quote}", f"{quote}{delimiter}", f"\n{quote}", f"{quote}\n", f"{quote}\r")
    edges = text.startswith(quote) + text.endswith(quote)
    if text.count(quote) <= sum(map(text.count, beside)) + edges:
        return False
    return glued(dialect).search(text) is not None


@cache
def glued(dialect: Dialect) -> re.Pattern[str]:
    """A cell that begins without quotation mark, one in its middle, a delimiter, and one that ends a cell."""
    quote, delimiter = re.escape(dialect.quote), re.escape(dialect.delimiter)
    inside, between = f"[^{quote}{delimiter}\r\n]", f"[^{quote}\r\n]"
    return re.compile(
        f"(?:^|{delimiter})(?![ \t]*{quote}){inside}+{quote}(?={inside}){between}*{delimiter}{between}*"
        f"{quote}(?={delimiter}|[\r\n]|\\Z)",
        re.MULTILINE,
    )
