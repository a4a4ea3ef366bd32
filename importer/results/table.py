"""The results table: its columns, and one row of it. Everything a table file holds is made here.

Never looks at what a cell means; cells stay verbatim except where a formula is escaped on request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from importer.records import Issue, RowResult, RowState

ADDED_COLUMNS: tuple[str, ...] = (
    "_row",
    "_sheet",
    "_status",
    "_customer_id",
    "_error_code",
    "_error_field",
    "_error_column",
    "_error_message",
    "_http_status",
    "_trace_id",
    "_attempts",
)
"""What is added to every row, always last and in this order (fixed by the interface)."""

NUMBER_COLUMNS = frozenset({"_row", "_http_status", "_attempts"})

DELIVERED = frozenset({RowState.CREATED, RowState.EXISTING})
_FINE = DELIVERED | {RowState.VALID}

Row = list[str]
"""Texts only, "" for blank; formats that know numbers turn `NUMBER_COLUMNS` into them."""

_NO_ERRORS = ("", "", "", "")
_JOINT = " | "
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Header:
    """What all rows of a table share.

    Args:
        columns: the source's columns in order.
        sheet: the sheet's name; empty for text files.
    """

    columns: tuple[str, ...]
    sheet: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All columns of the table, the added ones last."""
        return (*self.columns, *ADDED_COLUMNS)


def table_row(result: RowResult, sheet: str) -> Row:
    """Return one row of the table: the cells verbatim, then the added columns."""
    return [
        *result.cells,
        str(result.row),
        sheet,
        result.state,
        result.customer_id,
        *(_errors(result.errors) if result.errors else _NO_ERRORS),
        "" if result.http_status is None else str(result.http_status),
        result.trace_id,
        str(result.attempts),
    ]


def is_reject(result: RowResult) -> bool:
    """Tell whether a row belongs into `rejects.csv`: it ended neither created nor existing, nor valid in a dry run."""
    return result.state not in _FINE


def _errors(errors: Sequence[Issue]) -> tuple[str, str, str, str]:
    if len(errors) == 1:
        error = errors[0]
        return (error.code, error.field, error.column, error.message)
    return (
        _joined([error.code for error in errors]),
        _joined([error.field for error in errors]),
        _joined([error.column for error in errors]),
        _joined([error.message for error in errors]),
    )


def _joined(parts: Sequence[str]) -> str:
    return _JOINT.join(part.replace(_JOINT, " / ") for part in parts)


def escape_formula(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula; plain numbers stay as they are."""
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def escaped(row: Row) -> Row:
    """Return the row with every text escaped (see `escape_formula`)."""
    return [escape_formula(cell) for cell in row]


Watcher = Callable[[Sequence[RowResult]], None]
"""Sees every row while the tables are written, in chunks and in source order (clusters, samples for the report)."""
