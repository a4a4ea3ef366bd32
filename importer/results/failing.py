"""The rows that somebody has to look at, gathered for the report, and the cells that their issues point to.

Keeps a bounded number of rows, whatever the size of the source. Masks values unless asked not to.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from importer.core.results import ResultBatch, RowResult
from importer.core.states import RowState

SHOWN_ROWS = 5_000

FAILING = frozenset({RowState.INVALID, RowState.REJECTED, RowState.FAILED, RowState.UNKNOWN})
_JOINTS = (", ", " + ", " | ", " & ")
_LONGEST_SHOWN = 120


@dataclass(slots=True)
class FailingRows:
    """Gathers the first failing rows; usable as a watcher of `write_results`.

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
    """Return the shape of a value and nothing of it: letters become x or X, digits 0; signs and blanks stay."""
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
