"""The results table: its columns, a batch of rows at a time. All that a table file holds is made here.

Never interprets a cell; cells stay verbatim except where a formula is escaped on request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

from importer.core.columns import (
    ADDED_COLUMNS,
    ADDED_WITH_STEPS,
    ATTEMPTS,
    CUSTOMER_ID,
    ERROR_CODE,
    ERROR_COLUMN,
    ERROR_FIELD,
    ERROR_MESSAGE,
    HTTP_STATUS,
    ROW_COLUMN,
    RUN_COLUMN,
    SHEET_COLUMN,
    STATUS_COLUMN,
    STEP_COLUMNS,
    TRACE_ID,
    WARNINGS_COLUMN,
    extra_columns,
    joined,
)
from importer.core.issues import IssueKind, Severity
from importer.core.results import ResultBatch, RowResult
from importer.core.states import RowState

DELIVERED = frozenset({RowState.CREATED, RowState.EXISTING})
_FINE = DELIVERED | {RowState.VALID}

Row = Sequence[str]
"""Texts only, "" for blank; formats that know numbers turn `NUMBER_COLUMNS` into them."""

Column = str | Sequence[str]
"""One text a row, or the one text that all rows share."""

LINE_END = "\r\n"
"""Lone carriage returns and line feeds inside a cell are quoted too, so that they can be read back."""

_ERROR_COLUMNS = (ERROR_CODE, ERROR_FIELD, ERROR_COLUMN, ERROR_MESSAGE)
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Header:
    """What all rows of a table share.

    Args:
        columns: the source's columns in order.
        sheet: the sheet's name; empty for text files.
        run_id: the run that the rows belong to.
        extra: how many surplus cells the widest row has.
        has_steps: whether the run has steps after a create.
        numeric: the source's columns that are mapped to amounts, and whose decimal sign is not a comma.
    """

    columns: tuple[str, ...]
    sheet: str = ""
    run_id: str = ""
    extra: int = 0
    has_steps: bool = False
    numeric: frozenset[str] = frozenset()

    @property
    def source_names(self) -> tuple[str, ...]:
        """The source's columns, and those of its surplus cells."""
        return (*self.columns, *extra_columns(self.extra))

    @property
    def names(self) -> tuple[str, ...]:
        """All columns of the table, the added ones last."""
        return (*self.source_names, *self.added)

    @property
    def added(self) -> tuple[str, ...]:
        """The columns that are added to every row."""
        return ADDED_WITH_STEPS if self.has_steps else ADDED_COLUMNS


def added_columns(batch: ResultBatch, header: Header) -> list[Column]:
    """Return the columns besides the source's: surplus cells, then `Header.added`."""
    errors = _Reported.of(batch, Severity.ERROR).columns(_errors, len(_ERROR_COLUMNS), len(batch))
    added: dict[str, Column] = {
        **{name: _shared(batch.follow_up.get(name, ("",))) for name in STEP_COLUMNS},
        **dict(zip(_ERROR_COLUMNS, errors, strict=True)),
        ROW_COLUMN: list(map(str, batch.rows)),
        SHEET_COLUMN: header.sheet,
        STATUS_COLUMN: _shared(batch.states),
        CUSTOMER_ID: _shared(batch.customer_ids),
        WARNINGS_COLUMN: _Reported.of(batch, Severity.WARNING).columns(_warnings, 1, len(batch))[0],
        HTTP_STATUS: _numbers(batch.http_statuses),
        TRACE_ID: _shared(batch.trace_ids),
        ATTEMPTS: _numbers(batch.attempts),
        RUN_COLUMN: header.run_id,
    }
    return [*_extra_columns(batch, header.extra), *map(added.__getitem__, header.added)]


def rejected(batch: ResultBatch) -> list[int]:
    """Return the places of the rows of `rejects.csv`: neither created nor existing, nor valid."""
    if _FINE.issuperset(batch.states):
        return []
    return [place for place, state in enumerate(batch.states) if state not in _FINE]


def reportable(batch: ResultBatch) -> list[RowResult]:
    """Return the rows that have issues, and those without a customer."""
    first = batch.first
    return batch.at(sorted({*(ordinal - first for ordinal in batch.issues.ordinals), *rejected(batch)}))


