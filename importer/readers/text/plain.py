"""Reads texts that follow the rules of CSV with Arrow's parser: the exact parser's answer, sooner.

A text is sound if its quoted cells begin behind a delimiter or line end and end before one, if quotation marks are
doubled inside of them, and if its lines end in one way. All others, and records of uneven width, are left to the exact
parser.
"""

from __future__ import annotations

import csv

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from importer.readers.table.blocks import place_names
from importer.readers.text.dialect import Dialect

_BYTE_ORDER_MARK = "\ufeff"
_LINE_FEED, _RETURN = b"\n\r"


def parsed(text: str, dialect: Dialect) -> pa.Table | None:
    """Parse whole lines.

    Returns:
        One column of large strings for each cell; None where the text needs the exact parser.
    """
    if not _is_simple(text, dialect):
        return None
    quoted = bool(dialect.quote) and dialect.quote in text
    data = text.encode("utf-8", "surrogatepass")
    if quoted and not _is_sound(data, dialect):
        return None
    try:
        table = _read(data, dialect, quoted=quoted)
    except pa.ArrowInvalid:  # a record of another width, or a lone surrogate
        return None
    if pc.any(pc.equal(table.column(0), "")).as_py() and _has_blank_line(text):
        return None
    return None if len(text) > csv.field_size_limit() and _longest(table) > csv.field_size_limit() else table


def _is_simple(text: str, dialect: Dialect) -> bool:
    """Rule out what Arrow's parser reads in another way, blank lines among it."""
    signs = dialect.delimiter + dialect.quote
    return (
        dialect.width > 1
        and signs.isascii()
        and not (dialect.escape or dialect.padded)
        and "\x00" not in text
        and not text.startswith(_BYTE_ORDER_MARK)
        and ("\r" not in text or text.count("\r") == text.count("\r\n"))
    )


def _has_blank_line(text: str) -> bool:
    return text.startswith(("\r", "\n")) or "\n\n" in text or "\n\r" in text


def _is_sound(data: bytes, dialect: Dialect) -> bool:
    """Whether every quotation mark opens a cell, closes one, or is one of two inside of one."""
    delimiter, signs = ord(dialect.delimiter), np.frombuffer(data, np.uint8)
    marks = np.flatnonzero(signs == ord(dialect.quote))
    if len(marks) % 2:
        return False
    doubled = marks[1:-1:2] + 1 == marks[2::2]  # a cell closes, and the next sign would open one
    kept = np.ones(len(marks), bool)
    kept[1:-1:2] = kept[2::2] = ~doubled
    opening, closing = marks[kept][0::2], marks[kept][1::2]
    before, behind = signs[opening - 1], signs[np.minimum(closing + 1, len(signs) - 1)]
    begins = (before == delimiter) | (before == _LINE_FEED) | (opening == 0)
    ends = (behind == delimiter) | (behind == _LINE_FEED) | (behind == _RETURN) | (closing == len(signs) - 1)
    return bool(begins.all() and ends.all())


def _read(data: bytes, dialect: Dialect, *, quoted: bool) -> pa.Table:
    names = place_names(dialect.width)
    return pcsv.read_csv(
        pa.BufferReader(data),
        pcsv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
        pcsv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote if quoted else False,
            newlines_in_values=quoted,
            ignore_empty_lines=False,
        ),
        pcsv.ConvertOptions(column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False),
    )


def _longest(table: pa.Table) -> int:
    lengths: list[int] = [pc.max(pc.binary_length(column)).as_py() for column in table.columns]
    return max(lengths)
