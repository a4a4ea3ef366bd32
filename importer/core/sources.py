"""What a source is, and what was found out about it before its rows were read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detected:
    """One thing the reader found out about a source.

    Args:
        what: `encoding`, `delimiter`, `sheet`, `header_row`, …
        value: what was found, as text.
        confidence: 0 to 1; 1 where the profile said so or the file proves it.
        note: the evidence, for people; empty when obvious.
    """

    what: str
    value: str
    confidence: float = 1.0
    note: str = ""


SUMMARY_SHEET = "Import summary"
"""The sheet of an annotated workbook that says what was found; it is not a table of customers."""


@dataclass(frozen=True, slots=True)
class OtherTable:
    """A sheet that is not read and holds a table.

    Args:
        columns: its header's texts in order.
    """

    sheet: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source is, known once it is open and before the first batch.

    Args:
        name: the file's name without its folder (`-` for standard input).
        format: the reader that opened it (`csv`, `excel`).
        columns: header texts in order, made unique, the importer's own added columns dropped.
        sheet: the sheet's name; empty for text files.
        detected: everything that was detected, for `inspect` and the run's first line.
        warnings: sentences about the file as a whole.
        sheets: of a workbook the names of all its sheets, in order.
        other_tables: the visible sheets of a workbook that hold tables, too, and are not read.
    """

    name: str
    format: str
    columns: tuple[str, ...]
    sheet: str = ""
    detected: tuple[Detected, ...] = ()
    warnings: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    other_tables: tuple[OtherTable, ...] = ()


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which rows of one source are one business, with a contact from each.

    Args:
        fields: customer fields, dotted, that are equal in the rows of a group.
        indices: places of columns that are equal as well (in `MappedBatch.seen`).
        main: the place of the column that marks the row of the main contact; None: the first row's is.
        column: the name of that column, for messages.
    """

    fields: tuple[str, ...]
    indices: tuple[int, ...]
    main: int | None = None
    column: str = ""