def rows_of(columns: Sequence[Column], size: int) -> list[Row]:
    """Turn the columns of a table into its rows."""
    return list(zip(*[repeat(column, size) if isinstance(column, str) else column for column in columns], strict=True))


def _shared(texts: Sequence[str]) -> Column:
    """Return the text that all rows have in common, or else the column."""
    return texts[0] if len(set(texts)) == 1 else texts


def _numbers(numbers: Sequence[int | None]) -> Column:
    """Return few different numbers as texts, or the one that all rows have in common; None is blank."""
    texts = {number: "" if number is None else str(number) for number in set(numbers)}
    return next(iter(texts.values())) if len(texts) == 1 else list(map(texts.__getitem__, numbers))


def _extra_columns(batch: ResultBatch, count: int) -> list[Column]:
    if not batch.surplus:
        return [""] * count
    return [
        _spread({place: cells[at] for place, cells in batch.surplus.items() if at < len(cells)}, len(batch))
        for at in range(count)
    ]


@dataclass(frozen=True, slots=True)
class _Reported:
    """The rows of a batch that have issues of one severity.

    Args:
        places: their places in the batch.
        which: for each of them the place in `together` of its issues.
        together: different issues of one row, in the order they were found.
    """

    places: Sequence[int] = ()
    which: Sequence[int] = ()
    together: Sequence[Sequence[IssueKind]] = ()

    @classmethod
    def of(cls, batch: ResultBatch, severity: Severity) -> _Reported:
        """Find the rows of a batch that have such issues."""
        log, first = batch.issues, batch.first
        wanted = [kind.severity is severity for kind in log.kinds]
        if not any(wanted):
            return cls()
        chosen = [at for at, number in enumerate(log.which) if wanted[number]]
        places = [log.ordinals[at] - first for at in chosen]
        which = [log.which[at] for at in chosen]
        if len(set(places)) == len(places):
            return cls(places, which, [(kind,) for kind in log.kinds])
        return _several(places, which, log.kinds)

    def columns(self, texts_of: Callable[[Sequence[IssueKind]], Sequence[str]], count: int, size: int) -> list[Column]:
        """Return columns that report the issues, blank in all other rows; equal texts are made once.

        Args:
            texts_of: the texts of one row, one per column.
            count: how many columns.
            size: how many rows the batch has.
        """
        if not self.places:
            return [""] * count
        return [self._column(texts, size) for texts in zip(*map(texts_of, self.together), strict=True)]

    def _column(self, texts: Sequence[str], size: int) -> list[str]:
        column = [""] * size
        for place, number in zip(self.places, self.which, strict=True):
            column[place] = texts[number]
        return column


def _several(places: Sequence[int], which: Sequence[int], kinds: Sequence[IssueKind]) -> _Reported:
    """Put the issues of rows with more than one together."""
    found: dict[int, tuple[int, ...]] = {}
    for place, number in zip(places, which, strict=True):
        found[place] = (*found.get(place, ()), number)
    different = {numbers: at for at, numbers in enumerate(dict.fromkeys(found.values()))}
    together = [[kinds[number] for number in numbers] for numbers in different]
    return _Reported(list(found), list(map(different.__getitem__, found.values())), together)


def _spread(texts: Mapping[int, str], size: int) -> list[str]:
    """Return a column that has texts in some places and is blank in all others."""
    column = [""] * size
    for place, text in texts.items():
        column[place] = text
    return column


def _warnings(warnings: Sequence[IssueKind]) -> tuple[str]:
    return (joined([f"{warning.code}: {warning.message}" for warning in warnings]),)


def _errors(errors: Sequence[IssueKind]) -> tuple[str, str, str, str]:
    if len(errors) == 1:
        error = errors[0]
        return (error.code, error.field, error.column, error.message)
    return (
        joined([error.code for error in errors]),
        joined([error.field for error in errors]),
        joined([error.column for error in errors]),
        joined([error.message for error in errors]),
    )


def escape_formula(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula; plain numbers stay as they are."""
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def escaped(columns: Sequence[Column]) -> list[Column]:
    """Return the columns with every text escaped (see `escape_formula`)."""
    return [escape_formula(one) if isinstance(one, str) else list(map(escape_formula, one)) for one in columns]


Watcher = Callable[[ResultBatch], None]
"""Sees the batches of a run, in source order, while the tables are written."""
