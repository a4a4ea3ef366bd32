"""The rows that a person has to check, collected for the report, and the cells that their issues point to.

Keeps a bounded number of rows, whatever the size of the source. Masks values unless asked not to.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from importer.core.results import ResultBatch, RowResult
from importer.core.states import RowState

SHOWN_ROWS = 5_000
MAX_UNKNOWN_ROWS = 10_000

FAILING = frozenset({RowState.INVALID, RowState.REJECTED, RowState.FAILED, RowState.UNKNOWN})
_JOINTS = (", ", " + ", " | ", " & ")
_LONGEST_SHOWN = 120


@dataclass(slots=True)
class FailingRows:
    """Collects the first failing rows; usable as a watcher of `write_results`.

    Args:
        limit: how many rows are kept; the others are only counted.
    """

    limit: int = SHOWN_ROWS
    rows: list[RowResult] = field(default_factory=list)
    total: int = 0

    def __call__(self, batch: ResultBatch) -> None:
        """Take a batch, in source order."""
        if FAILING.isdisjoint(batch.states):
            return
        failing = [place for place, state in enumerate(batch.states) if state in FAILING]
        self.total += len(failing)
        self.rows += batch.at(failing[: max(self.limit - len(self.rows), 0)])


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """A row with an unknown outcome, with the ids of the customers that it could be."""

    row: int
    candidates: tuple[str, ...]


class UnknownRows:
    """Collects the rows that ended `unknown`; usable as a watcher of `write_results`."""

    def __init__(self) -> None:
        self.rows: list[UnknownRow] = []

    def __call__(self, batch: ResultBatch) -> None:
        """Take a batch; beyond the first 10,000 unknown rows see results.csv."""
        if RowState.UNKNOWN not in batch.states:
            return
        for place, state in enumerate(batch.states):
            if state is RowState.UNKNOWN and len(self.rows) < MAX_UNKNOWN_ROWS:
                self.rows.append(UnknownRow(batch.rows[place], batch.candidates.get(place, ())))


def column_index(columns: Sequence[str]) -> dict[str, int]:
    """Return each column's position."""
    return {name: index for index, name in enumerate(columns)}


def pointed_at(column: str, index: Mapping[str, int]) -> tuple[int, ...]:
    """Find the positions of the column(s) that an issue names; () where it names none of this source.

    Args:
        column: as an issue has it: one column, or several that were joined.
        index: see `column_index`.
    """
    if column in index:
        return (index[column],)
    for joint in _JOINTS:
        positions = [index[part] for part in column.split(joint) if part in index]
        if positions:
            return tuple(positions)
    return ()


def masked(text: str) -> str:
    """Return the shape of a value without its content: letters become x or X, digits 0; signs and blanks stay."""
    return "".join(map(_mask, text))


def _mask(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] == "L":
        return "X" if category == "Lu" else "x"
    return "0" if category[0] == "N" else character


def shown(text: str, *, show_values: bool) -> str:
    """Return a cell as a report shows it: masked unless asked otherwise, and not endless."""
    text = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
    return text if show_values else masked(text)
