"""The results table: its columns, a batch of rows at a time. Everything a table file holds is made here.

Never looks at what a cell means; cells stay verbatim except where a formula is escaped on request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

from importer.core.columns import ADDED_COLUMNS, extra_columns
from importer.core.issues import IssueKind, Severity
from importer.core.results import ResultBatch, RowResult
from importer.core.states import RowState

NUMBER_COLUMNS = frozenset({"_row", "_http_status", "_attempts"})

DELIVERED = frozenset({RowState.CREATED, RowState.EXISTING})
_FINE = DELIVERED | {RowState.VALID}

Row = Sequence[str]
"""Texts only, "" for blank; formats that know numbers turn `NUMBER_COLUMNS` into them."""

Column = str | Sequence[str]
"""One text a row, or the one text that all rows share."""

LINE_END = "\r\n"
"""Lone carriage returns and line feeds inside a cell are quoted too, so that they can be read back."""

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
        run_id: the run that the rows belong to.
        extra: how many surplus cells the widest row has.
    """

    columns: tuple[str, ...]
    sheet: str = ""
    run_id: str = ""
    extra: int = 0

    @property
    def source_names(self) -> tuple[str, ...]:
        """The source's columns, and those of its surplus cells."""
        return (*self.columns, *extra_columns(self.extra))

    @property
    def names(self) -> tuple[str, ...]:
        """All columns of the table, the added ones last."""
        return (*self.source_names, *ADDED_COLUMNS)


def added_columns(batch: ResultBatch, header: Header) -> list[Column]:
    """Return what the table has besides the source's cells: surplus cells, and what the importer knows of the rows."""
    errors, warnings = _told(batch, Severity.ERROR), _told(batch, Severity.WARNING)
    return [
        *_extra_columns(batch, header.extra),
        list(map(str, batch.rows)),
        header.sheet,
        _shared(batch.states),
        _shared(batch.customer_ids),
        *(errors.columns(_errors, len(batch)) if errors.places else _NO_ERRORS),
        *(warnings.columns(_warnings, len(batch)) if warnings.places else ("",)),
        _numbers(batch.http_statuses),
        _shared(batch.trace_ids),
        _numbers(batch.attempts),
        header.run_id,
    ]


def rejected(batch: ResultBatch) -> list[int]:
    """Return the places of the rows that belong into `rejects.csv`: neither created nor existing, nor valid."""
    if _FINE.issuperset(batch.states):
        return []
    return [place for place, state in enumerate(batch.states) if state not in _FINE]


def telling(batch: ResultBatch) -> list[RowResult]:
    """Return the rows that have issues, and those that did not make it."""
    first = batch.first
    return batch.at(sorted({*(ordinal - first for ordinal in batch.issues.ordinals), *rejected(batch)}))


def rows_of(columns: Sequence[Column], size: int) -> list[Row]:
    """Turn the columns of a table into its rows."""
    return list(zip(*[repeat(column, size) if isinstance(column, str) else column for column in columns], strict=True))


def _shared(texts: Sequence[str]) -> Column:
    """Return the text that all rows have in common, or else the column."""
    return texts[0] if len(set(texts)) == 1 else texts


def _numbers(numbers: Sequence[int | None]) -> Column:
    """Write few different numbers down, each once, or the one that all rows have in common; None is blank."""
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
class _Told:
    """The rows of a batch that have issues of one severity.

    Args:
        places: where they stand in the batch.
        which: for each of them the place in `together` of what it has.
        together: different issues of one row, in the order they were found.
    """

    places: Sequence[int]
    which: Sequence[int]
    together: Sequence[Sequence[IssueKind]]

    def columns(self, tell: Callable[[Sequence[IssueKind]], Sequence[str]], size: int) -> Iterator[list[str]]:
        """Return columns that tell of the issues, blank in all other rows; what many rows have is told once."""
        for texts in zip(*map(tell, self.together), strict=True):
            column = [""] * size
            for place, number in zip(self.places, self.which, strict=True):
                column[place] = texts[number]
            yield column


def _told(batch: ResultBatch, severity: Severity) -> _Told:
    log, first = batch.issues, batch.first
    wanted = [kind.severity is severity for kind in log.kinds]
    if not any(wanted):
        return _Told((), (), ())
    chosen = [at for at, number in enumerate(log.which) if wanted[number]]
    places = [log.ordinals[at] - first for at in chosen]
    which = [log.which[at] for at in chosen]
    if len(set(places)) == len(places):
        return _Told(places, which, [(kind,) for kind in log.kinds])
    return _several(places, which, log.kinds)


def _several(places: Sequence[int], which: Sequence[int], kinds: Sequence[IssueKind]) -> _Told:
    """Put together what rows with more than one issue have."""
    found: dict[int, tuple[int, ...]] = {}
    for place, number in zip(places, which, strict=True):
        found[place] = (*found.get(place, ()), number)
    different = {numbers: at for at, numbers in enumerate(dict.fromkeys(found.values()))}
    together = [[kinds[number] for number in numbers] for numbers in different]
    return _Told(list(found), list(map(different.__getitem__, found.values())), together)


def _spread(texts: Mapping[int, str], size: int) -> list[str]:
    """Return a column that has texts in some places and is blank in all others."""
    column = [""] * size
    for place, text in texts.items():
        column[place] = text
    return column


def _warnings(warnings: Sequence[IssueKind]) -> tuple[str]:
    return (_joined([f"{warning.code}: {warning.message}" for warning in warnings]),)


def _errors(errors: Sequence[IssueKind]) -> tuple[str, str, str, str]:
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


def escaped(columns: Sequence[Column]) -> list[Column]:
    """Return the columns with every text escaped (see `escape_formula`)."""
    return [escape_formula(one) if isinstance(one, str) else list(map(escape_formula, one)) for one in columns]


Watcher = Callable[[ResultBatch], None]
"""Sees the batches of a run, in source order, while the tables are written."""
